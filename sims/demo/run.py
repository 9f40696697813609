"""One run of the demo's processes: started, staffed, killed as ordered, and stopped when every batch is closed."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from contextlib import ExitStack
from math import inf
from random import Random
from typing import Any

import trio
from rich.console import Console

from controller.asking.conversation import ClientError
from sims.demo.folder import KEEPERS, OBSERVER, SUPERVISORS, DemoFolder
from sims.demo.options import DemoOptions
from sims.demo.processes import Child, ChildEnded
from sims.demo.screen import DemoView, show
from sims.demo.staff import StockKeepers, Supervisors
from sims.demo.visit import invitation

READY_WITHIN_S = 180.0  # real seconds: the first start may compile kernels
STOP_WITHIN_S = 30.0
CLOSE_WITHIN_S = 60.0  # real seconds in which the keepers' shift must be closed
LOOK_EVERY_S = 0.5  # how often staff and observer look
STALLED_S, STALLED_FLOOR_S = 90.0, 4 * 3_600.0  # nothing moved for so long, real and floor seconds: it never will
KILLS_FROM, KILLS_TO = 0.02, 0.95  # of the run's progress, between which kills fall
KILL_DELAY_S = (0.05, 0.8)
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class DemoFailed(Exception):
    """The demo cannot go on; `tail` is the end of the log that says why, `exit_code` what the command ends with."""

    code = "demo.failed"

    def __init__(self, sentence: str, tail: str = "", exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.tail, self.exit_code = tail, exit_code


class Interrupted(DemoFailed):
    """Somebody ended the demo."""

    code = "demo.interrupted"

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"ended by {signal.Signals(signal_number).name}", exit_code=128 + signal_number)


class DemoRun:
    """Drives the three processes and the staff; `run` returns when all is dispatched and everybody has stopped."""

    def __init__(self, options: DemoOptions, folder: DemoFolder, view: DemoView, console: Console) -> None:
        self._options, self._folder, self._view, self._console = options, folder, view, console
        self.service = Child("service", folder.service_command(), folder.log("service"))
        self.stations = Child("stations", folder.stations_command(options.seed), folder.log("stations"))
        self.upstream = Child("upstream", folder.upstream_command(options), folder.log("upstream"), speaks=True)
        self.stop_codes: dict[str, int] = {}
        self._scope = trio.CancelScope()
        self._failure: DemoFailed | None = None
        self._kill_ordered, self._served, self._looked = False, trio.Event(), trio.Event()
        self._staff_trouble = ""
        self._started_s = 0.0

    async def run(self) -> None:
        """Run to the end.  Raises: DemoFailed; no child is left behind then either."""
        self._started_s = trio.current_time()
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    for task in (self._heed_signals, self._count_time, self._keep_service):
                        nursery.start_soon(task)
                    nursery.start_soon(show, self._view, self._console)
                    await self._served.wait()
                    await self._work(nursery)
                    nursery.cancel_scope.cancel()
        finally:
            with trio.CancelScope(shield=True):
                await self._stop_all()
        if self._failure is not None:
            raise self._failure

    async def _work(self, nursery: trio.Nursery) -> None:
        """Start the others and the staff, and wait until upstream has nothing more to wait for."""
        view, person = self._view, self._folder.person
        view.phase = "making cards"
        with ExitStack() as lines:
            k1, k2, s1, s2, observer = (lines.enter_context(person(one)) for one in (*KEEPERS, *SUPERVISORS, OBSERVER))
            keepers = StockKeepers(k1, k2, self._options.cards)
            leaves = self._options.console  # what a visitor may want to decide
            supervisors = Supervisors(s1, s2, decided=lambda what: view.decided.update([what]), leaves_cards=leaves)
            if self._options.console:
                self._console.print(await trio.to_thread.run_sync(invitation, self._folder), soft_wrap=True)
            async with trio.open_nursery() as staff:
                for look in (keepers.look, supervisors.look, lambda: view.take_status(observer.command("status"))):
                    staff.start_soon(self._look_again_and_again, look)
                for task in (self._keep_stations, self._kill_at_moments, self._watch_progress):
                    staff.start_soon(task)
                await self._follow_upstream()
                if self._options.console:
                    view.phase = "all is sent; the floor stays open until Ctrl-C"
                    await trio.sleep_forever()
                staff.cancel_scope.cancel()
            await self._close_shift(keepers)

    def _fail(self, failure: DemoFailed) -> None:
        """End the run with an error; the first one counts."""
        self._failure = self._failure or failure
        self._scope.cancel()

    # ---- processes ---------------------------------------------------------------------------------------------

    async def _keep_service(self) -> None:
        """Start the service, and again after each ordered kill; any other end of it ends the demo."""
        while True:
            self._folder.endpoints_file.unlink(missing_ok=True)
            await self.service.start()
            with trio.move_on_after(READY_WITHIN_S) as patience:
                while self.service.runs and not self._folder.endpoints_file.exists():  # noqa: ASYNC110
                    await trio.sleep(0.05)  # another process makes the file
            if patience.cancelled_caught:
                self._fail(DemoFailed(f"the service was not ready within {READY_WITHIN_S:g} s", self.service.tail()))
            if not self.service.runs:
                self._fail(self._never_served(self.service.ended(await self.service.wait())))
            self._served.set()
            code = await self.service.wait()
            if not (self._kill_ordered and code == -signal.SIGKILL):
                self._fail(_crashed(self.service.ended(code)))
            self._kill_ordered = False
            self._view.kills += 1
            self._view.phase = "service killed, starting again"

    def _never_served(self, ended: ChildEnded) -> DemoFailed:
        """Give the failure of a start: the set-up's fault the first time, the service's after a kill."""
        if self._view.kills:
            return DemoFailed(f"after a kill {ended} and did not serve again", ended.tail)
        return DemoFailed(f"the floor cannot be set up: {ended}", ended.tail, exit_code=2)

    async def _keep_stations(self) -> None:
        await self.stations.start()
        self._fail(_crashed(self.stations.ended(await self.stations.wait())))

    async def _follow_upstream(self) -> None:
        """Take upstream's progress until it ends, which it does when all its batches are closed."""
        await self.upstream.start()
        async for line in self.upstream.lines():
            self._view.take_upstream(progress_in(line))
        code = await self.upstream.wait()
        if code:
            self._fail(_crashed(self.upstream.ended(code)))
            await trio.sleep(inf)  # until the cancellation arrives

    async def _stop_all(self) -> None:
        """Stop the service, then the stations; a failed run may have upstream left too."""
        self._view.phase = "stopping"
        for child in (self.service, self.upstream, self.stations):
            if child.runs:
                self.stop_codes[child.name] = await child.stop(STOP_WITHIN_S)

    # ---- people ------------------------------------------------------------------------------------------------

    async def _look_again_and_again(self, look: Callable[[], None]) -> None:
        """Let somebody look now and then; a service that is being started again costs only that look."""
        while True:
            try:
                await trio.to_thread.run_sync(look)
            except ClientError as error:
                self._staff_trouble = str(error)
            self._looked.set()
            await trio.sleep(LOOK_EVERY_S)

    async def _close_shift(self, keepers: StockKeepers) -> None:
        """Let the keepers end their shift; one that stays open is for the report's sums to name."""
        self._view.phase = "closing the shift"
        with trio.move_on_after(CLOSE_WITHIN_S):
            while True:
                try:
                    if await trio.to_thread.run_sync(keepers.close_shift):
                        return
                except ClientError as error:
                    self._staff_trouble = str(error)
                await trio.sleep(LOOK_EVERY_S)

    async def _kill_at_moments(self) -> None:
        """Kill the service at each of the seeded moments, each time in the middle of whatever it does."""
        delays = Random(f"kill delays {self._options.seed}")
        for moment in kill_moments(self._options.seed, self._options.kills):
            while self._view.progress() < moment or not self._view.count("open"):
                self._looked = trio.Event()
                await self._looked.wait()
            await trio.sleep(delays.uniform(*KILL_DELAY_S))
            self._kill_ordered, self._served = True, trio.Event()
            self.service.kill()
            await self._served.wait()
            self._view.phase = "making cards"

    # ---- watching ----------------------------------------------------------------------------------------------

    async def _watch_progress(self) -> None:
        """End the demo when nothing moves any more."""
        if self._options.console:
            return  # held cards wait for the visitor, as long as it takes
        last, since_s = -1.0, trio.current_time()
        limit_s = max(STALLED_S, STALLED_FLOOR_S / self._options.scale)
        while True:
            await trio.sleep(1.0)
            if (now := self._view.progress() + self._view.receipts) != last:
                last, since_s = now, trio.current_time()
            elif trio.current_time() - since_s > limit_s:
                trouble = f"; the staff's last trouble: {self._staff_trouble}" if self._staff_trouble else ""
                sentence = f"nothing moved for {limit_s:.0f} s, {self._view.count('open'):,} cards are open{trouble}"
                self._fail(DemoFailed(sentence, self.service.tail()))

    async def _count_time(self) -> None:
        while True:
            self._view.elapsed_s = trio.current_time() - self._started_s
            await trio.sleep(0.2)

    async def _heed_signals(self) -> None:
        with trio.open_signal_receiver(*ENDING_SIGNALS) as received:
            async for number in received:
                self._fail(Interrupted(number))


def kill_moments(seed: int, kills: int) -> list[float]:
    """Give when to kill, as shares of the run's progress: one in each of `kills` equal parts of it, in order."""
    random = Random(f"kills {seed}")
    width = (KILLS_TO - KILLS_FROM) / max(1, kills)
    return [KILLS_FROM + width * (part + random.random()) for part in range(kills)]


def progress_in(line: bytes) -> dict[str, Any]:
    """Give what a line of upstream says; nothing for a line that is no JSON object."""
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _crashed(ended: ChildEnded) -> DemoFailed:
    return DemoFailed(f"{ended} before all was dispatched", ended.tail)
