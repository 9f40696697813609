"""The upstream's check of signatures: a page with a receipt that is not the centre's is an error, not a page."""

from __future__ import annotations

from pathlib import Path

from controller.asking.conversation import ClientError, Doubt
from controller.evidence.errors import EvidenceError
from controller.evidence.public_keys import PublicKeys, Standing
from controller.wire import Answer, Receipts

WHY = {
    Standing.BAD: "its signature does not hold",
    Standing.FOREIGN: "its signer {!r} is not among the keys you gave: ask the centre for its receipts.public",
    Standing.OTHER_CENTRE: "its signer {!r} does not sign for the centre it names",
    Standing.UNSIGNED: "it is not signed",
}


class SignatureCheck:
    """Doubts pages of receipts that one of some public keys did not sign.  Cost: 110 us a receipt, where it is called.

    What is doubted was not given to the caller, so it is not acknowledged either: the centre keeps it.
    """

    def __init__(self, keys: PublicKeys) -> None:
        self._keys = keys

    def __call__(self, answer: Answer) -> ClientError | None:
        """Give the error about the first receipt that is not good."""
        if not isinstance(answer, Receipts):
            return None
        for receipt in answer.items:
            standing = self._keys.standing_of(receipt)
            if standing is not Standing.GOOD:
                why = WHY[standing].format(receipt.signer[:16])
                return ClientError("client.bad_receipt", f"receipt {receipt.number}: {why}")
        return None


def signature_check(receipt_keys: PublicKeys | Path | None) -> Doubt | None:
    """Give the check by some keys, or by a `receipts.public` file.  Raises: ClientError: it holds none."""
    if isinstance(receipt_keys, Path):
        try:
            receipt_keys = PublicKeys.read(receipt_keys)
        except EvidenceError as error:
            raise ClientError(error.code, str(error).removeprefix(f"{error.code}: ")) from None
    return None if receipt_keys is None else SignatureCheck(receipt_keys)
