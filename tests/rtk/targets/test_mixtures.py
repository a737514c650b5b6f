import numpy as np
import pytest
import torch

from rtk import targets
from rtk.targets import MIXTURES, asymmetric, uneven
from tests.oracles import Array, dense_covariances, mixture_moments


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


UNEVEN = {
    "uneven-2": 2,
    "tilted-5": 5,
    "shifted-20": 20,
    "crowd-20": 20,
    "tilted-20": 20,
    "uneven-100": 100,
    "overlapping-200": 200,
}


@pytest.mark.parametrize("name", UNEVEN)
def test_uneven_targets_have_unit_size_and_unequal_modes(name: str) -> None:
    """At t = 5, the start of the default grids, their means lie within 0.1 of the origin."""
    mixture = targets.mixture(name)
    assert mixture.dimension == UNEVEN[name]
    mean, covariance = mixture_moments(mixture)
    assert np.trace(covariance) / mixture.dimension == pytest.approx(1.0)
    np.testing.assert_allclose(mean, 0.8 if name == "shifted-20" else 0.0, atol=1e-12)
    widths = np.linalg.eigvalsh(dense_covariances(mixture)).mean(1) ** 0.5
    assert widths.max() / widths.min() == pytest.approx(widths[-1] / widths[0])
    assert widths.max() / widths.min() >= 2.99
    np.testing.assert_allclose(
        np.sort(mixture.weights.numpy() / mixture.weights.numpy().min()),
        np.arange(1, mixture.components + 1),
    )
    assert np.exp(-5.0) * mixture.means.norm(dim=1).max() < 0.1


@pytest.mark.parametrize("name", ["tilted-5", "tilted-20"])
def test_tilted_modes_have_axes_of_their_own(name: str) -> None:
    """Axes from half to twice the width: eigenvalues in the ratio 16, off the coordinates."""
    covariances = dense_covariances(targets.mixture(name))
    values = np.linalg.eigvalsh(covariances)
    np.testing.assert_allclose(values[:, -1] / values[:, 0], 16.0)
    correlation = covariances[:, 0, 1] / np.sqrt(covariances[:, 0, 0] * covariances[:, 1, 1])
    assert len(np.unique(correlation)) == len(covariances)
    assert np.abs(covariances[0] @ covariances[1] - covariances[1] @ covariances[0]).max() > 1e-3


def test_uneven_depends_on_its_seed() -> None:
    assert not torch.equal(uneven(3, 4, (0.1, 0.4), 0).means, uneven(3, 4, (0.1, 0.4), 1).means)


def test_unknown_target_lists_the_known() -> None:
    with pytest.raises(ValueError, match=r"unknown mixture 'moon', expected one of \['circle'"):
        targets.mixture("moon")
