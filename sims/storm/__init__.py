"""Deterministic fault simulation: the real core, ledger, recovery and station protocol on a simulated world."""
