"""Upkeep: what keeps ledger, vault and disk in order while the service runs."""
