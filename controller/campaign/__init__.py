"""The campaign as people see it: the plan table, the report, the printable page; the counts are `core.campaign`."""
