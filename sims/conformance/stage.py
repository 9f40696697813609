"""Where a scenario plays: the lines, the cast, the report, and what every scenario does alike."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from devices.keys import KeyPair
from sims.conformance import promises as p
from sims.conformance.cast import Batch, Cast
from sims.conformance.line import NOTHING, Line, Message, Target
from sims.conformance.report import Report, brief
from sims.conformance.rules import broken_rules, verdict_of

VERDICTS_WITHIN_S = 120.0
LOOK_S = 0.1
WINDOW = 4  # "Have at most four chunks under way"
PAGE = 1_000
VERDICTS = ("refused", "held", "accepted")
FINALS = ("dispatched", "cancelled", "refused_late")


@dataclass(slots=True)
class Stage:
    """One run's stage; `other` is the key of a second upstream, where there is one."""

    target: Target
    keys: KeyPair
    other: KeyPair | None
    line: Line
    cast: Cast
    report: Report
    limits: dict[str, int]
    name: str = ""  # under which our key is known there
    started_at: int = 0  # the last receipt before the scenario
    brought: list[Batch] = field(default_factory=list)

    # ---- expectations that are said in one line ----------------------------------------------------------------

    def expect_error(self, promise: str, answer: Message, code: str, about: str) -> bool:
        """Note that an answer should be an `error` of one code with a sentence."""
        held = answer.get("type") == "error" and answer.get("code") == code and bool(answer.get("text"))
        return self.report.expect(promise, f"{about}: error {code}, and a sentence", brief(answer), held=held)

    def expect_type(self, promise: str, answer: Message, kind: str, about: str) -> bool:
        """Note that an answer should be of one type."""
        return self.report.expect(promise, f"{about}: {kind}", brief(answer), held=answer.get("type") == kind)

    # ---- sending -----------------------------------------------------------------------------------------------

    def announce(self, batch: Batch, **changes: Any) -> Message:
        """Announce a batch."""
        return self.line.ask(batch.header(**changes))

    def send_missing(self, batch: Batch, size: int = 2, **changes: Any) -> Message:
        """Do what the page tells a client: announce, send what is missing, until it is not `receiving`."""
        for _ in range(batch.count + 2):
            state = self.announce(batch, **changes)
            if state.get("state") != "receiving" or not state.get("missing"):
                break
            wanted = [
                batch.chunk(at, min(size, first + count - at))
                for first, count in state["missing"]
                for at in range(first, first + count, size)
            ]
            for at in range(0, len(wanted), WINDOW):
                self.line.ask_together(wanted[at : at + WINDOW])
        return state

    def bring(self, batch: Batch, size: int = 2) -> dict[int, Message]:
        """Bring a batch and give its verdicts: receipts by index, -1 for the whole batch."""
        self.send_missing(batch, size)
        return self.verdicts(batch)

    # ---- receipts ----------------------------------------------------------------------------------------------

    def receipts(self, after: int | None = None, limit: int = PAGE) -> list[Message]:
        """Give all receipts above a number, from page to page; by default those of this scenario."""
        found: list[Message] = []
        at = self.started_at if after is None else after
        while True:
            page = self.line.ask({"type": "receipts", "after": at, "limit": limit})
            items = page.get("items") or []
            found += items
            if not items or not page.get("more"):
                return found
            at = items[-1]["number"]

    def last_receipt(self) -> int:
        """Give the number of the newest receipt, 0 for none.

        The cursor of what was acknowledged is asked first, so that a centre with many receipts is not read whole.
        """
        at = self.line.ask({"type": "acknowledge", "upto": 0}).get("upto")
        found = self.receipts(at if isinstance(at, int) else 0)
        return int(found[-1]["number"]) if found else int(at or 0)

    def verdicts(self, batch: Batch) -> dict[int, Message]:
        """Wait for the verdicts of a batch that is whole: the first receipt of each index."""
        until_s = time.monotonic() + VERDICTS_WITHIN_S
        while True:
            found: dict[int, Message] = {}
            for one in self.receipts_of(batch):
                if one["kind"] in VERDICTS:
                    found.setdefault(one["index"], one)
            if set(range(batch.count)) <= set(found) or -1 in found or time.monotonic() > until_s:
                return found
            time.sleep(LOOK_S)

    def receipts_of(self, batch: Batch) -> list[Message]:
        """Give what this scenario heard of a batch."""
        return [one for one in self.receipts() if one.get("batch_number") == batch.number]

    # ---- expectations of whole batches -------------------------------------------------------------------------

    def expect_verdicts(self, batch: Batch, found: dict[int, Message]) -> None:
        """Hold each application's verdict and codes against the rules that it breaks as it was sent."""
        for index, application in enumerate(batch.applications):
            codes = broken_rules(application)
            receipt = found.get(index, NOTHING)
            told = {"kind": receipt.get("kind", "nothing"), "codes": receipt.get("codes", [])}
            fits = told["kind"] == verdict_of(codes) and codes <= set(told["codes"])
            wanted = f"application {index}: {verdict_of(codes)}" + (
                f" with {', '.join(sorted(codes))}" if codes else ""
            )
            self.report.expect(p.ALL_FINDINGS, wanted, f"{told['kind']} {told['codes']}", held=fits)
            if codes:
                self._expect_sentences(index, receipt)

    def _expect_sentences(self, index: int, receipt: Message) -> None:
        codes, texts, fields = (receipt.get(name, []) for name in ("codes", "texts", "fields"))
        held = bool(codes) and len(codes) == len(texts) == len(fields) and all(" / " in text for text in texts)
        answered = f"{len(codes)} codes, {len(texts)} texts, {len(fields)} fields"
        expected = f"application {index}: one text and one field for each code"
        self.report.expect(p.SENTENCES, expected, answered, held=held)

    def expect_one_verdict_each(self, batches: Iterable[Batch]) -> None:
        """Hold the receipts of batches against law: one verdict, after `accepted` one final receipt at most."""
        told = [one for one in self.receipts() if one.get("index", -1) >= 0]
        for batch in batches:
            own = [one for one in told if one["batch_number"] == batch.number]
            wrong = []
            for index in range(batch.count):
                kinds = [one["kind"] for one in own if one["index"] == index]
                first, last = kinds.count("refused") + kinds.count("accepted"), sum(map(kinds.count, FINALS))
                if first != 1 or last > 1 or (kinds.count("refused") and last):
                    wrong.append(f"{index}: {kinds}")
            self.report.expect(
                p.ONE_FINAL,
                f"batch of {batch.count}: each is refused or accepted once",
                "; ".join(wrong) or "each once",
                held=not wrong,
            )

    def expect_order_of_receipts(self) -> None:
        """Hold the numbers of the scenario's receipts against the page."""
        numbers = [one.get("number") for one in self.receipts()]
        wanted = list(range(self.started_at + 1, self.started_at + 1 + len(numbers)))
        self.report.expect(
            p.NUMBERED,
            f"{len(numbers)} receipts from {self.started_at + 1} on, none left out",
            "so" if numbers == wanted else f"{numbers[:20]}",
            held=numbers == wanted,
        )
