"""What a command loads before it knows what is asked: little, or every completion and every slip of a word waits."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("numba", "numpy", "sqlalchemy", "trio", "zmq")
SCRIPT = """
import sys
from {module} import app
from typer.testing import CliRunner
assert CliRunner().invoke(app, ["--help"]).exit_code == 0
print(*(name for name in {heavy} if name in sys.modules))
"""


@pytest.mark.parametrize("module", ["controller.cli", "sims.cli"])
def test_asking_for_help_loads_no_compiler_database_or_network(module):
    script = SCRIPT.format(module=module, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=180)
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr
