"""Serves the console: on loopback, or with TLS by the files that the settings name."""

from __future__ import annotations

import ssl
import stat
import sys
import time
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

import structlog
import trio
from hypercorn.config import Config as HypercornConfig
from hypercorn.trio import serve as hypercorn_serve
from starlette.types import ASGIApp

from controller.accounts.account_file import AccountFile
from controller.accounts.entrance import Entrance
from controller.accounts.first_run import VALID_S, FirstRun, forget_file, show_code
from controller.accounts.passwords import Passwords
from controller.accounts.recording import Note
from controller.accounts.sessions import Sessions
from controller.config import ConfigError, ConsoleConfig
from controller.console.app import More, console_app
from controller.console.guard import Person
from controller.refusals import Note as Refused
from controller.refusals import not_counted
from controller.web import bound

log = structlog.get_logger()
SILENT_S = 10  # a connection without a whole request line and headers, or between two requests, is closed then
HANDSHAKE_S = 5
HEADERS_MAX_BYTES = 16_384


async def open_console(
    config: ConsoleConfig,
    folder: Path,
    roles_of: Callable[[str], Collection[str]],
    note: Note,
    nursery: trio.Nursery,
    more: More,
    home: Callable[[Person], str],
    refused: Refused = not_counted,
) -> str:
    """Serve the console in the nursery, show the first-run code if there is no account, and give the address.

    Raises: ConfigError: certificate, key or address.  AccountError: the file of accounts.
    """
    require_usable(config, folder)
    forget_file(folder)  # of a start before
    file, first_run = AccountFile(folder), FirstRun()
    is_first = not file.read()
    passwords = await trio.to_thread.run_sync(Passwords)
    sessions = Sessions(config.idle_s, config.longest_s)
    entrance = Entrance(file, passwords, sessions, first_run, note, trio.current_time, time.time)
    app = console_app(entrance, roles_of, tls=bool(config.certificate), more=more, home=home, refused=refused)
    [address] = await nursery.start(serve_console, app, config)
    if is_first:
        show_code(first_run.offer(trio.current_time()), folder, sys.stderr, f"{address}/")
        nursery.start_soon(_forget_later, folder)
    return str(address)


async def serve_console(
    app: ASGIApp,
    config: ConsoleConfig,
    task_status: trio.TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED,
    *,
    silent_s: float = SILENT_S,
) -> None:
    """Serve until cancelled; starts with the addresses it is bound to.  Raises: ConfigError: see `bound`."""
    server = HypercornConfig()
    server.bind = [f"fd://{bound('console.listen', config.listen).detach()}"]
    if config.certificate:
        server.certfile, server.keyfile = config.certificate, config.key
    server.alpn_protocols = ["http/1.1"]  # one protocol less to be attacked; pages are few and small
    server.accesslog = server.errorlog = None
    server.include_server_header = False
    server.graceful_timeout = 1
    server.keep_alive_timeout = silent_s
    server.ssl_handshake_timeout = HANDSHAKE_S
    server.h11_max_incomplete_size = HEADERS_MAX_BYTES
    server.h2_max_concurrent_streams = 8
    forever: Callable[[], Awaitable[None]] = trio.sleep_forever
    await hypercorn_serve(app, server, shutdown_trigger=forever, task_status=task_status)  # type: ignore[arg-type]


def require_usable(config: ConsoleConfig, folder: Path) -> None:
    """Make sure, before anything is opened, that a console can be served.  Raises: ConfigError, AccountError."""
    if config.certificate:
        require_certificate(config)
    if config.listen:
        AccountFile(folder).read()


def require_certificate(config: ConsoleConfig) -> None:
    """Make sure of certificate and key.  Raises: ConfigError: missing, of two kinds, or a key that others may read."""
    key = Path(config.key)
    try:
        mode = key.stat().st_mode
        if not stat.S_ISREG(mode) or mode & 0o077:
            raise ConfigError(f"console.key: others may read {key}: take it from them with `chmod 600`")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(config.certificate, config.key, password="")
    except ssl.SSLError as error:
        raise ConfigError(f"console.certificate: this certificate and key do not work: {error.reason}") from None
    except OSError as error:
        named = error.filename or f"{config.certificate} or {key}"
        raise ConfigError(f"console.certificate, console.key: {named}: {error.strerror}") from None


async def _forget_later(folder: Path) -> None:
    await trio.sleep(VALID_S)
    forget_file(folder)
