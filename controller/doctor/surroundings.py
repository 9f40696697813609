"""What the service needs of the machine: free ports, fonts, compiled kernels, and no image of its memory."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import encoders
from controller.config import Config
from controller.doctor.finding import Finding, ok, warning, wrong
from controller.upkeep.core_dumps import may_dump
from encoders.fonts.coverage import bundled_coverage

CONNECT_WITHIN_S = 2.0
ANYWHERE = ("*", "0.0.0.0", "::")  # noqa: S104  compared with, never bound


def look_at_ports(folder: Path, config: Config, is_running: bool) -> list[Finding]:
    """Say whether the doors are open where a service runs, and free where none does."""
    found = [_port(name, *address, is_running) for name, address in _addresses(folder, config, is_running).items()]
    if config.sockets.insecure:
        found.append(warning("doors", "INSECURE: sockets.insecure is true, so peers prove nothing: for tests only"))
    return found


def _addresses(folder: Path, config: Config, is_running: bool) -> dict[str, tuple[str, int]]:
    """Give host and port of each door; those a running service said it has, else those of the settings."""
    sockets = config.sockets
    named = {
        "upstreams": sockets.upstreams,
        "stations": sockets.stations,
        "operators": sockets.operators,
        "metrics": config.metrics.listen,
    }
    try:
        said = json.loads((folder / "endpoints.json").read_text("utf-8")) if is_running else {}
    except (OSError, ValueError):
        said = {}
    found = {}
    for name, setting in named.items():
        host, _, port = str(said.get(name) or setting).split("://")[-1].rstrip("/").rpartition(":")
        if port.isdecimal():  # `*` takes a free one, nothing turns the metrics off
            found[name] = ("127.0.0.1" if host in ANYWHERE else host.strip("[]"), int(port))
    return found


def _port(name: str, host: str, port: int, is_running: bool) -> Finding:
    about = f"port of {name}"
    if is_running:
        try:
            socket.create_connection((host, port), CONNECT_WITHIN_S).close()
        except OSError as error:
            return wrong(about, f"the service runs, and {host}:{port} does not answer ({error.strerror}): see its log")
        return ok(about, f"{host}:{port} answers")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return wrong(about, f"{host}:{port} cannot be had ({error.strerror}): end what holds it, or set another one")
    return ok(about, f"{host}:{port} is free")


def look_at_encoders() -> list[Finding]:
    """Say whether the fonts are there, and whether a start has to compile the kernels first."""
    try:
        coverage = bundled_coverage()
        fonts = ok("fonts", "bundled, with glyphs") if not coverage.missing_glyphs("样例") else wrong("fonts", _FONTS)
    except (OSError, ValueError):
        fonts = wrong("fonts", _FONTS)
    cache = Path(os.environ.get("NUMBA_CACHE_DIR") or Path(encoders.__file__).parent)
    compiled = sum(1 for _ in cache.rglob("*.nbi"))
    if compiled:
        return [fonts, ok("kernels", f"{compiled} are compiled")]
    return [fonts, warning("kernels", "none is compiled: the next start takes some 20 s longer")]


def look_at_core_dumps(pid: int | None) -> list[Finding]:
    """Say whether a crash of the service that runs would leave an image of its memory; `pid`: None when none runs."""
    about = "core dumps"
    if pid is None:
        return [ok(about, "the service forbids them to itself at its start")]
    can = may_dump(pid)
    if can is None:
        return [warning(about, "this system does not say whether the service leaves them: see SECURITY.md")]
    if can:
        return [wrong(about, "the service may leave one, with keys and people in it: start it again with this version")]
    return [ok(about, "the service leaves none")]


_FONTS = "the bundled fonts are not whole: install the program again"
