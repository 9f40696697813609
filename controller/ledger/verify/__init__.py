"""Verification: everything the ledger holds computed anew, part by part, and compared with what stands there."""
