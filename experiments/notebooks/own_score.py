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
# # RTK on a score of your own
#
# This notebook trains a small network on the two-moons data by denoising score matching, in the way
# of DDPM: with a discrete schedule and a prediction of the noise. Then it turns the network into a
# score for `rtk.sample`. To use your own data and network, replace those here and keep the
# conversion in section 3.

# %%
import math
import sys
from pathlib import Path

# The root of the repository, wherever Jupyter was started.
sys.path.insert(0, next(str(f) for f in Path("_").absolute().parents if (f / "Snakefile").exists()))

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

import rtk
from figures import style
from rtk import metrics, process, segments

torch.set_num_threads(1)
torch.manual_seed(0)
style.use()
plt.rcParams["figure.dpi"] = 130

# %% [markdown]
# ## 1. Data

# %%
THICKNESS = 0.07


def moons(n: int) -> Tensor:
    """Two half circles, one inside the other, with Gaussian thickness; (n, 2)."""
    angle = math.pi * torch.rand(n)
    side = torch.randint(0, 2, (n,)) * 2.0 - 1.0
    centre = torch.stack((angle.cos() - 0.5 * side, side * (angle.sin() - 0.25)), 1)
    return centre + THICKNESS * torch.randn(n, 2)


train, held_out = moons(10_000), moons(4_000)

# %% [markdown]
# ## 2. A network that predicts the noise
#
# This is the usual DDPM. There are 1000 steps, and $\bar\alpha_k$ follows from linear $\beta_k$.
# The network gets $x_k = \sqrt{\bar\alpha_k}\, x_0 + \sqrt{1 - \bar\alpha_k}\, \xi$ and $k$, and
# predicts $\xi$.

# %%
STEPS, BATCH, WIDTH = 2_500, 256, 128

beta = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
alpha_bar = (1 - beta).cumprod(0)


class NoisePredictor(nn.Module):
    """Three hidden layers on x and Fourier features of (k/1000)^(1/2)."""

    def __init__(self) -> None:
        super().__init__()
        layers = [nn.Linear(10, WIDTH), nn.SiLU()]
        layers += [nn.Linear(WIDTH, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH), nn.SiLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(WIDTH, 2))
        self.register_buffer("waves", 2.0 ** torch.arange(4) * math.pi / 2)

    def forward(self, x: Tensor, k: Tensor) -> Tensor:
        phase = (k / 1000).sqrt().unsqueeze(1) * self.waves
        return self.layers(torch.cat((x, phase.sin(), phase.cos()), 1))


network = NoisePredictor()
optimizer = torch.optim.Adam(network.parameters(), lr=1e-2, fused=True)
decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
losses = []
for _ in range(STEPS):
    clean = train[torch.randint(len(train), (BATCH,))]
    # Small k, at which the shape of the data shows, are drawn more often.
    k = (1000 * torch.rand(BATCH) ** 2).long()
    signal = alpha_bar[k].float().unsqueeze(1)
    xi = torch.randn_like(clean)
    loss = (network(signal.sqrt() * clean + (1 - signal).sqrt() * xi, k) - xi).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    decay.step()
    losses.append(loss.item())

print(f"loss {np.mean(losses[:100]):.3f} at first, {np.mean(losses[-100:]):.3f} at the end")

# %% [markdown]
# ## 3. From noise prediction and steps to a score and a time
#
# `rtk` has one time $t$, for which $x_t = e^{-t} x_0 + \sqrt{1 - e^{-2t}}\,\xi$. Step $k$ of *any*
# variance-preserving schedule is the time at which $e^{-t} = \sqrt{\bar\alpha_k}$, and the score is
# $-\hat\xi / \sqrt{1 - e^{-2t}}$, where $\hat\xi$ is the predicted noise. For a time between two
# steps we interpolate the index $k$. The network has never seen times before its first step, so the
# segments should end there or later, and not at 0.

# %%
times = np.array([process.time_from_alpha(a) for a in alpha_bar.sqrt().tolist()])


@torch.no_grad()
def score(x: Tensor, t: float) -> Tensor:
    """``grad log p_t(x)``, as `rtk.sample` expects it."""
    k = torch.full((len(x),), np.interp(t, times, np.arange(1000.0)), dtype=x.dtype)
    return -network(x, k) / process.sigma(t)


print(f"steps 0 ... 999 are t = {times[0]:.5f} ... {times[-1]:.2f}")

# %% [markdown]
# ## 4. Samples
#
# Every sampler may use the same number of score evaluations. There is no log-density here, so
# RTK-MALA estimates its energy differences from the score. Its default, `energy="trapezoid"`, takes
# no further scores.

# %%
NFE, CHAINS = 40, 2000
ENDS = {"t_start": times[-1], "t_end": 1e-3}
OPTIONS = {"ddpm": {}, "dpm++2m": {}, "rtk-uld": {}, "rtk-mala": {"energy": "trapezoid"}}
COUNT = {"ddpm": NFE - 1, "dpm++2m": NFE - 1, "rtk-uld": 8, "rtk-mala": 8}


def error(samples: Tensor) -> metrics.Estimate:
    """Energy distance to held-out data; its mean is 0 if both have the same law."""
    return metrics.energy_distance(samples, held_out.numpy(), 500, 4)


figure, panels = plt.subplots(
    1, 1 + len(OPTIONS), figsize=(style.DOUBLE, 1.5), sharex=True, sharey=True
)
panels[0].scatter(*held_out[:CHAINS].T, s=0.6, color="k", linewidths=0)
panels[0].set(title="data")
comparison = []
for panel, (method, options) in zip(panels[1:], OPTIONS.items(), strict=True):
    grid = segments.log_snr(COUNT[method], **ENDS)
    result = rtk.sample(score, 2, CHAINS, method, NFE, segments=grid, **options)
    panel.scatter(*result.samples.T, s=0.6, color="#D55E00", linewidths=0)
    panel.set(title=method)
    comparison.append({"method": method, "NFE": result.nfe, **vars(error(result.samples))})
comparison.append({"method": "data", "NFE": 0, **vars(error(moons(CHAINS)))})
pd.DataFrame(comparison).rename(columns={"value": "error"}).round(4)

# %% [markdown]
# ## 5. How to read the diagnostics
#
# The table has one row for each segment of the last run. A Metropolis chain should accept between
# about 0.5 and 0.8 of its proposals: an acceptance near 1 means that its steps are too small, one
# near 0 that they are too large. A learned score is in general not the gradient of any function. So
# with energies estimated from it, the acceptance says whether the steps are well chosen, and does
# not guarantee that the law is right.

# %%
pd.DataFrame([vars(segment) for segment in result.diagnostics.segments]).round(4)

# %% [markdown]
# ## 6. How to choose segments, step size and energy
#
# Choose them in this order:
#
# 1. **Segments**. If they are few and long, the inner chain cannot mix on their kernels. If they
#    are many and short, no scores are left for inner steps; each segment also pays one score for
#    its warm start.
# 2. **Step size**, relative to the kernel's curvature. Larger steps move further, until RTK-ULD is
#    biased or RTK-MALA rejects too often.
# 3. **Energy**, for RTK-MALA. The trapezoid rule takes no further score. Simpson's rule takes one
#    score per inner step, so it halves the number of inner steps. It is worth its cost where the
#    error of the energy difference limits the accuracy, and not the number of steps.
#
# Choose on data other than those on which you report. With these few samples, differences below
# about 0.005 are noise.

# %%
CHOICES = [4, 8, 12]
STEP_SIZES = [0.25, 0.5, 1.0]

sweep = pd.DataFrame(index=pd.Index(CHOICES, name="segments"), columns=STEP_SIZES, dtype=float)
for count in CHOICES:
    for step_size in STEP_SIZES:
        grid = segments.log_snr(count, **ENDS)
        result = rtk.sample(score, 2, CHAINS, "rtk-uld", NFE, segments=grid, step_size=step_size)
        sweep.loc[count, step_size] = error(result.samples).value
sweep.columns.name = "RTK-ULD, step"
sweep.round(4)

# %%
ENERGIES = ["trapezoid", "simpson", "taylor"]

rows = []
for energy in ENERGIES:
    grid = segments.log_snr(8, **ENDS)
    result = rtk.sample(score, 2, CHAINS, "rtk-mala", NFE, segments=grid, energy=energy)
    chains = [s for s in result.diagnostics.segments if s.acceptance is not None]
    rows.append(
        {
            "energy": energy,
            "NFE": result.nfe,
            "inner steps": sum(s.inner_steps for s in chains),
            "acceptance": np.mean([s.acceptance for s in chains]),
            "error": error(result.samples).value,
        }
    )
pd.DataFrame(rows).round(4)
