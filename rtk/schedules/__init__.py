"""Schedules: grids of few segments that are fitted to a model or to a solver."""

from rtk.schedules import gits, optimised

__all__ = ["gits", "optimised"]
