"""Campaign and posts by the command line, against a real service whose table of posts changes meanwhile."""

from __future__ import annotations

import json
import os

import pytest

from tests.whole.centre import Centre, run_cli
from tests.whole.test_service import people

pytestmark = pytest.mark.whole

HEAD = "name,post,valid_until\n"


@pytest.fixture
def centre(tmp_path):
    table = tmp_path / "posts.csv"
    table.write_text(f"{HEAD}ann,office,2027-12-31\nbob,office,2026-03-01\n", "utf-8")
    made = Centre(tmp_path, scale=1.0, extra=f"[posts]\ntable = {json.dumps(str(table))}\n")
    (made.data / "peers").mkdir()
    for name in ("ann", "bob", "cay"):
        secret = made.secret("operator", name)
        (made.data / "peers" / secret.name).write_bytes(secret.read_bytes())
        (made.data / "peers" / secret.name).chmod(0o600)
    made.start()
    yield made
    made.close()


def cardmill(centre: Centre, who: str, *args: str) -> tuple[int, str, str]:
    return run_cli(*args, "--as", who, "--config", str(centre.config), "--data", str(centre.data))


def test_an_office_works_by_the_command_line_and_a_table_that_changes_counts_at_once(centre, tmp_path):
    page, answer = tmp_path / "campaign.html", tmp_path / "campaign.json"
    code, _, errors = cardmill(centre, "cay", "campaign", "--html", str(page), "--json", str(answer))
    assert (code, errors) == (0, "")
    report = json.loads(answer.read_text("utf-8"))
    assert (report["from"], report["total"]["units"], report["fees_balance"]) == ("2026-03", 61, True)
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    code, shown, _ = cardmill(centre, "cay", "campaign", "--from", "2027-01", "--to", "2027-12")
    assert code == 0
    assert "units have no card yet" in shown
    code, shown, _ = cardmill(centre, "cay", "campaign", "--from", "2027-01", "--to", "2027-12", "--all")
    assert code == 0
    assert "520102" in shown
    code, _, errors = cardmill(centre, "cay", "campaign", "--from", "March")
    assert code == 1
    assert "a month like 2026-03" in errors

    stock = ("act", "receive", "first_body=5000", "sheets=10", "lot=A")
    code, _, errors = cardmill(centre, "bob", *stock)
    assert code == 1
    assert "ended on 2026-03-01" in errors
    code, _, errors = cardmill(centre, "cay", *stock)
    assert code == 1
    assert "no certificate" in errors
    assert cardmill(centre, "ann", *stock)[0] == 0

    table = tmp_path / "posts.csv"
    table.write_text(f"{HEAD}cay,office,2027-12-31\n", "utf-8")
    os.utime(table, (2_000_000_000, 2_000_000_000))
    assert cardmill(centre, "cay", "second", "1")[0] == 0
    assert cardmill(centre, "ann", *stock)[0] == 1
    code, shown, _ = cardmill(centre, "bob", "posts")
    assert code == 0
    assert "cay" in shown
    assert "ann" not in shown


def test_what_comes_in_is_counted_at_once_and_the_same_after_a_crash(centre):
    with centre.upstream() as north:
        today = north.hello().floor_date
        north.submit_batch(f"520000000000{today}00001", today, people(12, today))
        receipts = north.follow_receipts()
        seen = 0
        while seen < 12:
            seen += len(next(receipts))
    with centre.operator("cay") as cay:
        before = cay.command("campaign")
    assert before["total"]["received"] == 12
    assert sum(row["accepted"] for row in before["fees"]) == sum(row["open"] for row in before["fees"]) == 12
    assert before["fees_balance"] is True
    centre.kill()
    centre.start()
    with centre.operator("cay") as cay:
        assert cay.command("campaign") == before


def test_a_service_says_that_it_asks_for_no_certificates_and_will_not_start_on_a_broken_table(centre):
    assert centre.stop() == 0
    text = centre.config.read_text("utf-8")
    table = centre.folder / "posts.csv"
    table.write_text(f"{HEAD}ann,boss,2027-12-31\n", "utf-8")
    with pytest.raises(AssertionError, match=r"(?s)exit 2.*posts\.csv, line 2: expected a post of"):
        centre.start()
    centre.process = None
    centre.config.write_text(text.replace("posts.csv", "x.csv").replace(json.dumps(str(centre.folder / "x.csv")), '""'))
    centre.start()
    assert "posts not asked for" in centre.log.read_text("utf-8")
    assert cardmill(centre, "bob", "act", "receive", "first_body=5000", "sheets=10", "lot=A")[0] == 0
