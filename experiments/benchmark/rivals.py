"""The samplers of BlackJAX and of diffrax in the benchmark, as their users write them.

One chain is a function, `jax.vmap` makes it many, and the whole is compiled. All numbers are in
float32 or all in float64: with JAX's 64-bit mode on, BlackJAX draws float64 normals and refuses
chains in float32, so it cannot do as `rtk` does, which keeps the chains of a mixture in float32
and computes its density in float64.
"""

from collections.abc import Callable
from typing import Any

import blackjax
import diffrax
import jax
import jax.numpy as jnp
import numpy as np

from experiments.benchmark import problem as problems
from experiments.benchmark.problem import Problem

Chain = Callable[[Any, Any, int], tuple[Any, Any]]


def mala(problem: Problem) -> Chain:
    """BlackJAX's Metropolis-adjusted Langevin, `jax.lax.scan` over the steps."""

    def chain(key: Any, x: Any, steps: int) -> tuple[Any, Any]:
        algorithm = blackjax.mala(lambda z: problem.log_kernel(z, x, jnp), problem.mala_step)

        def step(state: Any, key: Any) -> tuple[Any, Any]:
            state, info = algorithm.step(key, state)
            return state, info.acceptance_rate

        state, rates = jax.lax.scan(step, algorithm.init(x), jax.random.split(key, steps))
        return state.position, rates.mean()

    return chain


def align(problem: Problem) -> Chain:
    """diffrax's ALIGN for underdamped Langevin with constant steps, one evaluation per step.

    Its Brownian path is the one for constant steps, which draws afresh in each.
    """
    gradient = jax.grad(lambda z, x: -problem.log_kernel(z, x, jnp))

    def chain(key: Any, x: Any, steps: int) -> tuple[Any, Any]:
        key_path, key_velocity = jax.random.split(key)
        shape = jax.ShapeDtypeStruct(x.shape, x.dtype)
        path = diffrax.UnsafeBrownianPath(shape, key_path, diffrax.SpaceTimeLevyArea)
        friction, damping = (jnp.asarray(number, x.dtype) for number in (problem.friction, 1.0))
        terms = diffrax.MultiTerm(
            diffrax.UnderdampedLangevinDriftTerm(friction, damping, gradient),
            diffrax.UnderdampedLangevinDiffusionTerm(friction, damping, path),
        )
        solution = diffrax.diffeqsolve(
            terms,
            diffrax.ALIGN(),
            t0=0.0,
            t1=steps * problem.uld_step,
            dt0=problem.uld_step,
            y0=(x, jax.random.normal(key_velocity, x.shape, x.dtype)),
            args=x,
            # One step more than asked for, should the last one fall short by rounding.
            max_steps=steps + 1,
            adjoint=diffrax.ForwardMode(),
        )
        return solution.ys[0][-1], jnp.nan

    return chain


CHAINS = {"mala": mala, "align": align}


def sampler(
    problem: Problem, method: str, double: bool
) -> Callable[[int, int], Callable[[], dict[str, Any]]]:
    """``make(n, steps)`` returns a function that runs n chains of that many steps once.

    Args:
        problem: the kernel.
        method: "mala" or "align".
        double: whether all is in float64.
    """
    jax.config.update("jax_enable_x64", double)
    chain = CHAINS[method](problem)

    def make(n: int, steps: int) -> Callable[[], dict[str, Any]]:
        x = jnp.asarray(problem.states(n), jnp.float64 if double else jnp.float32)
        chains = jax.jit(jax.vmap(lambda key, x: chain(key, x, steps)))
        keys = jax.random.split(jax.random.key(problems.SEED), n)

        def run() -> dict[str, Any]:
            z, rates = jax.block_until_ready(chains(keys, x))
            return {"z": np.asarray(z, np.float64), "acceptance": float(rates.mean())}

        return run

    return make
