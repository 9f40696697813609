"""Intake: what upstreams bring, from the chunk that arrives to the verdict and its receipt."""
