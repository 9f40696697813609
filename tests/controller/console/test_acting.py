"""What an action asks for, and what it does with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.console.acting import read
from controller.console.actions import ACTIONS
from controller.core.acts import ACTS, malformed
from controller.rights import ACT_RIGHTS


def test_each_act_of_two_people_can_be_proposed_with_the_arguments_it_has():
    for act in ACT_RIGHTS:
        action = ACTIONS[f"act-{act}"]
        typed, wrong = read(action, {one.name: one.choices[0] if one.choices else "7" for one in action.asked})
        assert not wrong
        args = action.args(typed)
        assert args["verb"] == act in ACTS
        assert malformed(act, args["args"]) is None


@given(sent=st.dictionaries(st.sampled_from(["station", "code", "act_id", "other"]), st.text(max_size=80)))
@pytest.mark.parametrize("name", ["hold-station", "second"])
def test_whatever_is_typed_is_taken_whole_or_named_as_wrong(name, sent):
    action = ACTIONS[name]
    typed, wrong = read(action, sent)
    assert typed.keys() | wrong.keys() == {one.name for one in action.asked}
    assert not typed.keys() & wrong.keys()
    for key, value in typed.items():
        assert str(value) == sent[key].strip() or int(sent[key]) == value
