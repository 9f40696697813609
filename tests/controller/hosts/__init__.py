"""Tests of what drives the foreman."""
