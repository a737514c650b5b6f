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
# # A tour of reverse transition kernels
#
# What RTK is, in pictures, on targets so small that everything about them is known exactly. No
# results are needed; each cell takes seconds. The capital names at the top of a cell are yours to
# change.

# %%
import sys
from pathlib import Path

# The root of the repository, wherever Jupyter was started.
sys.path.insert(0, next(str(f) for f in Path("_").absolute().parents if (f / "Snakefile").exists()))

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch

import rtk
from figures import style
from rtk import metrics, process, segments
from rtk.energy import potential_difference
from rtk.mcmc.mala import mala
from rtk.mcmc.uld import uld
from rtk.noise import ChainNoise
from rtk.samplers.reverse_transition import RTKMALA, RTKULD
from rtk.warm_start import WARM_STARTS

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
style.use()
plt.rcParams["figure.dpi"] = 130

# %% [markdown]
# ## 1. Noise, and the way back
#
# Data $x_0$ are noised by $x_t = e^{-t} x_0 + \sqrt{1 - e^{-2t}}\,\xi$. The law $p_t$ begins at the
# data's and ends, for large $t$, at a standard Gaussian. A sampler goes the other way. It knows
# only the *score*, $\nabla \log p_t$, which a network can learn from data. Here the data are a
# mixture of Gaussians, so the score is a formula.

# %%
WEIGHTS, MEANS, VARIANCE = [0.3, 0.7], [[-1.0], [1.0]], 0.06
TIMES = [0.0, 0.1, 0.3, 0.8, 3.0]

line = rtk.GaussianMixture(WEIGHTS, MEANS, VARIANCE)
z = torch.linspace(-3, 3, 601).unsqueeze(1)
figure, axes = plt.subplots(figsize=(style.DOUBLE, 2.2))
for k, t in enumerate(TIMES):
    color = plt.get_cmap("viridis")(0.9 * k / len(TIMES))
    axes.plot(z, line.log_prob(z, t).exp(), color=color, label=f"$t$ = {t:g}")
axes.set(xlabel="$x$", ylabel="density $p_t(x)$")
_ = axes.legend()

# %% [markdown]
# ## 2. A segment and its kernel
#
# Cut the way back into segments. On one of them, from the noisy end $t_\mathrm{hi}$ to the clean
# end $t_\mathrm{lo}$, of length $\eta$, the chain is at $x$ and has to move to a $z$ with the law
#
# $$p(z \mid x) \;\propto\; p_{t_\mathrm{lo}}(z)\;
#   \exp\Big(-\frac{|x - e^{-\eta} z|^2}{2 (1 - e^{-2\eta})}\Big).$$
#
# That is the *reverse transition kernel*: the density at the clean end, times a Gaussian that keeps
# $z$ near $e^{\eta} x$. The score at $t_\mathrm{lo}$ gives the gradient of its logarithm. Make the
# segment longer and the Gaussian widens, until the kernel has all the modes of the data.

# %%
X, T_LO = 0.15, 0.05
LENGTHS = [0.05, 0.2, 1.0]

figure, panels = plt.subplots(1, len(LENGTHS), figsize=(style.DOUBLE, 2.3), sharey=True)
for panel, eta in zip(panels, LENGTHS, strict=True):
    x = torch.full_like(z, X)
    exact = line.reverse_transition(x, T_LO + eta, T_LO)
    width = np.sqrt(np.expm1(2 * eta))
    tilt = torch.distributions.Normal(np.exp(eta) * X, width).log_prob(z[:, 0])
    panel.plot(z, line.log_prob(z, T_LO).exp(), color="0.6", label=r"$p_{t_\mathrm{lo}}(z)$")
    panel.plot(z, tilt.exp(), color="0.6", ls=":", label="the Gaussian")
    panel.plot(z, exact.log_prob(z).exp(), color="#D55E00", label="kernel $p(z|x)$")
    panel.axvline(X, color="k", lw=0.6)
    panel.set(title=rf"$\eta$ = {eta:g}", xlabel="$z$", ylim=(0, 2.5))
panels[0].set_ylabel("density")
_ = panels[0].legend()

# %% [markdown]
# The library's `ReverseTransition` knows the kernel by its potential $g = -\log p(\cdot|x)$ up to a
# constant, which is all that MCMC needs. For a mixture `reverse_transition` is the kernel itself.
# The two agree:

# %%
x = torch.full_like(z, X)
kernel = rtk.ReverseTransition(line.score, x, T_LO + 0.2, T_LO, line.log_prob)
exact = line.reverse_transition(x, T_LO + 0.2, T_LO)
origin = torch.zeros_like(z)
by_potential = potential_difference(kernel, origin, z)
by_mixture = exact.log_prob(origin) - exact.log_prob(z)
print(f"largest disagreement: {(by_potential - by_mixture).abs().max():.1e}")

# %% [markdown]
# ## 3. How long may a segment be?
#
# A kernel is easy to sample if its potential is convex. Its curvature is that of $-\log p$, at
# worst $-L$, plus $1/(e^{2\eta} - 1)$ from the Gaussian. The paper takes $\eta^* = \frac12 \log(1 +
# \frac1{2L})$, for which the latter is $2L$: then the curvature lies in $[L, 3L]$, the grey band.
# About twice as long is the limit; ten times as long has two valleys.

# %%
RATIOS = [0.5, 1.0, 2.0, 4.0, 10.0]

curvature = -line.hessian(z, T_LO)[:, 0, 0]
lipschitz = float(curvature.abs().max())
critical = segments.critical_length(lipschitz)
print(f"L = {lipschitz:.1f}, eta* = {critical:.4f}")

figure, panels = plt.subplots(1, 2, figsize=(style.DOUBLE, 2.4))
summary = []
for k, ratio in enumerate(RATIOS):
    eta = ratio * critical
    x = torch.full_like(z, X)
    kernel = rtk.ReverseTransition(line.score, x, T_LO + eta, T_LO, line.log_prob)
    potential = potential_difference(kernel, torch.full_like(z, X), z)
    total = curvature + kernel.tilt_precision
    color = plt.get_cmap("plasma")(0.85 * k / len(RATIOS))
    panels[0].plot(z, potential - potential.min(), color=color, label=rf"{ratio:g} $\eta^*$")
    panels[1].plot(z, total / lipschitz, color=color)
    summary.append(
        {
            "eta / eta*": ratio,
            "smallest curvature / L": float(total.min()) / lipschitz,
            "largest curvature / L": float(total.max()) / lipschitz,
            "convex": bool(total.min() > 0),
        }
    )
panels[0].set(xlabel="$z$", ylabel="potential $g(z)$", xlim=(-2, 2), ylim=(0, 25))
panels[1].axhspan(1, 3, color="0.9", lw=0)
panels[1].axhline(0, color="k", lw=0.6)
panels[1].set(xlabel="$z$", ylabel=r"$g''(z) / L$", xlim=(-2, 2), ylim=(-1.5, 6))
panels[0].legend()
pd.DataFrame(summary).round(3)

# %% [markdown]
# ## 4. A kernel in two dimensions
#
# Six modes of unequal weight on a ring. The cross is $x$; the contours are the kernel, exactly.

# %%
POINT = [0.25, 0.15]
RING_T_LO = 0.05
RING_LENGTHS = [0.05, 0.2, 0.8]

angles = torch.arange(6) * torch.pi / 3
ring_weights = torch.tensor([0.30, 0.22, 0.18, 0.13, 0.10, 0.07])
ring = rtk.GaussianMixture(ring_weights, torch.stack((angles.cos(), angles.sin()), 1), 0.02)


def plane(points: int = 121, reach: float = 1.7) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Two coordinates (points, points) of a square, and the same as rows (points^2, 2)."""
    side = torch.linspace(-reach, reach, points)
    first, second = torch.meshgrid(side, side, indexing="xy")
    return first, second, torch.stack((first.flatten(), second.flatten()), 1)


def draw_kernel(panel: plt.Axes, t_hi: float, t_lo: float) -> None:
    """Contours of the ring's kernel from POINT, at tenths of its peak."""
    first, second, rows = plane()
    exact = ring.reverse_transition(torch.tensor(POINT).expand_as(rows), t_hi, t_lo)
    density = exact.log_prob(rows).exp().reshape(first.shape)
    panel.contourf(first, second, density / density.max(), levels=10, cmap="Greys", vmax=1.6)
    panel.plot(*POINT, "x", color="k")
    panel.set(aspect="equal", xticks=[-1, 0, 1], yticks=[-1, 0, 1])


figure, panels = plt.subplots(1, len(RING_LENGTHS), figsize=(style.DOUBLE, 2.4))
for panel, eta in zip(panels, RING_LENGTHS, strict=True):
    draw_kernel(panel, RING_T_LO + eta, RING_T_LO)
    panel.set_title(rf"$\eta$ = {eta:g}")

# %% [markdown]
# ## 5. Two chains on a kernel: MALA and ULD
#
# RTK samples the kernel by a short chain whose drift is $-\nabla g$. **MALA** makes a Langevin step
# and accepts it or not (Metropolis); hollow points are where it stayed. **ULD** gives the particle
# a velocity that it keeps for a while, and accepts everything: it is faster, and slightly wrong
# however long it runs. The noise belongs to the chain (`ChainNoise`), so that a run of $k$ steps is
# the first $k$ of a longer one; that is how the paths below are made.

# %%
ETA, STEPS, SEED = 0.2, 25, 0
RELATIVE_STEP = {"MALA": 0.5, "ULD": 0.5}  # over 1/c and 1/sqrt(c)

t_hi = RING_T_LO + ETA
point = torch.tensor([POINT])
kernel = rtk.ReverseTransition(ring.score, point, t_hi, RING_T_LO, ring.log_prob)
c = 1 / (process.variance(RING_T_LO) + process.alpha(RING_T_LO) ** 2 * 0.02) + kernel.tilt_precision


def run(name: str, on: rtk.ReverseTransition, steps: int, start: torch.Tensor) -> torch.Tensor:
    """The end of a chain of that many steps."""
    noise = ChainNoise(SEED, len(start), (2,))
    if name == "MALA":
        return mala(on, start, steps, RELATIVE_STEP["MALA"] / c, noise)[0].z
    return uld(on, start, steps, RELATIVE_STEP["ULD"] / c**0.5, 2 * c**0.5, noise)


figure, panels = plt.subplots(1, 2, figsize=(style.DOUBLE, 3.0))
for panel, name in zip(panels, RELATIVE_STEP, strict=True):
    path = torch.cat([run(name, kernel, steps, point) for steps in range(STEPS + 1)])
    stayed = [False, *(path[1:] == path[:-1]).all(1).tolist()]
    draw_kernel(panel, t_hi, RING_T_LO)
    panel.plot(*path.T, "-", color="#D55E00", lw=0.7)
    faces = ["white" if s else "#D55E00" for s in stayed]
    panel.scatter(*path.T, s=12, c=faces, edgecolors="#D55E00", linewidths=0.6, zorder=3)
    panel.set_title(f"{name}, {STEPS} steps from $x$")

# %% [markdown]
# One path says little. Many chains, each stopped after a few steps, against exact draws of the same
# kernel:

# %%
CHAINS = 2000
COUNTS = [1, 3, 10, 30]

many = torch.tensor(POINT).expand(CHAINS, 2)
kernels = rtk.ReverseTransition(ring.score, many, t_hi, RING_T_LO, ring.log_prob)
truth = ring.reverse_transition(many, t_hi, RING_T_LO).sample(torch.Generator().manual_seed(0))
distances = {
    name: [
        metrics.energy_distance(run(name, kernels, k, many), truth.numpy(), 500, 4).value
        for k in COUNTS
    ]
    for name in RELATIVE_STEP
}
pd.DataFrame(distances, index=pd.Index(COUNTS, name="steps")).round(4)

# %% [markdown]
# ## 6. A warm start
#
# A chain needs few steps if it begins near the kernel. The default start, `"ddpm"`, is one DDPM
# step over the whole segment: a Gaussian of the right mean, for one score evaluation at $x$.
# `"gaussian"` is the paper's, `"x"` begins where the last segment ended; both are free.

# %%
figure, panels = plt.subplots(1, len(WARM_STARTS), figsize=(style.DOUBLE, 2.4))
for panel, (name, start) in zip(panels, WARM_STARTS.items(), strict=True):
    score_x = ring.score(many, t_hi) if start.needs_score else None
    drawn = start.draw(kernels, score_x, ChainNoise(SEED, CHAINS, (2,)), c - kernels.tilt_precision)
    draw_kernel(panel, t_hi, RING_T_LO)
    panel.scatter(*drawn[:400].T, s=2, color="#0072B2", linewidths=0)
    panel.set_title(f'warm_start="{name}"')

# %% [markdown]
# ## 7. The whole way: `rtk.sample`
#
# From $N(0, I)$ at $t = 5$ through all segments, for the same budget of score evaluations (NFE).
# `rtk.methods()` lists the samplers. The table has the *mode-weight error*: how much of the mass
# sits in wrong modes, which the eye does not see; the last line is what exact samples have by
# chance.

# %%
NFE = 40
METHODS = ["ddpm", "dpm++2m", "rtk-uld", "rtk-mala"]
SAMPLES = 2000

reference = metrics.Reference.of(ring, SAMPLES)
figure, panels = plt.subplots(1, len(METHODS), figsize=(style.DOUBLE, 2.0))
runs = {}
for panel, method in zip(panels, METHODS, strict=True):
    extra = {"data_variance": 0.02} if method.startswith("rtk") else {}
    energies = {"log_prob": ring.log_prob} if method == "rtk-mala" else {}
    runs[method] = rtk.sample(ring.score, 2, SAMPLES, method, NFE, seed=1, **energies, **extra)
    panel.scatter(*runs[method].samples.T, s=0.6, color="#D55E00", linewidths=0)
    panel.set(title=method, xlim=(-1.6, 1.6), ylim=(-1.6, 1.6), aspect="equal")
errors = {m: metrics.mode_weight_tv(r.samples, reference).value for m, r in runs.items()}
errors["exact samples"] = metrics.floor(metrics.mode_weight_tv, reference, SAMPLES).value
pd.Series(errors, name="mode-weight error").round(3).to_frame()

# %% [markdown]
# ## 8. What was spent where
#
# `result.nfe` is counted, not computed: the score is wrapped, and every evaluation per chain is
# one. Each segment tells what it did. RTK-MALA reuses the score of its last point as the next
# segment's warm start; the closing line is the denoising step.

# %%
METHOD = "rtk-mala"

diagnostics = runs[METHOD].diagnostics
print(f"scores asked {NFE}, spent {runs[METHOD].nfe}")
print(f"log-densities, for MALA's energies: {diagnostics.log_prob_evaluations}")
spent = pd.DataFrame([vars(segment) for segment in diagnostics.segments])
assert spent["nfe"].sum() == runs[METHOD].nfe
spent.round(4)

# %% [markdown]
# ## 9. What goes wrong when segments are too long
#
# Few long segments look like a bargain: every score goes into the inner chains. But a long
# segment's kernel has several modes, and a chain that follows the gradient does not get from one to
# another. With *exact* draws of the kernels the number of segments does not matter, so it is the
# inner chain that fails. Mass stays in wrong modes, although each mode by itself looks fine.

# %%
SEGMENTS = [2, 4, 8, 16, 32]
BUDGET = 100

rows = []
for count in SEGMENTS:
    row: dict[str, float] = {"segments": count}
    for name, method in {
        "exact kernels": rtk.ExactKernel(ring),
        "RTK-MALA": RTKMALA(data_variance=0.02),
        "RTK-ULD": RTKULD(data_variance=0.02),
    }.items():
        result = rtk.sample(
            *(ring.score, 2, SAMPLES, method, BUDGET),
            seed=2,
            log_prob=ring.log_prob,
            segments=segments.uniform(count),
        )
        row[name] = metrics.mode_weight_tv(result.samples, reference).value
    rows.append(row)
table = pd.DataFrame(rows).set_index("segments")
axes = table.plot(figsize=(style.SINGLE, 2.4), marker="o", color=["k", "#5E0B15", "#E69F00"])
axes.set(xscale="log", ylim=(0, None), ylabel="mode-weight error")
axes.set_xticks(SEGMENTS, [str(s) for s in SEGMENTS])
axes.minorticks_off()
table.round(3)

# %% [markdown]
# Where to go on: `own_score.py` has RTK on a network of your own; `mixtures.py`, `mnist.py` and
# `theory.py` read the results of the experiments.
