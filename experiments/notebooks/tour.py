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
# This notebook shows in pictures what RTK is, on targets so small that everything about them is
# known exactly. It needs no results of the workflow, and each cell takes seconds. You can change
# the names in capitals at the top of a cell.

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
# ## 1. Noise, and the reverse path
#
# Data $x_0$ are noised by $x_t = e^{-t} x_0 + \sqrt{1 - e^{-2t}}\,\xi$ with Gaussian $\xi$. The law
# $p_t$ of $x_t$ is that of the data at $t = 0$ and close to a standard Gaussian for large $t$. A
# sampler takes the reverse path, from the Gaussian to the data. It knows only the *score*, $\nabla
# \log p_t$, which a network can learn from data. Here the data are a mixture of Gaussians, so there
# is a formula for the score.

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
# RTK cuts the reverse path into segments. One segment goes from its noisy end, at time
# $t_\mathrm{hi}$, to its clean end, at $t_\mathrm{lo} = t_\mathrm{hi} - \eta$. A chain that is at
# $x$ at the noisy end has to move to a point $z$ with the law
#
# $$p(z \mid x) \;\propto\; p_{t_\mathrm{lo}}(z)\;
#   \exp\Big(-\frac{|x - e^{-\eta} z|^2}{2 (1 - e^{-2\eta})}\Big).$$
#
# That is the *reverse transition kernel*: the density at the clean end, times a Gaussian factor
# that keeps $z$ near $e^{\eta} x$. The score at $t_\mathrm{lo}$ gives the gradient of its
# logarithm. On a longer segment the Gaussian factor is wider. On a very long one the kernel has all
# the modes of the data.

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
# `ReverseTransition` of the library represents the kernel by its potential $g = -\log p(\cdot|x)$
# up to a constant, which is all that MCMC needs. For a mixture, `reverse_transition` gives the
# kernel itself, as another mixture. The two agree:

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
# A kernel is easy to sample if its potential is convex. The curvature of the potential is that of
# $-\log p_{t_\mathrm{lo}}$, which is at least $-L$ if the score is $L$-Lipschitz, plus
# $1/(e^{2\eta} - 1)$ from the Gaussian factor. The paper takes the segment length
# $\eta^* = \frac12 \log(1 + \frac1{2L})$. Then the second part is $2L$, and the curvature lies in
# $[L, 3L]$, the grey band. The potential is convex up to about twice this length. At ten times this
# length it has two valleys.

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
# The target has six modes of unequal weight on a ring. The cross is the noisy end $x$. The contours
# show the exact kernel for segments of three lengths.

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
# RTK samples the kernel with a short Markov chain, the *inner chain*, whose drift is $-\nabla g$.
# **MALA** proposes a Langevin step and accepts or rejects it (Metropolis); hollow points show where
# the chain stayed. **ULD** (underdamped Langevin) gives the point a velocity, which it keeps for a
# while, and never rejects. ULD moves faster, and its law stays slightly wrong however long it runs.
# The noise belongs to the chain (`ChainNoise`), so a run of $k$ steps equals the first $k$ steps of
# a longer run. The paths below are made in this way.

# %%
ETA, STEPS, SEED = 0.2, 25, 0
RELATIVE_STEP = {"MALA": 0.5, "ULD": 0.5}  # in units of 1/c and 1/sqrt(c), c the curvature

t_hi = RING_T_LO + ETA
point = torch.tensor([POINT])
kernel = rtk.ReverseTransition(ring.score, point, t_hi, RING_T_LO, ring.log_prob)
c = 1 / (process.variance(RING_T_LO) + process.alpha(RING_T_LO) ** 2 * 0.02) + kernel.tilt_precision


def run(name: str, on: rtk.ReverseTransition, steps: int, start: torch.Tensor) -> torch.Tensor:
    """The last points of chains of ``steps`` inner steps."""
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
# One path says little about the law. The next table compares many chains, each stopped after a few
# steps, with exact draws of the same kernel, by their energy distance (0 for equal laws).

# %%
CHAINS = 2000
COUNTS = [1, 3, 10, 30]

points = torch.tensor(POINT).expand(CHAINS, 2)
kernels = rtk.ReverseTransition(ring.score, points, t_hi, RING_T_LO, ring.log_prob)
truth = ring.reverse_transition(points, t_hi, RING_T_LO).sample(torch.Generator().manual_seed(0))
distances = {
    name: [
        metrics.energy_distance(run(name, kernels, k, points), truth.numpy(), 500, 4).value
        for k in COUNTS
    ]
    for name in RELATIVE_STEP
}
pd.DataFrame(distances, index=pd.Index(COUNTS, name="steps")).round(4)

# %% [markdown]
# ## 6. A warm start
#
# An inner chain needs few steps if it begins near the kernel. The default warm start, `"ddpm"`, is
# one DDPM step over the whole segment. It draws from a Gaussian with the mean of the kernel, for
# one score evaluation at $x$. The warm start `"gaussian"` is that of the paper's theory, and `"x"`
# begins where the last segment ended; neither needs a score.

# %%
figure, panels = plt.subplots(1, len(WARM_STARTS), figsize=(style.DOUBLE, 2.4))
for panel, (name, start) in zip(panels, WARM_STARTS.items(), strict=True):
    score_x = ring.score(points, t_hi) if start.needs_score else None
    drawn = start.draw(kernels, score_x, ChainNoise(SEED, CHAINS, (2,)), c - kernels.tilt_precision)
    draw_kernel(panel, t_hi, RING_T_LO)
    panel.scatter(*drawn[:400].T, s=2, color="#0072B2", linewidths=0)
    panel.set_title(f'warm_start="{name}"')

# %% [markdown]
# ## 7. The whole path: `rtk.sample`
#
# `rtk.sample` draws from $N(0, I)$ at $t = 5$ and crosses all segments. Here all samplers may use
# the same number of score evaluations (NFE). `rtk.methods()` lists the samplers. The table gives
# the *mode-weight error*, the fraction of the mass that sits in wrong modes, which is hard to see
# in the pictures. The last line is the error that exact samples have by chance.

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
# ## 8. Where the score evaluations went
#
# `result.nfe` is a count of the evaluations that were made, not a formula: the score is wrapped in
# a counter. The table has one row for each segment. RTK-MALA reuses the score of its last point for
# the warm start of the next segment. The last row is the final denoising step.

# %%
METHOD = "rtk-mala"

diagnostics = runs[METHOD].diagnostics
print(f"score evaluations allowed: {NFE}, used: {runs[METHOD].nfe}")
print(f"log-densities evaluated for exact energies: {diagnostics.log_prob_evaluations}")
spent = pd.DataFrame([vars(segment) for segment in diagnostics.segments])
assert spent["nfe"].sum() == runs[METHOD].nfe
spent.round(4)

# %% [markdown]
# ## 9. What goes wrong when segments are too long
#
# With few long segments, nearly all scores go into the inner chains, which looks efficient. But the
# kernel of a long segment has several modes, and a chain that follows the gradient does not get
# from one to another. With *exact* draws of the kernels the number of segments does not matter, so
# it is the inner chain that fails. Mass stays in wrong modes, although each mode by itself looks
# right.

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
# The notebook `own_score.py` shows RTK on a network of your own. The notebooks `mixtures.py`,
# `mnist.py` and `theory.py` read the results of the experiments.
