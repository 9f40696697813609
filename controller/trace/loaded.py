"""What was loaded and who was signed on at each station, and which lot each body sheet came from, at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

from controller.core.moves import AnyMove
from controller.core.quality_moves import OperatorSignedOn
from controller.core.stock_moves import StockReceived, SupplyLoaded
from controller.trace.moves import WALK_MOVES, MoveReader

AT_STATIONS = (SupplyLoaded, OperatorSignedOn)
KINDS = (*AT_STATIONS, StockReceived)


@dataclass(slots=True)
class Loaded:
    """A fold of the moves that say so; `complete` is False when the walk back ended before the ledger did."""

    supplies: dict[str, dict[str, str]] = field(default_factory=dict)  # station -> kind -> lot
    operators: dict[str, str] = field(default_factory=dict)
    received: list[tuple[int, int, str]] = field(default_factory=list)  # first body sheet, sheets, lot
    walked_moves: int = 0
    walked_to_floor_s: float = 0.0
    complete: bool = True

    def fold(self, move: AnyMove) -> None:
        """Take a move that came after all the others."""
        if isinstance(move, SupplyLoaded):
            self.supplies.setdefault(move.station, {})[move.kind] = move.lot
        elif isinstance(move, OperatorSignedOn):
            self.operators[move.station] = move.operator
        elif isinstance(move, StockReceived):
            self.received.append((move.first_body, move.sheets, move.lot))

    def fold_earlier(self, move: AnyMove) -> None:
        """Take a move that came before all the others: it only fills what is not known."""
        if isinstance(move, SupplyLoaded):
            self.supplies.setdefault(move.station, {}).setdefault(move.kind, move.lot)
        elif isinstance(move, OperatorSignedOn):
            self.operators.setdefault(move.station, move.operator)
        else:
            self.fold(move)

    def lots(self, station: str) -> list[str]:
        """Give what a station is loaded with, like `film A7`."""
        return [f"{kind} {lot}" for kind, lot in sorted(self.supplies.get(station, {}).items())]

    def lot_of(self, body: int) -> str:
        """Give the lot a body sheet came with; empty when it is not known."""
        return next((lot for first, sheets, lot in self.received if first <= body < first + sheets), "")


def loaded_before(reader: MoveReader, seq: int, most: int = WALK_MOVES) -> Loaded:
    """Give what was loaded right before a move, by walking back; at most `most` moves are looked through each way."""
    loaded = Loaded()
    for told in reader.backward(seq, KINDS, most):
        loaded.fold_earlier(told.move)
    least = max(1, seq - most)
    loaded.walked_moves, loaded.complete = max(0, seq - least), least == 1
    loaded.walked_to_floor_s = reader.at_of(least)
    for later in reader.forward(seq, min(reader.last() + 1, seq + most), (StockReceived,)):
        loaded.fold(later.move)  # a film printed before may lie on a body sheet that came after
    return loaded
