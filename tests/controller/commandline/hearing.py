"""A line to a service that a test makes up: it notes what the command line asks, and answers what the test says."""

from __future__ import annotations

from controller.commandline import options


class Line:
    """Notes each verb with its arguments in `heard`; `answer` of the verb is the answer, or raises."""

    def __init__(self, heard, answer):
        self.heard, self.answer = heard, answer

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def command(self, verb, /, **args):
        self.heard.append((verb, args))
        return self.answer(verb)


def hear(monkeypatch, answer):
    """Give the list in which stands whatever any command asks from now on."""
    heard = []
    monkeypatch.setattr(options, "line", lambda *_, **__: Line(heard, answer))
    return heard
