"""Chunks of one batch that come at once: all are stored, and of those for the same place one."""

from __future__ import annotations

from hashlib import sha256

import trio

from controller.asking.submission import batch_digest
from controller.wire import BatchState, ChunkStored, OpenBatch, Refusal
from tests.controller.test_laws_shell import DUE, application, number, shell

ROUNDS = 5


async def announce(centre, sequence: int, sent: list[bytes]) -> int:
    """Announce a batch, and give its number in the ledger."""
    header = OpenBatch(batch_number=number(sequence), due=DUE, count=len(sent), digest=batch_digest(sent))
    assert isinstance(await centre.intake.answer("north", header), BatchState)
    return centre.ledger.reader.announced(number(sequence)).batch_id


async def send_at_once(centre, sequence: int, chunks: list[tuple[int, list[bytes]]]) -> list[object]:
    """Send chunks, each with its first index, and give their answers."""
    answers: list[object] = [None] * len(chunks)

    async def send(place: int, first: int, sent: list[bytes]) -> None:
        answers[place] = await centre.chunk(sequence, sent, first)

    async with trio.open_nursery() as nursery:
        for place, (first, sent) in enumerate(chunks):
            nursery.start_soon(send, place, first, sent)
    return answers


async def test_chunks_of_one_batch_that_come_at_once_and_twice_are_all_stored_and_judged_once(tmp_path):
    sent = [application(one) for one in range(1, 13)]
    chunks = [(0, sent[:7]), (7, sent[7:])]
    async with shell(tmp_path) as centre, trio.open_nursery() as nursery:
        batch_id = await announce(centre, 1, sent)
        nursery.start_soon(centre.judge.run)
        answers = await send_at_once(centre, 1, [*chunks, *chunks])
        assert all(isinstance(one, ChunkStored) for one in answers)
        assert centre.vault.applications(batch_id, list(range(12))) == sent
        await centre.judged(1)
        assert [one.index for one in centre.ledger.reader.receipts("north", 0, 100)] == list(range(12))
        nursery.cancel_scope.cancel()


async def test_of_contents_that_come_at_once_for_one_place_one_is_stored_and_the_vault_holds_that_one(tmp_path):
    async with shell(tmp_path) as centre:
        for sequence in range(1, ROUNDS + 1):
            common, *others = (application(10 * sequence + one) for one in range(5))
            batch_id = await announce(centre, sequence, [common, others[0]])
            answers = await send_at_once(centre, sequence, [(0, [common, other]) for other in others])
            [kept] = [place for place, one in enumerate(answers) if isinstance(one, ChunkStored)]
            refused = [one for one in answers if isinstance(one, Refusal)]
            assert [(one.code, one.index) for one in refused] == [("chunk.conflict", 1)] * (len(others) - 1)
            assert centre.vault.applications(batch_id, [0, 1]) == [common, others[kept]]
            digests = [row.row_digest for row in centre.ledger.reader.rows(batch_id)]
            assert digests == [sha256(one).digest() for one in (common, others[kept])]
