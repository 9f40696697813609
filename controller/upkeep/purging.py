"""Purging: the personal data of batches closed long ago is destroyed, slice by slice, while the floor works on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import structlog
import trio
from sqlalchemy.exc import DBAPIError

from controller.act_files import forget_act
from controller.core.events import AnyEvent, BatchesErased, Purge, VaultKeysTouched
from controller.hosts.live import Ticket
from controller.intake.revision import is_correction
from controller.ledger.engine import reason_of
from controller.ledger.inbox import InboxBatch, InboxState
from controller.ledger.purge_rows import BlankDigests, PurgeReader
from controller.ledger.store import Ledger
from controller.vault.errors import VaultError
from controller.vault.key_acts import noted_acts
from controller.vault.store import Vault

log = structlog.get_logger()
BATCHES = 50  # of one slice: one new key file, one move
ROWS = 500  # of one change of the inbox
ALTERED, UNREAD = "purge.altered", "ledger.unread"
LOOK_EVERY_S = 60.0  # real seconds between two looks for acts on the keys

Post = Callable[[AnyEvent], Ticket]
GiveUp = Callable[[InboxBatch], Awaitable[bool]]


class Purger:
    """Does what two people agreed to.  Keys go first: from then on nothing can be read, whatever else is left.

    Cut short at any moment it begins again at the first batch that the ledger does not call purged, and what was done
    of it already is done again without harm.  A batch whose rows in the inbox somebody changed is left as it is: what
    is blanked cannot be compared any more, and would be folded into the chain as it was found.
    """

    def __init__(self, ledger: Ledger, vault: Vault, post: Post, give_up: GiveUp, history: trio.Lock) -> None:
        """`give_up` refuses a batch that was never brought whole, and tells the floor; False when it is whole.

        `history` is the judge's lock: under it corrections and the cases of returned cards are begun, also anew.
        """
        self._ledger, self._vault, self._post, self._give_up = ledger, vault, post, give_up
        self._history = history
        self._reader = PurgeReader(ledger.reading)

    async def purge(self, action: Purge) -> None:
        """Destroy all batches closed before a time; durable on return.  A failure is logged: the next start goes on."""
        try:
            await self._purge(action)
        except (VaultError, DBAPIError) as error:
            code, text = (error.code, str(error)) if isinstance(error, VaultError) else (UNREAD, reason_of(error))
            log.error("purge not ended", purge_id=action.purge_id, code=code, text=text)

    async def _purge(self, action: Purge) -> None:
        await self._take_unfinished(action.closed_before_floor_s)
        after, batches, is_last = 0, 0, False
        while not is_last:
            due = await trio.to_thread.run_sync(self._reader.due, action.closed_before_floor_s, after, BATCHES)
            is_last = len(due) < BATCHES
            altered = await trio.to_thread.run_sync(self._altered, due, action.begun)
            sound = [batch_id for batch_id in due if batch_id not in altered]
            erased = await self._erase(sound)
            never_whole = await trio.to_thread.run_sync(self._reader.never_whole, sound)
            await self._post(BatchesErased(action.purge_id, erased, is_last, never_whole, altered)).wait()
            after, batches = max(due, default=after), batches + len(sound)
        log.info("purged", purge_id=action.purge_id, batches=batches)

    def _altered(self, batch_ids: Sequence[int], begun: bool) -> list[int]:
        """Give those of some batches whose rows somebody changed, and say so: they are not purged."""
        found = [batch_id for batch_id in batch_ids if self._reader.is_altered(batch_id, begun=begun)]
        for batch_id in found:
            log.error("batch not purged: its rows in the inbox were changed", batch_id=batch_id, code=ALTERED)
        return found

    async def _take_unfinished(self, before_floor_s: float) -> None:
        """Give up what upstreams never brought whole, so that it is due too; erase what was cut short here."""
        found = await trio.to_thread.run_sync(self._reader.unfinished, before_floor_s)
        for batch in found:
            if not _is_own(batch):
                await self._give_up(batch)
            else:
                await self._erase_cut_short(batch)

    async def _erase_cut_short(self, batch: InboxBatch) -> None:
        """Erase what there is of a returned card's case or a correction, unless it is begun anew meanwhile.

        Of one that was cut short nobody was told.
        """
        async with self._history:
            if not await trio.to_thread.run_sync(self._is_cut_short, batch):
                return
            await self._vault.destroy_keys([batch.batch_id], bar=False)
            await self._vault.erase(batch.batch_id)
            await self._ledger.write(BlankDigests(batch.batch_id, 0, batch.count))

    def _is_cut_short(self, batch: InboxBatch) -> bool:
        reader = self._ledger.reader
        if reader.batch(batch.batch_id) is not None:
            return False
        return batch.state == InboxState.RETURNED or bool(reader.missing(batch.batch_id, batch.count))

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


def _is_own(batch: InboxBatch) -> bool:
    """Say whether the service itself gave a batch its number: for a returned card's next case, or a correction."""
    return batch.state == InboxState.RETURNED or is_correction(batch.batch_number)


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
