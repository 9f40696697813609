"""`python -m sims.tour --out docs/pictures`: the pictures of docs/tour.md, made anew from the real console."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from sims.tour.chromium import ChromiumMissing
from sims.tour.open_demo import DemoNotOpen
from sims.tour.pictures import take_pictures

UNUSABLE = 2


def tour(
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path("docs/pictures"),
    cards: Annotated[int, typer.Option(min=1, help="Applications the demo is sent.")] = 900,
    seed: Annotated[int, typer.Option(min=0, help="Of the demo.")] = 1,
) -> None:
    """Start a demo with a console, look around in it as a visitor would, take pictures, and end it."""
    try:
        with TemporaryDirectory(prefix="cardmill-tour-") as work:
            take_pictures(out, Path(work), cards=cards, seed=seed, say=print)
    except (ChromiumMissing, DemoNotOpen, OSError) as error:
        print(f"sims.tour: {error}", file=sys.stderr)
        raise SystemExit(UNUSABLE) from None


if __name__ == "__main__":
    typer.run(tour)
