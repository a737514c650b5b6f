"""Wrong uses of the library `rtk`."""

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import rtk
from rtk import adapters, energy, metrics, noise, schedules, segments, targets
from tests.oracles import draw, skewed
from tests.refusals.rows import Row

# Everything here is called in ways that a type checker would refuse.
library: Any = rtk
grids: Any = segments
laws: Any = targets
measure: Any = metrics
adapt: Any = adapters
energies: Any = energy
gits: Any = schedules.gits.schedule
optimised: Any = schedules.optimised.schedule

SCORE, X = skewed().score, torch.zeros(100, 2)
REFERENCE = metrics.Reference.of(skewed(), 200)
NOT_A_NUMBER = torch.full((16, 2), math.nan)


def denoiser(y: Tensor, sigma: Tensor) -> Tensor:
    return y


def sample(name: str, error: type[BaseException], *words: str, **options: Any) -> Row:
    """A row for `rtk.sample` with these options of 16 samples of a mixture."""

    def do(folder: Path) -> Any:
        return draw(**options)

    return Row(f"sample: {name}", do, error, words)


def call(name: str, error: type[BaseException], words: tuple[str, ...], *what: Any) -> Row:
    """A row for a function and its positional arguments, the last a mapping of its keywords."""
    function, *arguments = what
    keywords = arguments.pop() if arguments and isinstance(arguments[-1], dict) else {}

    def do(folder: Path) -> Any:
        return function(*arguments, **keywords)

    return Row(name, do, error, words)


COUNTS = [
    sample("no chains", ValueError, "n must be at least 1", "got 0", n=0),
    sample("negative chains", ValueError, "n must be at least 1", "got -5", n=-5),
    sample("chains are a float", TypeError, "n must be a whole number", "got 10.0", n=10.0),
    sample("chains are true", TypeError, "n must be a whole number", "got True", n=True),
    sample("chains are text", TypeError, "n must be a whole number", "got '16'", n="16"),
    sample("chains are NaN", TypeError, "n must be a whole number", "got nan", n=math.nan),
    sample("too many to number", ValueError, "chains must be below 2^63", "got 0 +", n=10**30),
    sample("more than memory", RuntimeError, "memory", "9007199254740992 bytes", n=2**50),
    sample("no evaluations", ValueError, "nfe must be at least 1", "got 0", nfe=0),
    sample("negative evaluations", ValueError, "nfe must be at least 1", "got -3", nfe=-3),
    sample("half an evaluation", TypeError, "nfe must be a whole number", "got 50.5", nfe=50.5),
    sample(
        "too few", ValueError, "nfe=30 is below the minimum", "at least 41", nfe=30, segments=20
    ),
    sample("seed is a float", TypeError, "seed must be a whole number", "got 1.0", seed=1.0),
    sample("seed is false", TypeError, "seed must be a whole number", "got False", seed=False),
    sample("no seed", TypeError, "seed must be a whole number", "got None", seed=None),
    sample("negative seed", ValueError, "seed must be at least 0", "got -1", seed=-1),
    sample("large seed", ValueError, "seed must be below 2^64", "got 184467440737", seed=2**64),
    sample("negative first", ValueError, "first must be at least 0", "got -1", first=-1),
    sample("first is a float", TypeError, "first must be a whole number", "got 0.5", first=0.5),
    sample("late first", ValueError, "chains must be below 2^63", "got 92233", first=2**63),
    sample("no chunk", ValueError, "chunk must be at least 1", "got 0", chunk=0),
    sample("chunk is a float", TypeError, "chunk must be a whole number", "got 1.5", chunk=1.5),
    sample("no workers", ValueError, "workers must be at least 1", "got 0", workers=0),
]

PLACES = [
    sample("no sides", ValueError, "at least one side", "got ()", shape=()),
    sample("empty side", ValueError, "a side of shape must be at least 1", "got 0", shape=0),
    sample("negative side", ValueError, "a side of shape", "got -1", shape=(2, -1)),
    sample("side is a float", TypeError, "a side of shape must be a whole", "2.0", shape=2.0),
    sample("side is true", TypeError, "a side of shape must be a whole", "True", shape=True),
    sample("no shape", TypeError, "a side of shape must be a whole", "None", shape=None),
    sample("shape of another target", ValueError, "x must have shape (n, 2)", "(16, 3)", shape=3),
    sample("unknown device", ValueError, "device must be one", "'cpu'", "got 'tpu'", device="tpu"),
    sample("device without numbers", ValueError, "device must", "got 'meta'", device="meta"),
    sample("device is a number", TypeError, "a torch device or its name", "got 1.5", device=1.5),
    sample("dtype is text", TypeError, "torch.float32 or torch.float64", "'f'", dtype="f"),
    sample("dtype of NumPy", TypeError, "torch.float32 or", "numpy.float64", dtype=np.float64),
    sample("whole numbers", ValueError, "torch.float32 or", "torch.int64", dtype=torch.int64),
    sample("start is a list", ValueError, "x_init must be a tensor", "got list", x_init=[0.0]),
    sample(
        "start of another shape",
        ValueError,
        "(n, *shape) = (16, 2)",
        "(15, 2)",
        x_init=torch.zeros(15, 2),
    ),
    sample("start is not finite", ValueError, "x_init must be finite", x_init=NOT_A_NUMBER),
    sample(
        "start is complex",
        TypeError,
        "floating-point",
        "complex64",
        x_init=torch.zeros(16, 2, dtype=torch.complex64),
    ),
    sample(
        "start is sparse",
        TypeError,
        "x_init must be a dense",
        "sparse_coo",
        x_init=torch.zeros(16, 2).to_sparse(),
    ),
]

TIMES = [
    sample("no times", ValueError, "two or more decreasing times", "got ()", segments=()),
    sample("one time", ValueError, "two or more", "got (1.0,)", segments=(1.0,)),
    sample("increasing", ValueError, "decreasing times", "(1.0, 2.0)", segments=(1.0, 2.0)),
    sample("equal", ValueError, "decreasing times", "(1.0, 1.0)", segments=(1.0, 1.0)),
    sample("negative", ValueError, "times >= 0", "got (1.0, -1.0)", segments=(1.0, -1.0)),
    sample("NaN", ValueError, "decreasing", "nan", segments=(1.0, math.nan, 0.1)),
    sample("infinite", ValueError, "at most 300", "got (inf", segments=(math.inf, 1.0)),
    sample("e^2t overflows", ValueError, "at most 300", "got (400.0", segments=(400.0, 1.0)),
    sample("text", TypeError, "each time of segments", "got 'a'", segments=["a", "b"]),
    sample("logical", TypeError, "each time of segments", "got True", segments=[True, False]),
    sample(
        "table", TypeError, "each time of segments", "array([1., 1.])", segments=np.ones((2, 2))
    ),
    sample("one text", TypeError, "segments must be a number or", "got '12'", segments="12"),
    sample("count is a float", TypeError, "segments must be a whole", "got 5.0", segments=5.0),
    sample("count is true", TypeError, "segments must be a whole", "got True", segments=True),
    sample("none", ValueError, "segments must be at least 1", "got 0", segments=0),
    sample("to the data", ValueError, "needs data_variance > 0", segments=(1.0, 0.0)),
    sample("start is NaN", ValueError, "t_start must be positive", "got nan", t_start=math.nan),
    sample("start is late", ValueError, "no time is above 300", "t_hi=1000", t_start=1000.0),
    sample("start at the end", ValueError, "need 0 <= t_lo < t_hi", "1e-05", t_start=1e-5),
    sample("start twice", ValueError, "t_start", "segments= has", t_start=3.0, segments=(1.0, 0.1)),
    sample(
        "denoise the data",
        ValueError,
        "end above 0",
        "at 0",
        method="ddpm",
        segments=(1.0, 0.0),
        denoise=True,
    ),
    sample("denoise is text", TypeError, "denoise must be True or False", "'no'", denoise="no"),
]

FUNCTIONS = [
    sample("no score", TypeError, "score must be a callable (x, t)", "got None", score=None),
    sample("score is a target", TypeError, "a callable", "got GaussianMixture", score=skewed()),
    sample("score is a list", TypeError, "returned list", "a tensor", score=lambda x, t: [0.0]),
    sample("one number", ValueError, "shape ()", "expected (16, 2)", score=lambda x, t: x.sum()),
    sample("one row", ValueError, "shape (1, 2)", "expected (16, 2)", score=lambda x, t: x[:1]),
    sample("turned", ValueError, "shape (2, 16)", "expected (16, 2)", score=lambda x, t: x.T),
    sample("integers", TypeError, "torch.int64", "torch.float32", score=lambda x, t: x.long()),
    sample("logical score", TypeError, "torch.bool", "torch.float32", score=lambda x, t: x > 0),
    sample("complex score", TypeError, "complex64", "float32", score=lambda x, t: x + 0j),
    sample("elsewhere", TypeError, "on meta", "on cpu", score=lambda x, t: x.to("meta")),
    sample(
        "NaN",
        rtk.NonFiniteError,
        "16 of the 16 chains",
        "Expected a score that is finite",
        score=lambda x, t: x * math.nan,
    ),
    sample("density is a number", TypeError, "log_prob must be a callable", "got 3", log_prob=3),
    sample(
        "density of a wrong shape",
        ValueError,
        "log_prob returned shape (16, 2)",
        "expected (16,)",
        method="rtk-mala",
        log_prob=lambda x, t: x,
    ),
    sample(
        "density of whole numbers",
        TypeError,
        "log_prob returned torch.int64",
        "torch.float32",
        method="rtk-mala",
        log_prob=lambda x, t: x[:, 0].long(),
    ),
    sample("callback is a number", TypeError, "callback must be callable", "got 3", callback=3),
    sample("non-finite", ValueError, '"raise" or "keep"', "got 'ignore'", nonfinite="ignore"),
]

METHODS = [
    sample("unknown method", ValueError, "unknown method 'euler'", "'ddim'", method="euler"),
    sample("no method", TypeError, "a name or a sampler object", "got None", method=None),
    sample("class", TypeError, "a name or a sampler object", "RTKULD", method=rtk.RTKULD),
    sample("any function", TypeError, "a name or a sampler object", method=lambda *_: 0),
    sample("unknown option", ValueError, "no option ['friktion']", "'friction'", friktion=1.0),
    sample(
        "option beside an object",
        ValueError,
        "['friction'] belong into the sampler object",
        method=rtk.RTKULD(),
        friction=1.0,
    ),
    sample("step is text", TypeError, "step_size must be a number", "'0.1'", step_size="0.1"),
    sample("step is true", TypeError, "step_size must be a number", "True", step_size=True),
    sample("steps in a list", TypeError, "step_size must be a number", "[0.1]", step_size=[0.1]),
    sample("steps", TypeError, "step_size must be a number", "array", step_size=np.ones(3)),
    sample("no such option", ValueError, "no option ['step_size']", method="ddpm", step_size=1.0),
    sample("method is a number", TypeError, "a name or a sampler object", "got 3", method=3),
    sample(
        "negative variance",
        ValueError,
        "data_variance must be a finite number >= 0",
        "got -1.0",
        method="ald",
        data_variance=-1.0,
    ),
    sample(
        "radius is NaN",
        ValueError,
        "domain_radius must be positive",
        "nan",
        method="rtk-mala",
        domain_radius=math.nan,
    ),
    sample("no step", ValueError, "step_size must be positive and finite", "0.0", step_size=0.0),
    sample("endless", ValueError, "step_size must be positive and finite", step_size=math.inf),
    sample("no inner steps", ValueError, "inner_steps must be at least 1", "0", inner_steps=0),
    sample("half steps", TypeError, "inner_steps must be a whole number", "2.5", inner_steps=2.5),
    sample("pushed", ValueError, "friction must be positive and finite", "-1.0", friction=-1.0),
    sample("variance", ValueError, "data_variance must be", ">= 0", "nan", data_variance=math.nan),
    sample("complex", TypeError, "data_variance must be a number", "1j", data_variance=1j),
    sample("unknown start", ValueError, "unknown warm_start 'hot'", "['x'", warm_start="hot"),
    sample("starts", ValueError, "unknown warm_start ['x']", "'ddpm'", warm_start=["x"]),
    sample(
        "integrator", ValueError, "unknown integrator 'leapfrog'", "'UBU'", integrator="leapfrog"
    ),
    *(
        sample(f"energy {name}", error, *words, method="rtk-mala", energy=value)
        for name, error, words, value in [
            ("unknown", ValueError, ("unknown energy estimator 'foo'", "'taylor'"), "foo"),
            ("number", TypeError, ("energy must be a name or", "got 3"), 3),
            ("class", TypeError, ("energy must be a name or", "Taylor"), energy.Taylor),
            ("function", TypeError, ("energy must be a name or", "function"), lambda *_: 0),
            ("without a density", ValueError, ("needs log_prob=",), "exact"),
        ]
    ),
    sample(
        "radius is text",
        TypeError,
        "proposal_radius must be a number",
        "'1'",
        method="rtk-mala",
        proposal_radius="1",
    ),
    sample(
        "negative radius",
        ValueError,
        "proposal_radius must be positive",
        "-1.0",
        method="rtk-mala",
        proposal_radius=-1.0,
    ),
    sample(
        "no leapfrog",
        ValueError,
        "leapfrog_steps must be at least 1",
        "0",
        method="rtk-hmc",
        leapfrog_steps=0,
    ),
    sample("much churn", ValueError, "churn must be at most", "0.6", method="heun", churn=0.6),
    sample(
        "interval", ValueError, "sigma_max must be above", "0.4", method="restart", sigma_min=0.4
    ),
    sample("order", ValueError, "one of (1, 2, 3)", "got 9", method="er-sde", order=9),
    call(
        "a flag is text",
        TypeError,
        ("stochastic must be True or False", "'no'"),
        library.DPMSolverPP2M,
        "no",
    ),
    call(
        "a kernel of a number", TypeError, ("a GaussianMixture", "got int"), library.ExactKernel, 3
    ),
]

CALIBRATION = [
    call("no score", TypeError, ("score must be a callable", "None"), library.calibrate, None, 2),
    call("no side", ValueError, ("side of shape must be", "got 0"), library.calibrate, SCORE, 0),
    call("another shape", ValueError, ("(n, 2)", "(128, 3)"), library.calibrate, SCORE, 3),
    call("seed", TypeError, ("seed must be a whole", "1.5"), library.calibrate, SCORE, 2, 1.5),
    call(
        "early start",
        FloatingPointError,
        ("t_start=1e-06", "Expected data"),
        library.calibrate,
        SCORE,
        2,
        {"t_start": 1e-6},
    ),
    call(
        "late start",
        ValueError,
        ("t_hi=400", "no time is above 300"),
        library.calibrate,
        SCORE,
        2,
        {"t_start": 400.0},
    ),
    call(
        "device",
        ValueError,
        ("device must be one", "got 'tpu'"),
        library.calibrate,
        SCORE,
        2,
        {"device": "tpu"},
    ),
    call(
        "NaN",
        FloatingPointError,
        ("not finite at 128 of 128 points", "Expected a score"),
        library.calibrate,
        lambda x, t: x * math.nan,
        2,
    ),
    call(
        "no score at all",
        FloatingPointError,
        ("the score is 0", "Expected a score"),
        library.calibrate,
        lambda x, t: 0 * x,
        2,
    ),
    call(
        "a huge score",
        FloatingPointError,
        ("no Gaussian can be fitted", "Expected data"),
        library.calibrate,
        lambda x, t: 0 * x + 1e30,
        2,
    ),
    sample(
        "calibration is a number",
        TypeError,
        "from rtk.calibrate",
        "got int",
        method="calibrated",
        calibration=3,
    ),
    sample(
        "segments of a calibrated method",
        ValueError,
        "chooses its own segments",
        method="calibrated",
        segments=4,
    ),
]

GRIDS = [
    call("uniform: none", ValueError, ("count must be at least 1", "0"), grids.uniform, 0),
    call("uniform: text", TypeError, ("count must be a whole number", "'3'"), grids.uniform, "3"),
    call("uniform: text", TypeError, ("t_hi must be a number", "'5'"), grids.uniform, 3, "5"),
    call("uniform: NaN", ValueError, ("need 0 <= t_lo", "nan"), grids.uniform, 3, math.nan),
    call("uniform: up", ValueError, ("need 0 <= t_lo", "t_hi=0.1"), grids.uniform, 3, 0.1, 1.0),
    call("log_snr: to 0", ValueError, ("needs t_end > 0", "0.0"), grids.log_snr, 3, 5.0, 0.0),
    call("log_snr: from 0", ValueError, ("need 0 <= t_lo", "t_hi=0"), grids.log_snr, 3, 0.0),
    call("log_snr: below 0", ValueError, ("need 0 <=", "-1.0"), grids.log_snr, 3, 5.0, -1.0),
    call("log_snr: nothing", TypeError, ("must be a number", "None"), grids.log_snr, 3, None),
    call("log_snr: late", ValueError, ("above 300", "t_hi=400"), grids.log_snr, 3, 400.0),
    call(
        "power: exponent",
        ValueError,
        ("exponent must be positive", "-1.0"),
        grids.power,
        3,
        {"exponent": -1.0},
    ),
    call(
        "karras: exponent",
        ValueError,
        ("exponent must be positive", "0.0"),
        grids.karras,
        3,
        {"exponent": 0.0},
    ),
    call("karras: late", ValueError, ("above 300", "t_hi=inf"), grids.karras, 3, math.inf),
    call("theory: L", ValueError, ("lipschitz must be", "-1.0"), grids.from_lipschitz, -1.0),
    call("theory: NaN", ValueError, ("need 0 <=", "nan"), grids.from_lipschitz, 1.0, math.nan),
    call("check: nothing", TypeError, ("decreasing times", "None"), grids.check, None),
    call("GITS: to 0", ValueError, ("end above 0",), gits, SCORE, 2, 3, {"grid": (1.0, 0.0)}),
    call("GITS: too many", ValueError, ("60 segments", "pick 61"), gits, SCORE, 2, 61),
    call("GITS: shape", TypeError, ("a side of shape", "2.5"), gits, SCORE, 2.5, 3),
    call("GITS: no side", ValueError, ("a side of shape", "got 0"), gits, SCORE, 0, 3),
    call("GITS: weight", ValueError, ("gamma must be", "0.0"), gits, SCORE, 2, 3, {"gamma": 0.0}),
    call(
        "GITS: NaN",
        FloatingPointError,
        ("not finite", "Expected a score"),
        gits,
        lambda x, t: x * math.nan,
        2,
        3,
    ),
    call("optimised: order", ValueError, ("order must be at least 1", "0"), optimised, 3, 0),
    call("optimised: up", ValueError, ("need 0 <= t_lo", "t_hi=0.1"), optimised, 3, 3, 0.1, 1.0),
]

KERNEL = partial(library.ReverseTransition, SCORE)

PARTS = [
    call("kernel: up", ValueError, ("need 0 <= t_lo < t_hi", "0.2"), KERNEL, X, 0.2, 0.5),
    call("kernel: text", TypeError, ("t_hi must be a number", "'1'"), KERNEL, X, "1", 0.5),
    call("kernel: list", TypeError, ("a floating-point tensor", "list"), KERNEL, [[0.0]], 0.5, 0.2),
    call("kernel: whole", TypeError, ("a floating-point", "int64"), KERNEL, X.long()[:1], 0.5, 0.2),
    call("kernel: one axis", ValueError, ("(n, *shape)", "(2,)"), KERNEL, X[0], 0.5, 0.2),
    call(
        "kernel: no score",
        TypeError,
        ("score must be a callable", "None"),
        library.ReverseTransition,
        None,
        X,
        0.5,
        0.2,
    ),
    call(
        "kernel: score of one row",
        ValueError,
        ("(1, 2)", "expected (100, 2)"),
        library.ReverseTransition(lambda x, t: x[:1], X, 0.5, 0.2).grad,
        X,
    ),
    call("kernel: z", ValueError, ("(100, 2)", "got (3, 2)"), KERNEL(X, 0.5, 0.2).grad, X[:3]),
    call("Taylor", ValueError, ("fraction must lie in (0, 1]", "0.0"), energies.Taylor, 0.0),
    call("Taylor: text", TypeError, ("fraction must be a number", "'a'"), energies.Taylor, "a"),
    call("Gauss", ValueError, ("count must be at least 1", "0"), energies.gauss_legendre, 0),
    call(
        "rule: one-sided",
        ValueError,
        ("symmetric about 1/2", "(0.0,)"),
        energies.LineIntegral,
        (0.0,),
        (1.0,),
    ),
    call(
        "rule: text",
        TypeError,
        ("nodes must be a number", "'a'"),
        energies.LineIntegral,
        ("a",),
        (1.0,),
    ),
    call(
        "noise: seed", ValueError, ("seed must be at least 0", "-1"), noise.ChainNoise, -1, 2, (2,)
    ),
]

MIXTURE, FUNNEL = laws.GaussianMixture, laws.Funnel()
HALVES = [0.5, 0.5]

TARGETS = [
    call(
        "unknown target", ValueError, ("unknown target 'moons'", "'funnel'"), laws.target, "moons"
    ),
    call("target in a list", ValueError, ("unknown target ['rings']",), laws.target, ["rings"]),
    call("unknown mixture", ValueError, ("'moons'", "'circle'"), laws.mixture, "moons"),
    call(
        "weight",
        ValueError,
        ("non-negative", "[-1.0, 2.0]"),
        MIXTURE,
        [-1.0, 2.0],
        [[0.0], [1.0]],
        1.0,
    ),
    call(
        "weights are NaN",
        ValueError,
        ("weights must be finite",),
        MIXTURE,
        [math.nan],
        [[0.0]],
        1.0,
    ),
    call(
        "weights are text",
        TypeError,
        ("weights must be an array", "'a'"),
        MIXTURE,
        ["a"],
        [[0.0]],
        1.0,
    ),
    call("lengths", ValueError, ("(m,)", "(2,) and (1, 1)"), MIXTURE, HALVES, [[0.0]], 1.0),
    call(
        "ragged", TypeError, ("means must be an array",), MIXTURE, HALVES, [[0.0], [1.0, 2.0]], 1.0
    ),
    call("variance", ValueError, ("positive definite", "-1"), MIXTURE, [1.0], [[0.0]], -1.0),
    call(
        "singular",
        ValueError,
        ("positive definite",),
        MIXTURE,
        [1.0],
        [[0.0, 0.0]],
        np.ones((1, 2, 2)),
    ),
    call("x is a list", TypeError, ("floating-point tensor", "list"), FUNNEL.score, [[0.0]], 0.1),
    call("x is whole", TypeError, ("floating-point", "int64"), FUNNEL.score, X.long(), 0.1),
    call("x is complex", TypeError, ("floating-point", "complex64"), FUNNEL.score, X + 0j, 0.1),
    call("x of another shape", ValueError, ("(n, 10)", "(100, 2)"), FUNNEL.score, X, 0.1),
    call("t is negative", ValueError, ("a time >= 0", "-0.1"), skewed().score, X, -0.1),
    call("t is NaN", ValueError, ("a time >= 0", "nan"), skewed().score, X, math.nan),
    call("t is text", TypeError, ("one number", "'0.1'"), skewed().score, X, "0.1"),
    call("times", ValueError, ("(100,)", "(3,)"), skewed().score, X, torch.zeros(3)),
    call("no draws", ValueError, ("n must be at least 1", "0"), FUNNEL.sample, 0),
    call("draws are true", TypeError, ("n must be a whole number", "True"), FUNNEL.sample, True),
    call("dtype", TypeError, ("floating-point", "int64"), FUNNEL.sample, 2, {"dtype": torch.int64}),
    call(
        "generator", TypeError, ("a torch.Generator", "got 3"), FUNNEL.sample, 2, {"generator": 3}
    ),
    call("dimension", ValueError, ("dimension must be at least 2", "1"), laws.Funnel, 1),
    call("bandwidth", ValueError, ("bandwidth must be positive", "-1"), laws.images, X[:3], -1.0),
]

NOISE = partial(adapt.from_noise_prediction, denoiser)
OF_A_DENOISER = partial(adapt.from_denoiser, denoiser)

ADAPTERS = [
    call("no model", TypeError, ("a callable", "None"), adapt.from_denoiser, None),
    call("levels", ValueError, ("sigma_min < sigma_max", "0.5"), OF_A_DENOISER, 1.0, 0.5),
    call("levels are text", TypeError, ("sigma_min must be a number", "'0'"), OF_A_DENOISER, "0"),
    call("dtype", TypeError, ("floating-point", "'half'"), OF_A_DENOISER, {"dtype": "half"}),
    call("time", ValueError, ("<= t <=", "asked at t = 9"), OF_A_DENOISER(0.01, 80.0), X, 9.0),
    call("time is NaN", ValueError, ("t > 0", "t = nan"), OF_A_DENOISER(), X, math.nan),
    call("time is text", TypeError, ("t must be a number", "'a'"), OF_A_DENOISER(), X, "a"),
    call("x is a list", TypeError, ("floating-point", "list"), OF_A_DENOISER(), [[0.0]], 0.5),
    call(
        "answer is whole",
        TypeError,
        ("torch.int64", "expected floating-point"),
        adapt.from_denoiser(lambda y, s: y.long()),
        X,
        0.5,
    ),
    call(
        "answer is a number",
        TypeError,
        ("returned float", "expected a tensor"),
        adapt.from_denoiser(lambda y, s: 1.0),
        X,
        0.5,
    ),
    call(
        "answer of one row",
        ValueError,
        ("(1, 2)", "expected (100, 2)"),
        adapt.from_denoiser(lambda y, s: y[:1]),
        X,
        0.5,
    ),
    call("prediction", ValueError, ("one of ('epsilon'", "'eps'"), NOISE, [0.9, 0.5], "eps"),
    call("schedule up", ValueError, ("decrease strictly", "0.9 after"), NOISE, [0.5, 0.9]),
    call("schedule of one", ValueError, ("at least two", "(1,)"), NOISE, [0.9]),
    call("schedule is text", TypeError, ("the numbers", "'linear'"), NOISE, "linear"),
    call(
        "schedule is complex", TypeError, ("the numbers", "j"), NOISE, torch.tensor([0.9 + 1j, 0.5])
    ),
    call(
        "flag",
        TypeError,
        ("integer_timesteps must be True or False", "'no'"),
        NOISE,
        [0.9, 0.5],
        {"integer_timesteps": "no"},
    ),
]

MA, SW2 = partial(measure.marginal_accuracy, X), partial(measure.sliced_w2, X, REFERENCE)

METRICS = [
    call("a result", TypeError, ("real numbers", "samples"), measure.w2, draw(nfe=5), REFERENCE),
    call("a mixture", TypeError, ("a Reference", "Reference.of"), MA, skewed()),
    call("logical", TypeError, ("real numbers",), measure.marginal_accuracy, X > 0, REFERENCE),
    call("complex", TypeError, ("real numbers",), measure.marginal_accuracy, X + 0j, REFERENCE),
    call("NaN", ValueError, ("16 of 16", "finite"), measure.sliced_w2, NOT_A_NUMBER, REFERENCE),
    call("shape", ValueError, ("(n, d)", "(100,)"), measure.sliced_w2, X[:, 0], REFERENCE),
    call(
        "coordinates",
        ValueError,
        ("3 coordinates", "has 2"),
        measure.sliced_w2,
        torch.zeros(99, 3),
        REFERENCE,
    ),
    call("few", ValueError, ("at least 64", "got 9"), measure.marginal_accuracy, X[:9], REFERENCE),
    call("no bins", ValueError, ("bins must be at least 1", "0"), MA, REFERENCE, 0),
    call("interval", ValueError, ("low < high", "(1.0, -1.0)"), MA, REFERENCE, 9, (1.0, -1.0)),
    call(
        "interval text",
        TypeError,
        ("interval must be a number", "'a'"),
        MA,
        REFERENCE,
        9,
        ("a", "b"),
    ),
    call("one replicate", ValueError, ("replicates must be at least 2", "1"), SW2, 1),
    call("seed", ValueError, ("seed must be at least 0", "-1"), SW2, {"seed": -1}),
    call("seed is text", TypeError, ("seed must be a whole", "'a'"), SW2, {"seed": "a"}),
    call(
        "regularisation",
        ValueError,
        ("regularisation must be", "0.0"),
        measure.sinkhorn_cost,
        X,
        X,
        0.0,
    ),
    call("reference", TypeError, ("of a GaussianMixture", "Funnel"), measure.Reference.of, FUNNEL),
    call(
        "reference size",
        ValueError,
        ("size must be at least 1", "0"),
        measure.Reference.of,
        skewed(),
        0,
    ),
    call("one value", ValueError, ("at least 2", "(1,)"), measure.Estimate.of_replicates, [1.0]),
]

ROWS = [
    *(row for part in (COUNTS, PLACES, TIMES, FUNCTIONS, METHODS) for row in part),
    *(row._replace(name=f"calibrate: {row.name}") for row in CALIBRATION),
    *(row._replace(name=f"grid: {row.name}") for row in GRIDS),
    *PARTS,
    *(row._replace(name=f"target: {row.name}") for row in TARGETS),
    *(row._replace(name=f"adapter: {row.name}") for row in ADAPTERS),
    *(row._replace(name=f"metric: {row.name}") for row in METRICS),
]
