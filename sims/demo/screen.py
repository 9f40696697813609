"""What the demo shows while it runs: a live screen at a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import trio
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from controller.commandline.floor_view import STATE_SIGNS, STATE_STYLES
from devices.defects import Step

REFRESH_S = 0.5  # real seconds between two pictures
LINE_COLUMNS = 100
LINE_EVERY_S = 5.0  # real seconds between two plain lines
SECONDS_PER_HOUR = 3_600.0
BLANKS_SHOWN = ("vault", "magazine", "sheet", "good", "spoiled", "suspect", "missing")


@dataclass(slots=True)
class DemoView:
    """What is known of the demo now; `status` is the service's last word, empty before it."""

    cards: int
    kills_wanted: int
    status: Mapping[str, Any] = field(default_factory=dict)
    kills: int = 0
    elapsed_s: float = 0.0
    phase: str = "starting"
    decided: Counter[str] = field(default_factory=Counter)
    receipts: int = 0
    first_floor_s: float = 0.0

    def take_status(self, status: Mapping[str, Any]) -> None:
        """Take what the service says of itself."""
        self.status = status
        if not self.first_floor_s and status["tally"]["received"]:
            self.first_floor_s = status["floor_s"]

    def take_upstream(self, progress: Mapping[str, Any]) -> None:
        """Take a line of upstream's progress; one that says nothing changes nothing."""
        self.receipts = int(progress.get("receipts", self.receipts))

    def count(self, name: str) -> int:
        """Give one count of the service, 0 before it said anything."""
        return int(self.status["tally"][name]) if self.status else 0

    def progress(self) -> float:
        """Give how far the run is, 0 to 1: intake, encoding and each step of the route count alike."""
        if not self.status:
            return 0.0
        coming = max(1, self.cards - self.count("refused") - self.count("held"))
        steps = self.status["steps"]
        shares = [self.count("received") / self.cards, self.count("encoded") / coming]
        shares += [steps[step.value]["worked"] / coming for step in Step]
        return sum(min(1.0, share) for share in shares) / len(shares)

    def cards_per_hour(self) -> float:
        """Give the cards made per floor hour so far."""
        hours = (self.status["floor_s"] - self.first_floor_s) / SECONDS_PER_HOUR if self.first_floor_s else 0.0
        return self.count("made") / hours if hours > 0 else 0.0


async def show(view: DemoView, console: Console) -> None:
    """Show the view until cancelled: live on a terminal, else a line every few seconds."""
    if not console.is_terminal:
        while True:
            console.print(plain_line(view), soft_wrap=True, highlight=False)
            await trio.sleep(LINE_EVERY_S)
    with Live(picture(view), console=console, auto_refresh=False, transient=True) as live:
        try:
            while True:
                live.update(picture(view), refresh=True)
                await trio.sleep(REFRESH_S)
        finally:
            live.update(picture(view), refresh=True)


def plain_line(view: DemoView) -> str:
    """Give one line without colours: where the run is, in so many columns as a log shows."""
    if not view.status:
        return f"{view.elapsed_s:6.1f} s  {view.phase}"
    count = view.count
    line = f"{view.elapsed_s:6.1f} s  {view.status['floor_time'][5:16]}  {view.phase}: "
    line += f"in {count('received'):,}/{view.cards:,}, made {count('made'):,}, sent {count('dispatched'):,}"
    extras = [f"kills {view.kills}/{view.kills_wanted}"] if view.kills_wanted else []
    extras += [f"{view.cards_per_hour():,.0f} cards/h", f"held {count('held'):,}", f"remade {count('remade'):,}"]
    for extra in extras:  # what fits, the most telling first
        if len(line) + len(extra) + 2 <= LINE_COLUMNS:
            line += f", {extra}"
    return line


def picture(view: DemoView) -> RenderableType:
    """Give the whole screen."""
    title = f"Cardmill demo · {view.phase} · {view.elapsed_s:,.0f} s"
    if not view.status:
        return Panel(Text(view.phase), title=title)
    subtitle = (
        f"simulated floor {view.status['floor_time']}, {view.status['scale']:g} times real time · "
        f"all people are synthetic · kills {view.kills}/{view.kills_wanted}"
    )
    tables = Columns([_steps(view), _stock(view), _staff(view)], padding=(0, 3))
    return Panel(Group(_bars(view), Text(), tables, Text(), _stations(view)), title=title, subtitle=subtitle)


def _bars(view: DemoView) -> Table:
    accepted = view.count("accepted")
    rows = [
        ("applications in", view.count("received"), view.cards),
        ("encoded", view.count("encoded"), max(accepted, view.count("encoded"))),
        ("made", view.count("made"), accepted),
        ("dispatched", view.count("dispatched"), accepted),
        ("batches closed", view.count("batches_closed"), view.count("batches")),
    ]
    table = Table.grid(padding=(0, 2))
    for label, done, total in rows:
        bar = ProgressBar(total=max(1, total), completed=done, width=46)
        table.add_row(label, bar, Text(f"{done:,} of {total:,}"))
    speed = Text(f"{view.cards_per_hour():,.0f} cards per floor hour")
    told = f"refused {view.count('refused'):,}  held {view.count('held'):,}  remade {view.count('remade'):,}"
    table.add_row("speed", speed, Text(f"{told}  receipts {view.receipts:,}"))
    return table


def _steps(view: DemoView) -> Table:
    table = Table(title="cards by step", box=None, title_justify="left")
    for column in ("step", "waiting", "working", "worked"):
        table.add_column(column, justify="left" if column == "step" else "right")
    steps = view.status["steps"]
    table.add_row("encode", f"{view.status['unencoded']:,}", "", f"{view.count('encoded'):,}")
    for step in Step:
        one = steps[step.value]
        table.add_row(step.value, f"{one['waiting']:,}", f"{one['working']:,}", f"{one['worked']:,}")
    return table


def _stock(view: DemoView) -> Table:
    table = Table(title="blanks", box=None, title_justify="left", show_header=False)
    accounts = view.status["stock"]["accounts"]
    for account in BLANKS_SHOWN:
        table.add_row(account, Text(f"{accounts[account]:,}", justify="right"))
    return table


def _staff(view: DemoView) -> Table:
    table = Table(title="supervisors", box=None, title_justify="left", show_header=False)
    for what, times in sorted(view.decided.items()):
        table.add_row(what, Text(f"{times:,}", justify="right"))
    return table


def _stations(view: DemoView) -> Table:
    table = Table.grid(padding=(0, 2))
    for step in Step:
        row = Text()
        for one in view.status["stations"]:
            if one["step"] == step:
                state = one["state"]
                why = f" {one['reason']}" if one["reason"] else ""
                row.append(
                    f"{STATE_SIGNS.get(state, '?')} {one['station']} {state}{why}   ", STATE_STYLES.get(state, "")
                )
        table.add_row(step.value, row)
    return table
