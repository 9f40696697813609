"""Forecasts beside the service: a worker process at idle priority, who asks it, and the record of how often it held."""
