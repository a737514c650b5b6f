"""The experiments: each script simulates and writes its results; `figures` draws them."""
