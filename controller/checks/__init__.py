"""The checks of an application: pure functions in one list, codes in one table."""
