# C3: score networks and energy networks.
ENERGY_NETWORKS = config["energy_networks"]
ENERGY_NETWORKS_TABLES = expand(
    "<results>/data/energy_networks/{target}.parquet", target=ENERGY_NETWORKS["targets"]
)


# With priority, so that these long jobs do not begin last, where each would run alone.
rule sample_energy_networks:
    input:
        unpack(
            lambda wildcards: (
                {
                    "data": image_data("mnist"),
                    "reference": image_reference("mnist"),
                    "classifier": image_weights("classifier", "mnist"),
                    "score": "experiments/images/checkpoint/mnist_small/score.safetensors",
                    "energy": "experiments/images/checkpoint/mnist_energy/score.safetensors",
                }
                if wildcards.target == "mnist"
                else {}
            )
        ),
    output:
        table="<results>/data/energy_networks/{target}.parquet",
    log:
        "<logs>/sample_energy_networks/{target}.log",
    benchmark:
        "<benchmarks>/sample_energy_networks/{target}.tsv"
    wildcard_constraints:
        target="|".join(ENERGY_NETWORKS["targets"]),
    priority: 1
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest(
            "experiments/energy_networks/sample.py",
            methods=sorted({each["method"] for each in ENERGY_NETWORKS["methods"].values()}),
        ),
        chains=lambda wildcards: ENERGY_NETWORKS["targets"][wildcards.target]["chains"],
        nfe=lambda wildcards: ENERGY_NETWORKS["targets"][wildcards.target]["nfe"],
        methods=ENERGY_NETWORKS["methods"],
        grid=lambda wildcards: ENERGY_NETWORKS["grids"][wildcards.target],
        times=ENERGY_NETWORKS["times"],
        draws=ENERGY_NETWORKS["draws"],
        training=ENERGY_NETWORKS["training"],
        seed=config["seed"],
    script:
        "../energy_networks/sample.py"


rule figure_energy_networks:
    input:
        frame=ENERGY_NETWORKS_TABLES,
    output:
        pdf="<results>/figures/energy_networks.pdf",
        png=report(
            "<results>/figures/energy_networks.png",
            caption="../../figures/captions/energy_networks.rst",
            category="C. Images",
            subcategory="C3. Energy networks",
            labels={"what": "errors", "as": "figure"},
        ),
    log:
        "<logs>/figure_energy_networks.log",
    benchmark:
        "<benchmarks>/figure_energy_networks.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/plots/energy_networks.py"),
    script:
        "../../figures/plots/energy_networks.py"


rule table_energy_networks:
    input:
        frame=ENERGY_NETWORKS_TABLES,
    output:
        table=report(
            "<results>/tables/energy_networks.csv",
            caption="../../figures/captions/energy_networks_table.rst",
            category="C. Images",
            subcategory="C3. Energy networks",
            labels={"what": "networks", "as": "table"},
        ),
        numbers="<results>/numbers/energy_networks.json",
    log:
        "<logs>/table_energy_networks.log",
    benchmark:
        "<benchmarks>/table_energy_networks.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/tables/energy_networks.py"),
    script:
        "../../figures/tables/energy_networks.py"
