"""Accounts of people who log in at the console: who they are, by what they are known, and how long they stay."""
