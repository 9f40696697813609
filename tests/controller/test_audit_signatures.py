"""`audit verify --against` holds signatures too: changed, foreign, unsigned, without keys, beside a ledger cut."""

from __future__ import annotations

import msgspec
import pytest

from controller.audit.carried import NO_KEYS, look_at
from controller.evidence.signing import PUBLIC_NAME, SECRET_NAME, open_signer
from controller.wire import Receipt
from tests.controller.evidence.samples import OTHER_SIGNER
from tests.controller.ledger.audited import audit, copy_of_centre


@pytest.fixture
def kept(tmp_path):
    """A small centre's folder with a signing key, and the receipts an upstream kept, signed."""
    folder, file = copy_of_centre(tmp_path)
    signer = open_signer(folder / "keys", "cardmill")
    receipts = [signer.signed(msgspec.json.decode(line, type=Receipt), "north") for line in file.open("rb")]
    write(file, receipts)
    return folder, file, receipts


def write(file, receipts):
    file.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in receipts))


def against(folder, file):
    return audit(folder, "", [look_at(file)])


def test_signed_receipts_of_the_ledger_are_sound_and_counted(kept):
    folder, file, receipts = kept
    report = against(folder, file)
    assert report.faults == []
    assert report.counts["receipts signed well"] == report.counts["receipts compared"] == len(receipts) > 60


def test_what_the_ledger_cannot_compare_the_signature_holds(kept):
    folder, file, receipts = kept
    changed = [msgspec.structs.replace(receipts[0], codes=["a"]), *receipts[1:5]]
    changed.append(OTHER_SIGNER.signed(receipts[5], "north"))
    changed.append(msgspec.structs.replace(receipts[6], signer="", signature=b""))
    write(file, changed)
    report = against(folder, file)
    named = [f"receipt {one.number} ({one.kind}) in receipts.jsonl: " for one in (receipts[0], receipts[5])]
    assert report.faults == [
        f"{named[0]}its signature does not hold: it was changed after it was given",
        f"{named[1]}its signer '{OTHER_SIGNER.key_id}' is not in receipts.public",
    ]
    assert (report.counts["receipts signed well"], report.counts["receipts unsigned"]) == (4, 1)


def test_a_receipt_that_the_ledger_does_not_know_is_a_fault_though_its_signature_holds(kept):
    folder, file, receipts = kept
    signer = open_signer(folder / "keys", "cardmill")
    later = signer.signed(msgspec.structs.replace(receipts[-1], number=receipts[-1].number + 1), "north")
    write(file, [*receipts, later])
    report = against(folder, file)
    assert len(report.faults) == 1
    assert "this ledger never gave it" in report.faults[0]
    assert report.counts["receipts signed well"] == len(receipts) + 1


def test_without_the_public_key_it_is_said_that_signatures_were_not_looked_at(kept):
    folder, file, _ = kept
    (folder / "keys" / PUBLIC_NAME).unlink()
    report = against(folder, file)
    assert (report.faults, report.notes.count(NO_KEYS)) == ([], 1)
    assert report.counts["receipts signed well"] == 0


def test_a_damaged_public_key_is_a_fault_and_the_secret_is_not_asked_for(kept):
    folder, file, _ = kept
    (folder / "keys" / SECRET_NAME).unlink()
    assert against(folder, file).faults == []
    (folder / "keys" / PUBLIC_NAME).write_text("no key", "ascii")
    [fault] = against(folder, file).faults
    assert fault.startswith("the keys of receipts cannot be used: evidence.key_unfit")
