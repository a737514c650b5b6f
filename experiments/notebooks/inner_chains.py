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
# # Do the inner chains mix?
#
# On each segment RTK runs a Markov chain on a kernel $p(z \mid x)$. Whether the chain has forgotten
# its start is the question of every MCMC, and it has the usual tools: the share of accepted
# proposals, the effective sample size (ESS), and $\hat R$, which compares several chains. This
# notebook shows them for every segment, with [arviz-stats](https://arviz-stats.readthedocs.io/).
#
# $\hat R$ must compare chains *of one law*. The chains of one `rtk.sample` have a kernel each,
# because each has a state $x$ of its own, so $\hat R$ over them would say nothing. Here some states
# $x$ are drawn, and from each of them several chains run on the *same* kernel.

# %%
import itertools
import sys
from pathlib import Path

# The root of the repository, wherever Jupyter was started.
sys.path.insert(0, next(str(f) for f in Path("_").absolute().parents if (f / "Snakefile").exists()))

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from arviz_stats.base import array_stats

import rtk
from figures import style
from rtk import segments, targets
from rtk.kernel import ReverseTransition
from rtk.mcmc.mala import mala
from rtk.noise import ChainNoise
from rtk.samplers.base import smoothness

torch.set_num_threads(1)
style.use()
plt.rcParams["figure.dpi"] = 130

# %% [markdown]
# ## 1. Chains on one kernel
#
# The target is the paper's `circle`: modes on a circle, in ten dimensions. To use a model of your
# own, replace `target.score` and `target.log_prob` (without a density, leave `log_prob` out: energy
# differences then come from the score), the states `x`, and the starts.

# %%
STATES, CHAINS, STEPS = 8, 4, 400

target = targets.mixture("circle")
narrowest = float(target.covariances.min())


def inner_chains(t_hi: float, t_lo: float, seed: int) -> tuple[np.ndarray, float]:
    """All states of MALA on the kernels of a segment, (x, chains, steps, d), and its acceptance.

    A chain begins at a draw of the marginal at the clean end, which knows nothing of x and is
    wider than the kernel. That is what R-hat asks for.
    """
    generator = torch.Generator().manual_seed(seed)
    noise = ChainNoise(seed, STATES * CHAINS, (target.dimension,))
    x = target.sample(STATES, t_hi, generator=generator).repeat_interleave(CHAINS, 0)
    z = target.sample(STATES * CHAINS, t_lo, generator=generator)
    kernel = ReverseTransition(target.score, x, t_hi, t_lo, target.log_prob)
    curvature = smoothness(t_lo, narrowest) + kernel.tilt_precision
    step_size = 1.1 * target.dimension ** (-1 / 3) / curvature
    path, accepted = [], 0.0
    for _ in range(STEPS):
        point, moved = mala(kernel, z, 1, step_size, noise)
        z = point.z
        path.append(z)
        accepted += float(moved.mean()) / STEPS
    states = torch.stack(path, 1).reshape(STATES, CHAINS, STEPS, -1)
    return states.numpy().astype(np.float64), accepted


# %% [markdown]
# ## 2. Every segment of two grids
#
# The paper's experiments on mixtures have five equal segments. A grid uniform in log-SNR has more
# and shorter ones where the kernels are hard. For each kernel the table has the worst coordinate:
# the largest $\hat R$, rank-normalised and split, and the smallest ESS per inner step. The first
# half of each chain is left out. If chains agree, $\hat R$ is 1 up to chance; with so few draws and
# the worst of ten coordinates, up to about 1.1.

# %%
GRIDS = {"five equal": segments.uniform(5), "25 in log-SNR": segments.log_snr(25, t_end=0.001)}


def diagnose(states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """R-hat and ESS per step of each state x, over the worst coordinate."""
    kept = np.moveaxis(states[:, :, STEPS // 2 :], -1, 1)
    draws = CHAINS * kept.shape[-1]
    r_hat = array_stats.rhat(kept, chain_axis=2, draw_axis=3)
    effective = array_stats.ess(kept, chain_axis=2, draw_axis=3)
    return r_hat.max(1), effective.min(1) / draws


rows = []
for name, times in GRIDS.items():
    for k, (t_hi, t_lo) in enumerate(itertools.pairwise(times)):
        states, acceptance = inner_chains(t_hi, t_lo, seed=k)
        r_hat, effective = diagnose(states)
        rows.append(
            {"grid": name, "t_hi": t_hi, "t_lo": t_lo, "acceptance": acceptance}
            | {"R-hat, median": np.median(r_hat), "R-hat, worst": r_hat.max()}
            | {"ESS per step": np.median(effective)}
        )
table = pd.DataFrame(rows)
table[table["grid"] == "five equal"].drop(columns="grid").round(3)

# %%
table[table["grid"] != "five equal"].drop(columns="grid").round(3)

# %%
figure, axes = plt.subplots(1, 3, figsize=(style.DOUBLE, 2.2))
for (name, part), marker in zip(table.groupby("grid", sort=False), "so", strict=True):
    for panel, column in zip(axes, ("R-hat, worst", "ESS per step", "acceptance"), strict=True):
        panel.plot(part["t_hi"], part[column], marker=marker, label=name)
for panel, title in zip(axes, ("largest R-hat", "ESS per inner step", "acceptance"), strict=True):
    panel.set(xscale="log", xlabel="time of the noisy end", title=title)
axes[0].axhline(1.0, color="0.6", linewidth=0.8)
axes[2].set(ylim=(0, 1))
_ = axes[2].legend()

# %% [markdown]
# ## 3. What to read off
#
# - An acceptance near the optimum of MALA, 0.57 in high dimensions, says that the *step* fits the
#   curvature. It says nothing about the number of modes: the last of the five equal segments
#   accepts as well as the others.
# - $\hat R$ far above 1 says that chains from different starts end in different places. Then no
#   affordable number of inner steps helps, and the segment must be shorter. On a short segment the
#   state $x$ says in which mode $z$ lies, so that one mode is left.
# - Where $\hat R$ is near 1, one over the ESS per step is the number of inner steps after which a
#   chain is as good as new. With fewer, the warm start has to do the rest.
#
# Here is the number of segments on which the chains of some state disagree, with $\hat R$ above
# 1.2, and the inner steps that one independent draw takes on the others:

# %%
agree = table["R-hat, worst"] < 1.2
pd.DataFrame(
    {
        "segments": table.groupby("grid", sort=False).size(),
        "chains disagree": (~agree).groupby(table["grid"], sort=False).sum(),
        "steps for a draw": (1 / table["ESS per step"])[agree]
        .groupby(table["grid"], sort=False)
        .median(),
    }
).round(1)

# %% [markdown]
# The acceptance of a run is in `result.diagnostics`, for every segment, without further work:

# %%
result = rtk.sample(
    target.score,
    target.dimension,
    2000,
    "rtk-mala",
    nfe=200,
    segments=GRIDS["25 in log-SNR"],
    log_prob=target.log_prob,
    data_variance=narrowest,
)
pd.DataFrame([vars(segment) for segment in result.diagnostics.segments]).round(3).tail(6)
