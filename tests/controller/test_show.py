"""What people typed is shown as it is, never taken for markup."""

from __future__ import annotations

from controller.commandline import show


def test_words_in_brackets_and_keys_are_shown_whole(capsys):
    rows = [{"act_id": 1, "args": {"lot": "[/b]"}, "public": "^q[tqCd}@]Le"}]
    show.answer("Allowed keys", rows, "")
    show.answer("acts", {"lot": "[red]x[/red]"}, "")
    shown = capsys.readouterr().out
    assert "[/b]" in shown
    assert "^q[tqCd}@]Le" in shown
    assert "[red]x[/red]" in shown
