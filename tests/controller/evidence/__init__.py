"""Tests of receipts as evidence."""
