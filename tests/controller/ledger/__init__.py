"""The ledger: chain, projection, receipts, group commit, kills."""
