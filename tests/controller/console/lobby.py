"""A console served by the real server over TLS on loopback, and browsers that speak HTTP to it."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlencode

import trio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from controller.config import ConsoleConfig
from controller.console.app import console_app
from controller.console.serving import serve_console
from tests.controller.accounts.hall import ANN, Hall, open_hall

HOST = "127.0.0.1"
PATIENCE_S = 60.0
ROLES = {"ann": {"operator", "supervisor"}, "bob": set()}


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for loopback, which signs itself, and its key of mode 0600."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cardmill test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "console.pem", folder / "console.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.touch(0o600)
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, secret


@dataclass
class Page:
    """What a browser got."""

    status: int
    headers: list[tuple[str, str]]
    text: str

    def header(self, name):
        return ", ".join(value for key, value in self.headers if key.lower() == name.lower())

    def cookie(self, name):
        """The whole line that sets a cookie."""
        lines = [value for key, value in self.headers if key.lower() == "set-cookie"]
        return next((line for line in lines if line.startswith(f"__Host-cardmill-{name}=")), "")

    @property
    def csrf(self):
        found = re.search(r'name="csrf" value="([^"]+)"', self.text)
        return found[1] if found else ""


@dataclass
class Browser:
    """One browser: its cookies, and what it says of itself with every request."""

    port: int
    tls: ssl.SSLContext
    cookies: dict[str, str] = field(default_factory=dict)
    says: dict[str, str] = field(default_factory=lambda: {"Accept-Language": "en", "Sec-Fetch-Site": "same-origin"})

    async def get(self, path, **headers):
        return await self.ask("GET", path, **headers)

    async def post(self, path, fields=None, *, body=None, **headers):
        sent = urlencode(fields or {}) if body is None else body
        named = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        return await self.ask("POST", path, sent, **named)

    async def ask(self, method, path, body=None, **headers):
        return await trio.to_thread.run_sync(partial(self._ask, method, path, body, headers), abandon_on_cancel=True)

    def _ask(self, method, path, body, headers):
        line = http.client.HTTPSConnection(HOST, self.port, context=self.tls, timeout=PATIENCE_S)
        said = {**self.says, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.cookies and "Cookie" not in said:
            said["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            line.request(method, path, body, {name: value for name, value in said.items() if value is not None})
            answer = line.getresponse()
            page = Page(answer.status, answer.getheaders(), answer.read().decode("utf-8"))
        finally:
            line.close()
        self._keep(page)
        return page

    def _keep(self, page):
        for key, value in page.headers:
            if key.lower() == "set-cookie":
                name, _, rest = value.partition("=")
                self.cookies[name] = rest.partition(";")[0].strip('"')
                if "max-age=0" in rest.lower():
                    del self.cookies[name]

    @property
    def session(self):
        return self.cookies.get("__Host-cardmill-session", "")

    async def log_in(self, name="ann", password=ANN, code=""):
        """Load the form, send it, and give what came."""
        csrf = (await self.get("/login")).csrf
        return await self.post("/login", {"csrf": csrf, "name": name, "password": password, "code": code})


@dataclass
class Lobby:
    """A served console and what stands behind it."""

    hall: Hall
    port: int
    tls: ssl.SSLContext
    refused: list[str]  # codes of what was refused, in order

    def browser(self):
        return Browser(self.port, self.tls)

    def raw(self):
        """A bare TLS line to it."""
        plain = socket.create_connection((HOST, self.port), timeout=PATIENCE_S)
        return self.tls.wrap_socket(plain, server_hostname=HOST)


@asynccontextmanager
async def open_lobby(
    folder: Path, *, empty: bool = False, request_s: float = PATIENCE_S, silent_s: float = PATIENCE_S
) -> AsyncIterator[Lobby]:
    """Serve a console with ann and bob, or with nobody; one more page breaks, and one answers who asks."""
    certificate, key = make_certificate(folder)
    hall = open_hall(folder / "data", empty=empty)

    def more(guard, pages):
        async def break_down(request):
            raise RuntimeError("a secret of somebody")

        async def act(request):
            person = await guard.signed_in(request)
            return PlainTextResponse(f"{person.name} did it")

        return [Route("/broken", break_down), Route("/act", act, methods=["GET", "POST", "DELETE"])]

    refused: list[str] = []
    app = console_app(
        hall.entrance,
        lambda name: ROLES.get(name, ()),
        tls=True,
        request_s=request_s,
        more=more,
        refused=refused.append,
    )
    config = ConsoleConfig(listen=f"{HOST}:0", certificate=str(certificate), key=str(key))
    async with trio.open_nursery() as nursery:
        [address] = await nursery.start(partial(serve_console, silent_s=silent_s), app, config)
        tls = ssl.create_default_context(cafile=str(certificate))
        yield Lobby(hall, int(address.rpartition(":")[2]), tls, refused)
        nursery.cancel_scope.cancel()
