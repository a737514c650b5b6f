import numpy as np
import pytest
import torch

from rtk import targets
from rtk.targets import MIXTURES, asymmetric
from tests.oracles import Array, mixture_moments


def planar_means(name: str) -> Array:
    """The first two coordinates of the means, once the others are seen to be zero."""
    mixture = targets.mixture(name)
    assert mixture.dimension == 10
    assert not mixture.means[:, 2:].any()
    assert mixture.covariances.item() == pytest.approx(0.007)
    np.testing.assert_allclose(mixture.weights, 1 / mixture.components)
    return np.asarray(mixture.means[:, :2].numpy())


def test_circle() -> None:
    points = planar_means("circle") @ np.array([1, 1j])
    np.testing.assert_allclose(abs(points), 1.0)
    # Six triples 20 degrees apart, so gaps of 20, 20 and 20 degrees in turn around the circle.
    angles = np.sort(np.degrees(np.angle(points)) % 360)
    np.testing.assert_allclose(angles, np.arange(18) * 20.0, atol=1e-9)


def test_circle_is_as_curved_as_computed_by_hand() -> None:
    """Between two neighbours at angle 20 degrees: L = (dist/2)^2 / v^2 - 1/v at their midpoint.

    The other modes are too far to matter by more than a few per cent.
    """
    mixture = targets.mixture("circle")
    middle = torch.zeros(1, 10, dtype=torch.float64)
    middle[0, :2] = mixture.means[:2, :2].mean(0)
    half = np.sin(np.radians(10))
    largest = torch.linalg.eigvalsh(mixture.hessian(middle, 0.0))[0, -1].item()
    assert largest == pytest.approx(half**2 / 0.007**2 - 1 / 0.007, rel=0.05)


def test_chessboard() -> None:
    points = planar_means("chessboard")
    assert len(points) == 8
    np.testing.assert_allclose(points.mean(0), 0, atol=1e-12)
    cells = points / 0.25 + 1.5
    np.testing.assert_allclose(cells, cells.round(), atol=1e-12)
    assert set(cells.round().flatten()) == {0, 1, 2, 3}
    assert np.all(cells.round().sum(1) % 2 == 0)
    assert len(np.unique(cells.round(), axis=0)) == 8


def test_spiral() -> None:
    points = planar_means("spiral") @ np.array([1, 1j])
    np.testing.assert_allclose(abs(points), np.linspace(0, 1, 16), atol=1e-12)
    turned = np.unwrap(np.angle(points[1:]))
    np.testing.assert_allclose(np.diff(turned), 4 * np.pi / 15, atol=1e-9)
    assert turned[-1] - turned[0] == pytest.approx(4 * np.pi * 14 / 15)
    assert points[-1] == pytest.approx(1)


@pytest.mark.parametrize("name", MIXTURES)
def test_every_target_is_a_sound_mixture(name: str) -> None:
    mixture = targets.mixture(name)
    assert float(mixture.weights.sum()) == pytest.approx(1)
    x = mixture.sample(100, generator=torch.Generator().manual_seed(0))
    assert torch.isfinite(mixture.score(x, 0.0)).all()
    again = targets.mixture(name)
    assert torch.equal(again.means, mixture.means)
    assert torch.equal(again.variances, mixture.variances)


@pytest.mark.parametrize("name", ["separated", "far", "wide", "two-scale", "mild"])
def test_asymmetric_targets_have_no_symmetry_to_hide_behind(name: str) -> None:
    mean, covariance = mixture_moments(targets.mixture(name))
    assert np.linalg.norm(mean) > 0.1
    assert np.ptp(np.linalg.eigvalsh(covariance)) > 0.1


def test_asymmetric() -> None:
    mixture = asymmetric(7, 2.5, (0.1, 0.4))
    np.testing.assert_allclose(mixture.means.norm(dim=1), 2.5)
    np.testing.assert_allclose(mixture.variances.sqrt()[:, 0], np.linspace(0.1, 0.4, 6))
    np.testing.assert_allclose(mixture.weights, [0.30, 0.22, 0.18, 0.13, 0.10, 0.07])
    assert not torch.equal(asymmetric(7, 2.5, (0.1, 0.4), seed=1).means, mixture.means)


def test_clusters_share_their_weight() -> None:
    mixture = asymmetric(5, 2.0, (0.1, 0.4), clusters=3)
    assert mixture.components == 18
    shares = mixture.weights.reshape(6, 3).sum(1)
    np.testing.assert_allclose(shares, [0.30, 0.22, 0.18, 0.13, 0.10, 0.07])
    # Jitter of standard deviation 0.25 a coordinate: members stay near, none coincide.
    clusters = mixture.means.reshape(6, 3, 5)
    spread = (clusters - clusters.mean(1, keepdim=True)).norm(dim=2)
    assert 0 < float(spread.min()) <= float(spread.max()) < 5 * 0.25 * 5**0.5


def test_unknown_target_lists_the_known() -> None:
    with pytest.raises(ValueError, match=r"unknown mixture 'moon', expected one of \['circle'"):
        targets.mixture("moon")
