# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # B: the theory checks, to look around in
#
# One section for each check: what there is in its data (`columns`), its finished table and the
# numbers that the article quotes (`show`), and one quantity (`plot`). Give `plot` another `metric`,
# another `x`, or fix columns by `where`, and run the cell again.

# %%
import sys
from pathlib import Path

# The root of the repository, wherever Jupyter was started.
sys.path.insert(0, next(str(f) for f in Path("_").absolute().parents if (f / "Snakefile").exists()))

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display

from experiments import reader
from experiments.results import COLUMNS
from figures import style

style.use()
plt.rcParams["figure.dpi"] = 130
pd.set_option("display.max_colwidth", None)


def columns(experiment: str) -> pd.DataFrame:
    """The columns of an experiment's data that vary, with their values."""
    frame = reader.table(experiment)
    names = [
        name for name in ("metric", "target", "method", *extra(frame)) if frame[name].nunique() > 1
    ]
    values = {name: ", ".join(f"{v}" for v in frame[name].dropna().unique()[:12]) for name in names}
    return pd.DataFrame(values.items(), columns=["column", "values"])


def extra(frame: pd.DataFrame) -> list[str]:
    """Columns beyond those that all experiments have."""
    return [name for name in frame if name not in COLUMNS]


def show(experiment: str) -> None:
    """The finished table and the numbers of an experiment."""
    display(reader.printed(experiment))
    display(pd.Series(reader.numbers(experiment), name="number").to_frame())


def plot(
    experiment: str,
    metric: str | None = None,
    x: str | None = None,
    lines: list[str] | None = None,
    where: dict[str, object] | None = None,
    scale: str = "log",
) -> None:
    """One metric against one column, a line for each combination of the columns ``lines``.

    Left to itself it takes the metric with most rows, the numeric column with most values, and
    lines for all other columns that vary in up to twelve values. ``where`` fixes columns.
    """
    frame = reader.table(experiment)
    metric = metric or str(frame["metric"].mode()[0])
    frame = frame[frame["metric"] == metric]
    for column, value in (where or {}).items():
        frame = frame[frame[column] == value]
    if frame.empty:
        raise ValueError(f"no rows of {metric} with {where}: see columns({experiment!r})")
    varying = [name for name in ("target", "method", *extra(frame)) if frame[name].nunique() > 1]
    numeric = [name for name in varying if pd.api.types.is_numeric_dtype(frame[name])]
    x = x or max(numeric, key=lambda name: frame[name].nunique())
    if lines is None:
        lines = [name for name in varying if name != x and frame[name].nunique() <= 12]
    figure, axes = plt.subplots(figsize=(style.DOUBLE, 2.8))
    parts = frame.groupby(lines) if lines else [((), frame)]
    for k, (values, part) in enumerate(parts):
        part = part.sort_values(x)
        axes.errorbar(
            part[x],
            part["value"],
            part["standard_error"],
            marker="o",
            color=plt.get_cmap("turbo")((k + 0.5) / len(parts)),
            label=", ".join(str(value) for value in values),
        )
    axes.set(xscale=scale, yscale=scale, xlabel=x, ylabel=metric, title=experiment)
    if lines:
        axes.legend(title=", ".join(lines), loc="center left", bbox_to_anchor=(1, 0.5), ncols=2)
    display(figure)
    plt.close(figure)


# %% [markdown]
# ## B1. Where the kernel is log-concave
#
# The extreme eigenvalues of the kernel's Hessian over $L$, against the length of its segment over
# $\eta^*$. The theory promises $[1, 3]$ at 1; kernels stop being convex where `smallest` is below
# 0.

# %%
columns("log_concavity")

# %%
plot("log_concavity", "smallest", x="ratio", where={"target": "circle"}, scale="linear")

# %% [markdown]
# ## B3. The inner chain on one segment
#
# Total variation to the kernel against inner steps, without Monte Carlo noise. `step_size` is
# relative to the kernel's curvature.

# %%
columns("inner_chain")

# %%
plot("inner_chain", "tv", x="steps", where={"target": "two-modes", "step_size": 0.2})
