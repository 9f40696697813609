"""What must be true when a storm is over: fold and chain, receipts, every card once, every blank in its place."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import select

from controller.application import batch_of, control_mark, index_of
from controller.core.foreman import Foreman
from controller.core.stock import Account
from controller.ledger import tables
from controller.ledger.receipts import FINAL_KINDS
from controller.ledger.verify.whole import verify
from sims.storm.application import card_of
from sims.storm.errors import Broken
from sims.storm.life import CONFIG, Life, fold_ledger
from sims.storm.matter import Place
from sims.storm.storm import Storm
from sims.storm.upstream import Upstream

VERIFIED_EVERY = 16  # seeds: the state tables are folded anew from the moves and compared row by row

_ACCOUNTS = {
    Place.DRAWER: Account.SPOILED,
    Place.LOST: Account.MISSING,
    Place.DESTROYED: Account.DESTROYED,
    Place.OUT: Account.DISPATCHED,
    Place.BACK: Account.RETURNED,
    Place.PILE: Account.GOOD,
    Place.BOX: Account.BUNDLE,
}


def check_end(storm: Storm) -> None:
    """Check everything.  Raises: Broken."""
    life = storm.life
    assert life is not None
    check_fold_of(storm)
    if storm.seed % VERIFIED_EVERY == 0:
        found = verify(storm.engine)
        if not found.sound:
            raise Broken("law 9", found.faults[0])
    _check_blanks(storm, life)
    _check_cards(storm, life)
    chains = _check_receipts(storm, life)
    for upstream in storm.upstreams.values():
        _check_upstream(upstream, life, chains)


def check_fold_of(storm: Storm) -> None:
    """Compare the whole memory with a fold of the ledger, whose chain is checked link by link (laws 7 and 9)."""
    life = storm.life
    assert life is not None
    foreman = Foreman(CONFIG)
    fold_ledger(life.engine, foreman)
    if foreman.state != life.state:
        mine, theirs = foreman.state, life.state
        wrong = [name for name in mine.__slots__ if getattr(mine, name) != getattr(theirs, name)]
        raise Broken("law 7", f"at the end, {', '.join(wrong)} are not the fold of the ledger")


def _check_blanks(storm: Storm, life: Life) -> None:
    """Compare each account with what lies there, serial by serial where the books name serials (law 2)."""
    stock, matter = life.state.stock, storm.matter
    lying: Counter[Account] = Counter()
    for piece in matter.pieces.values():
        account = _ACCOUNTS.get(piece.place)
        if account is None:
            raise Broken("law 2", f"blank {piece.serial} still lies on a sheet")
        lying[account] += 1
    lying[Account.VAULT] = sum(matter.vault.values())
    lying[Account.MAGAZINE] = sum(
        places * len(bodies) for stacks in matter.magazines.values() for places, bodies in stacks.items()
    )
    for account in Account:
        if lying[account] != stock.blanks[account]:
            raise Broken(
                "law 2", f"the books have {stock.blanks[account]} blanks {account}, there lie {lying[account]}"
            )
    if matter.serials(Place.DRAWER) != set(stock.spoiled):
        raise Broken("law 2", "other blanks lie in the drawer than the books name")


def _check_cards(storm: Storm, life: Life) -> None:
    """Every dispatched application has one right card outside, and no other application has any (laws 1, 4, 6)."""
    out: Counter[int] = Counter()
    for piece in storm.matter.pieces.values():
        if piece.place is not Place.OUT:
            continue
        if not piece.mark:
            raise Broken("law 1", f"blank {piece.serial} left without a face")
        card = int(piece.mark)
        made = card_of(storm.vault.applications[batch_of(card), index_of(card)])
        if not storm.matter.is_right(piece, control_mark(card), made.record, made.portrait):
            raise Broken("law 1", f"blank {piece.serial} left as card {card}, and is not this person's whole card")
        out[card] += 1
    with life.engine.connect() as connection:
        rows = connection.execute(select(tables.card.c.card_id, tables.card.c.state)).all()
    for card, state in rows:
        if out[card] != (state == "dispatched"):
            raise Broken("law 1", f"card {card} is {state}, and {out[card]} cards of it left")


def _check_receipts(storm: Storm, life: Life) -> set[str]:
    """Check that numbers have no gap (law 4); give the chain heads that receipts may carry."""
    receipt = tables.receipt
    last: Counter[str] = Counter()
    with life.engine.connect() as connection:
        for upstream, number in connection.execute(
            select(receipt.c.upstream, receipt.c.number).order_by(receipt.c.upstream, receipt.c.number)
        ):
            last[upstream] += 1
            if number != last[upstream]:
                raise Broken("law 4", f"receipts of {upstream} go from {last[upstream] - 1} to {number}")
        hashes = connection.execute(select(tables.move.c.hash)).scalars()
        return {chain.hex() for chain in hashes}


def _check_upstream(upstream: Upstream, life: Life, chains: set[str]) -> None:
    """Compare what an upstream was told with what stands in the ledger (laws 3, 4, 5, 9)."""
    last, acknowledged = life.reader.receipt_numbers(upstream.name)
    if acknowledged < upstream.acknowledged or last < len(upstream.receipts):
        raise Broken("law 3", f"{upstream.name} holds {len(upstream.receipts)} receipts, the ledger has {last}")
    kinds: Counter[tuple[str, str]] = Counter()
    table = tables.receipt
    columns = (table.c.number, table.c.kind, table.c.acceptance_number, table.c.chain)
    with life.engine.connect() as connection:
        rows = connection.execute(select(*columns).where(table.c.upstream == upstream.name)).all()
    stand = {row[0]: (row[1], row[2], row[3].hex()) for row in rows}
    for receipt in upstream.receipts:
        if stand.get(receipt.number) != (receipt.kind, receipt.acceptance_number, receipt.chain):
            raise Broken("law 3", f"receipt {receipt.number} of {upstream.name} is not what stands in the ledger")
        if receipt.chain not in chains:
            raise Broken("law 9", f"receipt {receipt.number} of {upstream.name} carries a head of no move")
        kinds[receipt.batch_number, receipt.kind] += 1
    for number in upstream.cancelled:
        if upstream.finals.get(f"{number}/0") != "cancelled" and number not in upstream.refused:
            raise Broken("law 3", f"{number} was acknowledged as cancelled, and ended otherwise")
    for batch in upstream.batches:
        if batch.state != "closed":
            continue
        counts = dict(batch.last[2])
        for kind in sorted(FINAL_KINDS):
            if counts[kind] != kinds[batch.number, kind]:
                raise Broken(
                    "law 4", f"batch {batch.number}: {counts[kind]} {kind}, {kinds[batch.number, kind]} receipts"
                )
        if counts["received"] != len(batch.encoded) or counts["open"]:
            raise Broken("law 4", f"batch {batch.number}: {counts} of {len(batch.encoded)} sent")
