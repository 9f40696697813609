"""Tone curves by lot: read with their faults named, read again when they change, and sent with a printer's load."""

from __future__ import annotations

import io
import os

import numpy as np
import pytest
import structlog
import trio
from PIL import Image

from controller.application import Application
from controller.config import Config, ConfigError, PortraitConfig
from controller.core import events as e
from controller.encoding import MadeCard, encode_cards
from controller.floor.floor import Floor
from controller.tones import Tones, ToneTableError, open_tones
from controller.wiring import open_floor
from encoders import portrait
from encoders.background import flattened
from encoders.envelope import Opener, pack
from encoders.face import FaceJob
from encoders.fonts.coverage import bundled_coverage
from encoders.tone import one_after_another, tone_table
from tests.controller.test_laws_floor import Driver, face, open_job

HEAD = "kind,lot,level,printed\n"
FILM = "film,A7,64,84\nfilm,A7,192,208\n"
RIBBON = "ribbon,R 2,128,120\n"
FILM_TABLE, RIBBON_TABLE = tone_table([(64, 84), (192, 208)]), tone_table([(128, 120)])


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "tones.csv"
    path.write_text(HEAD + FILM, "utf-8")
    return path


class Rewriter:
    """Writes a table anew, each time a second later than before: how fine a file system's clock is, is no matter."""

    def __init__(self, path) -> None:
        self.path, self.at_s = path, 1_000_000_000

    def __call__(self, text: str) -> None:
        self.at_s += 1
        self.path.write_text(text, "utf-8")
        os.utime(self.path, (self.at_s, self.at_s))


# ---- the table --------------------------------------------------------------------------------------------------


def test_a_lot_of_the_table_has_its_curve_and_another_none_which_is_said(table):
    tones = Tones(table)
    assert tones.table_for({"film": "A7"}) == (FILM_TABLE, [])
    assert tones.table_for({"film": "A8"}) == (b"", ["film A8"])
    assert tones.table_for({}) == (b"", ["film"])


def test_only_kinds_that_the_table_measures_are_missed(table):
    assert Tones(table).table_for({"film": "A7", "ribbon": "R9"}) == (FILM_TABLE, [])
    table.write_text(HEAD + FILM + RIBBON, "utf-8")
    assert Tones(table).table_for({"film": "A7", "ribbon": "R9"}) == (FILM_TABLE, ["ribbon R9"])


def test_a_ribbon_prints_what_the_film_needs(table):
    table.write_text(HEAD + RIBBON + FILM, "utf-8")
    both, missing = Tones(table).table_for({"ribbon": "R 2", "film": "A7"})
    assert (both, missing) == (one_after_another(FILM_TABLE, RIBBON_TABLE), [])
    assert both != one_after_another(RIBBON_TABLE, FILM_TABLE)


def test_without_a_table_everything_is_printed_as_it_is_and_nothing_is_missed():
    assert open_tones(PortraitConfig()).table_for({"film": "A7"}) == (b"", [])


def test_a_curve_that_changes_nothing_is_no_table_to_send(table):
    table.write_text(HEAD + "film,A7,128,128\n", "utf-8")
    assert Tones(table).table_for({"film": "A7"}) == (b"", [])


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "expected a curve of at least one lot"),
        ("kind;lot\n", 1, "expected the columns kind,lot,level,printed"),
        (HEAD, 2, "expected a curve of at least one lot"),
        (HEAD + FILM + "film,A8,10\n", 4, "expected 4 cells"),
        (HEAD + FILM + "body,A8,10,12\n", 4, "expected a kind of film, ribbon"),
        (HEAD + FILM + "film,,10,12\n", 4, "expected a lot of 1 to 64 characters"),
        (HEAD + FILM + "film,A8,10,-12\n", 4, "expected levels as whole numbers 0 to 255"),
        (HEAD + FILM + "film,A8,1.5,12\n", 4, "expected levels as whole numbers 0 to 255"),
        (HEAD + FILM + "film,A8,10,256\n", 4, "levels are 0 to 255"),
        (HEAD + FILM + "film,A7,192,210\n", 4, "levels must rise"),
        (HEAD + FILM + "film,A8,1,2\nfilm,A7,200,207\n", 5, "a curve never falls"),
        (HEAD + "".join(f"film,A7,{level},{level}\n" for level in range(17)), 18, "a curve has 1 to 16 points"),
        (HEAD + '"film,A8,10,12\n', 2, "expected comma separated values"),
    ],
)
def test_a_table_that_cannot_be_is_named_with_its_line(table, text, line, said):
    table.write_text(text, "utf-8")
    with pytest.raises(ToneTableError) as error:
        Tones(table)
    assert f"portraits.tones: {table}, line {line}: " in str(error.value)
    assert said in str(error.value)
    assert isinstance(error.value, ConfigError)
    assert error.value.code == "tones.malformed"


def test_a_table_that_is_not_there_or_no_text_or_too_long_is_named(tmp_path):
    strange, long = tmp_path / "strange.csv", tmp_path / "long.csv"
    strange.write_bytes(HEAD.encode() + b"\xff")
    long.write_text(HEAD + FILM * 20_000, "utf-8")
    for path in (tmp_path / "missing.csv", strange, long, tmp_path):
        with pytest.raises(ToneTableError, match=path.name):
            Tones(path)


async def test_a_service_does_not_start_on_a_table_that_cannot_be(tmp_path, nursery):
    config = Config(portraits=PortraitConfig(tones=str(tmp_path / "none.csv")))
    with pytest.raises(ToneTableError):
        await open_floor(config, None, nursery, None)


# ---- the table changes --------------------------------------------------------------------------------------------


def test_a_new_lot_is_known_at_the_next_load_and_a_broken_table_is_named_once_and_the_last_good_one_holds(table):
    write, tones = Rewriter(table), Tones(table)
    write(HEAD + "film,A8,128,140\n")
    assert tones.table_for({"film": "A8"}) == (tone_table([(128, 140)]), [])
    with structlog.testing.capture_logs() as logs:
        write("nonsense")
        assert tones.table_for({"film": "A8"})[1] == []
        assert tones.table_for({"film": "A8"})[1] == []
        table.unlink()
        assert tones.table_for({"film": "A8"})[1] == []
    assert [(one["log_level"], one["code"]) for one in logs] == [("error", "tones.malformed")] * 2
    write(HEAD + FILM)
    assert tones.table_for({"film": "A8"}) == (b"", ["film A8"])


def test_what_a_printer_is_loaded_with_and_has_no_curve_is_said_once_for_each_change(table):
    tones = Tones(table)
    with structlog.testing.capture_logs() as logs:
        for lot in ("A8", "A8", "A7", "A8", "A9"):
            tones.table_at("p1", {"film": lot})
        tones.table_at("p2", {"film": "A9"})
    said = [(one["log_level"], one["station"], one["lots"]) for one in logs]
    unknown = [("p1", "A8"), ("p1", "A8"), ("p1", "A9"), ("p2", "A9")]
    assert said == [("warning", station, [f"film {lot}"]) for station, lot in unknown]


# ---- what a printer is sent -----------------------------------------------------------------------------------------


class OpenVault:
    """A vault in which every card and application opens; the rows are at hand or on the disk."""

    def __init__(self, is_at_hand: bool) -> None:
        self.is_at_hand = is_at_hand

    def at_hand(self, cards, *, with_applications=False):
        assert with_applications, "a printer is given the photo of the application"
        return self if self.is_at_hand else None

    def cards(self, cards):
        return [pack(MadeCard(b"r" * 256, b"p" * 900, face())) for _ in cards]

    def applications(self, batch_id, indexes):
        return [pack(Application(portrait=PHOTO)) for _ in indexes]


def grey_photo():
    file = io.BytesIO()
    Image.fromarray(np.full((441, 358, 3), 128, np.uint8)).save(file, "JPEG", quality=70)
    return file.getvalue()


PHOTO = grey_photo()
_jobs: Opener[FaceJob] = Opener(FaceJob, 1 << 20)


async def printed_jobs(tones, lots, nursery, is_at_hand=False):
    """The print jobs of a sheet on a printer that is loaded with lots."""
    rough, job = open_job("print")
    for kind, lot in lots.items():
        rough.host.handle(e.SupplyEntered(job.station, kind, lot, 500, "ann"), rough.host.now_floor_s)
    sheet, driver = rough.state.sheets[job.sheets[0]], Driver()
    floor = Floor(driver, OpenVault(is_at_hand), rough.state, lambda event: None, nursery, tones)
    floor.perform(e.StartJob(job.job_id, job.station, "print", [(sheet.sheet_id, sheet.cards)]))
    with trio.fail_after(60):
        while not driver.loads:  # noqa: ASYNC110  a thread fetches what is printed
            await trio.sleep(0.01)
    faces = [place.face for place in driver.loads[0].sheets[0].positions]
    assert sum(map(bool, faces)) == sum(map(bool, sheet.cards)) > 0
    return [_jobs.unpack(packed) for packed in faces if packed]


@pytest.mark.parametrize("is_at_hand", [True, False])
async def test_a_printer_is_sent_the_curve_of_the_lot_that_was_loaded_last_and_the_photo_as_it_came(
    table, nursery, is_at_hand
):
    for job in await printed_jobs(Tones(table), {"ribbon": "R1", "film": "A7"}, nursery, is_at_hand):
        assert (job.tone, job.portrait) == (FILM_TABLE, PHOTO)


@pytest.mark.parametrize(("lots", "missed"), [({"film": "A8"}, ["film A8"]), ({}, ["film"])])
async def test_an_unknown_lot_is_printed_as_it_is_and_said(table, nursery, lots, missed):
    with structlog.testing.capture_logs() as logs:
        jobs = await printed_jobs(Tones(table), lots, nursery)
    assert {job.tone for job in jobs} == {b""}
    assert [one["lots"] for one in logs if one["log_level"] == "warning"] == [missed]


async def test_without_curves_a_printer_is_sent_none(nursery):
    assert {job.tone for job in await printed_jobs(None, {"film": "A7"}, nursery)} == {b""}


# ---- the chip's picture -------------------------------------------------------------------------------------------


def lit_from_one_side():
    light = 250 - 18 * np.indices((441, 358))[1] / 358
    picture = np.repeat(light[:, :, None], 3, axis=2).astype(np.uint8)
    picture[90:, 100:260] = (190, 150, 130)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=80)
    return file.getvalue()


@pytest.mark.parametrize("flatten", [False, True])
def test_the_chip_s_background_is_flattened_only_when_that_is_set(flatten):
    app = Application(
        name="样例", sex="1", ethnic="01", birth="19900307", address="样例路", identity_number="52010219900307125X",
        authority="样例局", valid_from="20251220", valid_until="20451220", portrait=lit_from_one_side(),
    )  # fmt: skip
    [(_, made)], failed = encode_cards([10_000], [app], bundled_coverage(), flatten=flatten)
    pixels = portrait.prepare(app.portrait)
    flat = flattened(pixels)
    assert failed == []
    assert not np.array_equal(flat, pixels)
    assert made.portrait == portrait.encode(flat if flatten else pixels)
    assert made.face.tone == b""  # the lot is not known before it is printed
