"""Tests of `controller.replay`."""
