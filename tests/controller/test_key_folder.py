"""The folder of keys beside a running service: what was approved is written, what others did is told."""

from __future__ import annotations

import fcntl
import os
import signal

import structlog
import trio

from controller.core import events as e
from controller.core.foreman import Foreman
from controller.core.settings import CoreConfig
from controller.core.state import FloorState
from controller.upkeep import key_folder
from controller.upkeep.key_folder import KeyFolder
from controller.upkeep.last_seen import read_last_seen
from devices.key_ring import KeyRing, Peer
from devices.keys import KeyFileError, curve_keypair
from devices.peers import OPERATOR, STATION, fingerprint

ANN, BOB, EVE, PRESS = (curve_keypair().public for _ in range(4))
SURELY_S = 20.0


class Durable:
    """A turn that is durable at once."""

    async def wait(self):
        await trio.lowlevel.checkpoint()


class Centre:
    """A key ring on a folder, and a foreman that keeps its moves."""

    def __init__(self, folder, moves=()):
        self.moves, self.dropped, self.now, self.heard = list(moves), 0, 0.0, []
        self.foreman = Foreman(CoreConfig(), FloorState())
        for at, move in self.moves:
            self.foreman.replay(at, move)
        self.ring = KeyRing(folder)
        self.folder = KeyFolder(self.ring, self.foreman.state.peer_keys, self.post, self.drop, self.take_heard)

    def drop(self):
        self.dropped += 1
        return 0

    def take_heard(self):
        heard, self.heard = self.heard, []
        return heard

    def post(self, event):
        self.now += 1.0
        turn = self.foreman.handle(event, self.now)
        self.moves += [(self.now, move) for move in turn.moves]
        self.turn = turn
        return Durable()

    def by_two(self, verb, **args):
        self.post(e.ActAsked(verb, args, "ann"))
        self.post(e.ActSeconded(self.turn.answer, "bob"))
        assert self.turn.refused is None

    @property
    def keys(self):
        return self.foreman.state.peer_keys


async def set_up(folder):
    ring = KeyRing(folder)
    for name, public in (("ann", ANN), ("bob", BOB)):
        ring.allow(OPERATOR, name, public, ["administrator"])
    ring.allow(STATION, "press-1", PRESS)
    centre = Centre(folder)
    await centre.folder.look()
    return centre


async def test_the_first_look_notes_who_is_there_and_raises_no_alarm(tmp_path):
    with structlog.testing.capture_logs() as logs:
        centre = await set_up(tmp_path)
        await centre.folder.look()
    assert [name for _, name, _ in centre.keys.all()] == ["ann", "bob", "press-1"]
    assert (centre.keys.outside, [one["log_level"] for one in logs]) == (0, ["info"])


async def test_a_change_past_the_service_is_taken_recorded_and_an_alarm_with_a_fingerprint(tmp_path):
    centre = await set_up(tmp_path)
    KeyRing(tmp_path).allow(OPERATOR, "eve", EVE, ["quality"])
    KeyRing(tmp_path).revoke(STATION, "press-1")
    with structlog.testing.capture_logs() as logs:
        await centre.folder.look()
    assert [(one["event"], one["name"], one["fingerprint"]) for one in logs] == [
        ("keys changed past the service", "eve", fingerprint(EVE)),
        ("keys changed past the service", "press-1", "revoked"),
    ]
    assert centre.keys.outside == 2
    assert centre.ring.user_for(OPERATOR, EVE) == "eve"
    assert centre.ring.user_for(STATION, PRESS) is None
    assert EVE not in repr(logs)


async def test_what_two_people_approved_is_written_once_and_is_no_alarm(tmp_path):
    centre = await set_up(tmp_path)
    centre.by_two("allow_key", role=OPERATOR, name="eve", public=EVE, roles="auditor")
    centre.by_two("revoke_key", role=STATION, name="press-1")
    for _ in range(2):
        await centre.folder.look()
    assert KeyRing(tmp_path).peers() == [
        Peer(OPERATOR, "ann", ANN, roles=("administrator",)),
        Peer(OPERATOR, "bob", BOB, roles=("administrator",)),
        Peer(OPERATOR, "eve", EVE, roles=("auditor",)),
    ]
    assert (centre.keys.pending, centre.keys.outside) == ([], 0)


async def test_a_crash_between_approval_and_file_is_made_good_at_the_next_start(tmp_path):
    centre = await set_up(tmp_path)
    centre.by_two("allow_key", role=OPERATOR, name="eve", public=EVE, roles="auditor")
    centre.by_two("revoke_key", role=STATION, name="press-1")
    after = Centre(tmp_path, centre.moves)  # the power fails: the ledger has it, the folder does not
    assert after.ring.user_for(STATION, PRESS) == "press-1"
    await after.folder.look()
    assert after.ring.user_for(STATION, PRESS) is None
    assert after.ring.user_for(OPERATOR, EVE) == "eve"
    assert (after.keys.pending, after.keys.outside) == ([], 0)
    again = Centre(tmp_path, centre.moves)  # it fails again, after the files and before the ledger has that
    await again.folder.look()
    assert (again.keys.pending, again.keys.outside) == ([], 0)


async def test_who_holds_the_lock_of_the_folder_keeps_no_revocation_from_being_in_force(tmp_path, nursery):
    centre = await set_up(tmp_path)
    KeyRing(tmp_path).allow(OPERATOR, "eve", EVE, ["quality"])
    await centre.folder.look()
    centre.by_two("revoke_key", role=STATION, name="press-1")
    centre.folder.wake()
    holder = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    try:
        nursery.start_soon(centre.folder.look)  # it waits for the lock
        with trio.move_on_after(0.3):
            await trio.sleep_forever()
        assert centre.keys.pending
        assert centre.ring.user_for(STATION, PRESS) is None
        assert centre.ring.user_for(OPERATOR, EVE) == "eve"
        before = centre.dropped
        centre.by_two("revoke_key", role=OPERATOR, name="eve")
        centre.folder.wake()
        assert centre.ring.user_for(OPERATOR, EVE) is None
        assert centre.dropped == before + 1
    finally:
        os.close(holder)
    with trio.fail_after(SURELY_S):
        while centre.keys.pending:
            await trio.sleep(0.01)
            await centre.folder.look()
    assert [one.name for one in KeyRing(tmp_path).peers()] == ["ann", "bob"]


async def test_a_revocation_holds_though_the_folder_cannot_be_written_and_is_written_later(tmp_path, monkeypatch):
    centre = await set_up(tmp_path)
    centre.by_two("revoke_key", role=STATION, name="press-1")

    def full(peer):
        raise KeyFileError("keys.io", "no space left")

    monkeypatch.setattr(centre.ring, "put", full)
    with structlog.testing.capture_logs() as logs:
        await centre.folder.look()
    assert "approved keys not written" in [one["event"] for one in logs]
    assert centre.ring.user_for(STATION, PRESS) is None
    assert not centre.ring.is_current(STATION, "press-1", fingerprint(PRESS))
    assert centre.keys.pending == [(STATION, "press-1")]
    assert centre.dropped == 2, "whoever was let in by it is hung up on all the same"
    monkeypatch.undo()
    await centre.folder.look()
    assert (centre.keys.pending, centre.keys.outside) == ([], 0)
    assert KeyRing(tmp_path).user_for(STATION, PRESS) is None


async def test_a_slip_in_the_folder_lets_nobody_in_again_whom_two_people_revoked(tmp_path):
    centre = await set_up(tmp_path)
    KeyRing(tmp_path).allow(OPERATOR, "eve", EVE, ["quality"])
    await centre.folder.look()
    slip = tmp_path / "allowed" / OPERATOR / "bob.roles"
    slip.write_text("administrater")
    for role, name in ((OPERATOR, "eve"), (STATION, "press-1")):
        centre.by_two("revoke_key", role=role, name=name)
        for _ in range(2):
            with structlog.testing.capture_logs() as logs:
                await centre.folder.look()
            assert "approved keys not written" in [one["event"] for one in logs]
            assert centre.ring.user_for(OPERATOR, EVE) is None
            assert not centre.ring.is_current(OPERATOR, "eve", fingerprint(EVE))
    assert centre.ring.user_for(STATION, PRESS) is None
    outside = centre.keys.outside
    slip.write_text("administrator")
    await centre.folder.look()
    assert (centre.keys.pending, centre.keys.outside) == ([], outside)
    assert [one.name for one in KeyRing(tmp_path).peers()] == ["ann", "bob"]


async def test_what_a_backup_waited_for_is_not_done_again_beside_a_newer_folder(tmp_path):
    centre = await set_up(tmp_path)
    centre.by_two("allow_key", role=OPERATOR, name="eve", public=EVE, roles="administrator")
    after = Centre(
        tmp_path, centre.moves
    )  # since the backup she was put there, and revoked: the folder has her no more
    after.post(e.RestoreAccepted(len(centre.moves), 1_000, []))
    after.post(e.ServiceBegan())
    assert after.turn.actions == []
    await after.folder.look()
    assert (after.ring.user_for(OPERATOR, EVE), after.keys.of(OPERATOR, "eve")) == (None, None)
    assert (after.keys.pending, after.keys.outside) == ([], 1), "that the folder differs is an alarm"


async def test_a_folder_that_cannot_be_read_is_told_once_and_changes_nothing(tmp_path):
    centre = await set_up(tmp_path)
    stray = tmp_path / "allowed" / OPERATOR / "Eve.public"
    stray.write_text(EVE)
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            await centre.folder.look()
    assert [(one["event"], one["code"]) for one in logs] == [("keys not read again", "keys.bad_name")]
    assert centre.ring.user_for(STATION, PRESS) == "press-1"
    stray.unlink()
    await centre.folder.look()
    assert centre.keys.outside == 0


async def test_when_a_peer_was_last_heard_outlives_the_service_and_no_look_takes_it_for_a_key(tmp_path):
    centre = await set_up(tmp_path)
    centre.heard = [(STATION, "press-1")]
    await centre.folder.look()
    [minute] = [seen for peer, seen in read_last_seen(tmp_path).items() if peer == "station press-1"]
    assert minute.endswith("Z")
    again = Centre(tmp_path, centre.moves)
    again.heard = [(OPERATOR, "ann")]
    await again.folder.look()
    assert set(read_last_seen(tmp_path)) == {"station press-1", "operator ann"}
    (tmp_path / ".last_seen.json").write_text("[]")
    assert read_last_seen(tmp_path) == {}
    assert again.keys.outside == 0


async def test_the_service_looks_when_woken_and_on_a_signal(tmp_path, monkeypatch):
    monkeypatch.setattr(key_folder, "LOOK_EVERY_S", 3_600.0)
    centre = await set_up(tmp_path)

    async def looked(times):
        with trio.fail_after(SURELY_S):
            while centre.dropped < times:
                await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(centre.folder.run)
        await trio.testing.wait_all_tasks_blocked()
        centre.folder.wake()
        await looked(2)
        await trio.testing.wait_all_tasks_blocked()
        os.kill(os.getpid(), signal.SIGHUP)
        await looked(3)
        nursery.cancel_scope.cancel()


async def test_without_being_woken_it_looks_again_and_again(tmp_path, monkeypatch):
    monkeypatch.setattr(key_folder, "LOOK_EVERY_S", 0.01)
    centre = Centre(tmp_path)
    with trio.fail_after(SURELY_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(centre.folder.run)
            while centre.dropped < 3:
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
