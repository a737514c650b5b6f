"""Inner samplers: Markov chains on one reverse transition kernel, and rejection sampling."""
