"""What every sampler promises, whatever its method."""

from typing import Any

import pytest
import torch
from torch import Tensor

import rtk
from rtk.targets import mixture
from tests.oracles import ADJUSTED, DOUBLE

METHODS = rtk.methods()
MIXTURE = mixture("mild")
DIMENSION = MIXTURE.dimension
MANY = 300


def draw(method: str, n: int = 40, **options: Any) -> Tensor:
    given: dict[str, Any] = {"nfe": 24, "seed": 4, "log_prob": MIXTURE.log_prob, **options}
    return rtk.sample(MIXTURE.score, DIMENSION, n, method, **given).samples


def smooth_score(x: Tensor, t: float) -> Tensor:
    """N(0.5, 0.4 I) in any shape, by elementwise arithmetic alone."""
    a = torch.exp(torch.tensor(-t, dtype=x.dtype))
    return (0.5 * a - x) / (1 - 0.6 * a**2)


@pytest.mark.parametrize("method", METHODS)
def test_same_seed_same_samples(method: str) -> None:
    assert torch.equal(draw(method), draw(method))
    assert not torch.allclose(draw(method), draw(method, seed=5))


@pytest.mark.parametrize("method", METHODS)
def test_a_chain_is_the_same_among_few_and_many(method: str) -> None:
    many = draw(method, n=MANY)
    for n in (1, 40, 151):
        torch.testing.assert_close(draw(method, n=n), many[:n], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_chunks_change_nothing(method: str) -> None:
    n = MANY
    whole = draw(method, n=n)
    assert whole.shape == (n, DIMENSION)
    for chunk in (1, 100):
        torch.testing.assert_close(draw(method, n=n, chunk=chunk), whole, rtol=1e-4, atol=1e-4)
    # Nothing is repeated from chain to chain.
    assert len(whole.unique(dim=0)) == n


@pytest.mark.parametrize("method", METHODS)
def test_chunks_change_no_bit_of_elementwise_scores(method: str) -> None:
    whole, parts = (
        rtk.sample(smooth_score, 16, MANY, method, nfe=20, chunk=chunk).samples
        for chunk in (10**6, 1)
    )
    assert torch.equal(whole, parts)


@pytest.mark.parametrize("method", METHODS)
def test_global_randomness_is_neither_used_nor_touched(method: str) -> None:
    torch.manual_seed(1)
    first = draw(method)
    after = torch.rand(3)
    torch.manual_seed(1)
    assert torch.equal(after, torch.rand(3))
    torch.manual_seed(2)
    assert torch.equal(draw(method), first)


@pytest.mark.parametrize("method", METHODS)
def test_precisions_agree(method: str) -> None:
    """Rounding moves smooth samplers by 1e-4; a Metropolis test may turn now and then."""
    single, double = (draw(method, n=200, dtype=dtype) for dtype in (torch.float32, DOUBLE))
    assert single.dtype == torch.float32
    assert double.dtype == DOUBLE
    near = (single.double() - double).abs().amax(1) < 2e-3
    assert float(near.double().mean()) >= (0.98 if method in ADJUSTED else 1.0)


@pytest.mark.parametrize("method", METHODS)
def test_images(method: str) -> None:
    """A shape (1, 4, 4) gives what (16,) gives; the score sees the shape it was promised."""
    shapes = set()

    def score(x: Tensor, t: float) -> Tensor:
        shapes.add(tuple(x.shape[1:]))
        return smooth_score(x, t)

    images = rtk.sample(score, (1, 4, 4), 6, method, nfe=25).samples
    assert images.shape == (6, 1, 4, 4)
    assert shapes == {(1, 4, 4)}
    flat = rtk.sample(smooth_score, 16, 6, method, nfe=25).samples
    torch.testing.assert_close(images.flatten(1), flat, rtol=1e-4, atol=1e-5)


@pytest.mark.gpu
@pytest.mark.parametrize("method", METHODS)
def test_devices_agree(method: str) -> None:
    """Double precision on the GPU gives the CPU's chains: the noise is the same."""
    on_cpu = draw(method, n=500, dtype=DOUBLE)
    on_gpu = draw(method, n=500, dtype=DOUBLE, device="cuda")
    assert on_gpu.device.type == "cuda"
    torch.testing.assert_close(on_gpu.cpu(), on_cpu, rtol=1e-8, atol=1e-8)
    single = draw(method, n=500, device="cuda")
    near = (single.cpu().double() - on_cpu).abs().amax(1) < 2e-3
    assert float(near.double().mean()) >= (0.98 if method in ADJUSTED else 1.0)


@pytest.mark.gpu
def test_mixtures_on_the_gpu() -> None:
    generator = torch.Generator("cuda").manual_seed(0)
    x = MIXTURE.sample(1000, 0.3, generator, dtype=DOUBLE)
    assert x.device.type == "cuda"
    for function in ("score", "log_prob", "hessian"):
        there = getattr(MIXTURE, function)(x, 0.3)
        torch.testing.assert_close(there.cpu(), getattr(MIXTURE, function)(x.cpu(), 0.3))
    kernel = MIXTURE.reverse_transition(x, 0.5, 0.2)
    assert kernel.sample(generator).device.type == "cuda"
