"""Tests of the deterministic fault simulation."""
