"""The shipped ways to run the service: what the unit and the container file close stays closed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UNIT, CONTAINER = ROOT / "deploy/cardmill.service", ROOT / "deploy/Containerfile"
WANTED = {
    "NoNewPrivileges": "true",
    "ProtectSystem": "strict",
    "ProtectHome": "true",
    "PrivateTmp": "true",
    "PrivateDevices": "true",
    "CapabilityBoundingSet": "",
    "LimitCORE": "0",
    "StateDirectory": "cardmill",
    "UMask": "0077",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX AF_NETLINK",
    "User": "cardmill",
}


def settings() -> dict[str, list[str]]:
    """Give the unit's settings, each with the values it is given."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text("utf-8").splitlines():
        if re.fullmatch(r"\w+=.*", line):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
        else:
            assert not line or line[0] in "#[", line
    return found


@pytest.mark.parametrize(("name", "value"), WANTED.items())
def test_the_unit_closes_what_the_service_does_not_need(name, value):
    assert settings()[name] == [value]


def test_the_unit_filters_system_calls_and_lets_numba_compile():
    found = settings()
    assert found["SystemCallFilter"][0] == "@system-service"
    assert "MemoryDenyWriteExecute" not in found, "numba writes pages, then runs them"
    assert found["Environment"] == ["NUMBA_CACHE_DIR=/var/cache/cardmill"]
    assert found["CacheDirectory"] == ["cardmill"]


def test_systemd_itself_finds_nothing_wrong_with_the_unit_but_the_program_that_is_not_installed_here():
    program = shutil.which("systemd-analyze")
    if program is None:  # the tests above have read it then
        assert settings()["Type"] == ["exec"]
        return
    done = subprocess.run([program, "verify", str(UNIT)], capture_output=True, text=True, timeout=120, check=False)
    told = [line for line in done.stderr.splitlines() if "cardmill" in line]
    assert [line for line in told if "is not executable" not in line] == []


def test_the_container_runs_as_nobody_in_particular_with_compiled_kernels_and_ends_by_sigterm():
    lines = CONTAINER.read_text("utf-8").splitlines()
    [user] = [line for line in lines if line.startswith("USER")]
    [compiled] = [line for line in lines if "warm_up()" in line]
    assert user == "USER cardmill"
    assert lines.index(user) < lines.index(compiled), "the cache is the account's own"
    assert all(one in compiled for one in ("background", "portrait", "text_record", "pixels"))
    assert "STOPSIGNAL SIGTERM" in lines
    assert not [line for line in lines if line.startswith("ADD ")]
    copied = [
        name for line in lines if line.startswith("COPY ") and "--from" not in line for name in line.split()[1:-1]
    ]
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_every_row_of_the_threat_model_names_a_test_that_is_there():
    rows = [line for line in (ROOT / "SECURITY.md").read_text("utf-8").splitlines() if line.startswith("| ")][1:]
    rows = [row for row in rows if not row.startswith("| ---")]
    assert len(rows) >= 20
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)`", row.split("|")[-2])
        assert named, row
        assert [name for name in named if not (ROOT / name).is_file()] == []
