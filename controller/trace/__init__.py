"""Trace and recall, read from the ledger: by station and time, of one card, and why it went as it did."""
