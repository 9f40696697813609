"""A chunk that is on its way while its batch is refused as a whole is answered, and costs the service nothing."""

from __future__ import annotations

from controller.asking.submission import batch_digest
from controller.ledger.inbox import InboxState, SetBatchState
from controller.wire import ChunkStored, OpenBatch
from tests.controller.test_laws_shell import DUE, application, number, shell


async def test_a_chunk_that_overlaps_the_refusal_of_its_batch_is_stored_as_far_as_anybody_can_tell(tmp_path):
    sent = [application(1)]
    async with shell(tmp_path) as centre:
        digest = batch_digest([application(2)])
        await centre.intake.answer("north", OpenBatch(batch_number=number(1), due=DUE, count=1, digest=digest))
        batch = centre.ledger.reader.announced(number(1))
        store = centre.vault.store_applications

        async def refused_meanwhile(*args):
            await store(*args)
            await centre.ledger.write(SetBatchState(batch.batch_id, InboxState.REFUSED, ["batch.digest"]))

        centre.vault.store_applications = refused_meanwhile
        assert isinstance(await centre.chunk(1, sent), ChunkStored)
        assert isinstance(await centre.chunk(1, sent), ChunkStored)  # and one that comes later
        assert centre.ledger.failed is None
