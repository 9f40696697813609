"""A call that may never come back: in time its error is raised, later it is told, and nobody waits for ever."""

from __future__ import annotations

import threading

import pytest

from devices.patience import call_within
from devices.zlink import Context

SURELY_S = 300.0


def fails() -> None:
    raise OSError("no")


def test_what_comes_back_in_time_is_done_and_its_error_is_raised() -> None:
    done = threading.Event()
    assert call_within(SURELY_S, done.set, "quick")
    assert done.is_set()
    with pytest.raises(OSError, match="no"):
        call_within(SURELY_S, fails, "failing")


def test_the_error_of_a_call_that_was_left_behind_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told, has_told, may_end = list[threading.ExceptHookArgs](), threading.Event(), threading.Event()

    def tell(failed: threading.ExceptHookArgs) -> None:
        told.append(failed)
        has_told.set()

    def late() -> None:
        may_end.wait(SURELY_S)
        fails()

    monkeypatch.setattr(threading, "excepthook", tell)
    assert not call_within(0.01, late, "late")
    assert told == []
    may_end.set()
    assert has_told.wait(SURELY_S)
    assert (told[0].exc_type, str(told[0].exc_value)) == (OSError, "no")
    assert told[0].thread is not None
    assert told[0].thread.name == "late"


def test_a_context_that_cannot_be_closed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    context = Context()
    with monkeypatch.context() as broken:
        broken.setattr(context._raw, "destroy", fails)
        with pytest.raises(OSError, match="no"):
            context.close()
    context.close()
