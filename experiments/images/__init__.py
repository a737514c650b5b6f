"""Experiment C1: images, with the scores of small networks that the workflow trains."""
