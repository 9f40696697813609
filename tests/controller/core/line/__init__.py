"""Tests of the forecast's middle."""
