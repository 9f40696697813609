"""`cardmill proof`: photos before and after every step of their preparation, on one sheet, without a service."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from controller.commandline import show
from controller.commandline.options import ConfigPath, JsonPath
from controller.config import ConfigError, PortraitConfig, load_config

if TYPE_CHECKING:
    from collections.abc import Callable

    from encoders.preparation import Preparation

PHOTOS_MAX = 24  # of one sheet: more of them are no longer looked at
SUFFIXES = (".jpg", ".jpeg")
SOME_REFUSED = 1
SHOWN = (  # for people, in 80 columns: headings and figures
    ("photo", "photo"),
    ("bytes", "source_bytes"),
    ("on chip", "stream_bytes"),
    ("Y dB", "psnr_y_db"),
    ("RGB dB", "psnr_rgb_db"),
    ("flat px", "flattened_px"),
    ("printed", "printed_mean_level"),
    ("toned", "toned_mean_level"),
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(proof)


def proof(
    photos: Annotated[list[Path], typer.Argument(help="JPEG photos of 358 x 441 pixels, or folders of them.")],
    out: Annotated[Path, typer.Option(help="Where the sheet is written, as PNG.")] = Path("proof.png"),
    film: Annotated[str, typer.Option(help="Print as on this lot of film.")] = "",
    ribbon: Annotated[str, typer.Option(help="Print as with this lot of ribbon.")] = "",
    tones: Annotated[Path | None, typer.Option(help="Tone curves; else those of [portraits] tones.")] = None,
    flatten: Annotated[
        bool | None,
        typer.Option("--flatten/--no-flatten", help="Flatten the chip's background; else as [portraits] says."),
    ] = None,
    config: ConfigPath = None,
    json: JsonPath = "",
) -> None:
    """Draw photos before and after preparation.

    A row for each: as sent, at chip size, flattened, decoded, printed without and with tone curve; sizes and dB.

    Needs no service. Photos are numbered by path; no name of a file gets onto the sheet or into the figures.
    """
    settings = load_config(config).portraits
    paths = _photos(photos)
    if any(out.exists() and out.samefile(one) for one in paths):
        raise ConfigError(f"--out {out}: this is one of the photos; give another file for the sheet")
    tone, missing = _tone(settings, tones, {"film": film, "ribbon": ribbon})
    flat = settings.flatten_background if flatten is None else flatten
    rows, refused = _prepared(paths[:PHOTOS_MAX], flat, tone)
    if rows:
        from encoders.preparation_sheet import draw_sheet

        draw_sheet(rows, *_notes(flat, missing, bool(tone))).save(out, "PNG")
    figures = [{"photo": number, **asdict(one.figures)} for number, one in rows]
    lots = {kind: lot for kind, lot in (("film", film), ("ribbon", ribbon)) if lot}
    answer = {"photos": figures, "mean": _mean(figures), "refused": refused, "left_out": len(paths[PHOTOS_MAX:])}
    answer |= {"flatten_background": flat, "lots": lots, "lots_without_curve": missing, "tone": bool(tone)}
    if json:
        show.write_json(answer, json)
    else:
        _tell(answer, out)
    if refused:
        raise typer.Exit(SOME_REFUSED)


def _photos(named: list[Path]) -> list[Path]:
    """Give the photos that paths stand for, folders in the order of their files' names.  Raises: ConfigError."""
    found: list[Path] = []
    for path in named:
        if path.is_dir():
            found += sorted(one for one in path.iterdir() if one.suffix.lower() in SUFFIXES and one.is_file())
        else:
            found.append(path)
    if not found:
        raise ConfigError(f"there is no {' or '.join(SUFFIXES)} file in what was named: nothing to draw")
    return found


def _tone(settings: PortraitConfig, tones: Path | None, named: Mapping[str, str]) -> tuple[bytes, list[str]]:
    """Give the tone table of lots, empty for none, and those without a curve.  Raises: ToneTableError."""
    from controller.tones import Tones, open_tones  # numpy loads here, and numba below: not for every small command

    curves = open_tones(settings) if tones is None else Tones(tones)
    table, missing = curves.table_for(named)
    lots = [f"{kind} {lot}" for kind, lot in named.items() if lot]
    known = curves.known()
    return table, sorted({*missing, *(lot for lot in lots if lot not in known)})


def _prepared(
    paths: list[Path], flatten: bool, tone: bytes
) -> tuple[list[tuple[int, Preparation]], list[dict[str, Any]]]:
    """Give each photo's preparation with its number from 1, and the numbers and codes of those that are no photos."""
    from encoders.photo import MAX_JPEG_BYTES, PortraitError
    from encoders.preparation import prepare_and_keep

    rows, refused = [], []
    with _progress(len(paths)) as tell:
        for number, path in enumerate(paths, 1):
            with path.open("rb") as file:
                jpeg = file.read(MAX_JPEG_BYTES + 1)
            try:
                rows.append((number, prepare_and_keep(jpeg, flatten=flatten, tone=tone)))
            except PortraitError as error:
                refused.append({"photo": number, "code": error.code})
            tell()
    return rows, refused


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """Show people on standard error how far it is."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        bar = bars.add_task("prepared", total=total)
        yield lambda: bars.update(bar, advance=1)


def _notes(flatten: bool, missing: list[str], toned: bool) -> tuple[str, str]:
    """Give what stands below the sheet's title, in Chinese and English."""
    zh = f"芯片背景匀净：{'开' if flatten else '关'}；"
    en = f"Chip background flattened: {'on' if flatten else 'off'}; "
    if missing:
        lots = ", ".join(missing)
        zh, en = f"{zh}没有色调曲线：{lots}。", f"{en}no tone curve for {lots}."
    elif toned:
        zh, en = f"{zh}按批次色调曲线印刷。", f"{en}printed by the lots' tone curves."
    else:
        zh, en = f"{zh}未设色调曲线，照原样印刷。", f"{en}no tone curves: printed as it is."
    return zh, en


def _mean(figures: list[dict[str, Any]]) -> dict[str, float]:
    """Give each figure's mean over the photos that have it."""
    found: dict[str, float] = {}
    for name in figures[0] if figures else ():
        values = [one[name] for one in figures if one[name] is not None]
        if name != "photo" and values:
            found[name] = round(sum(values) / len(values), 2)
    return found


def _tell(answer: dict[str, Any], out: Path) -> None:
    if answer["photos"]:
        show.answer("Photos", [{name: one[key] for name, key in SHOWN} for one in answer["photos"]], "")
        print(f"written: {os.fspath(out)}")
    for one in answer["refused"]:
        print(f"photo {one['photo']}: {one['code']}: not drawn")
    if answer["left_out"]:
        print(f"left out: {answer['left_out']}; a sheet takes {PHOTOS_MAX}")
    for lot in answer["lots_without_curve"]:
        print(f"no tone curve: {lot}; printed as it is")
