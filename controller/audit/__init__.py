"""The audit: the whole of ledger and vault verified, compared with what others carried away, shown and exported."""
