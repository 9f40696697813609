"""The batches of one seed: tokens for people, a few of them wrong, held, or sent twice."""

from __future__ import annotations

from random import Random

from controller.asking.submission import batch_digest
from encoders.envelope import pack
from sims.storm.application import Token
from sims.storm.options import Options
from sims.storm.upstream import HELD, REFUSED, UNITS, Sent

BATCHES = 4


def draw_batches(seed: int, options: Options) -> dict[str, list[Sent]]:
    """Give each upstream's batches; together they hold at least `options.cards` applications."""
    luck = Random(f"storm batches {seed}")
    sent: dict[str, list[Sent]] = {"north": [], "south": []}
    size = -(-options.cards // BATCHES)
    people = 0
    for place in range(BATCHES):
        name = ("north", "south")[place % 2]
        number = f"{110000 + place:012d}20260105{place + 1:05d}"
        tokens: list[Token] = []
        for index in range(size):
            people += 1
            tokens.append(_token(place, index, people, tokens, options, luck))
        encoded = [pack(token) for token in tokens]
        due = f"202601{10 + luck.randrange(20):02d}"
        sent[name].append(Sent(number, due, encoded, batch_digest(encoded), place // 2 * 8.0 + luck.random() * 10.0))
    return sent


def _token(place: int, index: int, person: int, before: list[Token], options: Options, luck: Random) -> Token:
    number, unit = f"{place + 1:011d}{index:011d}", luck.choice(UNITS)
    if not before or luck.random() >= options.bad_rows:
        return Token(number, person, 1, unit, express=luck.random() < 0.02)
    dice, other = luck.randrange(5), luck.choice(before)
    if dice == 0:
        return Token(number, person, 1, unit, [REFUSED], ["identity_number"])
    if dice == 1:
        return Token(number, person, 1, unit, [HELD], ["name"])
    if dice == 2:
        return Token(number, other.identity, 2, unit)  # two people share a number: held, and for two to decide
    if dice == 3:
        return Token(number, other.identity, other.person, unit)  # the same person again: refused
    return Token(other.acceptance_number, person, 1, unit)  # an acceptance number twice: refused
