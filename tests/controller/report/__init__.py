"""Tests of reports of a shift, a day or a month."""
