"""Pages of `docs/` held against the code they describe."""
