"""What people look for in the audit: groups of moves by what they are about."""

from __future__ import annotations

from collections.abc import Mapping

from controller.ledger.journal import TAGS

NAMING_PEOPLE = ("by", "second", "operator")  # fields
WITH_PEOPLE = tuple(kind for kind in TAGS if set(NAMING_PEOPLE) & set(kind.__struct_fields__))  # type: ignore[attr-defined]
MARKED = "mark"  # most of them have nobody, and the act that settles a suspect names its two people
PEOPLE, EVERYTHING = "people", "everything"
_KINDS = {tag: kind for kind, tag in TAGS.items()}


def _of(*tags: str) -> tuple[type, ...]:
    return tuple(_KINDS[tag] for tag in tags)


GROUPS: Mapping[str, tuple[type, ...]] = {
    PEOPLE: tuple(kind for kind in WITH_PEOPLE if TAGS[kind] != MARKED),
    "denied": _of("denied"),
    "looks": _of("looked"),
    "acts": _of("act", "act_ended"),
    "decisions": _of("decided", "contested", "hastened", "set_good", "repack", "missing", "came_back"),
    "stock": _of(
        *("received", "issued", "unissued", "sampled", "bodies_lost", "blanks_lost", "destroyed"),
        *("counted", "shift", "supply"),
    ),
    "holds": _of(
        *("card_held", "card_released", "batch_held", "batch_released", "station_held", "station_released"),
        *("alarm_taken", "alarm_over"),
    ),
    "packing": _of("bundle", "bundle_opened", "bundle_stopped", "sent", "arrived"),
    "access": _of(
        *("key_allowed", "key_revoked", "key_rotated", "key_in_place", "vault_keys", "account"),
        *("glass_broken", "glass_mended", "signed_on"),
    ),
    "record": _of("run", "tables_folded", "purge_approved", "batches_purged", "ledger_restored", "reconciled"),
    EVERYTHING: tuple(TAGS),
}
