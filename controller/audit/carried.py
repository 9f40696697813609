"""What others carried away, held against the chain: upstream's receipts, manifests, heads that were written down."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, select

from controller.audit.errors import Unreadable
from controller.audit.manifest_difference import broken_fault, difference
from controller.evidence.public_keys import KEY_ID_CHARS, PublicKeys, Standing
from controller.evidence.signing import PUBLIC_NAME
from controller.ledger import tables
from controller.ledger.chain import Head
from controller.ledger.consignments import Consignments
from controller.ledger.verify.report import Verified
from controller.packing.manifest import ManifestError, digest_of, read_manifest
from controller.wire import Receipt

PAGE_RECEIPTS = 500
NO_KEYS = f"receipts: their signatures were not looked at, keys/{PUBLIC_NAME} is not here"
MANIFEST_MAX_BYTES = 64 << 20
LINE_MAX_BYTES = 1 << 16  # far more than a receipt has
_HEAD = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")
_decoder = msgspec.json.Decoder(Receipt)


@dataclass(frozen=True, slots=True)
class Carried:
    """A file that somebody kept: receipts as JSON lines, or one manifest."""

    path: Path
    is_manifest: bool


def look_at(path: Path) -> Carried:
    """Say what a file is.  Raises: Unreadable."""
    try:
        with path.open("rb") as file:
            begin = file.readline(LINE_MAX_BYTES)
    except OSError as error:
        raise Unreadable(f"{path.name}: {error.strerror}") from None
    is_manifest = begin.removeprefix(b"\xef\xbb\xbf").startswith(b"manifest,")
    if _HEAD.match(begin.decode("ascii", "replace")):
        raise Unreadable(f"{path.name} is from `cardmill audit head`: say its first line with --head NUMBER:HASH")
    if begin and not is_manifest and not _may_be_receipt(begin):
        raise Unreadable(f"{path.name} is neither receipts as JSON lines nor a manifest")
    return Carried(path, is_manifest)


def _may_be_receipt(line: bytes) -> bool:
    """Say whether a line is a receipt, or is what a crash left of one."""
    try:
        msgspec.json.decode(line)
    except msgspec.DecodeError:
        return line.startswith(b'{"')
    return _receipt_in(line) is not None


def _receipt_in(line: bytes) -> Receipt | None:
    try:
        return _decoder.decode(line)
    except msgspec.MsgspecError:
        return None


def head_in(text: str) -> Head:
    """Give a head as `cardmill audit head` prints it, `NUMBER:HASH`.  Raises: Unreadable."""
    found = _HEAD.fullmatch(text.strip())
    if found is None:
        raise Unreadable("a head is a move's number, a colon and 64 hex digits, as `cardmill audit head` prints it")
    return Head(int(found[1]), bytes.fromhex(found[2]))


def check_head(ledger: Engine, head: Head, noun: str, report: Verified) -> None:
    """Find a head in the chain.  `noun` names what carried it."""
    report.counts["heads compared"] += 1
    with ledger.connect() as connection:
        fault = _head_fault(connection, head)
    if fault:
        report.add(f"{noun}: {fault}")


def check_carried(ledger: Engine, carried: Carried, report: Verified, keys: PublicKeys | None = None) -> None:
    """Hold a file against the ledger; what is torn or changed in it is a fault.  Raises: Unreadable: too large.

    `keys`: those of receipts; without them signatures are not looked at, and the report says so.
    """
    if carried.is_manifest:
        _check_manifest(ledger, carried.path, report)
    else:
        _check_receipts(ledger, carried.path, report, keys)


def _head_fault(connection: Connection, head: Head) -> str:
    move = tables.move
    found = connection.execute(select(move.c.hash).where(move.c.seq == head.seq)).scalar()
    if found is None and head.seq:
        return f"it carries the chain's head at move {head.seq}, and the chain ends before: its end was cut off"
    if head.seq and found != head.hash:
        return f"it carries another head for move {head.seq}: the chain was written anew"
    return ""


def _check_manifest(ledger: Engine, path: Path, report: Verified) -> None:
    if path.stat().st_size > MANIFEST_MAX_BYTES:
        raise Unreadable(f"{path.name} is too large for a manifest")
    content = path.read_bytes()
    report.counts["manifests compared"] += 1
    try:
        manifest = read_manifest(content)
        head = head_in(f"{manifest.chain_move}:{manifest.chain}")
    except ManifestError as error:
        report.add(f"{path.name}, {broken_fault(ledger, content, error)}")
        return
    except Unreadable:  # it is written as a manifest is, and its chain is no hash
        report.add(f"{path.name}: its chain head is none")
        return
    noun = f"manifest of consignment {manifest.consignment_id}"
    check_head(ledger, head, noun, report)
    if Consignments(ledger).digest(manifest.consignment_id) != digest_of(content):
        where = difference(ledger, manifest.consignment_id, content)
        told = f"{path.name}, {where}" if where else f"{path.name}: the ledger has none of this number"
        report.add(f"{noun}: {told}")


def _check_receipts(ledger: Engine, path: Path, report: Verified, keys: PublicKeys | None) -> None:
    known: dict[str, str] = {}
    last = ""  # upstream of the receipt before: a receipt about no batch names none
    report.counts["receipts compared"] += 0  # of an empty file it is said that nothing was compared
    with ledger.connect() as connection:
        for page in _pages(path, report):
            _name_upstreams(connection, page, known)
            for receipt in page:
                last = known.get(receipt.batch_number, last)
            rows = _stored(connection, page, known, last)
            for receipt in page:
                report.counts["receipts compared"] += 1
                row = rows.get((known.get(receipt.batch_number, last), receipt.number))
                faults = _receipt_fault(receipt, row), _signature_fault(receipt, report, keys)
                fault = "; ".join(filter(None, faults))
                if fault:
                    report.add(f"receipt {receipt.number} ({receipt.kind}) in {path.name}: {fault}")
            report.tell("receipts compared", report.counts["receipts compared"], 0)


def _pages(path: Path, report: Verified) -> Iterator[list[Receipt]]:
    """Give the receipts of a file page by page; a line that is none, torn or changed, is a fault."""
    with path.open("rb") as file:
        number = 0
        while lines := list(islice(file, PAGE_RECEIPTS)):
            page = []
            for line in lines:
                number += 1
                receipt = _receipt_in(line)
                if receipt is not None:
                    page.append(receipt)
                elif line.endswith(b"\n"):
                    report.add(f"{path.name}, line {number}: this is no receipt as JSON")
                else:
                    report.add(f"{path.name}, line {number}: its end is missing, the last line was cut off")
            yield page


def _name_upstreams(connection: Connection, page: Sequence[Receipt], known: dict[str, str]) -> None:
    batch = tables.batch
    wanted = {receipt.batch_number for receipt in page} - known.keys()
    if wanted:
        query = select(batch.c.batch_number, batch.c.upstream).where(batch.c.batch_number.in_(wanted))
        known.update((row[0], row[1]) for row in connection.execute(query))


def _stored(
    connection: Connection, page: Sequence[Receipt], known: dict[str, str], last: str
) -> dict[tuple[str, int], Any]:
    """Give the ledger's own rows for a page of receipts."""
    receipt, batch = tables.receipt, tables.batch
    numbers: dict[str, list[int]] = {}
    for one in page:
        numbers.setdefault(known.get(one.batch_number, last), []).append(one.number)
    query = select(receipt, batch.c.batch_number).outerjoin(batch, batch.c.batch_id == receipt.c.batch_id)
    found = {}
    for upstream, mine in numbers.items():
        here = query.where(receipt.c.upstream == upstream, receipt.c.number.in_(mine))
        found.update({(upstream, row.number): row for row in connection.execute(here)})
    return found


def _signature_fault(receipt: Receipt, report: Verified, keys: PublicKeys | None) -> str:
    if not receipt.signature and not receipt.signer:
        report.counts["receipts unsigned"] += 1  # given before this program signed them, or kept by another one
        return ""
    if keys is None:
        if NO_KEYS not in report.notes:
            report.notes.append(NO_KEYS)
        return ""
    standing = keys.standing_of(receipt)
    report.counts["receipts signed well"] += standing is Standing.GOOD
    if standing is Standing.FOREIGN:
        return f"its signer {receipt.signer[:KEY_ID_CHARS]!r} is not in {PUBLIC_NAME}"
    if standing is Standing.OTHER_CENTRE:
        return f"it names a centre that {PUBLIC_NAME} does not sign for"
    return "its signature does not hold: it was changed after it was given" if standing is Standing.BAD else ""


def _receipt_fault(receipt: Receipt, row: Any) -> str:
    if row is None:
        return "this ledger never gave it: its end was cut off, or it is another ledger"
    if row.chain.hex() != receipt.chain:
        return f"it carries another head of the chain than this ledger has at move {row.move_seq}"
    said = (receipt.kind, receipt.batch_number, receipt.acceptance_number, receipt.index, receipt.case)
    if said != (row.kind, row.batch_number or "", row.acceptance_number, row.idx, row.case_no):
        return f"this ledger gave another one with this number: {row.kind}"
    return ""
