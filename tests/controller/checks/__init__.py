"""Tests of the checks: each fault is planted in an otherwise good application and must be found by its code."""
