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
# # B: the results of the checks of the theory
#
# There is one section for each check. `columns` lists what its data hold, `show` prints its
# finished table and the numbers that the article quotes, and `plot` draws one quantity. To see
# another one, give `plot` another `metric` or another `x`, or fix columns by `where`, and run the
# cell again.

# %%
import sys
from pathlib import Path

# The root of the repository, wherever Jupyter was started.
sys.path.insert(0, next(str(f) for f in Path("_").absolute().parents if (f / "Snakefile").exists()))

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display

from experiments.workflow import reader
from experiments.workflow.results import COLUMNS
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
    """The columns that not all experiments have."""
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

    By default it takes the metric with the most rows, for ``x`` the numeric column with the most
    values, and a line for each value of the other columns that vary, up to sixteen lines. Columns
    that remain are fixed at their commonest value, which the title states. ``where`` fixes columns
    by hand.
    """
    frame = reader.table(experiment)
    metric = metric or str(frame["metric"].mode()[0])
    frame = frame[frame["metric"] == metric]
    where = dict(where or {})
    for column, value in where.items():
        frame = frame[frame[column] == value]
    if frame.empty:
        raise ValueError(f"no rows of {metric} with {where}: see columns({experiment!r})")
    varying = [name for name in ("target", "method", *extra(frame)) if frame[name].nunique() > 1]
    numeric = [name for name in varying if pd.api.types.is_numeric_dtype(frame[name])]
    x = x or max(numeric, key=lambda name: frame[name].nunique())
    if lines is None:
        lines = []
        for name in varying:
            if name != x and len(frame.drop_duplicates([*lines, name])) <= 16:
                lines.append(name)
            elif name not in (x, *numeric):
                where[name] = frame[name].mode()[0]
                frame = frame[frame[name] == where[name]]
    figure, axes = plt.subplots(figsize=(style.DOUBLE, 2.8))
    parts = frame.groupby(lines, dropna=False) if lines else [((), frame)]
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
    fixed = "".join(f", {column} = {value}" for column, value in where.items())
    axes.set(xscale=scale, yscale=scale, xlabel=x, ylabel=metric, title=experiment + fixed)
    if lines:
        axes.legend(title=", ".join(lines), loc="center left", bbox_to_anchor=(1, 0.5))
    display(figure)
    plt.close(figure)


# %% [markdown]
# ## B1. Where the kernel is log-concave
#
# These are the extreme eigenvalues of the Hessian of the kernel's potential, divided by the
# Lipschitz constant $L$ of the score, against `ratio`, the length of the segment divided by
# $\eta^*$. At the ratio 1 the theory promises values in $[1, 3]$. A kernel with `smallest` below 0
# is not convex.

# %%
columns("log_concavity")

# %%
show("log_concavity")

# %%
plot("log_concavity", "smallest", x="ratio", where={"target": "circle"}, scale="linear")

# %% [markdown]
# ## B1. Mixing beyond $\eta^*$
#
# What longer segments cost: the spectral gap of the inner chain and its autocorrelation time.

# %%
columns("mixing")

# %%
show("mixing")

# %%
plot("mixing", "gap_worst", x="ratio", lines=["mode"])

# %% [markdown]
# ## B1. A learned score
#
# The curvature of the MNIST network's score, from products of its Jacobian with vectors.

# %%
columns("network_curvature")

# %%
show("network_curvature")

# %%
plot("network_curvature")

# %% [markdown]
# ## B2. Number of segments
#
# The number of segments of RTK with exact kernels, and of steps of DDPM, against the accuracy and
# the dimension.

# %%
columns("segment_count")

# %%
show("segment_count")

# %%
plot("segment_count", x="eps", lines=["method", "settings"], where={"sweep": "eps"})

# %% [markdown]
# ## B3. The inner chain on one segment
#
# The total variation between the law of the inner chain and the kernel against the number of inner
# steps, computed without Monte Carlo noise. `step_size` is relative to the kernel's curvature.

# %%
columns("inner_chain")

# %%
show("inner_chain")

# %%
plot("inner_chain", "tv", x="steps", where={"target": "two-modes", "step_size": 0.2})

# %% [markdown]
# ## B3. The whole path
#
# The score evaluations that an accuracy takes over all segments.

# %%
columns("convergence")

# %%
show("convergence")

# %%
plot("convergence", "tv", x="inner_steps", where={"study": "fixed step"})

# %% [markdown]
# ## B4. Dimension
#
# The score evaluations that bring the total variation to 0.01, with the theory's step and with the
# best one (`optimised`).

# %%
columns("dimension")

# %%
show("dimension")

# %%
plot("dimension", "nfe", x="dimension", where={"rule": "optimised", "eps": 0.01})

# %% [markdown]
# ## B5. Robustness
#
# The effect of errors that we add to the score and to the energy difference.

# %%
columns("robustness")

# %%
show("robustness")

# %%
plot("robustness")

# %% [markdown]
# ## B6. Energy differences from scores
#
# The error of the estimated difference, the error of the acceptance probability, and the distance
# of the invariant law from the kernel.

# %%
columns("energy_estimators")

# %%
show("energy_estimators")

# %%
plot("energy_estimators")

# %% [markdown]
# ## B7. The Cheeger constant
#
# The Cheeger constant of kernels truncated to a ball, divided by $\sqrt{L}$, and their spectral gap
# divided by $L$.

# %%
columns("cheeger")

# %%
show("cheeger")

# %%
plot("cheeger", "gap", x="dimension", where={"truncation": 1.0})

# %% [markdown]
# ## B8. Beyond mixtures
#
# The samplers on four targets that are not mixtures: a funnel, a many-well, rings and Student's t.

# %%
columns("beyond_mixtures")

# %%
show("beyond_mixtures")

# %%
plot("beyond_mixtures", "sliced_w2", x="nfe_asked", lines=["method"], where={"target": "rings"})

# %% [markdown]
# ## B9. Segment length at a fixed cost
#
# The error of the samples against the number of segments, at a fixed number of score evaluations.

# %%
columns("segment_length")

# %%
show("segment_length")

# %%
where: dict[str, object] = {"step": "best", "dimension": 10, "method": "rtk-uld"}
plot("segment_length", "tv", x="segments", lines=["family", "nfe_asked"], where=where)
