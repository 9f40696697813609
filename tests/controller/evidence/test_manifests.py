"""A manifest carries a signature beside it, which anybody verifies with the centre's public key alone."""

from __future__ import annotations

import base64
import json
from hashlib import sha256

import pytest
from typer.testing import CliRunner

from controller import cli
from controller.commandline import packing as cli_packing
from controller.evidence.errors import Unreadable
from controller.evidence.manifests import SUFFIX, read_signature, sign_manifest, standing_of_manifest
from controller.evidence.public_keys import PublicKeys, Standing
from controller.evidence.signing import Signer
from controller.packing.manifest import manifest_csv
from tests.controller.evidence.samples import KEY, KEYS, OTHER, OTHER_SIGNER, SIGNER
from tests.controller.test_manifest import a_manifest
from tests.controller.test_packing_verbs import sent_counter

FILE = manifest_csv(a_manifest())


@pytest.fixture
async def kept(tmp_path, monkeypatch):
    """Write a manifest as a dispatcher does, from what the desk answers; give its file."""
    counter = sent_counter()
    answer = (await counter.ask("manifest", consignment_id=1)).result
    monkeypatch.setattr(cli_packing, "ask", lambda *asked: json.loads(json.dumps(answer)))
    typed("manifest", 1, "--csv", tmp_path / "1.csv")
    (tmp_path / "receipts.public").write_bytes(KEYS.named("cardmill").pem())
    return tmp_path / "1.csv"


def typed(*words, code=0):
    said = CliRunner().invoke(cli.app, list(map(str, words)))
    assert said.exit_code == code, said.output
    return said.stdout


def verified(file, *more, code=0):
    return typed("receipts", "verify-manifest", file, "--key", file.with_name("receipts.public"), *more, code=code)


async def test_what_the_product_wrote_is_sound_and_says_whose_it_is(kept):
    assert verified(kept).splitlines() == [f"centre cardmill, signed with {KEYS.ids[0]}", "sound"]
    told = json.loads(verified(kept, "--json", "-"))
    assert told == {
        "sound": True,
        "standing": "good",
        "centre": "cardmill",
        "signer": KEYS.ids[0],
        "sha256": sha256(kept.read_bytes()).hexdigest(),
    }


async def test_one_byte_more_less_or_another_is_seen(kept):
    whole = kept.read_bytes()
    for changed in (whole[:-1], whole + b"\n", whole.replace(b"520102001", b"520102002", 1)):
        assert changed != whole
        kept.write_bytes(changed)
        assert "NOT sound" in verified(kept, code=1)


async def test_another_s_signature_or_key_or_centre_proves_nothing(kept):
    beside, whole = kept.with_name(kept.name + SUFFIX), kept.read_bytes()
    own = json.loads(beside.read_text("utf-8"))
    beside.write_text(json.dumps(own | {"centre": "another"}), "utf-8")
    assert "NOT sound" in verified(kept, code=1)
    signature = sign_manifest(OTHER_SIGNER, whole)
    assert standing_of_manifest(KEYS, signature, whole) is Standing.FOREIGN
    both = PublicKeys([KEY.public_key(), OTHER.public_key()], ["cardmill"])
    assert standing_of_manifest(both, signature, whole) is Standing.GOOD
    elsewhere = sign_manifest(Signer(OTHER, "southern"), whole)
    assert standing_of_manifest(both, elsewhere, whole) is Standing.OTHER_CENTRE


async def test_the_signature_lies_where_one_says(kept):
    kept.with_name(kept.name + SUFFIX).rename(kept.with_name("elsewhere"))
    with pytest.raises(Unreadable, match="No such file"):
        read_signature(kept.with_name(kept.name + SUFFIX))
    assert verified(kept, "--sig", kept.with_name("elsewhere")).endswith("sound\n")


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b"{" * 9_000])
def test_what_is_no_signature_is_said_to_be_none(tmp_path, content):
    (tmp_path / "1.csv.sig").write_bytes(content)
    with pytest.raises(Unreadable, match="no signature of a manifest"):
        read_signature(tmp_path / "1.csv.sig")


def test_what_is_signed_is_what_the_page_says():
    signature = sign_manifest(SIGNER, FILE)
    values = ["cardmill manifest 1", "cardmill", KEYS.ids[0], sha256(FILE).hexdigest()]
    raw = b"".join(b"%d:%b," % (len(value), value.encode()) for value in values)
    KEY.public_key().verify(signature.signature, raw)
    assert sign_manifest(SIGNER, FILE) == signature
    assert len(base64.b64encode(signature.signature)) == 88
