"""Purging: the personal data of batches closed long ago is destroyed, slice by slice, while the floor works on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
import trio

from controller.core.events import AnyEvent, BatchesErased, Purge, VaultKeysTouched
from controller.hosts.live import Ticket
from controller.ledger.purge_rows import BlankDigests, PurgeReader
from controller.ledger.store import Ledger
from controller.vault.errors import VaultError
from controller.vault.key_acts import forget_act, noted_acts
from controller.vault.store import Vault

log = structlog.get_logger()
BATCHES = 50  # of one slice: one new key file, one move
ROWS = 500  # of one change of the inbox
LOOK_EVERY_S = 60.0  # real seconds between two looks for acts on the keys

Post = Callable[[AnyEvent], Ticket]


class Purger:
    """Does what two people agreed to.  Keys go first: from then on nothing can be read, whatever else is left.

    Cut short at any moment it begins again at the first batch that the ledger does not call purged, and what was done
    of it already is done again without harm.
    """

    def __init__(self, ledger: Ledger, vault: Vault, post: Post) -> None:
        self._ledger, self._vault, self._post = ledger, vault, post
        self._reader = PurgeReader(ledger.reading)

    async def purge(self, action: Purge) -> None:
        """Destroy all batches closed before a time; durable on return.  A failure is logged: the next start goes on."""
        try:
            await self._purge(action)
        except VaultError as error:
            log.error("purge not ended", purge_id=action.purge_id, code=error.code, text=str(error))

    async def _purge(self, action: Purge) -> None:
        await self._erase_unused(action.closed_before_floor_s)
        after, batches, is_last = 0, 0, False
        while not is_last:
            due = await trio.to_thread.run_sync(self._reader.due, action.closed_before_floor_s, after, BATCHES)
            is_last = len(due) < BATCHES
            erased = await self._erase(due)
            await self._post(BatchesErased(action.purge_id, erased, is_last)).wait()
            after, batches = max(due, default=after), batches + len(due)
        log.info("purged", purge_id=action.purge_id, batches=batches)

    async def _erase_unused(self, before_floor_s: float) -> None:
        """Erase what the vault has of returned cards' cases that were cut short: no batch of them was ever opened."""
        left = await trio.to_thread.run_sync(self._reader.unused_returns, before_floor_s)
        if left:
            await self._vault.destroy_keys(left)
        for batch_id in left:
            await self._vault.erase(batch_id)

    async def _erase(self, batch_ids: Sequence[int]) -> list[tuple[int, bytes]]:
        """Destroy keys, ciphertext and digests of some batches; give each with the digest of its rows from now on."""
        await self._vault.destroy_keys(batch_ids)
        erased = []
        for batch_id in batch_ids:
            await self._vault.erase(batch_id)
            rows = await trio.to_thread.run_sync(self._reader.rows_of, batch_id)
            for first in range(0, rows, ROWS):
                await self._ledger.write(BlankDigests(batch_id, first, ROWS))
            erased.append((batch_id, await trio.to_thread.run_sync(self._reader.rows_hash, batch_id)))
        return erased

    async def bury_again(self) -> None:
        """Destroy what stands in the vault of batches that the ledger calls purged: an old copy was put back.

        Raises: VaultStopped.
        """
        returned = self._vault.came_back()
        if returned:
            log.error("destroyed keys stood in the key file again and were taken out", batches=len(returned))
        purged = await trio.to_thread.run_sync(lambda: self._reader.purged(self._vault.batches()))
        if not purged:
            return
        log.error("personal data of purged batches was there again and is destroyed", batches=len(purged))
        await self._vault.destroy_keys(sorted(purged))
        for batch_id in sorted(purged):
            await self._vault.erase(batch_id)


async def keep_key_acts(folder: Path, post: Post) -> None:
    """Record what people did to the vault's keys, until cancelled; what was noted before is recorded at once."""
    while True:
        await record_key_acts(folder, post)
        await trio.sleep(LOOK_EVERY_S)


async def record_key_acts(folder: Path, post: Post) -> None:
    """Bring the acts that wait into the ledger."""
    for path, act in await trio.to_thread.run_sync(noted_acts, folder):
        if act is None:
            log.error("an act on the keys cannot be read and is not recorded", file=path.name)
            continue
        await post(VaultKeysTouched(act.what, act.by)).wait()
        await trio.to_thread.run_sync(forget_act, path)
