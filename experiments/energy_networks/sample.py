"""C3: RTK with a score network, and with an energy network of the same size, trained alike.

The score of an energy network is the gradient of a log-density (`preconditioning`), so RTK-MALA can
take exact energies from it. With a score network energies are line integrals, along which no
density need exist. Part ``samples`` has errors of the samples with either network, with five
segments at several numbers of score evaluations (NFE). On a mixture the exact score runs beside
them. Part ``networks`` has what the networks are like:

- ``antisymmetric``: how far the Jacobian of the score is from symmetric, ``|J - J^T| / (2 |J|)``,
  of the score network alone, as that of an energy network is zero by construction;
- ``denoising_loss``: of data that were not trained on;
- ``score_error``, on a mixture: the root mean square error of the predicted noise.

The networks of a mixture are trained here, those of MNIST are part of the project.
"""

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

import rtk
from experiments.comparison.judge import Exact, bounded, judge
from experiments.comparison.targets import draw
from experiments.energy_networks.perceptron import fitted
from experiments.images import classifier, data, metrics, network, train
from experiments.images.preconditioning import Preconditioned
from experiments.mixtures.grid import grid
from experiments.runs import mean_acceptance, needed_densities
from experiments.theory.jacobian import antisymmetric_share, products
from experiments.workflow import job, tidy
from rtk import process, targets
from rtk.metrics import Estimate
from rtk.targets import GaussianMixture

BATCHES = 4
"""Independent sets of chains that are judged on a mixture."""
JACOBIANS = 64
"""States at which Jacobians are probed."""
HELD_OUT = 2000
"""Draws of a mixture on which losses and errors of networks are computed."""

Measures = Mapping[str, Estimate]


@dataclass(frozen=True)
class Case:
    """A data law with its networks.

    Attributes:
        shape: of one sample.
        networks: "score" and "energy".
        held_out: data that the networks were not trained on, (m, *shape).
        judged: the measures of samples.
        mixture: the data law, if it is known exactly; then the samplers know its smallest variance.
    """

    shape: tuple[int, ...]
    networks: Mapping[str, Preconditioned]
    held_out: Tensor
    judged: Callable[[Tensor], Measures]
    mixture: GaussianMixture | None = None


def digits(inputs: Any, device: str) -> Case:
    """MNIST with the networks of the project."""
    features = classifier.load(inputs.classifier)
    test = metrics.Reference.load(inputs.reference)
    held_out = data.load(inputs.data, "train").images[-train.Training.held_out :]
    networks = {name: network.load(inputs[name], device) for name in ("score", "energy")}
    return Case(
        networks["score"].architecture.image_shape,
        networks,
        held_out[: train.Training.validation_images],
        lambda samples: test.measure(metrics.describe(features, samples.cpu())),
    )


def mixture_case(name: str, params: Any, seed: int) -> Case:
    """A mixture with networks that are trained on exact draws of it."""
    mixture = targets.mixture(name)
    training = train.Training(**params.training, seed=seed % 2**31)
    draws = torch.from_numpy(draw(mixture, params.draws, job.derive_seed(seed, "draws"))).float()
    exact = [
        Exact(draw(mixture, params.chains // BATCHES, job.derive_seed(seed, "judge", k)))
        for k in range(BATCHES)
    ]

    def judged(samples: Tensor) -> Measures:
        parts = bounded(samples).reshape(BATCHES, -1, mixture.dimension)
        sets = [judge(part, other, mixture) for part, other in zip(parts, exact, strict=True)]
        return {
            metric: Estimate.of_replicates([each[metric] for each in sets]) for metric in sets[0]
        }

    return Case(
        (mixture.dimension,),
        {name: fitted(draws, name == "energy", training) for name in ("score", "energy")},
        torch.from_numpy(draw(mixture, HELD_OUT, job.derive_seed(seed, "held out"))).float(),
        judged,
        mixture,
    )


def noised(clean: Tensor, t: float, seed: int) -> Tensor:
    """Data at OU time ``t``."""
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed))
    return process.alpha(t) * clean + process.sigma(t) * noise


def antisymmetric(model: Preconditioned, x: Tensor, t: float, seed: int) -> tuple[float, float]:
    """The antisymmetric share of the Jacobian at some states, and its standard error."""
    plain = deepcopy(model)
    # Forward-mode derivatives need the contiguous layout.
    plain.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    forward, backward = products(lambda y: plain(y, t), x.double())
    generator = torch.Generator().manual_seed(seed)
    return antisymmetric_share(forward, backward, tuple(x.shape), generator)


@torch.no_grad()
def score_error(
    model: Preconditioned, x: Tensor, t: float, mixture: GaussianMixture
) -> tuple[float, float]:
    """The root mean square error of the predicted noise over states, and its standard error."""
    gap = process.sigma(t) * (model(x, t) - mixture.score(x, t)).double()
    squares = gap.square().mean(1)
    value = float(squares.mean().sqrt())
    return value, float(squares.std()) / math.sqrt(len(squares)) / (2.0 * value)


def about_networks(case: Case, times: list[float], seed: int) -> Iterator[tidy.Row]:
    """The rows of the part ``networks``."""
    for name, model in case.networks.items():
        common = {"part": "networks", "network": name, "method": f"{name}-network"}
        for row in train.validation_losses(model, case.held_out):
            sigma, loss = row["sigma"], (row["loss"], row["standard_error"])
            settings = f"sigma={sigma}"
            yield from tidy.rows({"denoising_loss": loss}, **common, settings=settings, sigma=sigma)
        for t in times:
            x = noised(case.held_out, t, job.derive_seed(seed, "states", str(t)))
            measured = {}
            if not model.energy:
                probes = job.derive_seed(seed, "probes", str(t))
                measured["antisymmetric"] = antisymmetric(model, x[:JACOBIANS], t, probes)
            if case.mixture is not None:
                measured["score_error"] = score_error(model, x, t, case.mixture)
            yield from tidy.rows(measured, **common, settings=f"t={t}", t=t)


def densities(case: Case, name: str, options: Mapping[str, Any]) -> dict[str, Any] | None:
    """The densities that `rtk.sample` needs with a network, or None if there are none."""
    if options.get("energy") != "exact":
        return {}
    if name == "exact" and case.mixture is not None:
        return needed_densities(case.mixture, options, case.mixture.score)
    model = case.networks[name]
    if not model.energy:
        return None
    return {"log_prob": model.log_prob, "score_and_log_prob": model.score_and_log_prob}


def sampled(case: Case, params: Any, device: str, seed: int) -> Iterator[tidy.Row]:
    """The rows of the part ``samples``."""
    scores: dict[str, rtk.score.Score] = dict(case.networks)
    width = 0.0
    if case.mixture is not None:
        scores["exact"], width = case.mixture.score, float(case.mixture.variances.min())
    for nfe in params.nfe:
        for name, score in scores.items():
            for method, options in tqdm(params.methods.items(), desc=f"{name}, NFE {nfe}"):
                known = densities(case, name, options)
                if known is None:
                    continue
                begun = time.perf_counter()
                # The seed does not name the network: all of them see the same noise.
                result = rtk.sample(
                    score,
                    case.shape,
                    params.chains,
                    nfe=nfe,
                    seed=job.derive_seed(seed, method, nfe),
                    segments=grid(nfe=nfe, **params.grid),
                    data_variance=width,
                    device=device,
                    nonfinite="keep",
                    **options,
                    **known,
                )
                seconds = time.perf_counter() - begun
                yield from tidy.rows(
                    case.judged(result.samples),
                    part="samples",
                    network=name,
                    method=method,
                    settings=json.dumps({"network": name, **options}),
                    nfe_asked=nfe,
                    nfe=result.nfe,
                    seconds=seconds,
                    acceptance=mean_acceptance(result.diagnostics),
                )


def main() -> None:
    started = time.perf_counter()
    snakemake = job.start()
    params, target = snakemake.params, snakemake.wildcards.target
    device = "cuda" if torch.cuda.is_available() and target == "mnist" else "cpu"
    seed = job.derive_seed(params.seed, "energy_networks", target)
    case = (
        digits(snakemake.input, device)
        if target == "mnist"
        else mixture_case(target, params, job.derive_seed(seed, "networks"))
    )
    common = {"experiment": "energy_networks", "target": target, "seed": seed, **job.DEFAULTS}
    rows = [*about_networks(case, params.times, seed), *sampled(case, params, device, seed)]
    table = [{**common, **row} for row in rows]
    job.write(snakemake.output, table, config=dict(params.items()), started=started, device=device)


if __name__ == "__main__":
    main()
