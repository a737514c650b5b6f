"""C3: which densities a network has, and what is measured about networks, against exact ones."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from experiments.energy_networks import sample
from experiments.energy_networks.perceptron import Perceptron
from experiments.energy_networks.sample import Case
from rtk import GaussianMixture, process
from rtk.metrics import Estimate

MIXTURE = GaussianMixture([0.3, 0.7], [[-1.0, 0.0], [0.5, 1.0]], 0.2)


def judged(samples: Tensor) -> Mapping[str, Estimate]:
    return {"spread": Estimate(float(samples.std()), 0.0)}


def case(mixture: GaussianMixture | None = MIXTURE) -> Case:
    torch.manual_seed(0)
    networks = {
        name: Perceptron(2, 0.0, 1.0, name == "energy", width=8, layers=1).eval()
        for name in ("score", "energy")
    }
    for network in networks.values():
        network.requires_grad_(False)
        torch.nn.init.normal_(network.output.weight, std=0.3)
    held_out = torch.randn((100, 2), generator=torch.Generator().manual_seed(1))
    return Case((2,), networks, held_out, judged, mixture)


def test_exact_energies_are_those_of_the_network_that_samples() -> None:
    own, exact = case(), {"method": "rtk-mala", "energy": "exact"}
    assert sample.densities(own, "score", exact) is None
    energy = own.networks["energy"]
    assert sample.densities(own, "energy", exact) == {
        "log_prob": energy.log_prob,
        "score_and_log_prob": energy.score_and_log_prob,
    }
    assert sample.densities(own, "exact", exact) == {
        "log_prob": MIXTURE.log_prob,
        "score_and_log_prob": MIXTURE.score_and_log_prob,
    }
    for name in ("score", "energy", "exact"):
        assert sample.densities(own, name, {"method": "rtk-mala", "energy": "trapezoid"}) == {}


def test_error_of_the_score_is_that_of_the_predicted_noise() -> None:
    """A score that is off by c / s_t in one of two coordinates has the error c / sqrt(2)."""
    t, c = 0.3, 0.2
    width = float(process.sigma(t))

    class Shifted(Perceptron):
        def forward(self, x: Tensor, t: float | Tensor) -> Tensor:
            return MIXTURE.score(x, t) + torch.tensor([c / width, 0.0])

    x = torch.randn((50, 2), generator=torch.Generator().manual_seed(2))
    value, error = sample.score_error(Shifted(2, 0.0, 1.0, False), x, t, MIXTURE)
    assert value == pytest.approx(c / 2**0.5, rel=1e-5)
    assert error == pytest.approx(0.0, abs=1e-6)


def test_noised_data_have_the_moments_of_their_time() -> None:
    clean = torch.full((20_000, 2), 3.0)
    x = sample.noised(clean, 0.5, seed=0)
    # Standard errors 0.8 / 200 of a mean of 40 000, sigma / sqrt(80 000) of a deviation; 5 sigma.
    assert float(x.mean()) == pytest.approx(3.0 * process.alpha(0.5), abs=0.02)
    assert float(x.std()) == pytest.approx(process.sigma(0.5), abs=0.015)


def test_every_network_runs_with_every_energy_that_it_has() -> None:
    class Params:
        nfe = (12,)
        chains = 8
        grid: Mapping[str, object] = {"rule": "uniform", "count": 2, "t_end": 1e-3}
        methods: Mapping[str, Mapping[str, str]] = {
            "rtk-uld": {"method": "rtk-uld"},
            "rtk-mala-trapezoid": {"method": "rtk-mala", "energy": "trapezoid"},
            "rtk-mala": {"method": "rtk-mala", "energy": "exact"},
        }

    rows = [*sample.sampled(case(), Params, "cpu", 0)]
    runs = {(row["network"], row["method"]) for row in rows}
    assert runs == {
        *((network, "rtk-uld") for network in ("score", "energy", "exact")),
        *((network, "rtk-mala-trapezoid") for network in ("score", "energy", "exact")),
        *((network, "rtk-mala") for network in ("energy", "exact")),
    }
    assert all(0 < row["nfe"] <= 12 for row in rows)
    rows = [*sample.sampled(case(mixture=None), Params, "cpu", 0)]
    assert "exact" not in {row["network"] for row in rows}


def test_networks_are_described_at_all_times() -> None:
    rows = [*sample.about_networks(case(), [0.1, 1.0], 0)]
    found = {(row["network"], row["metric"], row.get("t")) for row in rows}
    for t in (0.1, 1.0):
        assert ("score", "antisymmetric", t) in found
        assert ("energy", "antisymmetric", t) not in found
        assert {(name, "score_error", t) for name in ("score", "energy")} <= found
    assert {name for name, metric, _ in found if metric == "denoising_loss"} == {"score", "energy"}
