"""A storm's stations: the real station side of the protocol, before a machine that jams, forgets and goes dark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from devices.defects import GOOD, Step
from devices.messages import (
    POSITIONS,
    SINGLE,
    ControllerSaid,
    Fate,
    JobDone,
    PositionResult,
    Release,
    SheetResult,
    SheetWork,
    Start,
    StationState,
)
from devices.station_side import Model, StationSide
from encoders.envelope import Opener, pack
from sims.storm.errors import Broken
from sims.storm.laws import Laws
from sims.storm.line import Lines
from sims.storm.matter import Lay, Matter, Piece, Place
from sims.storm.options import Options
from sims.storm.timeline import SCALE, Timeline

BEAT_S = 2.0
JAM, EMPTY, OPERATOR, POWER = "jam", "magazine_empty", "operator", "power"
_CODES = {Step.PRINT: "P1", Step.LAMINATE: "L1", Step.PUNCH: "C2", Step.WRITE: "W2", Step.INSPECT: "I4"}
_JAMS = {Step.PRINT: "P4", Step.LAMINATE: "L6", Step.PUNCH: "C4", Step.WRITE: "W4", Step.INSPECT: "I4"}
FALSE_REJECT, SILENT_CHIP = "I1", "W1"
_opener: Opener[ControllerSaid] = Opener(ControllerSaid)


@dataclass(frozen=True, slots=True)
class Spec:
    """What a station is: its cycle takes load_s and unit_s for each sheet (packing: card), in link seconds."""

    name: str
    step: Step
    load_max: int
    load_s: float
    unit_s: float


FLOOR = (
    Spec("p1", Step.PRINT, 1, 0.45, 0.0),
    Spec("p2", Step.PRINT, 1, 0.55, 0.0),
    Spec("l1", Step.LAMINATE, 12, 3.0, 0.0),
    Spec("l2", Step.LAMINATE, 5, 2.5, 0.0),
    Spec("c1", Step.PUNCH, 8, 0.3, 0.1),
    Spec("w1", Step.WRITE, 6, 0.5, 0.2),
    Spec("w2", Step.WRITE, 3, 0.5, 0.2),
    Spec("i1", Step.INSPECT, 6, 0.3, 0.1),
    Spec("i2", Step.INSPECT, 3, 0.3, 0.1),
    Spec("k1", Step.PACK, 60, 0.5, 0.015),
)


@dataclass(slots=True)
class Floor:
    """What all stations of a floor share."""

    timeline: Timeline
    lines: Lines
    matter: Matter
    laws: Laws
    options: Options
    seen: Counter[str]
    hear: Callable[[str, bytes], None]  # the service's ear
    is_calm: bool = False


class Station:
    """One station."""

    def __init__(self, spec: Spec, floor: Floor, seed: int) -> None:
        self.spec, self._floor, self._luck = spec, floor, Random(f"storm station {seed} {spec.name}")
        self._model = Model(step=spec.step, model="storm", load_max=spec.load_max)
        self.side = StationSide(self._model)
        self._work: Start | None = None
        self._cycle = 0  # the number of what goes on: what was meant for an earlier one is void
        self._is_dark = self._off_line = False
        self._began_floor_s = 0.0
        floor.timeline.after(self._luck.random() * BEAT_S, self._beat)
        self._say(self.side.begin(0.0))

    # ---- the link ----------------------------------------------------------------------------------------------

    def hear(self, body: bytes) -> None:
        """Take one message of the controller."""
        if self._is_dark:
            return
        message = _opener.unpack(body)
        if isinstance(message, Release):
            self._check_release(message)
        told = self.side.received(message, self._floor.timeline.now_s)
        self._say(told.replies)
        if told.work:
            self._begin(told.work)
        elif told.magazine:
            self._try_again()

    def _say(self, messages: list) -> None:  # type: ignore[type-arg]
        floor = self._floor
        for message in messages:
            floor.lines.send(self.spec.name, self._to_service, pack(message))

    def _to_service(self, body: bytes) -> None:
        self._floor.hear(self.spec.name, body)

    def _beat(self) -> None:
        if not self._is_dark:
            self._say(self.side.tick(self._floor.timeline.now_s))
        self._floor.timeline.after(BEAT_S, self._beat)

    def _check_release(self, release: Release) -> None:
        for job_id in release.job_ids:
            if job_id in self._floor.laws.started and job_id not in self._floor.laws.ended:
                raise Broken("law 3", f"job {job_id} is released, and what became of it is not durable")

    # ---- the machine -------------------------------------------------------------------------------------------

    @property
    def holds(self) -> set[int]:
        """The sheets that are in the machine."""
        return {sheet.sheet_id for sheet in self._work.sheets} if self._work else set()

    def _begin(self, start: Start) -> None:
        if start.job_id not in self._floor.laws.started:
            raise Broken("law 3", f"job {start.job_id} is begun, and its intent is not durable")
        self._work = start
        self._began_floor_s = self._floor.timeline.now_floor_s
        if not self._has_bodies():
            self._enter(StationState.HELD, EMPTY)
            return
        self._enter(StationState.EXECUTE, "")
        self._run()

    def _run(self) -> None:
        assert self._work is not None
        self._cycle += 1
        bundle = self._work.bundle
        units = len(bundle.blanks) if bundle else len(self._work.sheets)
        lasts_s = (self.spec.load_s + self.spec.unit_s * units) * (0.8 + 0.4 * self._luck.random())
        self._floor.timeline.after(lasts_s, self._end, self._cycle)

    def _try_again(self) -> None:
        if self._work and self.side.reason == EMPTY and self._has_bodies():
            self._enter(StationState.EXECUTE, "")
            self._run()

    def filled(self) -> None:
        """Notice that hands put body sheets into the magazine."""
        if not self._is_dark:
            self._try_again()

    def _has_bodies(self) -> bool:
        if self.spec.step is not Step.LAMINATE or self._work is None:
            return True
        stacks = self._floor.matter.magazines.get(self.spec.name, {})
        singles = sum(sheet.single for sheet in self._work.sheets)
        return (
            len(stacks.get(SINGLE, ())) >= singles
            and len(stacks.get(POSITIONS, ())) >= len(self._work.sheets) - singles
        )

    def _end(self, cycle: int) -> None:
        if cycle != self._cycle or self._work is None or self._is_dark:
            return
        fate, options = Fate.DONE, self._floor.options
        if self._work.sheets and not self._floor.is_calm:
            point = self._luck.random()
            if point < options.jam:
                fate = Fate.SPOILED
            elif point < options.jam + options.returned:
                fate = Fate.UNTOUCHED
            if fate is not Fate.DONE:
                self._floor.seen[f"load {fate}"] += 1
        self._finish(fate)

    def _finish(self, fate: Fate) -> None:
        """Give the result of the load, as `sims.stations` does: said first, then ready for the next."""
        work, now_floor_s = self._work, self._floor.timeline.now_floor_s
        assert work is not None
        self._work = None
        packed = self._pack(work) if work.bundle else []
        sheets = [self._worked(sheet, fate) for sheet in work.sheets]
        done = JobDone(
            job_id=work.job_id,
            started_floor_s=self._began_floor_s,
            ended_floor_s=now_floor_s,
            sheets=sheets,
            packed=packed,
        )
        self._say(self.side.finished(done, self._floor.timeline.now_s))
        self._rest()

    def _rest(self) -> None:
        self._enter(StationState.STOPPED if self._off_line else StationState.IDLE, OPERATOR if self._off_line else "")

    def _enter(self, state: StationState, reason: str) -> None:
        now_s = self._floor.timeline.now_s
        self._say(self.side.entered(state, reason, now_s * SCALE, now_s))

    # ---- what a cycle does to a sheet --------------------------------------------------------------------------

    def _worked(self, sheet: SheetWork, fate: Fate) -> SheetResult:
        step, matter, sheet_id = self.spec.step, self._floor.matter, sheet.sheet_id
        if fate is Fate.UNTOUCHED:
            return SheetResult(sheet_id, Fate.UNTOUCHED, _JAMS[step])
        if step is Step.PRINT:
            lay: Lay | None = matter.print(sheet_id, [one.face.decode() for one in sheet.positions])
        else:
            lay = matter.step(sheet_id, step)
        if lay is None:  # nothing was fed
            return SheetResult(sheet_id, Fate.UNTOUCHED, _JAMS[step])
        body = self._drawn(lay, sheet) if step is Step.LAMINATE else 0
        if fate is Fate.SPOILED:
            self._ruin(lay)
            return SheetResult(sheet_id, Fate.SPOILED, _JAMS[step], body)
        if step is Step.INSPECT:
            self._floor.seen["tray inspected again"] += lay.inspected
            lay.inspected = True
            return SheetResult(sheet_id, Fate.DONE, GOOD, 0, self._inspected(lay))
        if step is Step.WRITE:
            return SheetResult(sheet_id, Fate.DONE, GOOD, 0, self._written(lay, sheet))
        if step is Step.PUNCH and self._happens(self._floor.options.tray_shifted) and len(lay.pieces) == POSITIONS:
            self._floor.seen["tray shifted"] += 1
            matter.turn(lay)
        codes = [PositionResult(self._flawed(lay, place)) for place in range(POSITIONS)]
        return SheetResult(sheet_id, Fate.DONE, GOOD, body, codes)

    def _drawn(self, lay: Lay, sheet: SheetWork) -> int:
        places = SINGLE if sheet.single else POSITIONS
        shifted = places > SINGLE and self._happens(self._floor.options.film_shifted)
        self._floor.seen["film shifted"] += shifted
        return self._floor.matter.draw(self.spec.name, lay, places, shifted=shifted)

    def _ruin(self, lay: Lay) -> None:
        lay.flaws = [_JAMS[self.spec.step]] * POSITIONS
        for piece in filter(None, lay.pieces):
            piece.flaw = _JAMS[self.spec.step]

    def _flawed(self, lay: Lay, place: int) -> str:
        """Spoil a position now and then; give what the station says of it."""
        piece = lay.piece_of(place)
        if not (piece.mark if piece else lay.marks[place]) or not self._happens(self._floor.options.position):
            return GOOD
        code = _CODES[self.spec.step]
        if piece:
            piece.flaw = code
        else:
            lay.flaws[place] = code
        self._floor.seen["position spoiled"] += 1
        return GOOD if self._happens(self._floor.options.unreported) else code

    def _written(self, lay: Lay, sheet: SheetWork) -> list[PositionResult]:
        """Write each chip that is told something, after reading its number; the wrong one is left alone."""
        results = []
        for place, work in enumerate(sheet.positions):
            piece = lay.piece_of(place)
            if piece is None or not work.record:
                results.append(PositionResult())
                continue
            code = self._flawed(lay, place)
            if code != GOOD or piece.flaw == _CODES[Step.WRITE]:
                piece.record, piece.portrait = b"torn", b""
            else:
                if piece.record:
                    raise Broken("law 1", f"the chip of blank {piece.serial} is written twice")
                piece.record, piece.portrait = work.record, work.portrait
            results.append(PositionResult(code, piece.serial))
        return results

    def _inspected(self, lay: Lay) -> list[PositionResult]:
        return [self._seen_at(lay.piece_of(place)) for place in range(POSITIONS)]

    def _seen_at(self, piece: Piece | None) -> PositionResult:
        if piece is None or piece.place is not Place.SHEET:
            return PositionResult()
        code = piece.flaw
        if code == GOOD and self._happens(self._floor.options.false_reject):
            code = FALSE_REJECT
            self._floor.seen["false reject"] += 1
        return PositionResult(code, piece.serial, piece.record, piece.portrait, piece.mark)

    def _pack(self, work: Start) -> list[int]:
        """Put what lies on the pile into the box, and scan it; one falls off the belt now and then."""
        assert work.bundle is not None
        pieces = [self._floor.matter.piled.get(serial) for serial in work.bundle.blanks]
        box = [piece for piece in pieces if piece is not None and piece.place is Place.PILE]
        scanned = list(box)
        if scanned and self._happens(self._floor.options.short_scan):
            fallen = scanned.pop(self._luck.randrange(len(scanned)))
            self._floor.seen["short scan"] += 1
            if self._happens(0.5):
                box.remove(fallen)
                fallen.place = Place.LOST
                self._floor.seen["card fell off the belt"] += 1
        self._floor.matter.boxes[work.job_id] = box
        return [piece.serial for piece in scanned]

    def _happens(self, rate: float) -> bool:
        return rate > 0 and not self._floor.is_calm and self._luck.random() < rate

    # ---- what happens to a station -----------------------------------------------------------------------------

    def power_cut(self) -> None:
        """Go dark for a while, in the middle of whatever goes on."""
        if self._is_dark:
            return
        self._is_dark = True
        self._floor.seen["power cut"] += 1
        self._floor.seen["power cut in a load"] += self._work is not None
        self._floor.timeline.after(1.0 + 15.0 * self._luck.random(), self._power_back)

    def _power_back(self) -> None:
        floor = self._floor
        self._is_dark = False
        floor.lines.redial(self.spec.name)
        self._cycle += 1
        if self._happens(floor.options.memory_lost):
            self._forget()
        elif self._work is not None:
            self._go_on()
        else:
            self._rest()
        self._say(self.side.begin(floor.timeline.now_s))

    def _forget(self) -> None:
        """Come back without a memory; hands clear the machine, in which the load may be done, or not."""
        floor = self._floor
        floor.seen["memory lost"] += 1
        if self._work is not None:
            floor.seen["memory lost in a load"] += 1
            fate = (Fate.UNTOUCHED, Fate.SPOILED, Fate.DONE)[self._luck.randrange(3)]
            for sheet in self._work.sheets:
                if not self._work.bundle and (fate is Fate.UNTOUCHED or self._has_bodies()):
                    self._worked(sheet, fate)
            self._work = None
        self.side = StationSide(self._model, lost_memory=True)
        self._off_line = False

    def _go_on(self) -> None:
        """Come back with the load inside: it goes on, came out as it was, or is spoiled."""
        assert self._work is not None
        dice = self._luck.randrange(3)
        if dice == 0 or self._work.bundle or not self._has_bodies():
            self._begin(self._work)
        else:
            self._finish((Fate.UNTOUCHED, Fate.SPOILED)[dice - 1])

    def open_by_force(self) -> None:
        """Let hands take the load out of a machine that nobody hears: it comes out as it was, or spoiled."""
        if self._work is None or self._is_dark:
            return
        self._cycle += 1
        if self._work.bundle or not self._has_bodies():
            self._finish(Fate.UNTOUCHED)
        else:
            self._finish((Fate.UNTOUCHED, Fate.SPOILED)[self._luck.randrange(2)])

    def switch_off(self) -> None:
        """Stay dark: the shift is over."""
        self._is_dark = True

    def take_off_line(self, lasts_s: float) -> None:
        """Let the operator at the machine stop it: at once when idle, else when the load is out."""
        self._off_line = True
        self._floor.seen["operator off line"] += 1
        if self.side.state is StationState.IDLE and self._work is None and not self._is_dark:
            self._rest()
        self._floor.timeline.after(lasts_s, self.put_on_line)

    def put_on_line(self) -> None:
        """Let it take loads again."""
        self._off_line = False
        if self.side.state is StationState.STOPPED and not self._is_dark:
            self._rest()
