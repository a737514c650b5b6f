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
# A small network is trained on two moons by denoising score matching, as any DDPM is: a discrete
# schedule, and a prediction of the noise. Then it is wrapped for `rtk.sample`. Replace the data and
# the network by yours; the border, section 3, is what stays.

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
# The usual DDPM: 1000 steps, $\bar\alpha_k$ from linear $\beta_k$, and a network that is given $x_k
# = \sqrt{\bar\alpha_k}\, x_0 + \sqrt{1 - \bar\alpha_k}\, \xi$ and $k$ and predicts $\xi$.

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
    # More often at small k, where the shape is.
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
# ## 3. The border: from noise prediction and steps to a score and a time
#
# `rtk` has one clock, $x_t = e^{-t} x_0 + \sqrt{1 - e^{-2t}}\,\xi$. Step $k$ of *any*
# variance-preserving schedule is the time at which $e^{-t} = \sqrt{\bar\alpha_k}$, and the score is
# $-\hat\xi / \sqrt{1 - e^{-2t}}$. Between two steps, the (fractional) index is interpolated. Do not
# ask for times the network has never seen: end the segments at the first step's, not at 0.

# %%
times = np.array([process.time_from_alpha(a) for a in alpha_bar.sqrt().tolist()])


@torch.no_grad()
def score(x: Tensor, t: float) -> Tensor:
    """``grad log p_t(x)``, as `rtk.sample` wants it."""
    k = torch.full((len(x),), np.interp(t, times, np.arange(1000.0)), dtype=x.dtype)
    return -network(x, k) / process.sigma(t)


print(f"steps 0 ... 999 are t = {times[0]:.5f} ... {times[-1]:.2f}")

# %% [markdown]
# ## 4. Samples
#
# Every method gets the same budget. RTK-MALA has no log-density here, so it takes its energies from
# the score (`energy="trapezoid"`, which is free, unless told otherwise).

# %%
NFE, CHAINS = 40, 2000
ENDS = {"t_start": times[-1], "t_end": 1e-3}
OPTIONS = {"ddpm": {}, "dpm++2m": {}, "rtk-uld": {}, "rtk-mala": {"energy": "trapezoid"}}
COUNT = {"ddpm": NFE - 1, "dpm++2m": NFE - 1, "rtk-uld": 8, "rtk-mala": 8}


def error(samples: Tensor) -> metrics.Estimate:
    """Energy distance to held-out data, on average 0 for the same law."""
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
# ## 5. What the diagnostics say
#
# Of the last run, per segment. A Metropolis chain should accept roughly between 0.5 and 0.8: near 1
# its steps are too small, near 0 too large. With energies from a learned score, which is no
# gradient of anything, acceptance is a diagnosis of the steps, not a guarantee of the law.

# %%
pd.DataFrame([vars(segment) for segment in result.diagnostics.segments]).round(4)

# %% [markdown]
# ## 6. Choosing segments, step and energy
#
# In this order:
#
# 1. **Segments**: few long ones have kernels that an inner chain cannot mix, many short ones leave
#    no scores for inner steps (each also pays one score for its warm start).
# 2. **Step**, relative to the kernel's curvature: larger moves further, until ULD is biased or MALA
#    rejects.
# 3. **Energy**, for MALA: the trapezoid rule is free. Simpson's rule costs a score per step, so
#    halves the number of steps; it pays where the energies' error is what limits, not the steps.
#
# Choose on data that you do not report on; with these few samples differences below about 0.005 are
# noise.

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
