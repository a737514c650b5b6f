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
# # C1: the results on MNIST
#
# This notebook reads what the workflow has measured with a learned score. Distances are taken in
# the features of a small classifier (RTK-MNIST-CNN), not in those of Inception. So they can be
# compared with each other, and not with published FIDs. You can change the names in capitals and
# run a cell again.

# %%
import sys
from pathlib import Path

# The root of the repository, wherever Jupyter was started.
sys.path.insert(0, next(str(f) for f in Path("_").absolute().parents if (f / "Snakefile").exists()))

import matplotlib.pyplot as plt
import numpy as np

from experiments.workflow import reader
from figures import style

style.use()
plt.rcParams["figure.dpi"] = 130

frame = reader.table("mnist", "figures/mnist_frechet.pdf")
print("methods:", *frame["method"].unique())
print("metrics:", *frame["metric"].unique())
print("budgets:", *sorted(frame["nfe_asked"].unique()), "(0: training images)")

# %% [markdown]
# ## One metric against score evaluations
#
# The dotted line is what the same number of training images scores. Bars are one standard error.

# %%
METRIC = "frechet_distance"
METHODS = [method for method in frame["method"].unique() if method != "exact"]

chosen = frame[frame["metric"] == METRIC]
figure, axes = plt.subplots(figsize=(style.DOUBLE, 2.8))
for method in METHODS:
    part = chosen[chosen["method"] == method].sort_values("nfe")
    axes.errorbar(part["nfe"], part["value"], part["standard_error"], **style.look(method).line)
floor = chosen.loc[chosen["method"] == "exact", "value"].mean()
axes.axhline(floor, color="k", ls=":", lw=0.8, label="training images")
axes.set(xscale="log", xlabel="score evaluations (NFE)", ylabel=METRIC)
_ = axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))

# %% [markdown]
# ## All metrics at one number of score evaluations

# %%
NFE = int(frame["nfe_asked"].max())

at_budget = frame[frame["nfe_asked"].isin([NFE, 0])]
at_budget.pivot_table(index="method", columns="metric", values="value").round(3)

# %% [markdown]
# ## The digits
#
# These are the first images of a run; they were not selected.

# %%
METHOD = "rtk-uld"
BUDGETS = sorted(frame.loc[frame["method"] == METHOD, "nfe_asked"].unique())
COLUMNS = 16

kept = reader.arrays(f"mnist/{METHOD}")
figure, panels = plt.subplots(len(BUDGETS), 1, figsize=(style.DOUBLE, 0.55 * len(BUDGETS)))
for panel, nfe in zip(panels, BUDGETS, strict=True):
    panel.imshow(np.concatenate(kept[f"nfe_{nfe}"][:COLUMNS], axis=1), cmap="gray", aspect="auto")
    panel.set(xticks=[], yticks=[], ylabel=f"NFE {nfe}")
