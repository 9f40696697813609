"""The ledger: moves that only grow, and state tables folded from them."""
