"""The folder of keys while the service runs: ledger, folder and doors are kept of one mind."""

from __future__ import annotations

import signal
from collections.abc import Callable

import structlog
import trio

from controller.core.events import AnyEvent
from controller.core.key_acts import differs
from controller.core.key_events import KeysKept, KeysSeen, SeenPeer
from controller.core.peer_keys import PeerKeys
from controller.hosts.live import Ticket
from controller.upkeep.last_seen import LastSeen
from devices.key_ring import KeyRing, Peer
from devices.keys import LinkError
from devices.peers import fingerprint

log = structlog.get_logger()
LOOK_EVERY_S = 2.0  # real seconds; a look is one `stat` of each file

Post = Callable[[AnyEvent], Ticket]


class KeyFolder:
    """Does in the folder what was approved, lets the doors know of what is there, and records what others did.

    What two people approved is in the ledger first.  It holds for the doors from then on, whether or not the folder can
    be written, and is written again at each look until it stands there.
    """

    def __init__(
        self,
        ring: KeyRing,
        keys: PeerKeys,
        post: Post,
        drop_revoked: Callable[[], int],
        take_heard: Callable[[], list[tuple[str, str]]],
    ) -> None:
        self._take_heard, self._last_seen = take_heard, LastSeen(ring.folder)
        self._ring, self._keys, self._post, self._drop_revoked = ring, keys, post, drop_revoked
        self._woken = trio.Event()
        self._said = ""  # what was last wrong with the folder

    def wake(self) -> None:
        """Let what was approved hold for the doors now, and look at once.

        It waits for nothing: whoever holds the folder's lock keeps the last approved change from being written there,
        and must not keep the next one from being in force.
        """
        self._hold_approved()
        self._woken.set()

    async def run(self) -> None:
        """Look every few seconds, when woken, and on SIGHUP, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._wake_on_signal)
            while True:
                with trio.move_on_after(LOOK_EVERY_S):
                    await self._woken.wait()
                self._woken = trio.Event()
                await self.look()

    async def look(self) -> None:
        """Bring folder, doors and ledger together, once."""
        await self._write_approved()
        try:
            if await trio.to_thread.run_sync(self._ring.has_changed):
                await trio.to_thread.run_sync(self._ring.reload)
            self._said = ""
        except LinkError as error:  # who was let in before still is
            if self._said != str(error):
                log.error("keys not read again", code=error.code, text=error.sentence)
            self._said = str(error)
        self._hang_up()
        await self._record()
        await trio.to_thread.run_sync(self._last_seen.note, self._take_heard())

    def _hold_approved(self) -> None:
        for role, name in self._keys.pending:
            self._ring.hold(self._approved(role, name))
        if self._keys.pending:
            self._hang_up()

    def _hang_up(self) -> None:
        dropped = self._drop_revoked()
        if dropped:
            log.warning("revoked peers were hung up on", connections=dropped)

    def _approved(self, role: str, name: str) -> Peer:
        known = self._keys.of(role, name)
        return Peer(role, name, known.public, known.next_public, tuple(known.roles)) if known else Peer(role, name, "")

    async def _write_approved(self) -> None:
        for role, name in list(self._keys.pending):
            known, peer = self._keys.of(role, name), self._approved(role, name)
            self._ring.hold(peer)
            try:
                await trio.to_thread.run_sync(self._ring.put, peer)
            except LinkError as error:
                log.error("approved keys not written", role=role, name=name, code=error.code, text=error.sentence)
                continue
            if known == self._keys.of(role, name):  # else another change was approved meanwhile
                await self._post(KeysKept(role, name)).wait()

    async def _record(self) -> None:
        """Bring into the ledger what was changed in the folder past the service."""
        peers = [
            SeenPeer(one.role, one.name, one.public, one.next_public, list(one.roles)) for one in self._ring.peers()
        ]
        changed = differs(self._keys, peers)
        if not changed:
            return
        is_alarm = self._keys.had_administrator
        now = {(one.role, one.name): one.public for one in peers}
        await self._post(KeysSeen(peers)).wait()
        for at in changed if is_alarm else ():
            mark = fingerprint(now.get(at, ""))
            log.error("keys changed past the service", role=at[0], name=at[1], fingerprint=mark or "revoked")
        if not is_alarm:
            log.info("keys noted", peers=len(changed))

    async def _wake_on_signal(self) -> None:
        with trio.open_signal_receiver(signal.SIGHUP) as signals:
            async for _ in signals:
                self.wake()
