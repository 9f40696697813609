"""Alarms of a real service: one list for command, status and metric, and an owner that a kill does not take away."""

from __future__ import annotations

import pytest

from controller.asking.conversation import Refused
from tests.whole.centre import Centre

pytestmark = pytest.mark.whole
KEY = "stock.vault_empty"


def rows_of(person) -> dict[str, dict]:
    return {row["key"]: row for row in person.command("alarms")}


def test_an_acknowledged_alarm_is_somebodys_after_a_kill_and_ends_with_its_cause(tmp_path):
    centre = Centre(tmp_path, scale=1.0)
    try:
        centre.start()
        with centre.operator("ann") as ann:
            assert rows_of(ann)[KEY]["owner"] == ""
            assert ann.command("acknowledge", key=KEY)["owner"] == "ann"
            since_floor_s = rows_of(ann)[KEY]["since_floor_s"]
            with pytest.raises(Refused) as refused:
                ann.command("acknowledge", key="disk.low")
            assert refused.value.code == "alarm.none"
        centre.kill()
        centre.start()
        with centre.operator("ann") as ann, centre.operator("bob") as bob:
            row = rows_of(bob)[KEY]
            assert (row["owner"], row["since_floor_s"]) == ("ann", since_floor_s)
            assert bob.command("status")["alarms"]["ticket"] >= 1
            assert f'cardmill_alarms{{code="{KEY}",severity="ticket"}} 1.0' in centre.metrics_page()
            act = ann.command("act", verb="receive", args={"first_body": 100, "sheets": 10, "lot": "A"})["act_id"]
            bob.command("second", act_id=act)
            assert KEY not in rows_of(bob)
            assert f'cardmill_alarms{{code="{KEY}",severity="ticket"}} 0.0' in centre.metrics_page()
        assert centre.stop() == 0
        log = centre.log.read_text("utf-8")
        assert KEY in log
    finally:
        centre.close()
