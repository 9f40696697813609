"""Replay: what was recorded is decided anew, and compared with what the ledger says was decided."""
