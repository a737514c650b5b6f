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
# # RTK on your own diffusers model
#
# From a folder with a pipeline of diffusers to samples in five lines. So that the notebook needs
# nothing from the network, section 1 makes such a folder: a small `UNet2DModel` on digits of 8x8
# pixels. With a model of your own, skip it and set `FOLDER`.

# %%
import sys
import tempfile
from pathlib import Path

# The root of the repository, wherever Jupyter was started.
sys.path.insert(0, next(str(f) for f in Path("_").absolute().parents if (f / "Snakefile").exists()))

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from diffusers import DDIMScheduler, DDPMPipeline, DDPMScheduler, UNet2DModel
from diffusers.utils import logging
from torch import Tensor
from torch.nn import functional

import rtk
from experiments.images import data
from figures import style
from rtk.adapters.diffusers import RTKScheduler, calibrate, from_model

logging.set_verbosity_error()
logging.disable_progress_bar()
torch.set_num_threads(1)
torch.manual_seed(0)
style.use()
plt.rcParams["figure.dpi"] = 130

# %% [markdown]
# ## 1. A folder with a pipeline
#
# The digits are those of MNIST, made smaller. The workflow fetches them with
# `.venv/bin/snakemake --cores 1 results/mnist/mnist.npz`. The training is the usual one, at a
# random one of 1000 steps. The network predicts the velocity, which behaves better at much noise
# than a prediction of the noise after so short a training.

# %%
STEPS, BATCH = 400, 64
MNIST = Path(sys.path[0]) / "results" / "mnist" / "mnist.npz"
FOLDER = Path(tempfile.mkdtemp()) / "digits"

digits = data.load(MNIST, "train").images
digits = functional.avg_pool2d(functional.pad(digits, (2, 2, 2, 2), value=-1.0), 4)
unet = UNet2DModel(
    sample_size=8,
    in_channels=1,
    out_channels=1,
    layers_per_block=1,
    block_out_channels=(16, 32),
    down_block_types=("DownBlock2D", "DownBlock2D"),
    up_block_types=("UpBlock2D", "UpBlock2D"),
    norm_num_groups=8,
)
scheduler = DDPMScheduler(1000, prediction_type="v_prediction", clip_sample=False)
optimizer = torch.optim.Adam(unet.parameters(), lr=4e-3)
decay = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, STEPS)
losses = []
for _ in range(STEPS):
    clean = digits[torch.randint(len(digits), (BATCH,))]
    noise, k = torch.randn_like(clean), torch.randint(1000, (BATCH,))
    wanted = scheduler.get_velocity(clean, noise, k)
    loss = functional.mse_loss(unet(scheduler.add_noise(clean, noise, k), k).sample, wanted)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    decay.step()
    losses.append(loss.item())
DDPMPipeline(unet.eval(), scheduler).save_pretrained(FOLDER)
print(f"loss {np.mean(losses[:50]):.3f} at first, {np.mean(losses[-50:]):.3f} at the end")

# %% [markdown]
# ## 2. Five lines
#
# The pipeline is loaded as always. It is calibrated once, for 10 score evaluations, and then
# `RTKScheduler` takes the place of its scheduler. `DDPMPipeline` begins at noise of its own, while
# the calibrated solver begins elsewhere, so of eleven evaluations one is left unused.

# %%
pipe = DDPMPipeline.from_pretrained(FOLDER)
pipe.set_progress_bar_config(disable=True)
calibration = calibrate(pipe, [10])
calibration.save(FOLDER / "calibration.safetensors")
pipe.scheduler = RTKScheduler.from_config(
    pipe.scheduler.config, method="rtk", calibration=calibration, scales_input=False
)
images = pipe(batch_size=16, num_inference_steps=11, output_type="np").images

print(f"calibrated with {calibration.rows} score evaluations, once")

# %% [markdown]
# ## 3. Beside other schedulers
#
# The same model with DDIM of diffusers, and with RTK-ULD, which needs no calibration. The error is
# the energy distance to the training data, 0 in the mean if both have the same law.

# %%
COUNT, REFERENCE = 400, digits[:4000].flatten(1).numpy()


def drawn(steps: int) -> Tensor:
    """Images of the pipeline as it stands, (COUNT, 1, 8, 8) in [-1, 1]."""
    generator = torch.Generator().manual_seed(0)
    made = pipe(
        batch_size=COUNT, num_inference_steps=steps, output_type="np", generator=generator
    ).images
    return 2.0 * torch.from_numpy(made).permute(0, 3, 1, 2) - 1.0


config = pipe.scheduler.config
schedulers = {
    "DDIM, 10": (DDIMScheduler.from_config(config), 10),
    "DDIM, 50": (DDIMScheduler.from_config(config), 50),
    "RTK-ULD, 40": (RTKScheduler.from_config(config, method="rtk-uld"), 40),
    "calibrated RTK, 10": (pipe.scheduler, 11),
}
figure, panels = plt.subplots(1, 1 + len(schedulers), figsize=(style.DOUBLE, 1.5))
comparison = []
for panel, (name, (scheduler, steps)) in zip(panels[1:], schedulers.items(), strict=True):
    pipe.scheduler = scheduler
    samples = drawn(steps)
    error = rtk.metrics.energy_distance(samples.flatten(1), REFERENCE, 100, 4)
    comparison.append({"scheduler": name, **vars(error)})
    panel.imshow(samples[:16, 0].reshape(4, 4, 8, 8).permute(0, 2, 1, 3).reshape(32, 32), "gray")
    panel.set(title=name)
panels[0].imshow(digits[:16, 0].reshape(4, 4, 8, 8).permute(0, 2, 1, 3).reshape(32, 32), "gray")
panels[0].set(title="data")
for panel in panels:
    panel.axis("off")
pd.DataFrame(comparison).rename(columns={"value": "error"}).round(4)

# %% [markdown]
# ## 4. The model as a score
#
# Without the pipeline, the model is a score for `rtk.sample`. `result.diagnostics` has a row for
# each segment.

# %%
score = from_model(pipe.unet, config)
grid = rtk.segments.log_snr(8, score.t_max, score.t_min)
result = rtk.sample(score, (1, 8, 8), 64, method="rtk-mala", nfe=60, segments=grid)
pd.DataFrame([vars(segment) for segment in result.diagnostics.segments]).round(4)
