"""The main job, end to end, on this machine: `cardmill-sim demo`."""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import trio
from rich.console import Console

from controller.ledger.errors import LedgerError
from controller.report.page import report_page
from devices.keys import LinkError
from sims.demo.folder import DemoFolder
from sims.demo.last_manifest import last_manifest, manifest_line, write_manifest
from sims.demo.options import DemoOptionError, DemoOptions
from sims.demo.report import final_report
from sims.demo.run import DemoFailed, DemoRun, Interrupted
from sims.demo.screen import DemoView
from sims.demo.summary import summary
from sims.floor import DEFAULT_FLOOR

DONE, BROKEN, UNUSABLE, INTERRUPTED = 0, 1, 2, 130


def run_demo(options: DemoOptions) -> int:
    """Run a whole centre and write report.json, report.html, portraits.png and a manifest; give the exit code.

    0: every sum of the report holds.  1: one does not, or a process failed; its logs lie beside the report.  2: an
    option or the set-up is unusable.  130 and the like: ended by a signal.  Nothing that was started is left behind.
    """
    started_s = time.monotonic()
    console = Console(stderr=options.json_path == "-")
    try:
        options.check()
        _make_places(options)
        with TemporaryDirectory(prefix="cardmill-demo-") as root:
            folder = DemoFolder(Path(root), has_console=options.console)
            folder.prepare([spec.name for spec in DEFAULT_FLOOR], options.scale)
            return _run(options, folder, console, started_s)
    except (DemoOptionError, LinkError) as error:
        return _say(console, str(error), UNUSABLE)
    except OSError as error:
        return _say(console, f"{error.filename or 'a file'}: {error.strerror or error}", UNUSABLE)
    except KeyboardInterrupt:
        return _say(console, "ended by SIGINT", INTERRUPTED)


def _run(options: DemoOptions, folder: DemoFolder, console: Console, started_s: float) -> int:
    view = DemoView(cards=options.cards, kills_wanted=options.kills)
    run = DemoRun(options, folder, view, console)
    try:
        trio.run(run.run)
        wall_s = time.monotonic() - started_s
        report = trio.run(final_report, options, folder, view.kills, wall_s, run.stop_codes)
        _write_results(options, folder, report)
        manifest = trio.run(last_manifest, folder)
        write_manifest(manifest, options.out / MANIFEST_CSV, options.out / MANIFEST_PAGE)
    except DemoFailed as failure:
        _keep_logs(options, folder)
        if options.console and isinstance(failure, Interrupted):
            console.print(f"the floor is closed; its logs lie in {options.out}", soft_wrap=True)
            return DONE
        if failure.tail:
            console.print(failure.tail, markup=False, highlight=False, style="dim", soft_wrap=True)
        return _say(console, str(failure), failure.exit_code)
    except (LedgerError, ValueError) as error:
        _keep_logs(options, folder)
        return _say(console, f"the report cannot be made: {error}", BROKEN)
    console.print(summary(report))
    written = [str(options.out / name) for name in RESULTS if (options.out / name).exists()]
    console.print(f"\nwritten: {', '.join(written)}", soft_wrap=True)
    console.print(manifest_line(manifest), soft_wrap=True, highlight=False)
    if report["broken"]:
        _keep_logs(options, folder)
    for sentence in report["broken"]:
        console.print(f"does not hold: {sentence}", style="red", markup=False)
    return BROKEN if report["broken"] else DONE


MANIFEST_CSV, MANIFEST_PAGE = "manifest.csv", "manifest.html"  # of the last consignment
RESULTS = ("report.json", "report.html", "portraits.png", MANIFEST_CSV, MANIFEST_PAGE)
LOGS = ("service.log", "stations.log", "upstream.log")


def _make_places(options: DemoOptions) -> None:
    """Make the folder of results, and see that the JSON file can be written.  Raises: OSError."""
    options.out.mkdir(parents=True, exist_ok=True)
    for name in (*RESULTS, *LOGS):
        (options.out / name).unlink(missing_ok=True)
    if options.json_path not in ("", "-"):
        Path(options.json_path).open("ab").close()


def _write_results(options: DemoOptions, folder: DemoFolder, report: dict[str, Any]) -> None:
    text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
    (options.out / "report.json").write_text(text, "utf-8")
    (options.out / "report.html").write_text(report_page(report), "utf-8")
    _draw_portraits(folder.results / "portraits", options.out / "portraits.png")
    if options.json_path == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
    elif options.json_path:
        Path(options.json_path).write_text(text, "utf-8")


def _draw_portraits(pictures: Path, path: Path) -> None:
    """Raises: OSError; DemoFailed: a picture of the upstream's cannot be coded."""
    from encoders.portrait import PortraitError  # numba and the codec load here, not before the screen shows
    from sims.demo.proof import write_portraits

    try:
        write_portraits(pictures, path)
    except PortraitError as error:
        raise DemoFailed(f"the portraits cannot be drawn: {error}") from None


def _keep_logs(options: DemoOptions, folder: DemoFolder) -> None:
    """Lay the processes' logs beside the report: the folder they are in goes away."""
    for name in LOGS:
        if (folder.root / name).exists():
            shutil.copyfile(folder.root / name, options.out / name)


def _say(console: Console, sentence: str, code: int) -> int:
    console.print(f"cardmill-sim demo: {sentence}", style="red", markup=False, highlight=False, soft_wrap=True)
    return code
