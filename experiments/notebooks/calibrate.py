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
# # Calibrate your own model in five lines
#
# A calibration carries a few chains accurately from noise to data, and fits a solver to them: which
# noise levels it visits, and how it weighs what it has seen there. It is done once for a model, and
# then serves any number of score evaluations. This notebook does it for a small network that it
# trains on the two-moons data. To use your own model, replace `score` by yours.

# %%
import math
import sys
from pathlib import Path

# The root of the repository, wherever Jupyter was started.
sys.path.insert(0, next(str(f) for f in Path("_").absolute().parents if (f / "Snakefile").exists()))

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn

import rtk
from figures import style
from rtk import metrics, process

torch.set_num_threads(1)
torch.manual_seed(0)
style.use()
plt.rcParams["figure.dpi"] = 130

# %% [markdown]
# ## A model
#
# The network predicts the noise of `x_t = a x_0 + s xi`, given `x_t` and the log-SNR.


# %%
def moons(n: int) -> Tensor:
    """Two half circles, one inside the other, with Gaussian thickness; (n, 2)."""
    angle = math.pi * torch.rand(n)
    side = torch.randint(0, 2, (n,)) * 2.0 - 1.0
    centre = torch.stack((angle.cos() - 0.5 * side, side * (angle.sin() - 0.25)), 1)
    return centre + 0.07 * torch.randn(n, 2)


network = nn.Sequential(
    nn.Linear(3, 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU(), nn.Linear(128, 2)
)
optimiser = torch.optim.Adam(network.parameters(), 2e-3)
for step in range(3000):
    for group in optimiser.param_groups:
        group["lr"] = 2e-3 * (1.0 - step / 3000)
    t = torch.exp(torch.empty(256, 1).uniform_(math.log(1e-3), math.log(5.0)))
    a, s = torch.exp(-t), torch.sqrt(-torch.expm1(-2.0 * t))
    noise = torch.randn(256, 2)
    predicted = network(torch.cat([a * moons(256) + s * noise, torch.log(a / s) / 4.0], 1))
    loss = (predicted - noise).square().mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


def score(x: Tensor, t: float) -> Tensor:
    """The score: minus the predicted noise over its standard deviation."""
    level = torch.full((len(x), 1), process.log_snr(t) / 4.0)
    answer: Tensor = network(torch.cat([x, level], 1)) / -process.sigma(t)
    return answer


# %% [markdown]
# ## Five lines

# %%
calibration = rtk.calibrate(score, 2)
flow = rtk.sample(score, 2, 4000, method=calibration, nfe=8)
kernels = rtk.sample(score, 2, 4000, method="rtk", calibration=calibration, nfe=8)
calibration.save("moons.calibration.safetensors")
again = rtk.Calibration.load("moons.calibration.safetensors")

# %% [markdown]
# The saved calibration gives the same samples, and the solvers that were made are in the file.

# %%
same = rtk.sample(score, 2, 4000, method=again, nfe=8)
assert torch.equal(same.samples, flow.samples)
Path("moons.calibration.safetensors").unlink()
print(f"score evaluations: {flow.nfe} per sample, and {calibration.rows} for the calibration")
print(f"cheaper than 20 per sample from {calibration.break_even(nfe=8, rival=20)} samples on")
print(
    f"the score is {calibration.consistency:.1f} standard errors from consistent:",
    "rtk adds noise" if calibration.adds_noise(nfe=8) else "rtk adds no noise",
)

# %% [markdown]
# ## What comes out
#
# Beside the two are DPM-Solver++(2M) with as many score evaluations, and the data. The number is
# the sliced Wasserstein distance to fresh data.

# %%
multistep = rtk.sample(score, 2, 4000, method="dpm++2m", nfe=8)
shown = {
    "data": moons(4000),
    "calibrated flow, 8": flow.samples,
    "calibrated RTK, 8": kernels.samples,
    "DPM-Solver++(2M), 8": multistep.samples,
}
fresh = moons(20_000)
figure, axes = plt.subplots(1, 4, figsize=(style.DOUBLE, 1.9), sharex=True, sharey=True)
for panel, (name, points) in zip(axes, shown.items(), strict=True):
    panel.scatter(*points[:2000].T, s=1.0, linewidths=0)
    distance = metrics.sliced_w2(points, fresh).value
    panel.set(title=f"{name}\n$SW_2$ = {distance:.3f}", xlim=(-2.2, 2.2), ylim=(-1.8, 1.8))
plt.show()

# %% [markdown]
# ## The plan
#
# The noise levels `s / a` that the solver visits, for three numbers of score evaluations.

# %%
figure, panel = plt.subplots(figsize=(style.SINGLE, 1.6))
for row, nfe in enumerate((4, 8, 16)):
    solver = calibration.solver(nfe, score)
    levels = [process.sigma(step.t_hi) / process.alpha(step.t_hi) for step in solver.steps]
    panel.plot(levels, [row] * len(levels), "o")
panel.set(xscale="log", xlabel="noise level $s / a$", yticks=range(3), yticklabels=(4, 8, 16))
panel.invert_xaxis()
plt.show()
