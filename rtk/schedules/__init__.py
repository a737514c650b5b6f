"""Schedules: grids of few segments that are fitted to a model or to a solver."""
