"""What an action asks for, and what it does with it."""

from __future__ import annotations

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from controller.console.acting import Acting, read
from controller.console.actions import ACTIONS
from controller.console.guard import Person
from controller.console.words import LANGUAGES, catalogue, say_in
from controller.core.acts import ACTS, malformed
from controller.rights import ACT_RIGHTS, ACT_VERBS, VERB_RIGHTS


def test_every_action_is_a_verb_with_a_right_and_says_in_both_languages_what_it_will_change():
    for action in ACTIONS.values():
        assert action.verb in VERB_RIGHTS or action.act in ACT_RIGHTS or action.verb in ACT_VERBS
        for language in LANGUAGES:
            words = catalogue(language)
            assert f"action.{action.name}" in words, action.name
            assert say_in(language)(f"effect.{action.name}", **{one.name: "7" for one in action.asked}), action.name
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


class Desk:
    """A console around a desk that answers when it is let, or never."""

    def __init__(self) -> None:
        self.asked, self.answers, self.shown = 0, trio.Event(), []
        self.acting = Acting(self)

    async def person(self, request):
        return Person("ann", frozenset(), "", {"station": "p1", "code": "jam", "nonce": "n" * 22})

    def may(self, person, verb, act=""):
        return True

    async def ask(self, person, verb, **args):
        self.asked += 1
        await self.answers.wait()
        return {}

    def page(self, request, template, person, *, status, word, **values):
        self.shown.append((status, word))

    async def confirm(self) -> None:
        scope = {"type": "http", "method": "POST", "path_params": {"action": "hold-station"}, "headers": []}
        await self.acting.act(Request(scope))


async def test_what_was_begun_and_not_answered_is_not_called_done(autojump_clock):
    desk = Desk()
    with trio.move_on_after(15.0):  # as long as a request may take
        await desk.confirm()
    await desk.confirm()
    assert desk.shown == [(409, "already_begun")]
    assert desk.asked == 1, "and it is not done twice"


async def test_what_was_done_is_called_done_and_not_done_twice():
    desk = Desk()
    desk.answers.set()
    await desk.confirm()
    await desk.confirm()
    assert desk.shown == [(200, ""), (409, "already_done")]
    assert desk.asked == 1
