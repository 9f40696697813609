"""The real service signs what it gives: the same after a restart, verified by clients and in files, by old keys too."""

from __future__ import annotations

import json

import msgspec
import pytest

from controller.asking.conversation import ClientError
from controller.asking.submission import encode_application
from controller.client import UpstreamClient
from controller.evidence.public_keys import PublicKeys, Standing
from controller.wire import MAX_RECEIPTS_PER_PAGE
from devices.peers import OPERATOR
from sims.faces import FaceSource
from sims.people import Population
from sims.receipt_file import ReceiptFile
from tests.controller.evidence.samples import KEYS
from tests.whole.centre import PATIENCE, Centre, run_cli


def client_of(centre: Centre) -> UpstreamClient:
    return UpstreamClient.connect(
        centre.doors["upstreams"],
        centre.server_public,
        centre.secret("upstream", "north"),
        patience=PATIENCE,
        receipt_keys=centre.data / "keys" / "receipts.public",
    )


def bring(north: UpstreamClient, sequence: int, count: int = 12):
    """Bring a batch, and give all receipts once each of it has a verdict."""
    today, population = north.hello().floor_date, Population(7, faces=FaceSource(7))
    people = [population.application(100 * sequence + index, today) for index in range(count)]
    number = f"520000000000{today}{sequence:05d}"
    north.submit_batch(number, "20260401", [encode_application(one) for one in people])
    for page in north.follow_receipts(limit=5, rest_s=0.2):
        found = north.receipts(0, MAX_RECEIPTS_PER_PAGE).items
        if not page and len([one for one in found if one.batch_number == number]) >= count:
            return found
    raise AssertionError("receipts are followed for ever")


def verify(centre: Centre, file, key) -> tuple[int, dict]:
    code, said, errors = run_cli("receipts", "verify", str(file), "--key", str(key), "--json", "-")
    assert errors == ""
    return code, json.loads(said)


def test_signatures_outlive_a_restart_a_rotation_and_the_service_itself(centre, tmp_path):
    centre.secret("upstream", "north")
    centre.start()
    keys = centre.data / "keys"
    with client_of(centre) as north:
        first = bring(north, 1)
    assert {(one.centre, one.upstream, len(one.signature)) for one in first} == {("cardmill", "north", 64)}
    assert (keys / "receipts.secret").stat().st_mode & 0o777 == 0o600
    centre.kill()
    centre.start()
    with client_of(centre) as north:
        assert north.receipts(0, MAX_RECEIPTS_PER_PAGE).items[: len(first)] == first
    code, _, errors = run_cli("receipts", "rotate", "--as", "ann", "--config", str(centre.config))
    assert (code, "ledger.in_use" in errors) == (2, True)
    assert centre.stop() == 0
    centre.secret(OPERATOR, "ann")
    code, said, _ = run_cli("receipts", "rotate", "--as", "ann", "--config", str(centre.config))
    fresh = PublicKeys.read(keys / "receipts.public").ids[0]
    assert (code, fresh in said, fresh == first[0].signer) == (0, True, False)
    centre.start()
    with client_of(centre) as north:
        both = bring(north, 2)
    assert {one.signer for one in both} == {fresh}
    assert msgspec.structs.replace(both[0], signer=first[0].signer, signature=first[0].signature) == first[0]
    assert centre.stop() == 0
    _verify_kept(centre, first, both, tmp_path)


def _verify_kept(centre: Centre, first, both, folder) -> None:
    """Hold the kept file, signed by two keys, against file and ledger, sound and then changed."""
    kept, public = folder / "receipts.jsonl", centre.data / "keys" / "receipts.public"
    with ReceiptFile(kept) as file:
        file.keep(first)
        file.keep(both)
    code, told = verify(centre, kept, public)
    assert (code, told["good"], told["streams"][0]["missing"]) == (0, len(both), 0)
    assert {first[0].signer, both[-1].signer} == set(told["signers"])
    against = ("audit", "verify", "--config", str(centre.config), "--against", str(kept), "--json", "-")
    code, said, _ = run_cli(*against)
    found = json.loads(said)
    assert (code, found["faults"], found["checked"]["receipts signed well"]) == (0, [], len(both))
    code, said, _ = run_cli("audit", "show", "--config", str(centre.config), "--by", "ann")
    assert (code, "receipts_rotated" in said) == (0, True)
    kept.write_bytes(kept.read_bytes().replace(b'"codes":[]', b'"codes":["a"]', 1))
    code, told = verify(centre, kept, public)
    assert (code, told["bad"]) == (1, 1)
    code, said, _ = run_cli(*against)
    [fault] = json.loads(said)["faults"]
    assert (code, "its signature does not hold" in fault) == (1, True)
    secret = (centre.data / "keys" / "receipts.secret").read_text("ascii").splitlines()[1]
    assert secret not in centre.log.read_text("utf-8")


def test_the_service_does_not_start_with_a_secret_that_others_may_read_or_that_is_gone(centre):
    centre.start()
    assert centre.stop() == 0
    secret = centre.data / "keys" / "receipts.secret"
    secret.chmod(0o644)
    code, _, errors = run_cli("serve", "--config", str(centre.config))
    assert (code, "evidence.key_mode" in errors, "chmod 600" in errors, "Traceback" in errors) == (2, True, True, False)
    kept = secret.read_bytes()
    secret.unlink()
    code, _, errors = run_cli("serve", "--config", str(centre.config))
    assert (code, "evidence.key_missing" in errors) == (2, True)
    secret.touch(mode=0o600)
    secret.write_bytes(kept)
    centre.start()
    assert centre.stop() == 0


def test_a_client_that_has_another_centres_key_takes_none_of_its_receipts(running, tmp_path):
    with client_of(running) as north:
        found = bring(north, 1, 3)
    assert {KEYS.standing_of(one) for one in found} == {Standing.FOREIGN}
    (tmp_path / "other.public").write_bytes(KEYS.pem())
    line = UpstreamClient.connect(
        running.doors["upstreams"],
        running.server_public,
        running.secret("upstream", "north"),
        patience=PATIENCE,
        receipt_keys=tmp_path / "other.public",
    )
    with line as north, pytest.raises(ClientError, match=r"client\.bad_receipt"):
        north.receipts(0)


def test_the_command_fetches_into_a_file_goes_on_with_it_and_what_it_holds_is_sound(centre, tmp_path):
    centre.secret("upstream", "north")
    centre.start()
    out, key = tmp_path / "receipts.jsonl", centre.data / "keys" / "receipts.public"
    door, server, secret = centre.doors["upstreams"], centre.server_public, centre.secret("upstream", "north")
    command = ["receipts", "fetch", "--endpoint", door, "--server-key", server, "--secret", secret, "--out", out]
    fetch = [*map(str, command), "--key", str(key), "--json", "-"]
    with client_of(centre) as north:
        first = bring(north, 1)
    for number in range(2):
        code, said, errors = run_cli(*fetch)
        assert (code, errors) == (0, "")
        assert json.loads(said)["fetched"] == (0 if number else json.loads(said)["last"])
    assert json.loads(said)["last"] >= len(first)
    with client_of(centre) as north:
        assert north.acknowledge(0).upto == json.loads(said)["last"]
    code, found = verify(centre, out, key)
    assert (code, found["sound"]) == (0, True)
    other = tmp_path / "other.public"
    other.write_bytes(KEYS.pem())
    code, _, errors = run_cli(*fetch[:-4], "--out", str(tmp_path / "none.jsonl"), "--key", str(other))
    assert (code, "client.bad_receipt" in errors) == (3, True)
    assert (tmp_path / "none.jsonl").read_bytes() == b""
