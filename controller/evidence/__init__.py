"""Receipts as evidence: the centre's signing key, the bytes that are signed, and their verification by anybody."""
