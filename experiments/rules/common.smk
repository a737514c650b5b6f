# Functions that the rules share: settings and files of a scale.
import os
import re
from pathlib import Path

from snakemake.exceptions import WorkflowError

from experiments.workflow import configuration, recovery
from experiments.workflow.sources import digest

SCALES = ("smoke", "default", "paper")
CALIBRATED = ("calibrated", "rtk")

recovery.begin(job=not workflow.is_main_process)

os.environ.update(
    # Scripts import the packages of the repository, whatever folder they lie in.
    PYTHONPATH=workflow.basedir,
    # Memory that is freed stays with the process. By default the C library of Linux gives that of large
    # tensors back, and the next one waits until the system has cleared it: a tenth of the time on images.
    MALLOC_MMAP_THRESHOLD_="1073741824",
    MALLOC_TRIM_THRESHOLD_="1073741824",
)


def check_scale(scale):
    """The name of a scale. Another name is an error that lists the scales."""
    if scale not in SCALES:
        raise WorkflowError(f"unknown scale {scale!r}: choose scale={', scale='.join(SCALES)}")
    return scale


def mixture_tables(methods):
    """The tables of these methods on all mixtures."""
    targets = config["mixtures"]["targets"]
    pattern = "<results>/data/mixtures/{target}/{method}.parquet"
    return expand(pattern, target=targets, method=methods)


def mixture_samples(methods):
    """The samples that these methods kept on all mixtures."""
    return [table.replace(".parquet", ".npz") for table in mixture_tables(methods)]


def image_data(dataset):
    """The images of a data set. One copy serves every scale."""
    return f"results/{dataset}/{dataset}.npz"


def image_reference(dataset):
    """The test images of a data set, as the metrics need them."""
    return f"<results>/{dataset}/reference.npz"


def image_runs():
    """The runs of samplers on images by name: their data set, the protocol of their methods, and sizes.

    There is one for each data set, and on some a long one, with more images and methods, whose results are
    part of the project. On MNIST there is also that of the published protocol.
    """
    images = config["images"]
    tuned = {
        "protocol": "methods",
        "methods": images.get("subset", [*images["methods"]]),
        "kept": images["kept"],
        "seeds": images["seeds"],
    }
    runs = {
        name: {**tuned, "dataset": name, "images": own["images"], "nfe": own["nfe"]}
        for name, own in images["datasets"].items()
    }
    long = {"methods": [*images["methods"]], "seeds": 1, "kept": images["recorded"]["kept"]}
    recorded = {
        f"{name}_recorded": runs[name] | long | sizes
        for name, sizes in images["recorded"]["datasets"].items()
    }
    published = {"protocol": "published", "methods": [*images["published"]]}
    return runs | recorded | {"mnist_published": runs["mnist"] | published}


def dataset_of(wildcards):
    """The data set of a job."""
    return run_of(wildcards)["dataset"] if "run" in wildcards.keys() else wildcards.dataset


def run_of(wildcards):
    """The run of samplers on images that a job belongs to."""
    return image_runs()[wildcards.run]


def image_weights(network, dataset):
    """The weights of a network: part of the project if it has them, or trained by the workflow."""
    shipped = f"experiments/images/checkpoint/{dataset}/{network}.safetensors"
    if config["images"]["retrain"] or not Path(workflow.basedir, shipped).exists():
        return f"<results>/{dataset}/{network}.safetensors"
    return shipped


def weights_of_dataset(network):
    """The same for the data set of a job."""
    return lambda wildcards: image_weights(network, dataset_of(wildcards))


def image_training(network, dataset):
    """The settings with which the workflow trains a network of a data set."""
    own = config["images"]["datasets"][dataset].get(network, {})
    return config["images"][network] | own


def title_of_dataset(wildcards):
    """The name of a data set in print."""
    return config["images"]["datasets"][dataset_of(wildcards)]["title"]


def subcategory_of_run(wildcards):
    """Where the report has a run on images."""
    return f"C1. {title_of_dataset(wildcards)}, {run_of(wildcards)['images']} images"


def image_tables(run, methods=None):
    """The tables of these methods, or of all, in a run on images: part of the project, or made."""
    dataset = run.removesuffix("_recorded")
    shipped = dataset != run and not config["images"]["recorded"]["again"]
    folder = f"experiments/images/recorded/{dataset}" if shipped else f"<results>/data/{run}"
    return expand(f"{folder}/{{method}}.parquet", method=methods or image_runs()[run]["methods"])


def tables_of_datasets(methods):
    """The tables of these methods in the runs on all data sets of images."""
    return [
        table
        for dataset in config["images"]["datasets"]
        for table in image_tables(dataset, methods)
    ]


def image_samples(run):
    """The images that all methods of a run kept."""
    return [table.replace(".parquet", ".npz") for table in image_tables(run)]


def study_settings(study):
    """The settings of a study: its part of the configuration, and settings of other studies."""
    shared = config["studies"][study].get("shares", {})
    others = {name: config[other][name] for other, names in shared.items() for name in names}
    return config[study] | others


def study_files(wildcards):
    """The files that a study reads, by name."""
    files = {
        "data": image_data("mnist"),
        "score": image_weights("score", "mnist"),
        "claims": "paper/claims.yaml",
    }
    return {name: files[name] for name in config["studies"][wildcards.study].get("needs", [])}


def study_data(study):
    """The tables of a study: a single one, or one for each of its targets."""
    if config["studies"][study].get("split"):
        pattern = "<results>/data/{study}/{target}.parquet"
        return expand(pattern, study=study, target=config[study]["targets"])
    return [f"<results>/data/{study}.parquet"]


def measured(rule, **wildcards):
    """The benchmarks of a rule's jobs: files with their times and memory."""
    job = Path("<benchmarks>", rule, *(f"{{{name}}}" for name in wildcards))
    return expand(f"{job}.tsv", **wildcards)


def named_in(sources, call, pattern):
    """The files whose NAME stands in calls of the sources, such as plot("NAME" or #num("NAME".

    A call stands at the beginning of its line, or behind a hash.
    """
    text = "".join(Path(source).read_text(encoding="utf-8") for source in sources)
    names = re.findall(rf'(?:^|#){call}\(\s*"(\w+)"', text, re.MULTILINE)
    return expand(pattern, name=sorted(set(names)))


def image_calibration(method):
    """The calibration of the score of a data set, with the solvers of one method."""
    return f"<results>/{{dataset}}/{method}.safetensors"


def calibration_of_images(wildcards):
    """The calibration for the method of the job, if it needs one."""
    method = on_images(wildcards)["sampler"]["method"]
    if method not in CALIBRATED:
        return {}
    return {"calibration": image_calibration(method).format(dataset=dataset_of(wildcards))}


def protocol_of(wildcards):
    """The protocol of a job on images: the part of the configuration that has its method."""
    return run_of(wildcards)["protocol"] if "run" in wildcards.keys() else wildcards.protocol


def on_images(wildcards):
    """The method of a job on images, as the configuration has it."""
    return config["images"][protocol_of(wildcards)][wildcards.method]


def image_settings(protocol, method):
    """The settings of a method on images: part of the project if it has them, or tuned."""
    shipped = f"experiments/images/tuned/{protocol}/{method}.json"
    if config["images"]["retune"] or not Path(workflow.basedir, shipped).exists():
        return f"<results>/tuning/{protocol}/{method}.json"
    return shipped


def tuned_on_images(wildcards):
    """The file of the settings of the job's method, if it has a choice."""
    if "candidates" not in on_images(wildcards):
        return {}
    return {"tuned": image_settings(protocol_of(wildcards), wildcards.method)}


def compared(wildcards):
    """The method of a job, as the configuration has it."""
    return config["comparison"]["methods"][wildcards.method]


def registered(wildcards):
    """The name of the method's sampler in the registry, as the code of a job depends on it.

    Samplers that are fitted to data have no name there.
    """
    name = compared(wildcards)["sampler"]["method"]
    return [] if name in ("dpm-v3", "analytic-ddpm") else [name]


def budgets_of(method, experiment):
    """The numbers of score evaluations at which the method runs."""
    return [nfe for nfe in config[experiment]["nfe"] if nfe <= method.get("most", nfe)]


def tuned_settings(wildcards):
    """The file of the settings that were chosen, if the method has a choice."""
    if "candidates" not in compared(wildcards):
        return {}
    return {"tuned": f"<results>/tuning/{wildcards.method}.json"}
