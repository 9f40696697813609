"""Holds over the real socket: what people hold stays where it is, over a kill too, and goes on when it is released."""

from __future__ import annotations

import json
from shutil import copytree

import pytest

from controller.asking.conversation import Refused
from tests.whole.centre import run_cli
from tests.whole.test_upstream_changes import encode_application, number, people, receipts_until


def bring(running, count):
    """Bring a batch, and give its number and the acceptance numbers."""
    with running.upstream() as north:
        today = north.hello().floor_date
        sent = people(today, count, seed=25)
        north.submit_batch(number(today, 9), today, [encode_application(one) for one in sent])
        receipts_until(north, ("accepted", 0))
    return number(today, 9), [one.acceptance_number for one in sent]


def test_what_is_held_is_named_everywhere_survives_a_kill_and_is_acted_on_in_bulk_by_the_command(running, tmp_path):
    batch, numbers = bring(running, 6)
    with running.operator() as ann, running.operator("bob") as bob:
        assert ann.command("hold_batch", batch_number=batch, code="recheck") == {}
        done = ann.command("hold_card", cards=[*numbers[:2], "5" * 22], code="blurred")
        assert (done["done"], done["failed"][0]["card"]) == (2, "5" * 22)
        running.kill()
        running.start()
        assert "whole batch" in ann.command("why", thing=numbers[3])["sentence_en"]
        assert "ann holds it" in ann.command("why", thing=numbers[0])["sentence_en"]
        [row] = ann.command("batches", only="held")["rows"]
        assert (row["batch_number"], row["hold"], row["hold_by"], row["cards_held"]) == (batch, "recheck", "ann", 2)
        with pytest.raises(Refused) as twice:
            bob.command("hold_batch", batch_number=batch, code="again")
        assert twice.value.code == "hold.held"
        cards = ann.command("batch", batch_number=batch)["cards"]
        assert [one["acceptance_number"] for one in cards] == numbers
        assert [one["hold"] for one in cards] == ["blurred"] * 2 + [""] * 4
        assert bob.command("release_batch", batch_number=batch) == {}
    copytree(running.folder / "peers", running.data / "peers")  # where the command line looks for a key
    path = tmp_path / "cards.txt"
    path.write_text("\n".join(numbers[:3]), "utf-8")
    options = ("--config", str(running.config), "--as", "ann")
    code, out, err = run_cli("release-card", "--from", str(path), *options, "--json", "-")
    told = json.loads(out)
    assert (code, told["done"], err) == (1, 2, "")
    assert [(one["card"], one["code"]) for one in told["failed"]] == [(numbers[2], "hold.not_held")]
    code, out, _ = run_cli("decide", "cancel", "--from", str(path), "--reason", "withdrawn", *options)
    assert code == 0, out
    assert "decided: 3 of 3 (3 as cancel)" in out
    code, out, _ = run_cli("batch", batch, *options)
    assert code == 0
    assert all(one in out for one in numbers)
