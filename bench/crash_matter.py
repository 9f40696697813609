"""The end of a crash run: what the ledger says beside what lies on the floor, and beside what the vault still opens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from sqlalchemy import select

from bench.crash_diary import Diary
from controller.core.cards import State
from controller.core.state import FloorState
from controller.ledger import tables
from controller.ledger.store import Ledger, open_ledger
from controller.vault.errors import VaultError
from controller.vault.store import Vault, open_vault
from devices.messages import blank_serial

IN_BUNDLE = (State.MADE.value, State.DISPATCHED.value)


async def lost_in_vault(data: Path, diary: Diary) -> list[str]:
    """Name each stored chunk whose applications the vault does not open as they were sent."""
    async with open_ledger(data) as ledger, open_vault(data) as vault:
        return list(_lost_chunks(ledger, vault, diary))


def _lost_chunks(ledger: Ledger, vault: Vault, diary: Diary) -> Iterator[str]:
    for chunk in diary.stored:
        batch = ledger.reader.announced(chunk.batch_number)
        if batch is None:
            yield f"batch {chunk.batch_number} is gone"
            continue
        indexes = range(chunk.first, chunk.first + len(chunk.digests))
        try:
            opened = vault.applications(batch.batch_id, indexes)
        except VaultError as error:
            yield f"chunk at {chunk.first} of batch {chunk.batch_number}: {error}"
            continue
        if [sha256(one).digest() for one in opened] != list(chunk.digests):
            yield f"chunk at {chunk.first} of batch {chunk.batch_number} is not what was sent"


async def bound_blanks(data: Path) -> dict[int, tuple[str, str, int]]:
    """Give acceptance number, state and blank of each card that the ledger holds, by its number."""
    async with open_ledger(data) as ledger:
        card = tables.card
        with ledger.reading.connect() as connection:
            rows = connection.execute(
                select(card.c.card_id, card.c.acceptance_number, card.c.state, card.c.blank)
            ).all()
    return {row.card_id: (row.acceptance_number, row.state, row.blank) for row in rows}


def second_cards(
    made: Sequence[tuple[int, str, bool, bool]], cards: Mapping[int, tuple[str, str, int]], state: FloorState
) -> list[str]:
    """Name each acceptance number with a good card too many: law 1, asked of the matter itself.

    `made`: each card body with a face, as (blank, control mark, flawless, packed).  A flawless body must be the one
    its card has in the ledger, or lie where the ledger keeps what can never become a good card, or may be looked at.
    """
    void = {*state.stock.spoiled, *state.stock.returned, *state.stock.lost, *_on_sheets(state)}
    found: list[str] = []
    packed: dict[str, int] = {}
    for blank, mark, is_flawless, is_packed in made:
        number, _, own = cards.get(int(mark), ("", "", 0))
        if is_packed:
            packed[number] = packed.get(number, 0) + 1
            if blank != own:
                found.append(f"blank {blank} is in a bundle, the ledger has {own} for its card")
        elif is_flawless and blank not in void and blank != own:
            found.append(f"blank {blank} is a good card that the ledger does not know of")
    return found + [f"{number} has {count} cards in bundles" for number, count in packed.items() if count > 1]


def not_in_bundles(made: Sequence[tuple[int, str, bool, bool]], cards: Mapping[int, tuple[str, str, int]]) -> list[str]:
    """Name each card that was told to be made or sent and lies in no bundle (law 6)."""
    packed = {blank for blank, _, _, is_packed in made if is_packed}
    return [
        f"card {number} is {state}, and its blank {blank} lies in no bundle"
        for number, (_, state, blank) in cards.items()
        if state in IN_BUNDLE and blank not in packed
    ]


def open_batches(state: FloorState) -> list[str]:
    """Name what did not come to its end although nobody was killed any more."""
    kinds: dict[str, int] = {}
    for card in state.cards.values():
        kinds[card.state.value] = kinds.get(card.state.value, 0) + 1
    return [f"{len(state.batches)} batches never closed; their cards: {kinds}"] if state.batches else []


def _on_sheets(state: FloorState) -> Iterator[int]:
    """Give the blanks of sheets that are still on the floor: those are not inspected yet, or suspect."""
    for sheet in state.sheets.values():
        if sheet.body:
            yield from (blank_serial(sheet.body, place) for place in range(sheet.places))
