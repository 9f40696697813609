"""The simulated floor of the crash bench: it outlives the service, forgets when told, and says what it made.

`python -m bench.crash_stations ENDPOINT SERVER_PUBLIC_FILE SECRETS_FOLDER SEED FORGOTTEN_FILE`.  SIGUSR1: some stations
lose their memory, as in a power cut: loads in the machines are as they were, finished ones that nobody has fetched are
on their trays, and no machine knows of either.  SIGTERM: end, and write as JSON what matter came out (`World.made`).
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import trio

from bench.crash_load import hurry
from devices.defects import GOOD, Step
from devices.key_files import read_pair, read_public
from devices.keys import KeyPair
from devices.messages import JobDone, body_of
from devices.station_side import StationSide
from devices.zlink import Context, connect_dealer
from sims.bad_line import Dealer
from sims.faults import USUAL_FAULTS
from sims.floor import DEFAULT_FLOOR
from sims.stations import SimulatedStation
from sims.world import World

FORGETFUL_SHARE = 0.3  # of the stations, at each power cut


class CountedWorld(World):
    """The matter of one floor, which can be counted card by card."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, USUAL_FAULTS)
        self._loose: set[int] = set()  # blanks in bundles that no station knows of

    def loosen(self, blanks: Sequence[int]) -> None:
        """Let blanks be in a bundle that was forgotten: whoever needs one takes it out."""
        self._loose.update(blanks)

    def pack(self, blanks: Sequence[int]) -> list[int]:
        """Scan cards into a bundle; those of a forgotten one are taken out of it first."""
        for blank in self._loose.intersection(blanks):
            self._cards[blank].packed = False
            self._loose.discard(blank)
        return super().pack(blanks)

    def body_under(self, sheet_id: int) -> int:
        """Give the serial of the body sheet under a film, 0 when none was joined to it."""
        cards = self._sheets.get(sheet_id)
        return body_of(cards[0].blank) if cards else 0

    def made(self) -> dict[str, Any]:
        """Give each card body that a face was joined to, as (blank, control mark, flawless, packed), and violations."""
        cards = [
            (card.blank, card.face.mark, _is_flawless(card), card.packed)
            for card in self._cards.values()
            if card.face.mark
        ]
        return {"violations": dict(sorted(self.violations.items())), "bodies": len(self.bodies), "cards": cards}


def _is_flawless(card: Any) -> bool:
    """Say whether a card looks and reads like a good one."""
    return card.face.flaw == GOOD and not card.flaws and card.answers and bool(card.record)


class ForgetfulStation(SimulatedStation):
    """A station that can lose its memory while its matter stays."""

    def forget(self, world: CountedWorld) -> dict[int, int]:
        """Lose all that is known of jobs; give the bodies under sheets whose result nobody will tell any more."""
        lost = _results_of(self.side)
        bodies: dict[int, int] = {}
        for done in lost:
            world.loosen(done.packed)
            if self.spec.step is Step.LAMINATE:
                bodies |= {sheet.sheet_id: world.body_under(sheet.sheet_id) for sheet in done.sheets}
        self.side = _AfterPowerCut(self.side)
        self._job.cancel()
        self._say(self.side.begin(trio.current_time()))
        return {sheet_id: body for sheet_id, body in bodies.items() if body}


class _AfterPowerCut(StationSide):
    """A memory that is empty but for what lies in the magazine, which can be seen."""

    def __init__(self, before: StationSide) -> None:
        super().__init__(before.model, lost_memory=True)
        self.state, self.reason, self.since_floor_s = before.state, before.reason, before.since_floor_s
        self._issues, self.newest_issue = before._issues, before.newest_issue


def _results_of(side: StationSide) -> list[JobDone]:
    return [result.done for result in side._results.values()]


async def run(endpoint: str, server: Path, secrets: Path, seed: int, forgotten: Path) -> CountedWorld:
    """Run the default floor until SIGTERM."""
    world, luck = CountedWorld(seed), Random(f"power cuts {seed}")
    keys, public = {spec.name: read_pair(secrets, spec.name) for spec in DEFAULT_FLOOR}, read_public(server)
    with Context() as ctx, trio.open_signal_receiver(signal.SIGTERM, signal.SIGUSR1) as signals:

        def dial(pair: KeyPair) -> AbstractAsyncContextManager[Dealer]:
            return connect_dealer(ctx, endpoint, my_keys=pair, server_public_key=public)

        stations = [ForgetfulStation(spec, world, partial(dial, keys[spec.name])) for spec in DEFAULT_FLOOR]
        async with trio.open_nursery() as nursery:
            for station in stations:
                nursery.start_soon(station.run)
            async for number in signals:
                if number == signal.SIGTERM:
                    nursery.cancel_scope.cancel()
                    break
                with forgotten.open("a", encoding="ascii") as file:
                    for station in stations:
                        if luck.random() < FORGETFUL_SHARE:
                            file.write(json.dumps(station.forget(world)) + "\n")
    return world


if __name__ == "__main__":
    hurry()
    place, server_file, secrets_folder, number, forgotten_file = sys.argv[1:]
    ended = trio.run(run, place, Path(server_file), Path(secrets_folder), int(number), Path(forgotten_file))
    print(json.dumps(ended.made()))
