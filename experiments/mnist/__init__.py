"""Experiment C1: real MNIST with a small score network trained in the workflow."""
