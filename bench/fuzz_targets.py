"""The targets of the fuzz bench: every decoder that reads what others wrote, its seeds, and what it may raise."""

from __future__ import annotations

import io
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

from bench import fuzz_seeds as seeds
from bench.fuzz_archives import allowed_s, archive_path, good_archives, mutated_archive
from bench.fuzz_mutations import mutated
from controller.asking.conversation import OPERATOR_ANSWERS, UPSTREAM_ANSWERS
from controller.backup.errors import BackupError
from controller.backup.manifest import NAME as BACKUP_MANIFEST
from controller.backup.manifest import read_manifest as read_backup_manifest
from controller.campaign.plan import read_targets
from controller.checks import pixels
from controller.checks.batch import check_batch
from controller.checks.codes import Severity
from controller.checks.context import CheckContext
from controller.checks.errors import CheckError
from controller.checks.finding import verdict
from controller.checks.named_codes import read_authorities
from controller.checks.portrait import portrait_findings
from controller.config import Config, ConfigError, KindConfig, load_config
from controller.doors import operator_requests, upstream_requests
from controller.intake.examination import examine, pixel_findings
from controller.offline.csv_rows import read_csv
from controller.offline.errors import PackageError
from controller.offline.jsonl import read_jsonl
from controller.offline.package import opened
from controller.offline.parts import Part, Record
from controller.offline.pictures import Pictures
from controller.offline.xml_rows import read_xml
from controller.packing.manifest import ManifestError, read_manifest
from controller.posts import read_posts
from controller.vault.errors import VaultError
from controller.vault.key_line import closed_line, read_line
from controller.vault.shares import read_share
from controller.wire import MAX_APPLICATIONS_PER_CHUNK, Chunk, CorrectApplication, OpenBatch
from controller.wiring import check_context
from devices.driver import MAX_SAID_BYTES
from devices.key_files import read_pair, read_public
from devices.keys import KeyFileError, LinkError
from devices.messages import ControllerSaid, StationSaid
from devices.protocol import ControllerSide
from encoders import portrait
from encoders.envelope import EnvelopeError, Opener
from encoders.portrait import PortraitError

TODAY, SITE_KEY = "20260302", bytes(range(32))
_stations: Opener[Any] = Opener(StationSaid, MAX_SAID_BYTES)
_controllers: Opener[Any] = Opener(ControllerSaid)

Call = Callable[[bytes], Hashable]
Mutated = Callable[[Sequence[bytes], Random], bytes]


@dataclass(frozen=True, slots=True)
class Target:
    """One decoder.

    `call` gives something short that tells kinds of outcome apart, so that bytes which do something new are kept as
    seeds.  `refuses` are the errors that are an answer; any other is a fault.  `share`: of all frames, in weights.
    `allows_s`: the processor seconds one frame may take where what it unpacks to decides, else the bench's own bound.
    """

    name: str
    seeds: Sequence[bytes]
    call: Call
    refuses: tuple[type[Exception], ...]
    share: int
    mutate: Mutated = mutated
    allows_s: Callable[[bytes], float] | None = None


def targets(folder: Path) -> list[Target]:
    """Give all targets; those that read files read them in `folder`.  Compiles the codec's kernels."""
    portrait.warm_up()
    pixels.warm_up()
    context = check_context(Config()).on(TODAY, "second")
    envelope = (EnvelopeError,)
    return [
        Target("upstream", seeds.upstream_requests(), _upstream(context), envelope, 24),
        Target("operator", seeds.operator_requests(), _kind(operator_requests), envelope, 16),
        Target("station", seeds.station_words(), _station, envelope, 16),
        Target("to_station", seeds.controller_words(), _kind(_controllers), envelope, 8),
        Target("upstream_answers", seeds.upstream_answers(), _kind(UPSTREAM_ANSWERS), envelope, 6),
        Target("operator_answers", seeds.operator_answers(), _kind(OPERATOR_ANSWERS), envelope, 4),
        Target("application", seeds.applications(), _application(context), (), 5),
        Target("jpeg", seeds.portraits(), _jpeg, (), 8),
        Target("codec_input", seeds.photos(), _shape(portrait.prepare), (PortraitError,), 2),
        Target("codec_stream", seeds.streams(), _shape(portrait.decode), (PortraitError,), 1),
        Target("jsonl", seeds.json_lines(), _parts(read_jsonl), (), 5),
        Target("xml", seeds.xml(), _parts(read_xml), (PackageError,), 4),
        Target("csv", seeds.csv_rows(), _parts(read_csv), (PackageError,), 4),
        Target("archive", good_archives(), _archive(folder), (PackageError,), 4, mutated_archive, allowed_s),
        Target("manifest", [seeds.manifest()], _nothing(read_manifest), (ManifestError,), 3),
        Target("config", seeds.settings(), _file(folder / "config.toml", load_config), (ConfigError,), 2),
        Target("posts", [seeds.posts()], _file(folder / "posts.csv", read_posts), (ConfigError,), 1),
        Target("plan", [seeds.plan()], _text(lambda text: read_targets(text, "plan")), (ConfigError, ValueError), 1),
        Target("authorities", [seeds.authorities()], _text(read_authorities), (CheckError, ValueError), 1),
        Target("public_key", [seeds.public_key()], _file(folder / "a.public", read_public), (KeyFileError,), 1),
        Target("secret_key", [seeds.secret_key()], _secret(folder), (KeyFileError, LinkError), 1),
        Target("key_line", seeds.key_lines(), lambda text: type(read_line(closed_line(text))).__name__, (), 2),
        Target("share", [seeds.share()], _share(folder / "share.txt"), (VaultError,), 1),
        Target("backup", [seeds.backup_manifest()], _backup(folder), (BackupError,), 1),
    ]


def _upstream(context: CheckContext) -> Call:
    """As the door and `controller.intake.intake` do it, but for what needs the ledger."""

    def call(frame: bytes) -> Hashable:
        request = upstream_requests.unpack(frame)
        if isinstance(request, OpenBatch):
            is_made = KindConfig().is_made(request.card_kind, TODAY)
            number, count = request.batch_number, request.count
            found = check_batch(
                number, count, count, due=request.due, card_kind=request.card_kind, kind_is_made=is_made
            )
            return ("batch", *(one.code for one in found))
        if isinstance(request, Chunk) and len(request.applications) <= MAX_APPLICATIONS_PER_CHUNK:
            examined = examine([bytes(one) for one in request.applications], context, SITE_KEY)
            return ("chunk", *sorted({one.code for row in examined for one in row.findings}))
        if isinstance(request, CorrectApplication):
            [examined_alone] = examine([bytes(request.application)], context, SITE_KEY)
            return ("correct", *sorted({one.code for one in examined_alone.findings}))
        return type(request).__name__

    return call


def _station(frame: bytes) -> Hashable:
    """As the driver hears it, up to what follows from it."""
    said = _stations.unpack(frame)
    heard = ControllerSide("fuzzed").received(said, 1.0)
    return (type(said).__name__, *(type(event).__name__ for event in heard.events))


def _application(context: CheckContext) -> Call:
    def call(encoded: bytes) -> Hashable:
        [found] = examine([encoded], context, SITE_KEY)
        return tuple(sorted({one.code for one in found.findings}))

    return call


def _jpeg(picture: bytes) -> Hashable:
    found = list(portrait_findings(picture))
    if verdict(found) < Severity.REFUSE:
        found += pixel_findings(picture)
    return tuple(sorted({one.code for one in found}))


def _parts(read: Callable[[BinaryIO], Iterator[Part]]) -> Call:
    def call(text: bytes) -> Hashable:
        found = [(type(part).__name__, *(one.code for one in part.findings)) for part in read(io.BytesIO(text))]
        return tuple(sorted(set(found)))

    return call


def _archive(folder: Path) -> Call:
    """As `cardmill submit` and `cardmill check` read an archive: every part, and the portrait of every row."""
    path = archive_path(folder)

    def call(archive: bytes) -> Hashable:
        path.write_bytes(archive)
        found: set[Hashable] = set()
        with opened(path) as package:
            pictures = Pictures(package.read_picture)
            for part in package.parts:
                found.update(one.code for one in part.findings)
                if isinstance(part, Record):
                    found.update(one.code for one in pictures.look(part.portrait).findings)
        return tuple(sorted(map(str, found)))

    return call


def _kind(opener: Opener[Any]) -> Call:
    return lambda frame: type(opener.unpack(frame)).__name__


def _shape(read: Callable[[bytes], Any]) -> Call:
    return lambda stream: read(stream).shape


def _nothing(read: Callable[[bytes], object]) -> Call:
    return lambda body: read(body) is None


def _text(read: Callable[[str], object]) -> Call:
    """Give a reader of UTF-8; what is none is refused by whoever reads the file."""
    return lambda body: read(body.decode("utf-8-sig")) is None


def _file(path: Path, read: Callable[[Path], object]) -> Call:
    def call(body: bytes) -> Hashable:
        path.write_bytes(body)
        return read(path) is None

    return call


def _secret(folder: Path) -> Call:
    path = folder / "station.secret"
    path.touch(mode=0o600)
    return _file(path, lambda _: read_pair(folder, path.stem))


def _backup(folder: Path) -> Call:
    return _file(folder / BACKUP_MANIFEST, lambda _: read_backup_manifest(folder))


def _share(path: Path) -> Call:
    read = _file(path, read_share)
    return lambda body: read(seeds.with_check(body))
