"""`docs/receipts.md` says byte by byte what is signed, and its program verifies what the service signs."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path
from shutil import which

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from controller import wire
from controller.evidence import errors
from controller.evidence.public_keys import PublicKeys, Standing, key_id
from controller.evidence.signed_bytes import DOMAIN, NOT_SIGNED, signed_bytes
from controller.evidence.verification import FAULTS
from tests.docs.protocol_page import first_table, sections
from tests.docs.wire_examples import RECEIPT

PAGE = Path(__file__).resolve().parents[2] / "docs" / "receipts.md"
TEXT = PAGE.read_text("utf-8")
SECTIONS = sections(TEXT)


def block(kind: str) -> str:
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture
def key_file(tmp_path) -> Path:
    path = tmp_path / "receipts.public"
    path.write_text(block("pem"), "ascii")
    return path


def test_the_bytes_on_the_page_are_those_that_are_signed_of_the_receipt_on_the_page():
    receipt = msgspec.json.decode(block("json"), type=wire.Receipt)
    assert receipt == RECEIPT
    assert bytes.fromhex(block("hex signed")) == signed_bytes(receipt)


def test_the_key_on_the_page_verifies_them(key_file):
    assert PublicKeys.read(key_file).standing_of(RECEIPT) is Standing.GOOD
    key = load_pem_public_key(key_file.read_bytes())
    assert key_id(key) == RECEIPT.signer
    key.verify(RECEIPT.signature, bytes.fromhex(block("hex signed")))


def test_the_fields_stand_in_their_order_on_the_wire_and_none_is_left_out():
    (item,) = re.findall(r"^2\. (.*?)\n\n", SECTIONS["What is signed"], re.MULTILINE | re.DOTALL)
    named = re.findall(r"`(\w+)`", item)
    assert named == [name for name in wire.Receipt.__struct_fields__ if name not in NOT_SIGNED]
    assert f"`{DOMAIN}`" in SECTIONS["What is signed"]
    assert {"texts", "signature"} == NOT_SIGNED


def test_the_program_on_the_page_needs_cryptography_alone_and_finds_the_one_that_was_changed(key_file):
    source = block("python")
    imported = {
        name.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import) for name in node.names
    }
    assert imported == {"base64", "hashlib", "json", "re", "struct", "sys"}
    program = {"__name__": "stranger"}
    exec(compile(source, "docs/receipts.md", "exec"), program)
    changed = msgspec.structs.replace(RECEIPT, number=2)
    foreign = msgspec.structs.replace(RECEIPT, number=3, signer="0" * 16)
    lines = [msgspec.json.encode(one).decode() for one in (RECEIPT, changed, foreign)]
    assert list(program["bad_receipts"](lines, key_file.read_bytes())) == [2, 3]


def test_openssl_says_the_same_with_the_words_on_the_page(key_file, tmp_path):
    if which("openssl") is None:
        pytest.skip("openssl is not on this machine: the page's command was not tried")
    (command,) = re.findall(r"^openssl .*$", TEXT, re.MULTILINE)
    (tmp_path / "signed.bin").write_bytes(signed_bytes(RECEIPT))
    (tmp_path / "signature.bin").write_bytes(RECEIPT.signature)
    good = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (good.returncode, good.stdout.strip()) == (0, "Signature Verified Successfully")
    (tmp_path / "signed.bin").write_bytes(signed_bytes(msgspec.structs.replace(RECEIPT, index=1)))
    bad = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert bad.returncode == 1


def test_each_code_and_each_count_stands_on_the_page():
    family = [one.code for one in vars(errors).values() if isinstance(one, type) and one is not errors.EvidenceError]
    codes = {code for code in family if code.startswith("evidence.")}
    assert codes == set(re.findall(r"`(evidence\.\w+)`", TEXT))
    assert {str(what) for what in FAULTS} | {"good", "repeated"} <= set(
        re.findall(r"`(\w+)`", SECTIONS["For an upstream"])
    )
    assert [row[0] for row in first_table(SECTIONS["For an upstream"])] == ["0", "1", "2"]


def test_every_link_of_the_page_leads_to_a_file():
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", TEXT)
    assert len(links) > 3
    assert [link for link in links if not (PAGE.parent / link).exists()] == []
