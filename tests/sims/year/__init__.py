"""Tests of the year of a province."""
