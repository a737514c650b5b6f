"""Scores and settings that could spoil a run in silence are harmless, refused or warned of.

Each test has the value that is right: the law, the error or the warning.
"""

import copy
import inspect
import multiprocessing
import pickle
import pkgutil
import warnings
from importlib import import_module
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import rtk
from rtk import segments
from rtk.energy import Exact, LineIntegral, Taylor
from rtk.score import NonFiniteError
from tests.oracles import ADJUSTED, DOUBLE, gaussian, skewed

FAR = rtk.GaussianMixture([0.3, 0.7], [[99.0], [101.0]], 0.04)


def exceptions() -> list[type[BaseException]]:
    """Every exception class that the project defines."""
    found = []
    for package in ("rtk", "experiments"):
        for info in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            # The rivals of the benchmark have an environment of their own.
            if ".notebooks" in info.name or info.name == "experiments.benchmark.rivals":
                continue
            for _, kind in inspect.getmembers(import_module(info.name), inspect.isclass):
                if issubclass(kind, BaseException) and kind.__module__ == info.name:
                    found.append(kind)
    return found


def test_errors_survive_a_process_border() -> None:
    assert {NonFiniteError, rtk.SamplingWarning} <= set(exceptions())
    for kind in exceptions():
        examples: dict[type, tuple[Any, ...]] = {NonFiniteError: ({3: 0.5}, 8)}
        error = kind(*examples.get(kind, ("a message",)))
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is kind
        assert str(again) == str(error)
        assert again.__dict__ == error.__dict__


def fail(seed: int) -> Tensor:
    return rtk.sample(lambda x, t: x / 0.0, 2, 4, "ddim", nfe=3, seed=seed).samples


@pytest.mark.slow
def test_an_error_in_a_pool_arrives() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        job = pool.map_async(fail, [0])
        with pytest.raises(NonFiniteError, match="4 of the 4 chains"):
            job.get(timeout=120)


@pytest.mark.parametrize(
    "thing",
    [
        skewed(),
        rtk.RTKMALA(energy="simpson"),
        rtk.RTKULD(),
        rtk.RTKLM(),
        rtk.RTKHMC(energy="simpson"),
        rtk.RTKGHMC(),
        rtk.DPMSolverPP2M(stochastic=True),
        rtk.AnnealedLangevin(),
        rtk.ExactKernel(skewed()),
        Exact(),
        Taylor(),
        LineIntegral((0.0, 1.0), (0.5, 0.5)),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_objects_travel(thing: Any) -> None:
    for again in (pickle.loads(pickle.dumps(thing)), copy.deepcopy(thing)):
        assert repr(again).split(" object")[0] == repr(thing).split(" object")[0]


def test_counts_of_non_finite_chains_are_of_one_population() -> None:
    """All chains fail; the error comes after the first chunk and says of how many it speaks."""
    with pytest.raises(NonFiniteError) as caught:
        rtk.sample(lambda x, t: x * torch.nan, 2, 40_000, "ddim", nfe=3)
    error = caught.value
    assert len(error.chains) == error.computed == 32_768
    assert "32768 of the 32768 chains computed so far" in str(error)
    with pytest.raises(NonFiniteError, match="5 of the 5 chains"):
        rtk.sample(lambda x, t: x * torch.nan, 2, 10, "ddim", nfe=3, chunk=5)


@pytest.mark.parametrize("method", rtk.methods())
def test_a_score_may_spoil_its_argument(method: str) -> None:
    mixture = skewed()

    def spoils(x: Tensor, t: float) -> Tensor:
        answer = mixture.score(x, t)
        x.mul_(0.0).add_(7.0)
        return answer

    def log_spoils(x: Tensor, t: float) -> Tensor:
        answer = mixture.log_prob(x, t)
        x.zero_()
        return answer

    log_probs = (mixture.log_prob, log_spoils) if method in ADJUSTED else (None, None)
    clean = rtk.sample(mixture.score, 2, 50, method, 12, 0, log_probs[0], dtype=DOUBLE)
    dirty = rtk.sample(spoils, 2, 50, method, 12, 0, log_probs[1], dtype=DOUBLE)
    assert torch.equal(clean.samples, dirty.samples)


@pytest.mark.parametrize("method", rtk.methods())
def test_a_score_may_reuse_its_answer(method: str) -> None:
    """Such as a graph of a GPU, which answers in one buffer."""
    mixture, buffer = skewed(), torch.empty(512, 2, dtype=DOUBLE)

    def reuses(x: Tensor, t: float) -> Tensor:
        return buffer[: len(x)].copy_(mixture.score(x, t))

    clean = rtk.sample(mixture.score, 2, 50, method, 12, dtype=DOUBLE)
    assert torch.equal(rtk.sample(reuses, 2, 50, method, 12, dtype=DOUBLE).samples, clean.samples)


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_a_network_in_half_precision_keeps_the_state_in_single(half: torch.dtype) -> None:
    """1000 DDIM steps on N(0, v): the standard deviation to 1 %, as with a float32 score."""
    target = rtk.GaussianMixture([1.0], torch.zeros(1, 2), torch.tensor([[0.9, 0.2]]))

    def score(x: Tensor, t: float) -> Tensor:
        return target.score(x, t).to(half)

    result = rtk.sample(score, 2, 4000, "ddim", nfe=1000)
    exact = rtk.sample(target.score, 2, 4000, "ddim", nfe=1000)
    assert result.samples.dtype == torch.float32
    torch.testing.assert_close(result.samples.std(0), exact.samples.std(0), rtol=0.01, atol=0.0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int64, torch.complex64])
def test_low_precision_of_the_state_is_refused(dtype: torch.dtype) -> None:
    with pytest.raises(ValueError, match=r"dtype must be torch\.float32 or torch\.float64"):
        rtk.sample(skewed().score, 2, 4, dtype=dtype)


def test_scores_by_autograd() -> None:
    mixture = skewed()

    def bare(x: Tensor, t: float) -> Tensor:
        return torch.autograd.grad(mixture.log_prob(x.requires_grad_(), t).sum(), x)[0]

    with pytest.raises(RuntimeError, match=r"decorate the function with @torch\.enable_grad\(\)"):
        rtk.sample(bare, 2, 4, "ddpm", nfe=5)
    plain = rtk.sample(mixture.score, 2, 40, "rtk-uld", nfe=12, dtype=DOUBLE)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            result = rtk.sample(torch.enable_grad()(bare), 2, 40, "rtk-uld", nfe=12, dtype=DOUBLE)
        torch.testing.assert_close(result.samples, plain.samples)
        assert not result.samples.requires_grad


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad, torch.enable_grad])
def test_ambient_modes_change_nothing(mode: Any) -> None:
    plain = rtk.sample(skewed().score, 2, 40, "rtk-mala", nfe=12)
    start = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
    with mode():
        inside = rtk.sample(skewed().score, 2, 40, "rtk-mala", nfe=12)
        own = torch.ones(40, 2)
        rtk.sample(skewed().score, 2, 40, "rtk-mala", nfe=12, x_init=own)
    assert inside == plain
    assert not inside.samples.is_inference()
    inside.samples.requires_grad_().sum().backward()
    assert start.grad is None


def test_the_default_dtype_of_torch_is_only_a_default() -> None:
    torch.set_default_dtype(DOUBLE)
    try:
        assert rtk.sample(skewed().score, 2, 4, "ddim", nfe=3).samples.dtype == DOUBLE
        single = rtk.sample(skewed().score, 2, 4, "ddim", nfe=3, dtype=torch.float32)
    finally:
        torch.set_default_dtype(torch.float32)
    assert single == rtk.sample(skewed().score, 2, 4, "ddim", nfe=3)


@pytest.mark.parametrize("stochastic", [False, True])
@pytest.mark.parametrize("t_end", [1e-2, 1e-4, 1e-6])
def test_the_multistep_solver_is_bounded_on_any_grid(stochastic: bool, t_end: float) -> None:
    """On a uniform grid the last step in log-SNR is long: no worse there than DDIM by 20 %."""
    mixture = rtk.GaussianMixture([0.3, 0.7], [[-1.0, 0.0], [1.0, 0.5]], 0.1)
    times = segments.uniform(25, 5.0, t_end)
    exact = mixture.sample(50_000, 0.0, torch.Generator().manual_seed(0), DOUBLE).std(0)

    def error(method: Any) -> float:
        run = rtk.sample(mixture.score, 2, 20_000, method, 26, dtype=DOUBLE, segments=times)
        return float((run.samples.std(0) - exact).abs().max())

    assert error(rtk.DPMSolverPP2M(stochastic)) < 1.2 * error("ddim")


# What is likely not meant is warned of, once, in one class.


def warned(**options: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        given: dict[str, Any] = {"shape": 1, "n": 200, "method": "ddpm", "nfe": 20} | options
        rtk.sample(**given)
    assert all(issubclass(each.category, rtk.SamplingWarning) for each in caught)
    assert all("test_misuse" in each.filename for each in caught)
    return [str(each.message) for each in caught]


def test_a_start_far_from_the_prior_is_warned_of() -> None:
    (message,) = warned(score=FAR.score)
    assert "the score at the start, t = 5, differs from that of N(0, I)" in message
    assert "by 0.68 per coordinate" in message
    assert warned(score=FAR.score, t_start=8.0) == []
    assert warned(score=FAR.score, t_start=8.0, method="rtk-uld") == []
    assert warned(score=FAR.score, x_init=torch.zeros(200, 1)) == []
    (message,) = warned(score=FAR.score, method="rtk-uld", chunk=10)
    assert "t_start=" in message


def test_a_later_start_mends_it() -> None:
    weights, mean = [], []
    for t_start in (5.0, 8.0):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rtk.SamplingWarning)
            x = rtk.sample(FAR.score, 1, 20_000, "dpm++2m", 60, dtype=DOUBLE, t_start=t_start)
        weights.append(float((x.samples < 100.0).double().mean()))
        mean.append(float(x.samples.mean()))
    assert abs(weights[1] - 0.3) < 5 * (0.3 * 0.7 / 20_000) ** 0.5 + 0.01
    assert abs(weights[0] - 0.3) > 0.2
    assert abs(mean[1] - 100.4) < 0.1


def test_warnings_can_be_errors() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", rtk.SamplingWarning)
        with pytest.raises(rtk.SamplingWarning):
            rtk.sample(FAR.score, 1, 10, "ddpm", nfe=5)


def test_a_chain_that_never_moves_is_warned_of() -> None:
    target = gaussian(0.0, 0.5)
    options = {"score": target.score, "method": "rtk-mala", "data_variance": 0.5}
    (message,) = warned(**options, step_size=50.0)
    assert "of the proposals are accepted on the segment from t = 5" in message
    assert "try a smaller step_size" in message
    assert warned(**options) == []
    # One chain may reject all its few proposals by chance.
    assert warned(**options, n=1, step_size=50.0) == []


def test_a_module_in_training_mode_is_warned_of() -> None:
    class Score(nn.Module):
        def forward(self, x: Tensor, t: float) -> Tensor:
            return -x

    (message,) = warned(score=Score())
    assert "call score.eval()" in message
    assert warned(score=Score().eval()) == []
