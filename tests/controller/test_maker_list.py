"""The maker's list of body sheets: eight places unless a column says that they are single bodies."""

from __future__ import annotations

import pytest

from controller.commandline.stock import read_list
from controller.config import ConfigError


def test_a_list_may_say_which_of_its_bodies_are_single(tmp_path):
    (tmp_path / "list.csv").write_text("first_body,sheets,lot,places\n100,5,A,\n200,7,B,1\n300,9,C,8\n")
    assert read_list(tmp_path / "list.csv") == [
        {"first_body": 100, "sheets": 5, "lot": "A"},
        {"first_body": 200, "sheets": 7, "lot": "B", "places": 1},
        {"first_body": 300, "sheets": 9, "lot": "C", "places": 8},
    ]


def test_a_body_of_another_size_is_refused_with_its_line(tmp_path):
    (tmp_path / "list.csv").write_text("first_body,sheets,lot,places\n100,5,A,4\n")
    with pytest.raises(ConfigError, match="line 2: places is 8, or 1"):
        read_list(tmp_path / "list.csv")
