"""The vault in either engine: who opens it later fences off who opened it before, and no keys grow beside old rows."""

import psycopg
import pytest

from controller.ledger.errors import LedgerOvertaken
from controller.vault.errors import KeyMissing, Tampered, VaultStopped, VaultUnreadable
from controller.vault.store import SCHEMA_NAME, open_vault, vault_place

CANARY = "张伟 11010519491231002X".encode()


def _raw(url):
    return psycopg.connect(url, autocommit=True, options=f"-c search_path={SCHEMA_NAME}")


async def test_a_vault_that_was_opened_anew_takes_nothing_from_who_opened_it_before(tmp_path, engine_url):
    async with open_vault(tmp_path, url=engine_url) as first:
        await first.store_applications(1, [(0, b"before")])
        async with open_vault(tmp_path, url=engine_url) as second:
            with pytest.raises(VaultStopped):
                await first.store_applications(1, [(0, b"late"), (1, b"late")])
            assert isinstance(first.failed, LedgerOvertaken)
            assert (await first.wait_failed()).code == "ledger.overtaken"
            assert second.application(1, 0) == b"before"
            await second.store_applications(1, [(1, b"after")])
            assert second.application(1, 1) == b"after"


async def test_a_new_folder_beside_an_old_database_gets_no_new_keys(tmp_path, postgres_url):
    async with open_vault(tmp_path / "one", url=postgres_url) as vault:
        await vault.store_applications(1, [(0, b"x")])
    with pytest.raises(KeyMissing, match=r"master\.key is gone"):
        async with open_vault(tmp_path / "two", url=postgres_url):
            pass
    assert list((tmp_path / "two").iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        "(SELECT blob FROM sealed_application WHERE application_id = 10001)",
        "substr(blob, 1, length(blob) - 1)",
        r"'\x01'::bytea",
    ],
)
async def test_a_blob_that_was_changed_in_postgresql_does_not_open(tmp_path, postgres_url, change):
    async with open_vault(tmp_path, url=postgres_url) as vault:
        await vault.store_applications(1, [(0, CANARY), (1, b"one")])
        with _raw(postgres_url) as raw:
            raw.execute(f"UPDATE sealed_application SET blob = {change} WHERE application_id = 10000")
        with pytest.raises(Tampered):
            vault.application(1, 0)
        assert vault.application(1, 1) == b"one"


async def test_nothing_stored_lies_in_the_open_in_the_files_of_the_server(tmp_path, postgres_server, postgres_url):
    async with open_vault(tmp_path, url=postgres_url) as vault:
        await vault.store_applications(1, [(index, CANARY + b"%d" % index) for index in range(50)])
        assert "host" not in repr(vault_place(tmp_path, postgres_url))
    with _raw(postgres_url) as raw:
        [number] = raw.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
        [table] = raw.execute("SELECT pg_relation_filepath('sealed_application')").fetchone()
        raw.execute("CHECKPOINT")
    cluster = postgres_server.folder / "cluster"
    assert (cluster / table).stat().st_size > 0
    files = [*(cluster / "base" / str(number)).iterdir(), *(cluster / "pg_wal").glob("0*"), *tmp_path.iterdir()]
    assert [path.name for path in files if CANARY in path.read_bytes()] == []


async def test_a_server_that_does_not_answer_is_said_to_be_unreadable(tmp_path):
    with pytest.raises(VaultUnreadable, match="PostgreSQL's schema cardmill_vault cannot be opened"):
        async with open_vault(tmp_path, url="postgresql://ann:S3cret@/x?host=/nonexistent"):
            pass
