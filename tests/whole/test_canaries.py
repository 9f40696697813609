"""Law 8 with real processes: nothing of planted people stands anywhere outside sealed rows, before a purge or after.

The law lets the card page and the review desk show personal data to a role that may see it, each look audited.  There
is no such page yet: no verb answers with personal data, so there is no exception here.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
import traceback
import urllib.request
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from shutil import copytree

import msgspec
import pytest

from controller import encoding
from controller.asking.conversation import ClientError, Refused
from controller.asking.submission import batch_digest, encode_application
from controller.vault.errors import KeyMissing
from controller.vault.store import open_vault
from encoders.fonts.coverage import bundled_coverage
from sims.demo.staff import StockKeepers, Supervisors
from sims.floor import DEFAULT_FLOOR
from tests.whole.canaries import canaries, forms, sightings
from tests.whole.centre import Centre, run_cli

WITHIN_S, DAYS, CARDS = 600.0, 200, 10
LOOKS = (
    *("status", "stations", "stock", "review", "stopped", "suspects", "acts", "report", "piles", "consignments"),
    *("campaign", "posts", "holds", "remakes", "shift", "supplies", "forecast", "open_ends", "purges", "purge_preview"),
)


class Watched:
    """A centre with stations and staff, all of whose words are kept in its folder."""

    def __init__(self, centre: Centre) -> None:
        self.centre, self.said = centre, centre.folder / "said"
        self.said.mkdir()
        for station in DEFAULT_FLOOR:
            centre.secret("station", station.name)
        self.looked = 0

    @contextmanager
    def floor(self):
        """Run the stations, their words in a file."""
        place = ("--endpoint", self.centre.doors["stations"], "--server-key", str(self.centre.server_public))
        command = ("stations", *place, "--secrets", str(self.centre.folder / "peers"))
        with open(self.said / "stations.log", "ab") as log:
            process = subprocess.Popen([sys.executable, "-m", "sims.cli", *command], stdout=log, stderr=log)
            try:
                yield
            finally:
                process.terminate()
                process.wait(60)

    def until(self, is_so) -> None:
        """Let the staff look after the floor until something is so."""
        deadline = time.monotonic() + WITHIN_S
        with ExitStack() as stack:
            names = ("keeper-1", "keeper-2", "supervisor-1", "supervisor-2")
            people = [stack.enter_context(self.centre.operator(name)) for name in names]
            staff = StockKeepers(people[0], people[1], CARDS), Supervisors(people[2], people[3])
            while not is_so():
                assert time.monotonic() < deadline, "the centre did not get there"
                for pair in staff:
                    with suppress(ClientError):
                        pair.look()
                self.centre.rest()

    def submit(self, sequence: int, people) -> str:
        """Bring a batch and give its number."""
        with self.centre.upstream() as north:
            today = north.hello().floor_date
            number = f"520000000000{today}{sequence:05d}"
            north.submit_batch(number, today, [encode_application(one) for one in people])
        return number

    def is_closed(self, number: str) -> bool:
        with self.centre.upstream() as north:
            return north.status(number).state == "closed"

    def look_at_everything(self, people) -> None:
        """Keep whatever anybody can be told: every look, each card's history, metrics, manifests, receipts."""
        self.looked += 1
        answers = {}
        with self.centre.operator("ann") as ann:
            for verb in LOOKS:
                answers[verb] = ann.command(verb)
            for one in people:
                for verb, name in (("trace", "card"), ("why", "thing")):
                    answers[f"{verb} {one.acceptance_number}"] = _told(ann, verb, {name: one.acceptance_number})
            for sent in answers["consignments"]:
                number = sent["consignment_id"]
                answers[f"manifest {number}"] = ann.command("manifest", consignment_id=number)
        with self.centre.upstream() as north:
            answers["receipts"] = [msgspec.to_builtins(one) for one in north.receipts(0).items]
        page = urllib.request.urlopen(f"http://{self.centre.metrics}/metrics", timeout=30).read()
        (self.said / f"metrics-{self.looked}").write_bytes(page)
        for name, plain in (("plain", False), ("escaped", True)):
            text = json.dumps(answers, ensure_ascii=plain, default=str)
            (self.said / f"answers-{self.looked}-{name}.json").write_text(text, "utf-8")

    def run(self, *args: str) -> None:
        """Run a command of `cardmill` and keep its words."""
        done = run_cli(*args, "--config", str(self.centre.config), "--as", "ann")
        assert done[0] == 0, done
        with open(self.said / "commands.log", "a", encoding="utf-8") as log:
            log.write(f"{args}: {done}\n")


def _told(person, verb, args):
    try:
        return person.command(verb, **args)
    except ClientError as error:
        return repr(error)


def people_of(centre: Centre) -> tuple[list, list]:
    """Give the canaries of two batches; of the first one is refused, and one held and then decided about."""
    with centre.upstream() as north:
        today = north.hello().floor_date
    first, second = canaries(0, CARDS, today), canaries(CARDS, 2, today)
    first[1] = msgspec.structs.replace(first[1], valid_until="20200101")
    first[2] = msgspec.structs.replace(first[2], authority=f"{first[2].authority[:4]}分局")
    return first, second


@contextmanager
def unreadable(data: Path, batch_id: int):
    """Spoil the sealed rows of a batch while the service is down, and put them back."""
    low, high = batch_id * 10_000, batch_id * 10_000 + 9_999
    where = "WHERE application_id BETWEEN ? AND ?"
    with sqlite3.connect(data / "vault.db") as raw:
        kept = raw.execute(f"SELECT blob, application_id FROM sealed_application {where}", (low, high)).fetchall()
        raw.execute(f"UPDATE sealed_application SET blob = zeroblob(64) {where}", (low, high))
    raw.close()
    assert kept
    yield
    with sqlite3.connect(data / "vault.db") as raw:
        raw.executemany("UPDATE sealed_application SET blob = ? WHERE application_id = ?", kept)
    raw.close()


def crash(watched: Watched) -> None:
    """Let the service meet a sealed row that does not open, until it has said so."""
    centre = watched.centre
    centre.start()
    with watched.floor():
        deadline = time.monotonic() + WITHIN_S
        while "vault.tampered" not in centre.log.read_text("utf-8"):
            assert time.monotonic() < deadline, "the service met no spoiled row"
            with suppress(subprocess.TimeoutExpired):
                centre.process.wait(0.5)
    centre.close()


def purge(watched: Watched) -> None:
    """Let 200 days go by, and two people agree to a purge."""
    centre = watched.centre
    clock = json.loads((centre.data / "clock.json").read_text())
    clock["epoch_floor_s"] += DAYS * 86_400.0
    (centre.data / "clock.json").write_text(json.dumps(clock))
    centre.start()
    with centre.operator("ann") as ann, centre.operator("bob") as bob:
        assert ann.command("purge_preview")["batches"] == 2
        watched.run("purge")
        watched.run("purges")
        assert ann.command("purge_preview")["batches"] == 2
        bob.command("second", act_id=ann.command("act", verb="purge", args={"days": 180})["act_id"])
        deadline = time.monotonic() + WITHIN_S
        while ann.command("purges"):
            assert time.monotonic() < deadline, "the purge did not end"


def ask_again(watched: Watched, number: str, people) -> list[str]:
    """Bring what was purged again, in every way; give the answers, and the findings about those who ask for a card."""
    sent = [encode_application(one) for one in people]
    fresh = [
        msgspec.structs.replace(one, acceptance_number=f"{one.acceptance_number[:-5]}9{index:04d}", reason="41")
        for index, one in enumerate(people[:3])
    ]
    said = []
    with watched.centre.upstream() as north:
        known = max(one.number for one in north.receipts(0).items)
        said.append(north.submit_batch(number, number[12:20], sent).state)
        north.send_chunk(number, 0, sent)
        for changed in (sent[:-1], sent[::-1]):
            with pytest.raises(Refused) as refused:
                north.open_batch(number, number[12:20], len(changed), batch_digest(changed))
            said.append(refused.value.code)
        again = watched.submit(3, fresh)
        deadline = time.monotonic() + WITHIN_S
        while len(told := [one for one in north.receipts(known).items if one.batch_number == again]) < len(fresh):
            assert time.monotonic() < deadline, "the batch got no verdicts"
            time_passes(watched)
    codes = {one.index: [code for code in one.codes if code.startswith("duplicate.")] for one in told}
    return [*said, *(f"{index} {','.join(codes[index])}" for index in sorted(codes))]


def type_names(centre: Centre, person) -> list[str]:
    """Let upstream and an operator type what must not stand in the record; give the codes they are refused with."""
    codes = []
    for reason in (f"asked {person.name}", f"moved to {person.address}", f"see {person.identity_number}"):
        with centre.upstream() as north, pytest.raises(Refused) as refused:
            north.cancel(person.acceptance_number, reason)
        codes.append(refused.value.code)
        args = {"card": 20_000, "decision": "cancel", "reason": reason}
        with centre.operator("ann") as ann, pytest.raises(Refused) as refused:
            ann.command("decide", **args)
        codes.append(refused.value.code)
    return codes


def time_passes(watched: Watched) -> None:
    """Wait as long as a question takes."""
    with watched.centre.operator("ann") as ann:
        ann.command("status")


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """A centre's whole life with canaries in it; what was seen of them at each stage."""
    centre = Centre(tmp_path_factory.mktemp("canaries"), scale=600.0)
    seen: dict[str, list[str]] = {}
    try:
        watched = Watched(centre)
        centre.start()
        first, second = people_of(centre)
        everybody = first + second
        with watched.floor():
            number = watched.submit(1, first)
            watched.until(lambda: watched.is_closed(number))
        watched.look_at_everything(everybody)
        seen["made"] = sightings(centre.folder, everybody)
        other = watched.submit(2, second)
        watched.until(lambda: not _unencoded(centre))
        seen["typed"] = type_names(centre, second[0])
        assert centre.stop() == 0
        with unreadable(centre.data, batch_id=2):
            crash(watched)
            seen["crashed"] = sightings(centre.folder, everybody)
        centre.start()
        with watched.floor():
            watched.until(lambda: watched.is_closed(other))
        copytree(centre.folder / "peers", centre.data / "peers")  # where the command line looks for a key
        watched.run("keys", "backup", str(watched.said / "keys.backup"))
        watched.run("report", "--html", str(watched.said / "report.html"))
        assert centre.stop() == 0
        watched.run("keys", "master", "export", "--out", str(watched.said / "shares"))
        watched.run("keys", "master", "rotate")
        seen["at rest"] = sightings(centre.folder, everybody)
        purge(watched)
        watched.look_at_everything(everybody)
        seen["purged"] = sightings(centre.folder, everybody)
        seen["answers"] = ask_again(watched, number, first)
        assert centre.stop() == 0
        yield centre, everybody, seen
    finally:
        centre.close()


def _unencoded(centre: Centre) -> int:
    with centre.operator("ann") as ann:
        return int(ann.command("status")["unencoded"])


@pytest.mark.parametrize("stage", ["made", "crashed", "at rest", "purged"])
def test_nothing_of_a_person_stands_in_any_file_or_answer(lived, stage):
    centre, _, seen = lived
    assert seen[stage] == []
    written = {path.name for path in centre.folder.rglob("*") if path.is_file()}
    kept = {"ledger.db", "vault.db", "vault.keys", "vault.purged", "service.log", "stations.log", "commands.log"}
    kept |= {"metrics-1", "answers-2-plain.json", "report.html", "keys.backup", "endpoints.json"}
    assert kept <= written


def test_the_search_finds_what_it_looks_for_in_every_form(lived, tmp_path):
    _, everybody, _ = lived
    wanted = forms(everybody[:1])
    assert len(wanted) >= 15
    for place, (body, what) in enumerate(wanted.items()):
        folder = tmp_path / str(place)
        folder.mkdir()
        (folder / "file").write_bytes(b"\0before" + body + b"after")
        assert f"file: {what}" in sightings(folder, everybody[:1])


async def test_after_the_purge_no_key_opens_what_was_theirs_and_no_row_of_it_is_left(lived):
    centre, everybody, _ = lived
    async with open_vault(centre.data) as vault:
        for batch_id in (1, 2):
            with pytest.raises(KeyMissing, match="it was purged"):
                vault.application(batch_id, 0)
        assert vault.batches() == {3}
    with sqlite3.connect(centre.data / "vault.db") as raw:
        for table in ("sealed_application", "sealed_card"):
            assert raw.execute(f"SELECT COUNT(*) FROM {table} WHERE rowid < 30000").fetchone() == (0,)
        assert raw.execute("SELECT batch_id FROM sealed_batch").fetchall() == [(3,)]
    assert len(everybody) == CARDS + 2


def test_the_same_batch_again_gets_the_same_answer_after_the_purge_and_only_made_cards_are_known_again(lived):
    _, _, seen = lived
    same, *conflicts = seen["answers"][:3]
    assert same == "closed"
    assert conflicts == ["batch.conflict"] * 2
    made, refused, *_ = seen["answers"][3:]
    assert made == "0 duplicate.made_before"
    assert refused == "1 "


def test_what_upstream_was_told_is_whole_and_the_same_after_the_purge(lived):
    centre, everybody, _ = lived
    told = [json.loads((centre.folder / "said" / f"answers-{one}-plain.json").read_text("utf-8")) for one in (1, 2)]
    before, after = (one["receipts"] for one in told)
    assert after[: len(before)] == before
    kinds = [one["kind"] for one in after if one["acceptance_number"]]
    assert kinds.count("dispatched") >= CARDS - 2
    numbers = {one["acceptance_number"] for one in after if one["acceptance_number"]}
    assert numbers == {one.acceptance_number for one in everybody}


def test_whoever_types_a_person_s_data_as_a_reason_is_refused(lived):
    _, _, seen = lived
    assert seen["typed"] == ["reason.personal"] * 6


def test_an_error_inside_the_encoder_tells_nothing_even_with_all_variables_printed(monkeypatch):
    [app] = canaries(0, 1, "20260302")

    def fail(fields, glyphs, control_mark):
        raise RuntimeError(f"cannot lay out {fields!r}")

    monkeypatch.setattr(encoding, "lay_out", fail)
    with pytest.raises(RuntimeError) as raised:
        encoding.encode_cards([10_000], [app], bundled_coverage())
    text = "".join(traceback.TracebackException.from_exception(raised.value, capture_locals=True).format())
    assert "encode_cards" in text
    assert "<Application>" in text
    assert [
        what for one, what in forms([app]).items() if one in text.encode() or one in text.encode("gbk", "replace")
    ] == []
    assert repr(app.portrait[:20])[2:-1] not in text
