"""The seeds of the fuzz bench: good bytes of every kind that a decoder reads, all of invented people."""

from __future__ import annotations

import io
import json
from functools import cache
from pathlib import Path
from zlib import crc32

import msgspec
import numpy as np
import simplejpeg

import controller.campaign
from controller.application import Application
from controller.asking.submission import encode_application
from controller.backup.manifest import FORMAT, LEDGER_FILE, VAULT_FILE, CopiedFile
from controller.packing.manifest import Manifest as Consignment
from controller.packing.manifest import ManifestCard, manifest_csv
from controller.wire import (
    VERSION,
    Acknowledged,
    AcknowledgeReceipts,
    AskBatch,
    BatchState,
    Busy,
    CancelApplication,
    Chunk,
    ChunkStored,
    Command,
    CorrectApplication,
    Corrected,
    Done,
    ExpressApplication,
    FetchReceipts,
    Hello,
    Limits,
    OpenBatch,
    Receipt,
    Receipts,
    Refusal,
    Welcome,
)
from devices import messages as d
from devices.keys import curve_keypair
from encoders import portrait
from encoders.envelope import pack
from sims.demo.folder import posts_table
from sims.faces import FaceSource
from sims.people import Population

TODAY, BATCH_NUMBER = "20260302", "5201000000002026030200001"


@cache
def people() -> tuple[Application, ...]:
    """Give four good applications, with portraits."""
    population = Population(1, TODAY, FaceSource(1))
    return tuple(population.application(place, TODAY) for place in range(4))


def bare() -> list[Application]:
    """Give them without portraits: most of their bytes are fields."""
    return [msgspec.structs.replace(one, portrait=b"") for one in people()]


def applications() -> list[bytes]:
    """Give encoded applications, with and without portraits."""
    return [encode_application(one) for one in (*people()[:2], *bare())]


def upstream_requests() -> list[bytes]:
    """Give a request of each kind, and chunks with one application and with some."""
    encoded = [msgspec.Raw(encode_application(one)) for one in (*bare(), people()[0])]
    return [
        pack(Hello(request=1, version=VERSION)),
        pack(OpenBatch(request=2, batch_number=BATCH_NUMBER, due=TODAY, count=5, digest="0a" * 32, upstream="north")),
        pack(Chunk(request=3, batch_number=BATCH_NUMBER, first=0, applications=encoded[:1])),
        pack(Chunk(request=3, batch_number=BATCH_NUMBER, first=0, applications=encoded[:3])),
        pack(Chunk(request=3, batch_number=BATCH_NUMBER, first=0, applications=encoded[-1:])),
        pack(AskBatch(request=4, batch_number=BATCH_NUMBER)),
        pack(FetchReceipts(request=5, after=7, limit=500)),
        pack(AcknowledgeReceipts(request=6, upto=7)),
        pack(CancelApplication(request=7, acceptance_number="5" * 22, reason="the holder withdrew")),
        pack(CorrectApplication(request=8, acceptance_number="5" * 22, revision=1, application=encoded[0])),
        pack(ExpressApplication(request=9, acceptance_number="5" * 22, reason="the holder travels")),
    ]


def operator_requests() -> list[bytes]:
    """Give commands with arguments of every type."""
    return [
        pack(Hello(request=1, version=VERSION)),
        pack(Command(request=2, verb="status")),
        pack(Command(request=3, verb="dispatch", args={"batch_number": BATCH_NUMBER, "scanned": [1, 2, 3]})),
        pack(Command(request=4, verb="hold", args={"card": 10_001, "reason": "doubtful", "share": 0.5, "all": True})),
        pack(Command(request=5, verb="correct", args={"fields": {"name": "丁一", "sex": None}})),
    ]


def upstream_answers() -> list[bytes]:
    """Give an answer of each kind to an upstream."""
    receipt = Receipt(number=1, kind="held", batch_number=BATCH_NUMBER, index=3, codes=["name.rare"], at_floor_s=5.0)
    counts = {"received": 5, "accepted": 4}
    return [
        pack(_welcome()),
        pack(BatchState(request=2, batch_number=BATCH_NUMBER, state="receiving", missing=[(0, 5)], counts=counts)),
        pack(ChunkStored(request=3, batch_number=BATCH_NUMBER, first=0, count=5)),
        pack(Receipts(request=5, items=[receipt, receipt], more=False)),
        pack(Acknowledged(request=6, upto=7)),
        pack(Busy(request=7, retry_after_s=0.5)),
        pack(Corrected(request=9, acceptance_number="5" * 22, revision=1, batch_number=BATCH_NUMBER)),
        pack(Refusal(request=8, code="chunk.limit", text="a chunk holds 1 to 200 applications", field="applications")),
    ]


def operator_answers() -> list[bytes]:
    """Give answers to an operator."""
    result = {"stations": [{"name": "press-1", "state": "idle", "age_s": 1.5}], "held": None}
    return [pack(_welcome()), pack(Done(request=2, result=result)), pack(Busy(request=3, retry_after_s=1.0))]


def station_words() -> list[bytes]:
    """Give what a station says, of each kind."""
    seen = d.PositionResult(blank=12_341, record=bytes(256), portrait=bytes(1_024), mark="10001")
    sheet = d.SheetResult(7, positions=[seen, *[d.PositionResult() for _ in range(7)]])
    return [
        pack(d.Hello(version=1, step="inspect", model="sim", load_max=1, state=d.StationState.IDLE)),
        pack(d.Status(state=d.StationState.EXECUTE, job_id=3, since_floor_s=1.5)),
        pack(d.JobTaken(job_id=3)),
        pack(d.JobDone(job_id=3, started_floor_s=1.0, ended_floor_s=9.0, sheets=[sheet])),
        pack(d.JobDone(job_id=4, started_floor_s=1.0, ended_floor_s=9.0, packed=[12_341, 12_342])),
        pack(d.JobUnseen(job_id=3)),
        pack(d.JobUnknown(job_id=3)),
    ]


def controller_words() -> list[bytes]:
    """Give what a station hears, of each kind."""
    work = d.SheetWork(7, [d.PositionWork(record=bytes(256), portrait=bytes(64)) for _ in range(8)])
    return [
        pack(d.Welcome(version=1, centre="cardmill", floor_s=5.0, scale=1.0)),
        pack(d.Start(job_id=3, step="write", sheets=[work])),
        pack(d.Start(job_id=4, step="pack", bundle=d.BundleWork(1, "520102000", [12_341]))),
        pack(d.Ask(job_id=3)),
        pack(d.Release(job_ids=[1, 2, 3])),
        pack(d.Magazine(issue_id=1, first_body=1_234, sheets=50)),
    ]


def photos() -> list[bytes]:
    """Give usual portraits."""
    return [one.portrait for one in people()]


def portraits() -> list[bytes]:
    """Give usual portraits, a grey one, and one that is far too small."""
    pixels = np.full((441, 358, 3), 230, np.uint8)
    grey = simplejpeg.encode_jpeg(pixels[:, :, :1].copy(), 80, "GRAY")
    return [*photos(), grey, simplejpeg.encode_jpeg(pixels[:8, :8].copy(), 80, "RGB")]


def streams() -> list[bytes]:
    """Give portraits as they lie in the chip."""
    return [portrait.encode(portrait.prepare(one.portrait)) for one in people()[:2]]


def json_lines() -> list[bytes]:
    """Give the shape of JSON lines: a header and applications."""
    head = {"batch_number": BATCH_NUMBER, "received_on": TODAY, "card_kind": "second", "count": 2}
    rows = [{"application": msgspec.structs.asdict(one) | {"portrait": "1.jpg"}} for one in bare()[:2]]
    text = io.StringIO()
    for row in ({"batch": head}, *rows):
        text.write(json.dumps(row, ensure_ascii=False) + "\n")
    return [text.getvalue().encode(), json.dumps(rows[0]).encode()]


def xml() -> list[bytes]:
    """Give the shape of XML."""
    rows = "".join(_element("application", one) for one in _offline_rows())
    head = _element("batch", _offline_head())
    return [f'<?xml version="1.0" encoding="UTF-8"?>\n<package version="1">{head}{rows}</package>\n'.encode()]


def csv_rows() -> list[bytes]:
    """Give the shape of CSV."""
    head, rows = _offline_head(), _offline_rows()
    tables = ([list(head), list(head.values())], [list(rows[0]), *(list(row.values()) for row in rows)])
    return ["\r\n".join(",".join(cells) for table in tables for cells in [*table, []]).encode() + b"\r\n"]


def _offline_head() -> dict[str, str]:
    return {"batch_number": BATCH_NUMBER, "received_on": TODAY, "card_kind": "second", "count": "2"}


def _offline_rows() -> list[dict[str, str]]:
    return [msgspec.structs.asdict(one) | {"portrait": "1.jpg"} for one in bare()[:2]]


def _element(name: str, fields: dict[str, str]) -> str:
    return f"<{name}>{''.join(f'<{key}>{value}</{key}>' for key, value in fields.items())}</{name}>"


def manifest() -> bytes:
    """Give a consignment's manifest."""
    cards = tuple(ManifestCard(1, place // 2, "520102000", "5" * 22, 0, 12_340 + place) for place in range(4))
    return manifest_csv(Consignment(1, BATCH_NUMBER, "2026-03-02 08:00:00", True, 99, "ab" * 32, cards))


def settings() -> list[bytes]:
    """Give pieces of a settings file."""
    return [
        b'[service]\ncentre = "cardmill"\n\n[clock]\nsimulated = true\nscale = 1.5\nepoch = "2026-03-02T08:00"\n',
        b'[calendar]\nshifts_per_day = 2\nshifts = "08:00-16:00, 16:00-24:00"\nholidays = "2026-10-01"\n',
        b'[checks]\nshared_number = "first_only"  # a policy\n\n[kinds]\nfirst_until = "2026-12-31"\n',
        b'[storage]\nurl = ""\nfree_min_mib = 2048\n\n[vault]\nretention_days = 180\n\n[plan]\nencode_load = 32\n',
    ]


def posts() -> bytes:
    """Give a table of certificates."""
    return posts_table().encode()


def plan() -> bytes:
    """Give a plan of the campaign."""
    [shipped] = (Path(controller.campaign.__file__).parent / "plans").glob("*.csv")
    return b"".join(shipped.read_bytes().splitlines(keepends=True)[:6])


def authorities() -> bytes:
    """Give a table of issuing authorities."""
    return "code,name\n520102,贵阳市公安局南明分局\n520103,贵阳市公安局云岩分局\n".encode()


def public_key() -> bytes:
    """Give a public key file."""
    return curve_keypair().public.encode() + b"\n"


def secret_key() -> bytes:
    """Give a secret key file."""
    return curve_keypair().secret.encode() + b"\n"


def key_lines() -> list[bytes]:
    """Give lines of the vault's key file, without their check sums: a batch's key, and a tomb."""
    return [b"7 " + b"0a" * 12 + b" " + b"0b" * 48, b"7 destroyed " + b"0c" * 16]


def share() -> bytes:
    """Give a share of a master key, without its check sum."""
    halves = b"".join(b"1-" + half * 16 + b"\n" for half in (b"0b", b"0c"))
    return b"cardmill master key share 1\nshare 1 of 3, 2 needed\nmaster " + b"0a" * 8 + b"\n" + halves


def with_check(body: bytes) -> bytes:
    """Give a share with its check sum, so that what is wrong in it is read."""
    return body + b"check %08x\n" % crc32(body)


def backup_manifest() -> bytes:
    """Give the manifest of a backup."""
    texts = dict.fromkeys(("program", "centre", "engine", "taken_at", "head_hash", "event_hash"), "x")
    numbers = dict.fromkeys(("schema", "vault_schema", "head_seq", "event_seq"), 2)
    files = {name: CopiedFile(1, "0a") for name in (LEDGER_FILE, VAULT_FILE)}
    known = {**texts, **numbers, "simulated": True, "floor_s": 5.0, "audited": True, "files": files}
    return msgspec.json.encode(known | {"format": FORMAT, "receipts": {"north": 7}, "clock": {"scale": 1.0}})


def _welcome() -> Welcome:
    return Welcome(
        request=1,
        version=VERSION,
        you="north",
        limits=Limits(),
        floor_date=TODAY,
        floor_s=5.0,
        scale=1.0,
        simulated=True,
    )
