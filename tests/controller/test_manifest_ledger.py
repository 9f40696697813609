"""A manifest as the ledger gives it: what was sent, the same bytes at any time, and the chain's head of then."""

from __future__ import annotations

from collections import Counter as TimesOf
from dataclasses import asdict

from controller.core import moves as m
from controller.core.settings import CoreConfig, PlanConfig
from controller.ledger.chain import head_of
from controller.ledger.reader import Reader
from controller.ledger.verify.whole import verify
from controller.packing.manifest import Manifest, ManifestCard, digest_of, manifest_csv, read_manifest
from controller.wire import Done
from encoders.envelope import MAX_MESSAGE_BYTES, pack
from tests.controller.core.rough_floor import RoughFloor
from tests.controller.ledger.desk import Desk
from tests.controller.test_packing_verbs import Counter

SMALL_BOXES = CoreConfig(plan=PlanConfig(bundle_max=2, box_max=2))


def rough_counter() -> Counter:
    """Give a counter after three batches went through a floor with every kind of trouble."""
    floor = RoughFloor(5, SMALL_BOXES, trouble=0.05)
    for batch in range(1, 4):
        floor.submit(100.0 * batch, batch, cards=20, holds=2, refused=1)
    floor.run()
    return Counter(floor)


def sendings(floor: RoughFloor) -> dict[int, tuple[int, m.ConsignmentSent]]:
    """Give each consignment's move and its number in the ledger."""
    return {
        move.consignment_id: (seq, move)
        for seq, (_, move) in enumerate(floor.log, 1)
        if isinstance(move, m.ConsignmentSent)
    }


async def manifest_of(counter: Counter, consignment: int) -> dict[str, object]:
    return (await counter.ask("manifest", consignment_id=consignment)).result


async def test_it_carries_the_head_that_the_audit_chain_had_at_the_move_that_sent_it():
    counter = rough_counter()
    for consignment, (seq, _) in sendings(counter.floor).items():
        found = await manifest_of(counter, consignment)
        head = head_of(counter.floor.log[:seq])
        assert (found["chain_move"], found["chain"]) == (head.seq, head.hash.hex())
        assert read_manifest(found["csv"].encode()).chain == head.hash.hex()


async def test_a_ledger_whose_tail_was_cut_off_no_longer_has_the_head_that_was_carried_away():
    counter = rough_counter()
    consignment, (seq, _) = max(sendings(counter.floor).items())
    kept = read_manifest((await manifest_of(counter, consignment))["csv"].encode())
    whole, shorter = counter.floor.log, counter.floor.log[: seq - 1]
    assert head_of(shorter).seq < kept.chain_move
    assert head_of(whole[:seq]).hash.hex() == kept.chain
    other = [*shorter, (whole[seq - 1][0] + 1.0, whole[seq - 1][1])]  # the same move, said to be later
    assert head_of(other).seq == kept.chain_move
    assert head_of(other).hash.hex() != kept.chain


async def test_asked_again_later_or_of_another_reader_it_is_the_same_to_the_byte():
    counter = rough_counter()
    first = {one: await manifest_of(counter, one) for one in sendings(counter.floor)}
    counter.floor.submit(counter.floor.host.now_floor_s + 60.0, 9, cards=20)
    counter.floor.run()
    counter.keep()
    for consignment, found in first.items():
        assert await manifest_of(counter, consignment) == found
        again = Reader(counter.desk.engine).manifest(consignment)
        assert manifest_csv(again) == found["csv"].encode("utf-8")
        assert digest_of(manifest_csv(again)) == found["sha256"]


async def test_each_card_that_left_stands_in_one_manifest_with_the_blank_it_left_on():
    counter = rough_counter()
    listed = []
    for consignment in sendings(counter.floor):
        manifest = read_manifest((await manifest_of(counter, consignment))["csv"].encode())
        assert sum(one.cards for one in manifest.units()) == len(manifest.cards)
        assert manifest.bundles() == sum(one.bundles for one in manifest.units())
        listed += [(card.bundle_id, card.blank, card.unit) for card in manifest.cards]
    gone = counter.desk.rows("card")
    assert sorted(listed) == sorted((row[14], row[13], row[4]) for row in gone if row[8] == "dispatched")
    assert len({blank for _, blank, _ in listed}) == counter.floor.report.tally.dispatched


async def test_boxes_hold_what_the_setting_of_then_said_whatever_it_says_now():
    counter = rough_counter()
    for consignment, (_, move) in sendings(counter.floor).items():
        found = await manifest_of(counter, consignment)
        assert move.box_max == 2
        assert found["boxes"] == -(-found["bundles"] // 2)
        cards = read_manifest(found["csv"].encode()).cards
        assert [card.unit for card in cards] == sorted(card.unit for card in cards)
        bundles = {one.bundle_id: one.box for one in cards}
        assert max(TimesOf(bundles.values()).values()) <= 2
    rows = (await counter.ask("consignments")).result
    assert {box for row in rows for box in row["boxes"]} > {1, 2}


async def test_consignments_name_the_digest_of_their_manifest_and_whether_they_were_scanned():
    counter = rough_counter()
    rows = (await counter.ask("consignments")).result
    assert {row["consignment_id"] for row in rows} == sendings(counter.floor).keys()
    for row in rows:
        found = await manifest_of(counter, row["consignment_id"])
        assert (row["sha256"], row["scanned"]) == (found["sha256"], False)
        assert row["sha256"] == digest_of(found["csv"].encode("utf-8"))


async def test_what_manifests_rest_on_is_folded_from_moves_alone():
    assert verify(rough_counter().desk.engine).faults == []


def test_there_is_no_manifest_and_no_digest_of_what_was_never_sent():
    reader = Reader(Desk().engine)
    assert reader.manifest(1) is None
    assert reader.manifest_digest(1) == ""


def test_a_full_batch_of_ten_thousand_cards_fits_into_one_answer():
    cards = [ManifestCard(1_000, 10**9 + place, f"{place:09d}", "5" * 22, 9, 2**53) for place in range(10_000)]
    manifest = Manifest(10**9, "5" * 25, "2026-03-02 11:32:10", True, 10**10, "f" * 64, tuple(cards))
    file = manifest_csv(manifest)
    units = [asdict(one) for one in manifest.units()]
    done = Done(request=1, result={"csv": file.decode("utf-8"), "units": units})
    assert len(pack(done)) < MAX_MESSAGE_BYTES
