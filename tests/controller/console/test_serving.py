"""The console is served by the files and the address that the settings name, or the service does not start."""

from __future__ import annotations

import dataclasses
import http.client
import io
import re
import socket
import ssl
from functools import partial

import pytest
import trio

from controller.accounts import first_run
from controller.accounts.errors import AccountError
from controller.accounts.first_run import FILE_NAME
from controller.config import ConfigError, ConsoleConfig, MetricsConfig
from controller.console.serving import open_console, require_certificate
from controller.core.settings import SettingError
from tests.controller.accounts.hall import ANN, open_hall, watch_logs
from tests.controller.accounts.test_first_run import Terminal
from tests.controller.console.lobby import make_certificate

TLS = {"certificate": "a.pem", "key": "a.key"}


@pytest.mark.parametrize(
    "setting",
    [
        {"listen": "127.0.0.1:9443"},
        {"listen": "0.0.0.0:9443"},
        {"listen": "0.0.0.0:9443", "insecure": True},
        {"listen": "192.0.2.7:9443", "insecure": True},
        {"listen": "localhost:9443", "insecure": True},  # it may be anything
        {"listen": "127.0.0.1:9443", "insecure": True, **TLS},
        {"listen": "127.0.0.1", **TLS},
        {"listen": "127.0.0.1:99999", **TLS},
        {"certificate": "a.pem"},
        {"key": "a.key"},
        {"idle_s": 59.0},
        {"idle_s": 3_600.0, "longest_s": 3_599.0},
        {"longest_s": 86_401.0},
    ],
)
def test_settings_that_would_let_somebody_listen_in_are_refused(setting):
    with pytest.raises(SettingError):
        ConsoleConfig(**setting)


@pytest.mark.parametrize(
    "setting",
    [
        {},
        {"listen": "0.0.0.0:9443", **TLS},
        {"listen": "[::1]:0", "insecure": True},
        {"listen": "127.0.0.1:0", "insecure": True},
    ],
)
def test_tls_anywhere_or_loopback_by_an_explicit_word_are_taken_and_off_is_the_default(setting):
    assert ConsoleConfig(**setting).insecure == setting.get("insecure", False)
    assert ConsoleConfig().listen == ""
    assert MetricsConfig().listen != ""


def with_files(folder):
    certificate, key = make_certificate(folder)
    return certificate, key, ConsoleConfig(listen="127.0.0.1:0", certificate=str(certificate), key=str(key))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_key_that_others_may_read_or_write_is_refused(tmp_path, mode):
    _, key, config = with_files(tmp_path)
    require_certificate(config)
    key.chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        require_certificate(config)


def test_a_certificate_or_key_that_is_missing_torn_or_another_s_is_refused_with_a_sentence(tmp_path):
    certificate, key, config = with_files(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    _, foreign, _ = with_files(other)
    whole = key.read_bytes()
    for text in (whole[:60], b"", foreign.read_bytes()):
        key.write_bytes(text)
        with pytest.raises(ConfigError, match=r"console\.certificate"):
            require_certificate(config)
    key.write_bytes(whole)
    for path in (certificate, key):
        kept = path.rename(tmp_path / "kept")
        with pytest.raises(ConfigError, match="No such file"):
            require_certificate(config)
        kept.rename(path)
    require_certificate(config)


async def opened(config, folder, nursery):
    nothing_more, home = (lambda guard, pages: ()), (lambda person: "/account")
    return await open_console(config, folder, lambda name: (), lambda *act: None, nursery, nothing_more, home)


async def test_an_exposed_file_of_accounts_or_key_stops_the_start_before_anything_listens(tmp_path):
    hall = open_hall(tmp_path)
    _, key, config = with_files(tmp_path)
    async with trio.open_nursery() as nursery:
        hall.file.path.chmod(0o644)
        with pytest.raises(AccountError, match=r"accounts\.mode"):
            await opened(config, tmp_path, nursery)
        hall.file.path.chmod(0o600)
        key.chmod(0o644)
        with pytest.raises(ConfigError):
            await opened(config, tmp_path, nursery)
        assert not nursery.child_tasks


async def test_an_address_that_is_taken_or_not_here_is_named(tmp_path):
    open_hall(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for listen in (f"127.0.0.1:{taken.getsockname()[1]}", "192.0.2.7:9443"):
            config = dataclasses.replace(with_files(tmp_path)[2], listen=listen)
            async with trio.open_nursery() as nursery:
                with pytest.raises(ConfigError, match=re.escape(listen)):
                    await opened(config, tmp_path, nursery)
            (tmp_path / "console.key").unlink()


async def test_without_an_account_a_start_shows_a_code_once_and_without_a_terminal_in_a_file(tmp_path, monkeypatch):
    logged, terminal = watch_logs(monkeypatch, first_run), Terminal()
    config = ConsoleConfig(listen="127.0.0.1:0", insecure=True)
    (tmp_path / FILE_NAME).write_text("an old one\n")
    for console in (terminal, io.StringIO()):
        monkeypatch.setattr("sys.stderr", console)
        async with trio.open_nursery() as nursery:
            address = await opened(config, tmp_path, nursery)
            nursery.cancel_scope.cancel()
        assert (tmp_path / FILE_NAME).exists() == (console is not terminal)
    assert f"{address.rpartition(':')[0]}:" in terminal.getvalue()
    code = (tmp_path / FILE_NAME).read_text().strip()
    assert code not in logged.getvalue()
    assert code not in terminal.getvalue(), "each start has its own"
    open_hall(tmp_path)
    async with trio.open_nursery() as nursery:
        await opened(config, tmp_path, nursery)
        nursery.cancel_scope.cancel()
    assert not (tmp_path / FILE_NAME).exists(), "there are accounts: a code of before is worth nothing"


async def test_on_loopback_without_tls_cookies_and_headers_say_so_and_the_rest_is_as_strict(tmp_path, monkeypatch):
    hall = open_hall(tmp_path)
    config = ConsoleConfig(listen="127.0.0.1:0", insecure=True)

    def ask(port, method, path, body=None, **headers):
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        line.request(method, path, body, named)
        answer = line.getresponse()
        try:
            return answer.status, answer.getheader("set-cookie") or "", answer.read().decode(), answer
        finally:
            line.close()

    async with trio.open_nursery() as nursery:
        address = await opened(config, tmp_path, nursery)
        assert address.startswith("http://127.0.0.1:")
        port = int(address.rpartition(":")[2])
        status, cookie, _, answer = await trio.to_thread.run_sync(partial(ask, port, "GET", "/login"))
        assert status == 200
        assert cookie.startswith("cardmill-form=")
        assert "HttpOnly" in cookie
        assert "Secure" not in cookie
        assert answer.getheader("strict-transport-security") is None
        assert answer.getheader("content-security-policy")
        token = cookie.partition("=")[2].partition(";")[0]
        post = partial(ask, port, "POST", "/login", f"csrf={token}&name=ann&password={ANN.replace(' ', '+')}")
        said = {"Cookie": f"cardmill-form={token}", "Content_Type": "application/x-www-form-urlencoded"}
        status, _, _, _ = await trio.to_thread.run_sync(partial(post, **said, Origin="http://evil.example"))
        assert status == 403
        status, cookie, _, _ = await trio.to_thread.run_sync(partial(post, **said, Origin=address))
        assert status == 303
        assert "cardmill-session=" in cookie
        nursery.cancel_scope.cancel()
    assert hall.file.read()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1:DeprecationWarning")
async def test_an_older_tls_is_refused(tmp_path):
    certificate, _, config = with_files(tmp_path)
    open_hall(tmp_path)

    def shake(port, newest):
        tls = ssl.create_default_context(cafile=str(certificate))
        tls.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        tls.maximum_version = newest
        line = http.client.HTTPSConnection("127.0.0.1", port, context=tls, timeout=60)
        try:
            line.connect()
            return line.sock.version()
        except (ssl.SSLError, OSError):
            return ""
        finally:
            line.close()

    async with trio.open_nursery() as nursery:
        address = await opened(config, tmp_path, nursery)
        port = int(address.rpartition(":")[2])
        assert await trio.to_thread.run_sync(shake, port, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
        assert await trio.to_thread.run_sync(shake, port, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
        assert await trio.to_thread.run_sync(shake, port, ssl.TLSVersion.TLSv1_1) == ""
        nursery.cancel_scope.cancel()
