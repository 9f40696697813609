"""Accounts: what decides who gets in, without a browser."""
