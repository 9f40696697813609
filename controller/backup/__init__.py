"""Backups: a consistent copy of ledger and vault, taken while the service runs, and how a service starts from one."""
