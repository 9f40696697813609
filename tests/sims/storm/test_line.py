"""Lines: what is lost, repeated, late or cut off, and what is not once it is calm."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from sims.storm.line import Lines
from sims.storm.options import draw_options
from sims.storm.timeline import FloorTime, Timeline

CALM = replace(draw_options(0), lost=0.0, repeated=0.0, late=0.0, late_s=4.0)


def said(count: int = 50, **rates: float) -> tuple[list[bytes], Lines, Timeline]:
    """Say numbers on one line; give what was heard, in order."""
    timeline, heard = Timeline(), []
    lines = Lines(timeline, replace(CALM, **rates), 1, Counter())
    for number in range(count):
        lines.send("p1", heard.append, b"%d" % number)
    timeline.run(60.0, lambda: False)
    return heard, lines, timeline


def test_a_faultless_line_keeps_the_order():
    assert said()[0] == [b"%d" % number for number in range(50)]


def test_messages_are_lost_repeated_and_overtaken_as_often_as_the_options_say():
    assert said(lost=1.0)[0] == []
    assert 0 < len(said(lost=0.5)[0]) < 50
    twice = said(repeated=1.0)[0]
    assert Counter(twice) == Counter({b"%d" % number: 2 for number in range(50)})
    late = said(late=0.5)[0]
    assert sorted(late) == sorted(b"%d" % number for number in range(50))
    assert late != said()[0]


def test_nothing_comes_through_a_line_that_is_down_or_was_dialled_anew():
    heard, lines, timeline = said(0)
    lines.cut("p1", 5.0)
    lines.send("p1", heard.append, b"down")
    lines.send("p2", heard.append, b"another")
    timeline.run(timeline.now_s + 1.0, lambda: False)
    assert heard == [b"another"]
    timeline.now_s += 10.0
    lines.send("p1", heard.append, b"to the old end")
    lines.redial("p1")
    lines.send("p1", heard.append, b"to the new end")
    timeline.run(timeline.now_s + 1.0, lambda: False)
    assert heard == [b"another", b"to the new end"]


def test_a_healed_line_loses_nothing_any_more():
    heard, lines, timeline = said(0, lost=1.0)
    lines.cut("p1", 50.0)
    lines.heal()
    lines.send("p1", heard.append, b"calm")
    timeline.run(1.0, lambda: False)
    assert heard == [b"calm"]


def test_of_two_things_at_one_time_the_first_entered_goes_first_and_a_run_ends_when_it_is_over():
    timeline, order = Timeline(), []
    for name in "abc":
        timeline.after(1.0, order.append, name)
    timeline.after(2.0, order.append, "d")
    assert timeline.run(9.0, lambda: len(order) == 3)
    assert (order, timeline.now_s) == (["a", "b", "c"], 1.0)
    assert not timeline.run(9.0, lambda: False)
    clock = FloorTime(timeline)
    assert (clock.now_floor_s(), clock.real_s_until(3 * clock.scale)) == (2 * clock.scale, 1.0)
