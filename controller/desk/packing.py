"""Verbs of packing and dispatch: stopped piles, the exit check, consignments, their manifests, arrivals."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import trio
from msgspec import to_builtins

from controller.core.events import ArrivalReported, DispatchAsked
from controller.desk.desk import AllBefore, Args, BadArgument, Desk, Verb, number, text
from controller.evidence.manifests import sign_manifest
from controller.packing.manifest import digest_of, manifest_csv

CARDS_MAX = 10_000  # of a batch
SCANNED_MAX = 10_000  # bundles of one batch: each has a card at least


async def _piles(desk: Desk, user: str, args: Args) -> Any:
    return [
        {
            "batch_id": batch_id,
            "unit": unit,
            "stations": list(pile.stations),
            "cards": list(pile.cards),
            "missing": list(pile.missing),
            "foreign": list(pile.foreign),
        }
        for (batch_id, unit), pile in sorted(desk.state.stopped_piles.items())
    ]


async def _consignments(desk: Desk, user: str, args: Args) -> Any:
    only = args.get("uncounted", False)
    if not isinstance(only, bool):
        raise BadArgument("uncounted", "true or false")
    return await trio.to_thread.run_sync(_sent, desk, only, desk.clock.now_floor_s())


def _sent(desk: Desk, only_uncounted: bool, now_floor_s: float) -> list[dict[str, Any]]:
    """Give a row for each police station; one that has not counted yet is open, and ages."""
    reader = desk.ledger.reader
    return [
        asdict(row)
        | {
            "difference": row.difference(),
            "open_s": round(max(0.0, now_floor_s - row.sent_floor_s), 3) if row.arrived < 0 else 0.0,
            "sha256": reader.manifest_digest(row.consignment_id),
        }
        for row in (reader.uncounted() if only_uncounted else reader.sent())
    ]


async def _manifest(desk: Desk, user: str, args: Args) -> Any:
    found = await trio.to_thread.run_sync(_written, desk, number(args, "consignment_id"))
    if found is None:
        await desk.ledger.write(AllBefore())
        raise BadArgument("consignment_id", "the number of a consignment that was sent")
    return found


def _written(desk: Desk, consignment_id: int) -> dict[str, Any] | None:
    """Give a manifest as text, with what is known of the file; a batch's 10,000 cards are 1.2 MB, so it comes whole."""
    manifest = desk.ledger.reader.manifest(consignment_id)
    if manifest is None:
        return None
    file = manifest_csv(manifest)
    signature = {"signature": to_builtins(sign_manifest(desk.signer, file))} if desk.signer else {}
    return {
        **signature,
        "consignment_id": consignment_id,
        "batch_number": manifest.batch_number,
        "sent": manifest.sent,
        "scanned": manifest.scanned,
        "boxes": manifest.boxes(),
        "bundles": manifest.bundles(),
        "cards": len(manifest.cards),
        "units": [asdict(one) for one in manifest.units()],
        "chain_move": manifest.chain_move,
        "chain": manifest.chain,
        "sha256": digest_of(file),
        "csv": file.decode("utf-8"),  # its first character is the file's byte order mark
    }


async def _dispatch(desk: Desk, user: str, args: Args) -> Any:
    wanted, scanned = text(args, "batch_number", 64), _scanned(args)
    batch = next((one for one in desk.state.batches.values() if one.batch_number == wanted), None)
    if batch is None:
        await desk.ledger.write(AllBefore())
        raise BadArgument("batch_number", "the number of an open batch")
    return await desk.post(DispatchAsked(batch.batch_id, user, scanned)).wait()


def _scanned(args: Args) -> list[int]:
    """Give the bundles read at the door; none when the argument is left out, which an empty list is not."""
    if "scanned" not in args:
        return []
    scanned = args["scanned"]
    listed = isinstance(scanned, list) and 0 < len(scanned) <= SCANNED_MAX
    if not listed or not all(type(one) is int and 0 <= one < 2**53 for one in scanned):
        raise BadArgument("scanned", f"the numbers of 1 to {SCANNED_MAX:,} bundles, each as often as it was scanned")
    return list(scanned)


async def _arrived(desk: Desk, user: str, args: Args) -> Any:
    consignment, unit, cards = number(args, "consignment_id"), text(args, "unit", 32), number(args, "cards")
    rows = await trio.to_thread.run_sync(desk.ledger.reader.sent, consignment)
    row = next((one for one in rows if one.unit == unit), None)
    if row is None:
        await desk.ledger.write(AllBefore())
        raise BadArgument("unit", "a police station that a consignment of this number was for")
    if cards > CARDS_MAX:
        raise BadArgument("cards", f"the cards it counted, 0 to {CARDS_MAX:,}")
    turn = await desk.post(ArrivalReported(consignment, unit, row.sent, cards, user)).wait()
    difference = cards - row.sent
    counted = {"consignment_id": consignment, "unit": unit, "sent": row.sent, "arrived": cards}
    return turn if turn.refused else counted | {"difference": difference}


VERBS: dict[str, Verb] = {
    "piles": _piles,
    "consignments": _consignments,
    "manifest": _manifest,
    "dispatch": _dispatch,
    "arrived": _arrived,
}
