"""What can go wrong with the checks themselves; a bad application is never an error, it is a finding."""

from __future__ import annotations


class CheckError(Exception):
    """Root of the family."""

    code = "checks.error"


class TableError(CheckError):
    """A table is not of the shape it must have: `table` names it, `line` counts from 1, the header included."""

    code = "checks.table_malformed"

    def __init__(self, table: str, line: int, expected: str) -> None:
        super().__init__(f"{self.code}: table {table}, line {line}: expected {expected}")
        self.table, self.line, self.expected = table, line, expected


class KernelError(CheckError):
    """The compiled look at portraits does not measure what its twin does."""

    code = "checks.self_test"

    def __init__(self) -> None:
        super().__init__(
            f"{self.code}: the kernel gives other figures than its twin; clear the numba cache, start again"
        )
