"""The vault: what goes in comes out, under its own number only, and lies nowhere in the open."""

import shutil
import sqlite3
import threading

import pytest
import trio

from controller.application import card_id
from controller.vault import store
from controller.vault.errors import (
    KeyExposed,
    KeyFileDamaged,
    KeyMissing,
    RowMissing,
    Tampered,
    VaultStopped,
    VaultUnreadable,
    WrongMasterKey,
)
from controller.vault.seal import Kind, seal
from controller.vault.store import open_vault

CANARY = "张伟 11010519491231002X".encode()
KEY_FILES = ("master.key", "site.key", "vault.keys")


async def test_applications_and_cards_come_out_as_they_went_in(tmp_path, engine_url):
    async with open_vault(tmp_path, url=engine_url) as vault:
        await vault.store_applications(3, [(0, b"zero"), (7, b""), (9_999, CANARY)])
        await vault.store_cards([(card_id(3, 7), b"card"), (card_id(4, 0), b"of another batch")])
        assert vault.application(3, 9_999) == CANARY
        assert vault.applications(3, [7, 0]) == [b"", b"zero"]
    async with open_vault(tmp_path, url=engine_url) as vault:
        assert vault.applications(3, [9_999, 0]) == [CANARY, b"zero"]
        assert vault.cards([card_id(4, 0), card_id(3, 7)]) == [b"of another batch", b"card"]
        assert vault.applications(3, []) == vault.cards([]) == []


async def test_a_whole_batch_is_read_in_one_go(tmp_path, engine_url):
    rows = [(index, b"%d" % index) for index in range(1_200)]
    async with open_vault(tmp_path, url=engine_url) as vault:
        await vault.store_applications(1, rows)
        assert vault.applications(1, [index for index, _ in reversed(rows)]) == [plain for _, plain in reversed(rows)]


async def test_a_row_stored_again_replaces_the_first(tmp_path, engine_url):
    async with open_vault(tmp_path, url=engine_url) as vault:
        for plain in (b"first", b"second"):
            await vault.store_applications(1, [(0, plain)])
        assert vault.application(1, 0) == b"second"


async def test_nothing_stored_lies_in_the_open_in_any_file_or_name(tmp_path):
    async with open_vault(tmp_path) as vault:
        await vault.store_applications(1, [(0, CANARY)])
        await vault.store_cards([(card_id(1, 0), CANARY)])
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert any(path.name.endswith("-wal") for path in files)
        assert not any(CANARY in path.read_bytes() for path in files)
        assert "张" not in repr(vault)


async def test_what_was_never_stored_is_said_to_be_missing(tmp_path, engine_url):
    async with open_vault(tmp_path, url=engine_url) as vault:
        await vault.store_applications(1, [(0, b"x")])
        with pytest.raises(RowMissing):
            vault.application(1, 1)
        with pytest.raises(KeyMissing) as missing:
            vault.application(2, 0)
        assert missing.value.code == "vault.key_missing"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sealed_application SET blob = (SELECT blob FROM sealed_application WHERE application_id = 10001)",
        "UPDATE sealed_application SET blob = (SELECT blob FROM sealed_card WHERE card_id = 10000)",
        "UPDATE sealed_application SET blob = CAST(substr(blob, 1, length(blob) - 1) AS BLOB)",
        "UPDATE sealed_application SET blob = CAST(x'02' || substr(blob, 2) AS BLOB)",
        "UPDATE sealed_application SET blob = x'01'",
        "UPDATE sealed_application SET blob = x''",
    ],
)
async def test_a_blob_that_was_changed_or_moved_does_not_open(tmp_path, statement):
    async with open_vault(tmp_path) as vault:
        await vault.store_applications(1, [(0, CANARY), (1, b"one")])
        await vault.store_cards([(card_id(1, 0), CANARY)])
        raw = sqlite3.connect(tmp_path / store.DATABASE_NAME)
        raw.execute(f"{statement} WHERE application_id = 10000")
        raw.commit()
        raw.close()
        with pytest.raises(Tampered) as tampered:
            vault.application(1, 0)
        assert tampered.value.code == "vault.tampered"
        assert vault.application(1, 1) == b"one"


async def test_batches_do_not_share_a_key_and_no_two_blobs_a_nonce(tmp_path):
    async with open_vault(tmp_path) as vault:
        for batch_id in (1, 2):
            await vault.store_applications(batch_id, [(index, b"same") for index in range(300)])
        raw = sqlite3.connect(tmp_path / store.DATABASE_NAME)
        blobs = [blob for (blob,) in raw.execute("SELECT blob FROM sealed_application")]
        raw.execute(
            "UPDATE sealed_application SET blob = ? WHERE application_id = 10000",
            [seal(vault._keys.key(2), Kind.APPLICATION, 10_000, b"forged")],
        )
        raw.commit()
        raw.close()
        assert len({blob[1:13] for blob in blobs}) == 600
        with pytest.raises(Tampered):
            vault.application(1, 0)


async def test_sealing_keeps_off_the_trio_thread(tmp_path, monkeypatch, engine_url):
    threads = set()

    def noting(*args):
        threads.add(threading.current_thread())
        return seal(*args)

    monkeypatch.setattr(store, "seal", noting)
    async with open_vault(tmp_path, url=engine_url) as vault:
        await vault.store_applications(1, [(0, b"x")])
    assert threads
    assert threading.current_thread() not in threads


async def test_what_was_acknowledged_is_in_the_files_at_that_moment(tmp_path):
    copies = []
    async with open_vault(tmp_path / "live") as vault:
        for batch_id in (1, 2, 3):
            await vault.store_applications(batch_id, [(0, b"%d" % batch_id)])
            copies.append(shutil.copytree(tmp_path / "live", tmp_path / f"copy{batch_id}"))
    for count, copy in enumerate(copies, 1):
        async with open_vault(copy) as vault:
            assert [vault.application(batch_id, 0) for batch_id in range(1, count + 1)] == [
                b"%d" % batch_id for batch_id in range(1, count + 1)
            ]


async def test_many_tasks_may_store_and_threads_read_at_once(tmp_path, engine_url):
    async with open_vault(tmp_path, url=engine_url) as vault:

        async def one(batch_id):
            await vault.store_applications(batch_id, [(index, b"%d" % batch_id) for index in range(20)])
            read = await trio.to_thread.run_sync(vault.applications, batch_id, range(20))
            assert read == [b"%d" % batch_id] * 20

        async with trio.open_nursery() as nursery:
            for batch_id in range(1, 31):
                nursery.start_soon(one, batch_id)


# ---- keys -----------------------------------------------------------------------------------------------------


async def test_key_files_are_their_owners_alone(tmp_path, engine_url):
    async with open_vault(tmp_path, url=engine_url) as vault:
        await vault.store_applications(1, [(0, b"x")])
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in KEY_FILES} == {0o600}


@pytest.mark.parametrize("name", KEY_FILES)
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
async def test_a_key_file_that_others_can_open_is_refused(tmp_path, name, mode, engine_url):
    async with open_vault(tmp_path, url=engine_url):
        pass
    (tmp_path / name).chmod(mode)
    with pytest.raises(KeyExposed, match=f"{name} has mode {mode:04o}.*chmod 600"):
        async with open_vault(tmp_path, url=engine_url):
            pass


async def test_the_site_key_stays_the_same_and_is_no_other_sites(tmp_path):
    keys = []
    for folder in ("one", "one", "two"):
        async with open_vault(tmp_path / folder) as vault:
            keys.append(vault.site_key)
    assert len(keys[0]) == 32
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize("name", ["master.key", "site.key"])
async def test_a_key_that_is_gone_is_never_made_anew(tmp_path, name, engine_url):
    async with open_vault(tmp_path, url=engine_url) as vault:
        await vault.store_applications(1, [(0, b"x")])
    (tmp_path / name).unlink()
    with pytest.raises(KeyMissing, match=f"{name} is gone"):
        async with open_vault(tmp_path, url=engine_url):
            pass
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("content", ["", "abc\n", "zz" * 32 + "\n", "ab" * 31 + "\n", "汉" * 10])
async def test_a_damaged_key_is_refused(tmp_path, content, engine_url):
    async with open_vault(tmp_path, url=engine_url):
        pass
    (tmp_path / "master.key").write_text(content)
    with pytest.raises(KeyFileDamaged, match=r"master\.key"):
        async with open_vault(tmp_path, url=engine_url):
            pass


async def test_another_master_key_is_noticed_at_once(tmp_path, engine_url):
    async with open_vault(tmp_path, url=engine_url) as vault:
        await vault.store_applications(1, [(0, b"x")])
    (tmp_path / "master.key").write_text("ab" * 32 + "\n")
    with pytest.raises(WrongMasterKey):
        async with open_vault(tmp_path, url=engine_url):
            pass


async def test_a_vault_whose_key_file_is_gone_does_not_open(tmp_path, engine_url):
    async with open_vault(tmp_path, url=engine_url) as vault:
        await vault.store_applications(5, [(0, b"x")])
    (tmp_path / "vault.keys").unlink()
    with pytest.raises(KeyMissing, match="lacks the keys of 1 batch, the first is 5"):
        async with open_vault(tmp_path, url=engine_url):
            pass


async def test_a_vault_database_that_is_none_is_refused_with_a_sentence(tmp_path):
    async with open_vault(tmp_path):
        pass
    (tmp_path / store.DATABASE_NAME).write_bytes(b"not a database at all" * 200)
    with pytest.raises(VaultUnreadable, match="not a database"):
        async with open_vault(tmp_path):
            pass


async def test_a_key_that_cannot_be_made_durable_is_not_used(tmp_path, monkeypatch, engine_url):
    async with open_vault(tmp_path, url=engine_url) as vault:
        monkeypatch.setattr(vault._keys, "_path", store.Path("/dev/full"))
        with pytest.raises(VaultStopped):
            await vault.store_applications(1, [(0, b"x")])
        assert 1 not in vault._keys
        monkeypatch.undo()
        with pytest.raises(VaultStopped, match="restart"):  # what a failed write left in the file is not known
            await vault.store_applications(1, [(0, b"x")])
    async with open_vault(tmp_path, url=engine_url) as vault:
        await vault.store_applications(1, [(0, b"x")])
        assert vault.application(1, 0) == b"x"
