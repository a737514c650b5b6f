"""Calibration: fit a solver to a model, once, from a few accurate trajectories.

pilot         a few chains along the probability flow, by an adaptive solver
base          the Gaussian whose flow is taken out in closed form
moments       inner products along the pilot's trajectories, all that a fit needs
nodes         the noise levels of the scores, by dynamic programming
fit           the coefficients of the steps, by least squares
selection     the best of a few such solvers, tried on the pilot
calibration   all of it: `calibrate`, and `Calibration`, which is saved and loaded
"""
