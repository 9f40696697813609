"""Tests of forecasts beside the service."""
