"""Who watches while the pipeline bench measures, in another process: listeners of the console, and a Prometheus."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import trio

import bench
from controller.accounts.first_run import FILE_NAME

EVENTS, PAGE = "/events/floor", "/account"
PAGE_EVERY_S = 1.0  # where the console has no stream of events, its page is asked for so often
ACCEPT = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.3"
PASSWORD = "Seven quiet lamps over the press"  # noqa: S105  of an account that lives as long as the bench
WITHIN_S = 60.0


@dataclass(slots=True)
class Session:
    """Somebody who is signed in at the console."""

    address: str
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, form: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Give status and text; cookies are kept.  An endless answer is not read."""
        line = HTTPConnection(urlsplit(self.address).netloc, timeout=WITHIN_S)
        headers = {"Cookie": self.header, "Origin": self.address}
        body = None
        if form is not None:
            body, headers["Content-Type"] = urlencode(form), "application/x-www-form-urlencoded"
        line.request(method, path, body, headers)
        answer = line.getresponse()
        self._keep(answer)
        is_stream = "event-stream" in answer.headers.get("Content-Type", "")
        text = "" if is_stream else answer.read().decode()
        line.close()
        return answer.status, text

    @property
    def header(self) -> str:
        """What a browser would send as `Cookie`."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def _keep(self, answer: HTTPResponse) -> None:
        for row in answer.headers.get_all("Set-Cookie", []):
            name, _, value = row.partition(";")[0].partition("=")
            self.cookies[name] = value


def signed_in(address: str, data: Path, name: str) -> Session:
    """Give a session of the first account of all, whose code lies in the data folder.  Raises: RuntimeError."""
    session = Session(address)
    _, page = session.ask("GET", "/first-run")
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    code = (data / FILE_NAME).read_text("ascii").strip()
    form = {"csrf": token[1] if token else "", "code": code, "name": name, "password": PASSWORD, "again": PASSWORD}
    status, _ = session.ask("POST", "/first-run", form)
    if status != 303 or session.ask("GET", PAGE)[0] != 200:
        raise RuntimeError(f"nobody could sign in at the console: {status}")
    return session


def watched_path(session: Session) -> str:
    """Give what a listener asks for: the stream of events, where there is one."""
    return EVENTS if session.ask("GET", EVENTS)[0] == 200 else PAGE


class Audience:
    """A process that watches, and what it said at its end."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.said = process, dict[str, float]()


@contextmanager
def audience(order: Mapping[str, Any]) -> Iterator[Audience]:
    """Let them watch meanwhile; see `_Watch` for what an order holds."""
    command = [sys.executable, "-m", "bench.pipeline_audience"]
    place = Path(bench.__path__[0]).parent
    process = subprocess.Popen(command, cwd=place, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    end = Audience(process)
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        if process.stdout.readline() != "watching\n":
            raise RuntimeError("the listeners did not come to watch")
        yield end
        said, _ = process.communicate(timeout=WITHIN_S)
        end.said = json.loads(said)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


@dataclass(slots=True)
class _Watch:
    """Listeners and scrapes of one order: `console`, `cookie`, `path`, `consoles`, `metrics`, `scrape_every_s`."""

    order: Mapping[str, Any]
    counts: dict[str, float] = field(
        default_factory=lambda: {"listening": 0, "bytes": 0, "pieces": 0, "scrapes": 0, "scrape_s": 0.0, "ended": 0}
    )

    async def run(self) -> None:
        """Watch until standard input ends."""
        async with trio.open_nursery() as nursery:
            for _ in range(self.order["consoles"]):
                nursery.start_soon(self._listen if self.order["path"] == EVENTS else self._reload)
            if self.order["scrape_every_s"]:
                nursery.start_soon(self._scrape)
            while self.counts["listening"] < self.order["consoles"]:  # noqa: ASYNC110  other tasks count
                await trio.sleep(0.01)
            sys.stdout.write("watching\n")
            sys.stdout.flush()
            await trio.to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)
            nursery.cancel_scope.cancel()
        sys.stdout.write(json.dumps(self.counts))

    async def _listen(self) -> None:
        """Read a stream of events to its end."""
        async for piece in self._pieces(self.order["console"], EVENTS, "Accept: text/event-stream\r\n"):
            self._take(piece)
        self.counts["ended"] += 1

    async def _reload(self) -> None:
        """Ask for the page again and again."""
        while True:
            async for piece in self._pieces(self.order["console"], PAGE, "Connection: close\r\n"):
                self._take(piece)
            await trio.sleep(PAGE_EVERY_S)

    async def _scrape(self) -> None:
        while True:
            began_s = time.monotonic()
            more = f"Accept: {ACCEPT}\r\nConnection: close\r\n"
            async for _ in self._pieces(self.order["metrics"], "/metrics", more):
                pass
            self.counts["scrapes"] += 1
            self.counts["scrape_s"] += time.monotonic() - began_s
            await trio.sleep(self.order["scrape_every_s"])

    def _take(self, piece: bytes) -> None:
        self.counts["pieces"] += 1
        self.counts["bytes"] += len(piece)

    async def _pieces(self, address: str, path: str, more: str) -> AsyncIterator[bytes]:
        """Give what comes back of one request, as it comes."""
        place = urlsplit(address)
        async with await trio.open_tcp_stream(place.hostname or "", place.port or 80) as stream:
            head = f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\nCookie: {self.order['cookie']}\r\n{more}\r\n"
            await stream.send_all(head.encode("ascii"))
            is_first = True
            async for piece in stream:
                if is_first and path != "/metrics":
                    self.counts["listening"] += 1
                is_first = False
                yield bytes(piece)


if __name__ == "__main__":
    trio.run(_Watch(json.loads(sys.stdin.readline())).run)
