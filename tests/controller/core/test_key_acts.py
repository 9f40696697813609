"""The doors' keys in the ledger: what two administrators do, what is found in the folder, and when that is an alarm."""

from __future__ import annotations

import pytest

from controller.audit.words import sentences_of
from controller.core import events as e
from controller.core.foreman import Foreman
from controller.core.key_events import KeysKept, KeysSeen, SeenPeer
from controller.core.key_moves import KeyAllowed, KeyInPlace, KeyRevoked, KeyRotated
from controller.core.moves import ActEnded, ActProposed
from controller.core.settings import CoreConfig
from controller.core.state import FloorState
from devices.keys import curve_keypair, key_bytes
from devices.peers import OPERATOR, STATION, UPSTREAM, fingerprint, key_text

ANN, BOB, EVE, PRESS, NORTH, SPARE = (curve_keypair().public for _ in range(6))
ADMINISTRATORS = [
    SeenPeer(OPERATOR, "ann", ANN, "", ["administrator"]),
    SeenPeer(OPERATOR, "bob", BOB, "", ["administrator"]),
]
TWIN = key_text(key_bytes(EVE)[:31] + bytes([key_bytes(EVE)[31] ^ 0x80]))  # the same secret opens it
FLOOR = [*ADMINISTRATORS, SeenPeer(STATION, "press-1", PRESS, "", [])]


class Centre:
    """A foreman that keeps its moves."""

    def __init__(self, peers=FLOOR):
        self.foreman, self.moves, self.now = Foreman(CoreConfig()), [], 0.0
        self.handle(e.ServiceBegan())
        self.handle(KeysSeen(peers))

    def handle(self, event):
        self.now += 1.0
        turn = self.foreman.handle(event, self.now)
        self.moves += [(self.now, move) for move in turn.moves]
        return turn

    @property
    def keys(self):
        return self.foreman.state.peer_keys

    def by_two(self, verb, **args):
        asked = self.handle(e.ActAsked(verb, args, "ann"))
        return asked if asked.refused else self.handle(e.ActSeconded(asked.answer, "bob"))

    def folded_again(self):
        state = Foreman(CoreConfig(), FloorState())
        for at, move in self.moves:
            state.replay(at, move)
        return state.state


@pytest.fixture
def centre():
    return Centre()


def test_the_keys_of_the_first_start_are_noted_without_an_alarm():
    centre = Centre()
    moves = [move for _, move in centre.moves[1:]]
    assert {(one.role, one.name, one.where, one.by, one.second) for one in moves} == {
        (OPERATOR, "ann", "setup", "", ""),
        (OPERATOR, "bob", "setup", "", ""),
        (STATION, "press-1", "setup", "", ""),
    }
    assert (centre.keys.outside, centre.keys.pending) == (0, [])
    assert centre.keys.administrators() == {"ann", "bob"}
    assert centre.handle(KeysSeen(FLOOR)).moves == []


def test_without_an_administrator_no_change_of_the_folder_is_an_alarm():
    centre = Centre([SeenPeer(STATION, "press-1", PRESS, "", [])])
    centre.handle(KeysSeen([]))
    centre.handle(KeysSeen(ADMINISTRATORS))
    assert centre.keys.outside == 0
    centre.handle(KeysSeen([]))
    assert centre.keys.outside == 2
    centre.handle(KeysSeen(ADMINISTRATORS))
    assert centre.keys.outside == 4, "there was one once: from then on it is an alarm"


@pytest.mark.parametrize(
    ("peers", "moves"),
    [
        (ADMINISTRATORS, [KeyRevoked(STATION, "press-1", PRESS, "", "", "folder")]),
        (
            [*FLOOR, SeenPeer(OPERATOR, "eve", EVE, "", ["auditor"])],
            [KeyAllowed(OPERATOR, "eve", EVE, ["auditor"], "", "", "folder")],
        ),
        (
            [*ADMINISTRATORS, SeenPeer(STATION, "press-1", SPARE, "", [])],
            [KeyAllowed(STATION, "press-1", SPARE, [], "", "", "folder")],
        ),
        (
            [*ADMINISTRATORS, SeenPeer(STATION, "press-1", PRESS, SPARE, [])],
            [KeyRotated(STATION, "press-1", PRESS, SPARE, "", "", "folder")],
        ),
        (
            [*FLOOR, SeenPeer(UPSTREAM, "north", NORTH, SPARE, [])],
            [
                KeyAllowed(UPSTREAM, "north", NORTH, [], "", "", "folder"),
                KeyRotated(UPSTREAM, "north", NORTH, SPARE, "", "", "folder"),
            ],
        ),
        (
            [SeenPeer(OPERATOR, "ann", ANN, "", ["administrator", "quality"]), *FLOOR[1:]],
            [KeyAllowed(OPERATOR, "ann", ANN, ["administrator", "quality"], "", "", "folder")],
        ),
    ],
)
def test_what_others_did_to_the_folder_is_recorded_as_it_is_and_is_an_alarm(centre, peers, moves):
    assert centre.handle(KeysSeen(peers)).moves == moves
    assert (centre.keys.outside, centre.keys.outside_floor_s) == (len(moves), centre.now)
    assert centre.handle(KeysSeen(peers)).moves == []
    assert centre.folded_again().peer_keys == centre.keys


def test_a_rotation_ended_in_the_folder_with_new_roles_beside_is_two_moves(centre):
    centre.handle(KeysSeen([SeenPeer(OPERATOR, "ann", ANN, SPARE, ["administrator"]), *FLOOR[1:]]))
    ended = [SeenPeer(OPERATOR, "ann", SPARE, "", ["administrator", "auditor"]), *FLOOR[1:]]
    assert centre.handle(KeysSeen(ended)).moves == [
        KeyAllowed(OPERATOR, "ann", ANN, ["administrator", "auditor"], "", "", "folder"),
        KeyRotated(OPERATOR, "ann", SPARE, "", "", "", "folder"),
    ]
    assert centre.handle(KeysSeen(ended)).moves == []


def test_one_administrator_alone_changes_no_key(centre):
    act = centre.handle(e.ActAsked("allow_key", {"role": OPERATOR, "name": "eve", "public": EVE}, "ann"))
    assert [type(move) for move in act.moves] == [ActProposed]
    again = centre.handle(e.ActSeconded(act.answer, "ann"))
    assert again.refused.code == "act.same_person"
    assert (again.moves, again.actions) == ([], [])
    assert centre.keys.of(OPERATOR, "eve") is None


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("revoke_key", {"role": OPERATOR, "name": "eve"}),
        ("rotate_key", {"role": OPERATOR, "name": "eve", "public": SPARE}),
        ("allow_key", {"role": OPERATOR, "name": "eve", "public": EVE, "roles": "quality"}),
    ],
)
def test_nobody_takes_back_what_another_one_proposed_about_keys(verb, args):
    centre = Centre([*FLOOR, SeenPeer(OPERATOR, "eve", EVE, "", ["administrator"])])
    act_id = centre.handle(e.ActAsked(verb, args, "ann")).answer
    refused = centre.handle(e.ActWithdrawn(act_id, "eve"))
    assert (refused.refused.code, refused.moves) == ("act.not_yours", [])
    assert act_id in centre.foreman.state.acts
    assert centre.handle(e.ActWithdrawn(act_id, "ann")).moves == [ActEnded(act_id, "ann", False)]
    assert centre.handle(e.ActWithdrawn(act_id, "eve")).refused.code == "act.not_open"
    again = centre.handle(e.ActAsked(verb, args, "ann")).answer
    assert centre.handle(e.ActSeconded(again, "bob")).refused is None


def test_a_restored_ledger_waits_for_no_change_of_the_folder(centre):
    centre.by_two("revoke_key", role=STATION, name="press-1")
    centre.by_two("allow_key", role=OPERATOR, name="eve", public=EVE, roles="auditor")
    centre.handle(e.RestoreAccepted(len(centre.moves), 1_000, []))
    assert centre.keys.pending == []
    assert centre.handle(e.ServiceBegan()).actions == []
    assert centre.handle(KeysSeen(FLOOR)).moves == [
        KeyRevoked(OPERATOR, "eve", EVE, "", "", "folder"),
        KeyAllowed(STATION, "press-1", PRESS, [], "", "", "folder"),
    ]
    assert centre.keys.outside == 2
    assert centre.folded_again() == centre.foreman.state


def test_two_administrators_let_a_person_in_and_the_folder_follows(centre):
    done = centre.by_two("allow_key", role=OPERATOR, name="eve", public=EVE, roles="quality, operator")
    allowed = KeyAllowed(OPERATOR, "eve", EVE, ["operator", "quality"], "ann", "bob", "act")
    assert [move for move in done.moves if not isinstance(move, ActEnded)] == [allowed]
    assert done.actions == [e.KeepKeys(OPERATOR, "eve")]
    assert centre.keys.pending == [(OPERATOR, "eve")]
    assert centre.handle(KeysSeen(FLOOR)).moves == [], "the folder does not have it yet: that is no change of others"
    assert centre.handle(KeysKept(OPERATOR, "eve")).moves == [KeyInPlace(OPERATOR, "eve")]
    assert centre.handle(KeysKept(OPERATOR, "eve")).moves == []
    in_folder = [*FLOOR, SeenPeer(OPERATOR, "eve", EVE, "", ["operator", "quality"])]
    assert centre.handle(KeysSeen(in_folder)).moves == []
    assert centre.keys.outside == 0
    assert centre.folded_again() == centre.foreman.state


def test_what_was_approved_and_not_done_before_a_stop_is_asked_for_again_at_the_start(centre):
    centre.by_two("revoke_key", role=STATION, name="press-1")
    centre.by_two("rotate_key", role=OPERATOR, name="ann", public=SPARE)
    again = Foreman(CoreConfig(), centre.folded_again()).handle(e.ServiceBegan(), centre.now + 1)
    assert again.actions == [e.KeepKeys(STATION, "press-1"), e.KeepKeys(OPERATOR, "ann")]
    assert centre.keys.of(STATION, "press-1") is None
    assert centre.keys.of(OPERATOR, "ann").next_public == SPARE


def test_a_key_is_rotated_by_two_acts(centre):
    begun = centre.by_two("rotate_key", role=STATION, name="press-1", public=SPARE)
    assert begun.moves[0] == KeyRotated(STATION, "press-1", PRESS, SPARE, "ann", "bob", "act")
    ended = centre.by_two("rotate_key", role=STATION, name="press-1")
    assert ended.moves[0] == KeyRotated(STATION, "press-1", SPARE, "", "ann", "bob", "act")
    assert (centre.keys.of(STATION, "press-1").public, centre.keys.outside) == (SPARE, 0)


PEER, PERSON = {"role": STATION, "name": "press-1"}, {"role": OPERATOR, "name": "ann"}


@pytest.mark.parametrize(
    ("code", "verb", "args"),
    [
        ("key.peer", "allow_key", {"role": "boss", "name": "eve", "public": EVE}),
        ("key.peer", "allow_key", {"role": OPERATOR, "name": "../eve", "public": EVE}),
        ("key.peer", "revoke_key", {"role": OPERATOR, "name": ""}),
        ("key.public", "allow_key", {"role": OPERATOR, "name": "eve", "public": EVE[:-1]}),
        ("key.public", "rotate_key", {**PEER, "public": "#" * 40}),
        ("key.public", "allow_key", {"role": OPERATOR, "name": "eve", "public": TWIN}),
        ("key.public", "rotate_key", {**PEER, "public": TWIN}),
        ("key.roles", "allow_key", {"role": OPERATOR, "name": "eve", "public": EVE, "roles": "boss"}),
        ("key.roles", "allow_key", {"role": STATION, "name": "press-2", "public": EVE, "roles": "quality"}),
        ("key.shared", "allow_key", {"role": OPERATOR, "name": "eve", "public": PRESS}),
        ("key.shared", "rotate_key", {**PEER, "public": ANN}),
        ("key.name_taken", "allow_key", {**PEER, "public": SPARE}),
        ("key.same", "allow_key", {**PEER, "public": PRESS}),
        ("key.same", "rotate_key", {**PEER, "public": PRESS}),
        ("key.unknown", "revoke_key", {"role": STATION, "name": "press-2"}),
        ("key.unknown", "rotate_key", {"role": UPSTREAM, "name": "press-1", "public": SPARE}),
        ("key.not_rotating", "rotate_key", PEER),
        ("key.last_administrators", "revoke_key", PERSON),
        ("key.last_administrators", "allow_key", {**PERSON, "public": ANN, "roles": "quality"}),
        ("act.argument", "allow_key", PEER),
        ("act.argument", "allow_key", {**PEER, "public": 7}),
    ],
)
def test_what_makes_no_sense_is_refused_to_the_first_person(centre, code, verb, args):
    refused = centre.handle(e.ActAsked(verb, args, "ann"))
    assert (refused.refused.code, refused.moves) == (code, [])


def test_a_second_rotation_and_a_key_that_waits_in_one_are_refused(centre):
    centre.by_two("rotate_key", **PEER, public=SPARE)
    for verb, code, args in (
        ("rotate_key", "key.rotating", {**PEER, "public": EVE}),
        ("allow_key", "key.shared", {"role": OPERATOR, "name": "eve", "public": SPARE}),
    ):
        assert centre.handle(e.ActAsked(verb, args, "ann")).refused.code == code


def test_with_a_third_administrator_one_of_them_may_go(centre):
    centre.by_two("allow_key", role=OPERATOR, name="eve", public=EVE, roles="administrator")
    assert centre.by_two("revoke_key", **PERSON).refused is None
    assert centre.keys.administrators() == {"bob", "eve"}


def test_the_audit_says_fingerprints_and_where_it_was_done():
    english, chinese = sentences_of(KeyRotated(STATION, "press-1", PRESS, SPARE, "ann", "bob", "act"))
    for sentence in (english, chinese):
        assert fingerprint(PRESS) in sentence
        assert fingerprint(SPARE) in sentence
        assert PRESS not in sentence
        assert SPARE not in sentence
        assert "act" in sentence
    assert "none" in sentences_of(KeyRotated(STATION, "press-1", PRESS, "", "", "", "folder"))[0]
