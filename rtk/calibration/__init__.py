"""Calibration: fit a solver to a model, once, from a few accurate trajectories.

model         the score as a denoiser of flat points
exponential   integrals of a residual along the flow of a Gaussian
pilot         a few chains along the probability flow, by an adaptive solver
base          the Gaussian whose flow is taken out in closed form
moments       inner products along the pilot's trajectories, all that a fit needs
fit           the coefficients of the steps, by least squares
nodes         the noise levels of the scores, by dynamic programming
solver        from nodes to a solver of the probability flow
selection     the best of a few such solvers, tried on the pilot
kernels       the sampler of reverse transition kernels, whose steps end with noise
consistency   a test whether the score is imperfect, so that noise helps
file          tensors and values on disk
calibration   all of it: `calibrate`, and `Calibration`, which is saved and loaded
methods       "calibrated" and "rtk" of `rtk.sample`
"""
