"""A client that has the centre's key takes no receipt that is not the centre's, and acknowledges none."""

from __future__ import annotations

from itertools import takewhile

import msgspec
import pytest

from controller.asking.conversation import ClientError, Patience
from controller.client import TrioUpstreamClient, UpstreamClient
from controller.evidence.public_keys import PublicKeys
from controller.wire import FetchReceipts, Receipt
from devices.keys import curve_keypair
from tests.controller.evidence.samples import KEYS, OTHER, OTHER_SIGNER, SIGNER
from tests.controller.pretend_centre import PretendCentre, PretendRouter, people

HASTY = Patience(answer_within_s=5.0, give_up_s=20.0)


class SigningCentre(PretendCentre):
    """Signs what it gives, and spoils the fifth receipt after that if told to."""

    def __init__(self, spoil=lambda receipt: receipt, signer=SIGNER) -> None:
        super().__init__()
        self._spoil, self._signer = spoil, signer

    def _fetchreceipts(self, request: FetchReceipts):
        page = super()._fetchreceipts(request)
        items = [self._signer.signed(one, "city-1") for one in page.items]
        return msgspec.structs.replace(page, items=[self._spoil(one) if one.number == 5 else one for one in items])


def client_of(router, keys):
    return UpstreamClient.connect(
        router.endpoint, router.keys.public, curve_keypair(), patience=HASTY, receipt_keys=keys
    )


def blank(receipt: Receipt) -> Receipt:
    return msgspec.structs.replace(receipt, signer="", signature=b"")


def test_signed_receipts_are_given_and_acknowledged_as_before():
    centre = SigningCentre()
    with PretendRouter(centre) as router, client_of(router, KEYS) as client:
        client.submit_batch("1", "20260401", people(3))
        taken = [one for page in takewhile(bool, client.follow_receipts(rest_s=0.01)) for one in page]
    assert [one.number for one in taken] == list(range(1, 11))
    assert {KEYS.standing_of(one) for one in taken} == {"good"}
    assert centre.acknowledged == 10


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda one: msgspec.structs.replace(one, kind="dispatched", index=2), "does not hold"),
        (
            lambda one: msgspec.structs.replace(one, signature=bytes([one.signature[0] ^ 1]) + one.signature[1:]),
            "does not hold",
        ),
        (lambda one: OTHER_SIGNER.signed(one, "city-1"), "not among the keys"),
        (blank, "not signed"),
    ],
)
def test_a_page_with_one_that_is_not_good_is_an_error_and_not_acknowledged(spoil, says):
    centre = SigningCentre(spoil)
    with PretendRouter(centre) as router, client_of(router, KEYS) as client:
        client.submit_batch("1", "20260401", people(3))
        with pytest.raises(ClientError, match=r"^client\.bad_receipt"):
            client.check_counts("1")
        pages = client.follow_receipts(limit=2, rest_s=0.01)
        assert [one.number for one in [*next(pages), *next(pages)]] == [1, 2, 3, 4]
        with pytest.raises(ClientError, match=says) as refused:
            next(pages)
        assert (refused.value.code, "receipt 5: " in refused.value.text) == ("client.bad_receipt", True)
        with pytest.raises(ClientError, match=r"^client\.bad_receipt"):
            client.receipts(4)
        assert client.receipts(5).items[0].number == 6
    assert centre.acknowledged == 4


async def test_the_client_for_trio_looks_too():
    with PretendRouter(SigningCentre(blank)) as router:
        line = TrioUpstreamClient.connect(
            router.endpoint, router.keys.public, curve_keypair(), patience=HASTY, receipt_keys=KEYS
        )
        async with line as client:
            await client.submit_batch("1", "20260401", people(3))
            assert len((await client.receipts(0, 4)).items) == 4
            with pytest.raises(ClientError, match=r"^client\.bad_receipt: receipt 5"):
                await client.receipts(0, 5)
            assert (await client.status("1")).state == "open"


def test_without_a_key_signatures_are_not_looked_at():
    with PretendRouter(SigningCentre(blank)) as router, client_of(router, None) as client:
        client.submit_batch("1", "20260401", people(3))
        assert len(client.receipts(0).items) == 10


def test_the_key_is_taken_from_a_file_and_one_that_is_none_is_told_before_anything_is_asked(tmp_path):
    path = tmp_path / "receipts.public"
    with PretendRouter(SigningCentre(signer=OTHER_SIGNER)) as router:
        with pytest.raises(ClientError, match=r"^evidence\.unreadable"):
            client_of(router, path)
        path.write_text("no key", "ascii")
        with pytest.raises(ClientError, match=r"^evidence\.key_unfit: receipts\.public does not hold"):
            client_of(router, path)
        path.write_bytes(PublicKeys([OTHER.public_key()]).pem())
        with client_of(router, path) as client:
            client.submit_batch("1", "20260401", people(1))
            assert len(client.receipts(0).items) == 4
