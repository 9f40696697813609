"""Personal text: what people type stands in the audit chain for ever, so it must not name the person (law 8)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
import trio

from controller.application import ACCEPTANCE_DIGITS, Application, batch_of, index_of
from controller.core.turn import Refused
from controller.encoding import open_application
from controller.vault.errors import VaultError
from controller.vault.store import Vault
from encoders.envelope import EnvelopeError

log = structlog.get_logger()
PERSONAL = Refused(
    "reason.personal",
    "this text would stand in the record for ever, and it names the person: leave out name, address and identity "
    "number; an acceptance number of 22 digits may stand",
)
DIGITS = re.compile(r"\d{15,}")  # identity numbers had 15 digits once, 17 and a check character since
BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s.\-_/·]+(?=\d)")
SPACES = re.compile(r"\s+")
NUMBERS = frozenset({"batch_number"})  # an argument of 25 digits that is looked up, and not recorded
NAME_MIN = 2  # characters; a single one stands in any sentence
STREET = 8  # the last characters of an address: street and number


def has_long_number(text: str, *, joined: bool) -> bool:
    """Say whether a text holds what could be an identity number; `joined`: however its digits are set apart."""
    plain = unicodedata.normalize("NFKC", text)
    read = (plain, BETWEEN_DIGITS.sub("", plain)) if joined else (plain,)
    return any(len(run) != ACCEPTANCE_DIGITS for one in read for run in DIGITS.findall(one))


def names_person(text: str, app: Application) -> bool:
    """Say whether a text holds the name of an application's person, or where it lives."""
    said, name, address = (_plain(one) for one in (text, app.name, app.address))
    if len(name) >= NAME_MIN and name in said:
        return True
    return len(address) >= STREET and address[-STREET:] in said


def typed(args: Mapping[str, Any]) -> tuple[dict[str, str], int]:
    """Give the texts of a command's arguments, and the card it speaks of, 0 for none; an act's own arguments count."""
    inner = args.get("args")
    flat = {**args, **(inner if isinstance(inner, dict) else {})}
    texts = {str(name): one for name, one in flat.items() if isinstance(one, str) and name not in NUMBERS}
    card = flat.get("card")
    return texts, card if type(card) is int and 0 <= card < 2**53 else 0


async def refuse_personal(vault: Vault | None, texts: Mapping[str, str], cards: Sequence[int]) -> Refused | None:
    """Give why texts that somebody typed, by argument, are not taken; `cards` are those they may speak of."""
    if any(has_long_number(text, joined=name == "reason") for name, text in texts.items()):
        return PERSONAL
    if vault is None or not texts:
        return None
    for card in cards:
        app = await trio.to_thread.run_sync(_application, vault, card)
        if app is not None and any(names_person(text, app) for text in texts.values()):
            return PERSONAL
    return None


def _application(vault: Vault, card: int) -> Application | None:
    """Give what the vault has of a card; what cannot be read, no text is compared with."""
    try:
        return open_application(vault.application(batch_of(card), index_of(card)))
    except (VaultError, EnvelopeError) as error:
        log.info("application not read", card=card, code=error.code)
        return None


def _plain(text: str) -> str:
    return SPACES.sub("", unicodedata.normalize("NFKC", text)).casefold()
