# B, the theory: the studies in experiments/config/studies.yaml, and the paper's Table 1.
STUDIES = config["studies"]
SPLIT = [study for study, about in STUDIES.items() if about.get("split")]


rule study:
    input:
        unpack(study_files),
    output:
        table="<results>/data/{study}.parquet",
    log:
        "<logs>/{study}.log",
    benchmark:
        "<benchmarks>/{study}.tsv"
    wildcard_constraints:
        study="|".join(study for study in STUDIES if study not in SPLIT),
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=lambda wildcards: digest(
            f"experiments/theory/{wildcards.study}.py",
            methods=STUDIES[wildcards.study].get("samplers", []),
        ),
        seed=config["seed"],
        settings=lambda wildcards: study_settings(wildcards.study),
    script:
        "../theory/{wildcards.study}.py"


use rule study as study_of_target with:
    output:
        table="<results>/data/{study}/{target}.parquet",
    log:
        "<logs>/{study}/{target}.log",
    benchmark:
        "<benchmarks>/{study}/{target}.tsv"
    wildcard_constraints:
        study="|".join(SPLIT),
    params:
        seed=config["seed"],
        settings=lambda wildcards: {
            **{k: v for k, v in study_settings(wildcards.study).items() if k != "targets"},
            "target": wildcards.target,
        },


rule plot_of_study:
    input:
        frame=lambda wildcards: study_data(wildcards.study),
    output:
        pdf="<results>/figures/{study}.pdf",
        png=report(
            "<results>/figures/{study}.png",
            caption="../../figures/captions/study.rst",
            category="B. Theory",
            subcategory=lambda wildcards: STUDIES[wildcards.study]["subcategory"],
            labels={"study": "{study}", "as": "figure"},
        ),
    log:
        "<logs>/figure_{study}.log",
    benchmark:
        "<benchmarks>/figure_{study}.tsv"
    wildcard_constraints:
        study="|".join(STUDIES),
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=lambda wildcards: digest(f"figures/plots/{wildcards.study}.py"),
    script:
        "../../figures/plots/{wildcards.study}.py"


rule table_of_study:
    input:
        frame=lambda wildcards: study_data(wildcards.study),
    output:
        table=report(
            "<results>/tables/{study}.csv",
            caption="../../figures/captions/study_table.rst",
            category="B. Theory",
            subcategory=lambda wildcards: STUDIES[wildcards.study]["subcategory"],
            labels={"study": "{study}", "as": "table"},
        ),
        numbers="<results>/numbers/{study}.json",
    log:
        "<logs>/table_{study}.log",
    benchmark:
        "<benchmarks>/table_{study}.tsv"
    wildcard_constraints:
        study="|".join(STUDIES),
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=lambda wildcards: digest(f"figures/tables/{wildcards.study}.py"),
    script:
        "../../figures/tables/{wildcards.study}.py"


rule table_1:
    input:
        dimension="<results>/numbers/dimension.json",
        convergence="<results>/numbers/convergence.json",
        products="<results>/numbers/product_laws.json",
    output:
        table=report(
            "<results>/tables/table_1.csv",
            caption="../../figures/captions/table_1.rst",
            category="B. Theory",
            subcategory="Table 1",
        ),
    log:
        "<logs>/table_1.log",
    benchmark:
        "<benchmarks>/table_1.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/tables/table_1.py"),
    script:
        "../../figures/tables/table_1.py"
