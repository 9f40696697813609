"""The tables of the checks as they are shipped: codes, regions, ethnic groups, a pretend authorities table."""
