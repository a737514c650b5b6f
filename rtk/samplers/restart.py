"""Restart: a deterministic backward process that is noised and solved again, several times.

Xu et al. 2023, arXiv 2306.14878, with one restart interval. The main process takes Heun's steps
(`rtk.samplers.heun`) down the grid of EDM. At its first node ``t`` whose noise level ``s / a`` is
``sigma_min`` or less, the following is done K times::

    noise:  x_T = e^-(T - t) x_t + (1 - e^-2(T - t))^(1/2) xi,    s_T / a_T = sigma_max
    solve:  from T back to t, by Heun's steps on the grid of EDM

The noise is exact and forgets errors of ``x_t``; the deterministic solver makes few new ones.
"""

from dataclasses import dataclass

from rtk import process, segments
from rtk.checks import check_count, check_positive
from rtk.noise import Noise
from rtk.samplers.base import Info, Problem, State
from rtk.samplers.heun import heun_step
from rtk.segments import T_END, T_START, Times


@dataclass(frozen=True, kw_only=True)
class Restart:
    """Restart on one segment, which by default is the whole path but the last step to 0.

    The budget of ``nfe`` scores is spent on as many main steps as leave room for one restart, but
    not more than ``main_steps``, and then on K restarts, as many as fit. With the defaults this
    gives the published settings for CIFAR-10 at 43, 55 and 75 scores. Below 7 scores there is no
    restart. If the caller gives a grid, each of its segments has main steps of its own, and the
    restarts are made in the segment that contains ``sigma_min``.

    Args:
        main_steps: steps of the main process, at most.
        restart_steps: steps from ``sigma_max`` back, in each restart.
        sigma_min, sigma_max: the restart interval, noise levels ``s / a``.
    """

    main_steps: int = 17
    restart_steps: int = 2
    sigma_min: float = 0.06
    sigma_max: float = 0.30

    def __post_init__(self) -> None:
        check_count("main_steps", self.main_steps)
        check_count("restart_steps", self.restart_steps)
        if not check_positive("sigma_min", self.sigma_min) < check_positive(
            "sigma_max", self.sigma_max
        ):
            raise ValueError(
                f"sigma_max must be above sigma_min={self.sigma_min}, got {self.sigma_max}"
            )

    def __call__(
        self, problem: Problem, state: State, t_lo: float, nfe: int, noise: Noise
    ) -> tuple[State, Info]:
        cost = 2 * self.restart_steps
        inside = process.noise_level(t_lo) <= self.sigma_min < process.noise_level(state.t)
        count = max(1, min(self.main_steps, (nfe - cost * inside) // 2))
        restarts = (nfe - 2 * count) // cost if inside else 0
        times = segments.karras(count, state.t, t_lo)
        for t in times[1:]:
            reached = process.noise_level(t) <= self.sigma_min < process.noise_level(state.t)
            state = heun_step(problem, state, t)
            for _ in range(restarts * reached):
                state = self._restarted(problem, state, noise)
        return state, Info()

    def _restarted(self, problem: Problem, state: State, noise: Noise) -> State:
        t_max = process.time_from_noise_level(self.sigma_max)
        step = t_max - state.t
        x = process.alpha(step) * state.x + process.sigma(step) * noise.normal()
        again = State(x, t_max)
        for t_lo in segments.karras(self.restart_steps, t_max, state.t)[1:]:
            again = heun_step(problem, again, t_lo)
        return again

    def default_times(self, nfe: int, problem: Problem, t_start: float = T_START) -> Times:
        # The last score is spent on the denoising step from the end of the grid to 0.
        return (t_start, T_END)

    def minimum_nfe(self, segments: int, problem: Problem) -> int:
        return 2 * segments
