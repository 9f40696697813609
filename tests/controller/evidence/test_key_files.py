"""The signing key's files: made once, kept private, rotated so that old receipts are verified, refused when unfit."""

from __future__ import annotations

import os
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from controller.evidence import signing
from controller.evidence.errors import KeyFileUnfit, SecretExposed, SecretMissing, SecretOther, Unreadable
from controller.evidence.public_keys import LONGEST_FILE_BYTES, PublicKeys, Standing
from controller.evidence.signing import PUBLIC_NAME, SECRET_NAME, open_signer, rotate
from tests.controller.evidence.samples import KEY, receipt


@pytest.fixture
def keys(tmp_path):
    """A folder of keys in which a signer was opened once."""
    folder = tmp_path / "keys"
    open_signer(folder, "cardmill")
    return folder


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def known(folder):
    return PublicKeys.read(folder / PUBLIC_NAME)


def test_the_first_start_makes_a_private_secret_and_a_public_half_and_the_next_ones_keep_them(keys):
    assert (mode(keys / SECRET_NAME), mode(keys / PUBLIC_NAME), mode(keys)) == (0o600, 0o644, 0o700)
    before = [(keys / name).read_bytes() for name in (SECRET_NAME, PUBLIC_NAME)]
    again = open_signer(keys, "cardmill")
    assert [(keys / name).read_bytes() for name in (SECRET_NAME, PUBLIC_NAME)] == before
    assert known(keys).ids == (again.key_id,)
    assert sorted(path.name for path in keys.iterdir()) == [PUBLIC_NAME, SECRET_NAME]


def test_a_start_after_another_signs_the_same_with_the_same_bytes(keys):
    once, again = open_signer(keys, "cardmill"), open_signer(keys, "cardmill")
    assert receipt(1, signer=once) == receipt(1, signer=again)
    assert known(keys).standing_of(receipt(1, signer=once)) is Standing.GOOD


@pytest.mark.parametrize("wrong", [0o604, 0o640, 0o620, 0o601, 0o777])
def test_a_secret_that_others_may_use_is_refused_with_the_command_that_mends_it(keys, wrong):
    (keys / SECRET_NAME).chmod(wrong)
    with pytest.raises(SecretExposed, match="chmod 600") as refused:
        open_signer(keys, "cardmill")
    assert refused.value.code == "evidence.key_mode"
    (keys / SECRET_NAME).chmod(0o400)
    open_signer(keys, "cardmill")


def test_a_secret_that_is_gone_is_missed_and_a_rotation_takes_its_place(keys):
    old = open_signer(keys, "cardmill")
    (keys / SECRET_NAME).unlink()
    with pytest.raises(SecretMissing, match="cardmill receipts rotate"):
        open_signer(keys, "cardmill")
    rotate(keys)
    assert known(keys).standing_of(receipt(1, signer=old)) is Standing.GOOD
    assert open_signer(keys, "cardmill").key_id != old.key_id


def test_a_public_half_that_is_gone_is_made_again_from_the_secret(keys):
    before = (keys / PUBLIC_NAME).read_bytes()
    (keys / PUBLIC_NAME).unlink()
    open_signer(keys, "cardmill")
    assert (keys / PUBLIC_NAME).read_bytes() == before


def test_a_secret_of_another_pair_is_refused(keys, tmp_path):
    open_signer(tmp_path / "other", "cardmill")
    (keys / PUBLIC_NAME).write_bytes((tmp_path / "other" / PUBLIC_NAME).read_bytes())
    with pytest.raises(SecretOther):
        open_signer(keys, "cardmill")


def test_after_rotations_receipts_of_every_key_are_verified_and_the_newest_stands_first(keys):
    signers = [open_signer(keys, "cardmill")]
    for _ in range(3):
        fresh = rotate(keys)
        signers.append(open_signer(keys, "cardmill"))
        assert signers[-1].key_id == fresh
    assert known(keys).ids == tuple(signer.key_id for signer in reversed(signers))
    assert {known(keys).standing_of(receipt(1, signer=signer)) for signer in signers} == {Standing.GOOD}
    assert (mode(keys / SECRET_NAME), mode(keys / PUBLIC_NAME)) == (0o600, 0o644)


def test_a_rotation_cut_short_at_either_file_leaves_a_signer_whose_receipts_are_verified(keys, monkeypatch):
    before = open_signer(keys, "cardmill")

    def cut(*_):
        raise OSError("cut")

    for name in ("replace_public", "replace_private"):
        with monkeypatch.context() as patch:
            patch.setattr(signing, name, cut)
            with pytest.raises(OSError, match="cut"):
                rotate(keys)
        assert open_signer(keys, "cardmill").key_id == before.key_id
    rotate(keys)
    assert known(keys).standing_of(receipt(1, signer=before)) is Standing.GOOD
    assert known(keys).standing_of(receipt(1, signer=open_signer(keys, "cardmill"))) is Standing.GOOD


def test_a_first_start_cut_short_before_the_public_half_goes_on_with_the_same_key(tmp_path, monkeypatch):
    def cut(*_):
        raise OSError("cut")

    with monkeypatch.context() as patch:
        patch.setattr(signing, "replace_public", cut)
        with pytest.raises(OSError, match="cut"):
            open_signer(tmp_path / "keys", "cardmill")
    secret = (tmp_path / "keys" / SECRET_NAME).read_bytes()
    open_signer(tmp_path / "keys", "cardmill")
    assert (tmp_path / "keys" / SECRET_NAME).read_bytes() == secret


def other_curve(is_secret):
    key = generate_private_key(SECP256R1())
    if is_secret:
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    "content",
    [b"", b"no key", b"x" * (LONGEST_FILE_BYTES + 1), other_curve(is_secret=True), other_curve(is_secret=False)],
)
@pytest.mark.parametrize("name", [SECRET_NAME, PUBLIC_NAME])
def test_a_file_that_holds_no_ed25519_key_is_refused_and_its_content_not_told(keys, name, content):
    (keys / name).write_bytes(content)
    with pytest.raises(KeyFileUnfit) as refused:
        open_signer(keys, "cardmill")
    told = str(refused.value)
    assert name in told
    assert len(told) < 200
    assert "BEGIN" not in told


def test_a_public_file_with_a_torn_or_a_foreign_block_is_refused_whole(keys):
    good = (keys / PUBLIC_NAME).read_bytes()
    for more in (good[:-30], other_curve(is_secret=False), b"and something else\n"):
        (keys / PUBLIC_NAME).write_bytes(good + more)
        with pytest.raises(KeyFileUnfit):
            PublicKeys.read(keys / PUBLIC_NAME)


def test_a_pipe_or_nothing_in_place_of_a_key_is_told_at_once(keys):
    (keys / SECRET_NAME).unlink()
    os.mkfifo(keys / SECRET_NAME, 0o600)
    with pytest.raises(KeyFileUnfit):
        open_signer(keys, "cardmill")
    with pytest.raises(Unreadable, match="No such file"):
        PublicKeys.read(keys / "none.public")


def test_no_error_and_no_repr_of_the_room_repeats_the_secret(keys):
    secret = (keys / SECRET_NAME).read_text("ascii")
    signer = open_signer(keys, "cardmill")
    told = [repr(signer)]
    for spoil in (lambda: (keys / SECRET_NAME).chmod(0o644), lambda: (keys / SECRET_NAME).write_text(secret[:-40])):
        spoil()
        with pytest.raises((SecretExposed, KeyFileUnfit)) as refused:
            open_signer(keys, "cardmill")
        told.append(repr(refused.value))
        (keys / SECRET_NAME).chmod(0o600)
    core = secret.splitlines()[1]
    assert not any(core[at : at + 8] in one for one in told for at in range(len(core) - 8))
    assert KEY.private_bytes_raw().hex() not in repr(KEY)
