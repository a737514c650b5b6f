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
# # A1: the results on the paper's mixtures
#
# This notebook reads what the workflow has measured on the mixtures `circle`, `chessboard` and
# `spiral`, whose scores are exact. You can change the names in capitals and run a cell again.

# %%
import sys
from pathlib import Path

# The root of the repository, wherever Jupyter was started.
sys.path.insert(0, next(str(f) for f in Path("_").absolute().parents if (f / "Snakefile").exists()))

import matplotlib.pyplot as plt

from experiments.workflow import reader
from figures import style

style.use()
plt.rcParams["figure.dpi"] = 130

frame = reader.table("mixtures", "figures/mixture_accuracy.pdf")
print("targets:", *frame["target"].unique())
print("methods:", *frame["method"].unique())
print("metrics:", *frame["metric"].unique())
print("budgets:", *sorted(frame["nfe_asked"].unique()), "(0: exact samples)")

# %% [markdown]
# ## One metric against score evaluations
#
# For `marginal_accuracy` and `halved_marginal_accuracy` (the paper's form) 1 is best, for the other
# metrics 0. The dotted line is what exact samples score; a sampler can be better than that only by
# chance. `mode_weight_tv` is the mass that sits in wrong modes, to which marginals are blind. Bars
# are one standard error.

# %%
TARGET = "circle"
METRIC = "mode_weight_tv"
METHODS = ["ddpm", "dpm++2m", "rtk-ula", "rtk-uld", "rtk-mala", "rtk-mala-trapezoid"]

chosen = frame[(frame["target"] == TARGET) & (frame["metric"] == METRIC)]
figure, axes = plt.subplots(figsize=(style.DOUBLE, 2.8))
for method in METHODS:
    part = chosen[chosen["method"] == method].sort_values("nfe")
    axes.errorbar(part["nfe"], part["value"], part["standard_error"], **style.look(method).line)
floor = chosen.loc[chosen["method"] == "exact", "value"].item()
axes.axhline(floor, color="k", ls=":", lw=0.8, label="exact samples")
axes.set(xscale="log", yscale="log", xlabel="score evaluations (NFE)", ylabel=METRIC, title=TARGET)
_ = axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))

# %% [markdown]
# ## All metrics at one number of score evaluations
#
# The metrics disagree: a sampler that is best in one may be behind in another.

# %%
NFE = 55

at_budget = frame[(frame["target"] == TARGET) & frame["nfe_asked"].isin([NFE, 0])]
at_budget.pivot(index="method", columns="metric", values="value").round(4)

# %% [markdown]
# ## The samples in their first two coordinates

# %%
SHOWN = ["exact", "ddpm", "dpm++2m", "rtk-uld", "rtk-mala"]

figure, panels = plt.subplots(1, len(SHOWN), figsize=(style.DOUBLE, 1.8), sharey=True)
for panel, method in zip(panels, SHOWN, strict=True):
    points = reader.arrays(f"mixtures/{TARGET}/{method}")
    sample = points["exact" if method == "exact" else f"nfe_{NFE}"][:2500]
    panel.scatter(*sample.T, s=0.5, color=style.look(method).color, linewidths=0)
    panel.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal", title=method)

# %% [markdown]
# ## Time and acceptance
#
# We count score evaluations because the network dominates the cost of real models. Here the scores
# are cheap, so the seconds show what the samplers cost besides. The acceptance is that of the
# Metropolis chains.

# %%
costs = frame[(frame["target"] == TARGET) & (frame["metric"] == METRIC) & (frame["nfe_asked"] > 0)]
costs.pivot(index="method", columns="nfe_asked", values=["seconds", "acceptance"]).round(2)
