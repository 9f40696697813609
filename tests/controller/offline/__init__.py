"""Tests of the checks alone, on files of applications."""
