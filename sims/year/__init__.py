"""A province's calendar year in virtual time, on the foreman that serves the floor, with a ledger on disk."""
