"""`cardmill top` and `cardmill watch` on a real terminal beside a real service, which goes away and comes back."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import termios
import time

import pytest

from tests.whole.centre import Centre, run_cli

pytestmark = pytest.mark.whole

WITHIN_S = 120.0
SIZE = (30, 100)  # lines and columns
WHOLE_SCREEN, BACK = b"\x1b[?1049h", b"\x1b[?1049l"
CTRL_C = b"\x03"


@pytest.fixture(scope="module")
def centre(tmp_path_factory):
    made = Centre(tmp_path_factory.mktemp("live"), scale=1.0)
    secret = made.secret("operator", "ann")
    peers = made.data / "peers"
    peers.mkdir()
    shutil.copy(secret, peers)
    (peers / secret.name).chmod(0o600)
    try:
        made.start()
        yield made
    finally:
        made.close()


class Terminal:
    """A command at a terminal of its own: what it draws is read, keys are pressed."""

    def __init__(self, centre, *words):
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, SIZE)
        self.before = termios.tcgetattr(theirs)
        self._theirs, self.drawn = theirs, b""
        reach = ("--as", "ann", "--config", str(centre.config), "--data", str(centre.data))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "controller.cli", *words, *reach],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: _take_terminal(theirs),
            env=os.environ | {"TERM": "xterm-256color"},
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(WITHIN_S)
        os.close(self._ours)
        os.close(self._theirs)

    def sees(self, words, after=0):
        """Read until `words` are drawn beyond `after`; give where they end."""
        wanted, deadline = words if isinstance(words, bytes) else words.encode(), time.monotonic() + WITHIN_S
        while wanted not in self.drawn[after:]:
            assert time.monotonic() < deadline, self.drawn[-3_000:].decode("utf-8", "replace")
            if select.select([self._ours], [], [], 0.1)[0]:
                self.drawn += os.read(self._ours, 1 << 16)
        return self.drawn.index(wanted, after) + len(wanted)

    def press(self, key):
        os.write(self._ours, key)

    def ends(self):
        """Wait until the command ended; give its exit code, and whether the terminal is as it was."""
        at = self.sees(BACK)
        code = self.process.wait(WITHIN_S)
        return code, at > 0 and termios.tcgetattr(self._theirs) == self.before


def _take_terminal(terminal):
    """Make it the terminal of the new session, so that Ctrl-C reaches the command, and is heard as in any new session.

    What a shell starts in the background ignores it, and so does whatever that starts.
    """
    import fcntl

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


@pytest.mark.parametrize("key", [b"q", CTRL_C])
def test_top_draws_the_floor_again_and_again_until_q_or_ctrl_c_and_leaves_the_terminal_as_it_was(centre, key):
    with Terminal(centre, "top", "--every", "0.5") as terminal:
        at = terminal.sees(WHOLE_SCREEN)
        at = terminal.sees("no print station is known", at)
        at = terminal.sees("q ends 退出", at)
        terminal.sees("no print station is known", at)
        terminal.press(key)
        assert terminal.ends() == (0, True)


def test_watch_repeats_a_command_until_q(centre):
    with Terminal(centre, "watch", "--every", "0.5", "acts") as terminal:
        at = terminal.sees("acts: none", terminal.sees(WHOLE_SCREEN))
        assert run_cli("hold", "nothing", "x", *reach(centre))[0] == 1
        terminal.sees("acts: none", at)
        terminal.press(b"q")
        assert terminal.ends() == (0, True)


def reach(centre):
    return ("--as", "ann", "--config", str(centre.config), "--data", str(centre.data))


def test_where_there_is_no_terminal_top_prints_one_picture_and_watch_so_many_answers(centre):
    code, shown, errors = run_cli("top", *reach(centre))
    assert (code, errors) == (0, "")
    assert shown.splitlines()[0].startswith("cardmill 2026-03-02 ")
    assert "\x1b" not in shown
    assert "inspect 质量检验" in shown
    code, shown, errors = run_cli("watch", "--times", "3", "--every", "0.5", *reach(centre), "shift", "--json", "-")
    assert (code, errors) == (0, "")
    decoder, answers = json.JSONDecoder(), []
    while shown.strip():
        answer, end = decoder.raw_decode(shown.lstrip())
        answers.append(answer)
        shown = shown.lstrip()[end:]
    assert len(answers) == 3
    assert all("closed" in one for one in answers)


def test_watch_repeats_nothing_that_changes_or_records_something(centre):
    for words in (("act", "receive", "first_body=1", "sheets=1", "lot=A"), ("look", "1", "--reason", "x"), ("serve",)):
        code, shown, errors = run_cli("watch", *words, *reach(centre))
        assert (code, shown) == (2, "")
        assert "no command that only looks" in errors
    assert json.loads(run_cli("acts", *reach(centre), "--json", "-")[1]) == []


def test_an_error_of_the_first_answer_ends_watch_and_top_as_it_would_the_command(centre):
    for words in (("watch", "why", "nothing"), ("watch", "status", "--no-such-option")):
        code, shown, errors = run_cli(*words, *reach(centre))
        assert (code, shown) == (1 if "why" in words else 2, "")
        assert errors
    nobody = ("--as", "zoe", "--config", str(centre.config), "--data", str(centre.data))
    for words in (("top",), ("watch", "status")):
        code, shown, errors = run_cli(*words, *nobody)
        assert (code, shown) == (2, "")
        assert "keys.missing" in errors


def test_a_service_that_goes_away_turns_top_grey_and_one_that_comes_back_is_shown_again(centre):
    with Terminal(centre, "top", "--every", "0.5") as terminal:
        at = terminal.sees("q ends 退出", terminal.sees(WHOLE_SCREEN))
        centre.kill()
        at = terminal.sees("NO ANSWER for", at)
        code, _, errors = run_cli("status", *reach(centre))
        assert code == 3
        assert "  hint: " in errors
        centre.start()
        began, deadline = terminal.sees("q ends 退出", at), time.monotonic() + WITHIN_S
        while b"NO ANSWER for" in terminal.drawn[began : (ended := terminal.sees("q ends 退出", began))]:
            assert time.monotonic() < deadline
            began = ended
        terminal.press(b"q")
        assert terminal.ends() == (0, True)
