"""What the jobs that draw a figure or make a table have in common: their inputs and outputs."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from experiments.workflow import job, results
from figures import style


def plot(draw: Callable[..., Figure]) -> None:
    """Save the figure that ``draw`` returns as the outputs of the rule.

    ``draw`` receives by keyword what `read_arguments` returns.
    """
    snakemake = job.start()
    style.use()
    style.save(draw(**read_arguments(snakemake)), snakemake.output.pdf)


def table(
    make: Callable[..., pd.DataFrame], numbers: Callable[..., Mapping[str, float]] | None = None
) -> None:
    """Write the table for print, and the numbers that the article quotes if there are any.

    Both functions receive by keyword what `read_arguments` returns.
    """
    snakemake = job.start()
    arguments = read_arguments(snakemake)
    results.write_csv(make(**arguments), snakemake.output.table)
    if numbers is not None:
        results.write_numbers(numbers(**arguments), snakemake.output.numbers)


def read_arguments(snakemake: Any) -> dict[str, Any]:
    """The params of a rule and the content of its input files, by name.

    Tables under one name are joined into one, with their rows one below the other. Files of arrays
    become a mapping from the name of the file to its arrays by name. A file of numbers becomes a
    mapping from names to numbers. The param ``code``, a digest of the code, is left out.
    """
    files = {
        name: [paths] if isinstance(paths, str) else [*paths]
        for name, paths in snakemake.input.items()
    }
    params = {name: value for name, value in snakemake.params.items() if name != "code"}
    return {name: _read(paths) for name, paths in files.items()} | params


def _read(paths: list[str]) -> Any:
    match Path(paths[0]).suffix:
        case ".npz":
            return {Path(path).stem: results.read_arrays(path) for path in paths}
        case ".json":
            return results.read_numbers(*paths)
        case _:
            return results.read(*paths)
