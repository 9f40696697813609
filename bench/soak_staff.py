"""Supervisors of a soak: they also look for what lay on a floor that is gone, and note what police stations counted."""

from __future__ import annotations

from sims.demo.staff import Office, Supervisors


class Searchers(Supervisors):
    """Supervisors who look through stopped piles: what a scan missed is not there, and the rest is packed again."""

    verbs = Supervisors.verbs | {"missing", "repack"}

    def look(self) -> None:
        """Do what supervisors do, then go through the piles.  Raises: ClientError."""
        super().look()
        for pile in self._first.command("piles"):
            for card in pile["missing"]:
                if self._both("missing", {"card": card}):
                    self._decided("missing")
            if self._both("repack", {"batch_id": pile["batch_id"], "unit": pile["unit"]}):
                self._decided("repacked")


class Receivers:
    """Police stations, by the supervisor whom they tell: each counts as many cards as its manifest says."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def look(self) -> None:
        """Count what came, the oldest first.  Raises: ClientError."""
        for row in self._office.command("consignments", uncounted=True):
            args = {"consignment_id": row["consignment_id"], "unit": row["unit"], "cards": row["sent"]}
            self._office.command("arrived", **args)
