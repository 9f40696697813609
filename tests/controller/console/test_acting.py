"""What an action asks for, and what it does with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.console.acting import read
from controller.console.actions import ACTIONS
from controller.console.words import LANGUAGES, catalogue
from controller.core.acts import ACTS, malformed
from controller.rights import ACT_RIGHTS, ACT_VERBS, VERB_RIGHTS


def test_every_action_is_a_verb_with_a_right_and_says_in_both_languages_what_it_will_change():
    for action in ACTIONS.values():
        assert action.verb in VERB_RIGHTS or action.act in ACT_RIGHTS or action.verb in ACT_VERBS
        for language in LANGUAGES:
            words = catalogue(language)
            assert f"action.{action.name}" in words, action.name
            effect = words[f"effect.{action.name}"]
            assert effect.format(**{one.name: "7" for one in action.asked}), action.name
            assert [one.name for one in action.asked if f"field.{one.name}" not in words] == []
            assert [one for asked in action.asked for one in asked.choices if f"choice.{one}" not in words] == []


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
