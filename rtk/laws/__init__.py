"""Exact laws of the samplers, without Monte Carlo noise."""
