"""What the demo can be told, and what it says to what it cannot."""

from __future__ import annotations

import pytest

from sims.demo.options import DemoOptionError, DemoOptions


def test_the_defaults_are_the_main_job():
    options = DemoOptions()
    options.check()
    assert (options.cards, options.kills) == (6_000, 0)
    assert str(options.out) == "out/demo"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("cards", 0, "--cards 0"),
        ("cards", -5, "--cards -5"),
        ("cards", 10_000_000, "200,000"),
        ("seed", -1, "--seed"),
        ("kills", -1, "--kill"),
        ("kills", 1_000, "--kill"),
        ("scale", 0.0, "--scale"),
        ("scale", float("nan"), "--scale nan"),
        ("scale", float("inf"), "--scale"),
        ("bad_share", 0.9, "--bad-share"),
        ("hold_share", -0.1, "--hold-share"),
    ],
)
def test_an_option_out_of_its_range_is_named_with_its_range(name, value, told):
    with pytest.raises(DemoOptionError, match="a number from") as error:
        DemoOptions(**{name: value}).check()
    assert told in str(error.value)


def test_shares_that_leave_too_few_good_ones_are_refused_together():
    with pytest.raises(DemoOptionError, match="together"):
        DemoOptions(bad_share=0.3, hold_share=0.3).check()


@pytest.mark.parametrize("other", [{"kills": 1}, {"json_path": "-"}])
def test_a_console_that_stays_has_no_kills_and_no_report(other):
    DemoOptions(console=True).check()
    with pytest.raises(DemoOptionError, match="until it is ended"):
        DemoOptions(console=True, **other).check()
