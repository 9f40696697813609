"""An upstream checks the centre's counts: the equation of law 4, and that the receipts say the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.asking.count_check import CheckCounts, ReceiptCount, differences, unbalanced
from controller.client import UpstreamClient
from controller.wire import BatchState, FetchReceipts, Receipt, Receipts
from devices.keys import curve_keypair
from tests.controller.correcting import HELD, REFUSED, application, doors, number
from tests.controller.pretend_centre import PretendCentre, PretendRouter, people

BATCH = number(1)
PATHS = (
    ("refused",),
    ("held",),
    ("held", "refused"),
    ("accepted",),
    ("accepted", "cancelled"),
    ("accepted", "made"),
    ("accepted", "spoiled_remaking", "made", "dispatched"),
    ("held", "accepted", "refused_late"),
)


def receipts_of(paths, batch_number=BATCH):
    steps = [(index, kind) for index, path in enumerate(paths) for kind in path]
    return [
        Receipt(number=place, kind=kind, batch_number=batch_number, index=index, at_floor_s=0.0)
        for place, (index, kind) in enumerate(steps, 1)
    ]


def counted(paths) -> ReceiptCount:
    count = ReceiptCount(BATCH)
    for receipt in receipts_of(paths):
        count.take(receipt)
    return count


@given(st.lists(st.sampled_from(PATHS), max_size=40))
def test_what_receipts_say_always_balances_and_agrees_with_itself(paths):
    count = counted(paths)
    said = count.counts()
    assert unbalanced(said) == ""
    assert said["received"] == len(paths)
    assert said["dispatched"] == sum(path[-1] == "dispatched" for path in paths)
    assert said["refused"] == sum(path[-1] == "refused" for path in paths)
    assert differences(said, count) == []


@given(st.lists(st.sampled_from(PATHS), min_size=1, max_size=9), st.sampled_from(["received", "refused", "open"]))
def test_a_count_that_is_one_off_is_named(paths, name):
    count = counted(paths)
    said = count.counts()
    said[name] += 1
    found = differences(said, count)
    assert any(one.startswith(f"{name}: the centre counts {said[name]}") for one in found)
    assert unbalanced(said) in found


def test_an_application_that_ends_twice_is_named():
    count = counted([("accepted", "dispatched", "cancelled")])
    assert differences(count.counts(), count) == ["application 0 ended more than once"]


def test_a_closing_receipt_that_says_another_number_is_named():
    count = counted([("accepted", "dispatched"), ("refused",)])
    closing = {"received": 2, "refused": 0, "cancelled": 0, "refused_late": 0, "dispatched": 2}
    count.take(Receipt(number=9, kind="batch_closed", batch_number=BATCH, counts=closing, at_floor_s=0.0))
    assert [one.partition(":")[0] for one in differences(count.counts(), count)] == ["refused", "dispatched"]


def test_receipts_of_other_batches_are_not_counted():
    count = ReceiptCount(BATCH)
    for receipt in receipts_of([("accepted",)], number(2)):
        count.take(receipt)
    assert count.counts()["received"] == 0


def test_receipts_that_come_while_it_looks_make_it_look_again():
    check = CheckCounts(BATCH)
    told = receipts_of([("accepted",)])
    state = BatchState(batch_number=BATCH, state="open", counts={"received": 1, "open": 1})
    asked = []
    for page in ([told[0]], []):
        asked.append(check.next_request(0.0))
        check.answered(asked[-1], state, 0.0)
        asked.append(check.next_request(0.0))
        assert check.next_request(0.0) is None
        check.answered(asked[-1], Receipts(items=page, more=False), 0.0)
    assert [one.after for one in asked if isinstance(one, FetchReceipts)] == [0, 1]
    assert check.result().differences == ()


def test_a_client_checks_a_batch_over_the_wire():
    centre = PretendCentre()
    with (
        PretendRouter(centre) as router,
        UpstreamClient.connect(router.endpoint, router.keys.public, curve_keypair()) as client,
    ):
        client.submit_batch(BATCH, "20260401", people(5))
        found = client.check_counts(BATCH)
    # the pretend centre tells no counts in its state
    assert found.differences[0].startswith("received: the centre counts 0, its receipts say 5")
    assert found.state == "open"


@pytest.mark.parametrize("is_corrected", [False, True])
async def test_a_real_centre_s_counts_agree_with_its_receipts_batch_by_batch(tmp_path, is_corrected):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1), application(2, **REFUSED), application(3, **HELD)])
        if is_corrected:
            await desk.correct(2, 1, application(2, **HELD))
            await desk.correct(3, 1, application(3))
        await desk.settled()
        told = desk.reader.receipts("north", 0)
        for batch in desk.reader.batches():
            count = ReceiptCount(batch.batch_number)
            for receipt in told:
                count.take(receipt)
            assert differences(desk.reader.counts(batch.batch_id), count) == []
