from dataclasses import dataclass, field
import math
import torch
from rtk.calibration import base as bases, moments as mm, nodes, pilot as pilots
from rtk.calibration.model import Model
from rtk.calibration.solver import solver
from rtk.score import CountedScore

def calibrate(score, shape, seed=0, device=None, dtype=None, t_start=5.0, progress=False):
    shape = (shape,) if isinstance(shape,int) else tuple(shape)
    m = Model(CountedScore(score), shape, device or torch.device("cpu"), dtype or torch.get_default_dtype())
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        p = pilots.run(m, t_start, g, progress)
        b = bases.fit(m, p, g)
        mom = mm.of(p, b)
    return m, p, b, mom
