"""The simulated floor as its own process, over real ZeroMQ with real keys: restarts of the service, a clean end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import trio

from devices.defects import Step
from devices.key_files import new_pair
from devices.key_ring import KeyRing
from devices.keys import KeyFileError, LinkError
from devices.messages import Magazine
from devices.peers import STATION
from devices.protocol import Finished, Lied, Taken
from devices.zap import RouterSocket, serve_router, serve_zap
from devices.zlink import Context
from sims.floor import DEFAULT_FLOOR, FloorError
from sims.stations_process import StationsSetting, run_stations
from tests.sims.floor_desk import EPOCH_FLOOR_S, FloorDesk, plain_start, print_start

FAST = 300.0  # a press takes 4 s, in which the service restarts twice
NAMES = [spec.name for spec in DEFAULT_FLOOR]
PROGRAM = """
import sys
from pathlib import Path
from sims.faults import NO_FAULTS
from sims.stations_process import StationsSetting, run_stations
endpoint, public, folder = sys.argv[1:]
run_stations(StationsSetting(endpoint=endpoint, server_public=public, secrets_folder=Path(folder),
                             faults=NO_FAULTS, summary="-"))
"""


class Centre:
    """Keys of a service and of the default floor, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.secrets = folder / "stations"
        self.ring = KeyRing(folder / "service")
        self.server = self.ring.ensure_server_keys()
        for name in NAMES:
            self.ring.allow(STATION, name, new_pair(self.secrets, name).public)

    def stations(self, endpoint: str) -> list[str]:
        return [sys.executable, "-c", PROGRAM, endpoint, self.server.public, str(self.secrets)]

    @asynccontextmanager
    async def serving(self, desk: FloorDesk, endpoint: str) -> AsyncIterator[RouterSocket]:
        with Context() as ctx:
            async with trio.open_nursery() as nursery:
                await nursery.start(serve_zap, ctx, self.ring.user_for)
                router_at = serve_router(ctx, endpoint, role=STATION, server_keys=self.server)
                async with router_at as router, trio.open_nursery() as work:
                    await work.start(desk.driver.run, router, desk.hear)
                    yield router
                    work.cancel_scope.cancel()
                nursery.cancel_scope.cancel()


def asking(began_s: float) -> FloorDesk:
    """A service that was restarted in the middle of job 2, the floor clock going on meanwhile."""
    now_floor_s = EPOCH_FLOOR_S + (trio.current_time() - began_s) * FAST
    desk = FloorDesk(settled_below=3, epoch_floor_s=now_floor_s, scale=FAST)
    desk.driver.ask("l1", 2)
    return desk


@asynccontextmanager
async def running(command: list[str]) -> AsyncIterator[trio.Process]:
    process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


async def all_of(stream: trio.abc.ReceiveStream) -> str:
    return b"".join([part async for part in stream]).decode()


@pytest.mark.whole
async def test_a_floor_joins_works_survives_restarts_of_the_service_and_ends_cleanly(tmp_path):
    centre, desk, began_s = Centre(tmp_path), FloorDesk(scale=FAST), trio.current_time()
    with trio.fail_after(60):
        async with AsyncExitStack() as stack:
            async with centre.serving(desk, "tcp://127.0.0.1:*") as router:
                endpoint = router.endpoint
                process = await stack.enter_async_context(running(centre.stations(endpoint)))
                await desk.joined(*NAMES)
                desk.driver.magazine("l1", Magazine(issue_id=1, first_body=500, sheets=24))
                await desk.does("p1", print_start(1, 1))
                desk.driver.start("l1", plain_start(2, Step.LAMINATE, 1))
                await desk.until(lambda: bool(desk.of("l1", Taken)))
            async with centre.serving(desk := asking(began_s), endpoint):
                await desk.joined(*NAMES)
            async with centre.serving(desk := asking(began_s), endpoint):
                done = await desk.finished("l1", 2)
                desk.driver.release("l1", [2])
                await desk.joined(*NAMES)
            assert done.sheets[0].body == 500
            assert len(desk.of("l1", Finished)) == 1
            assert not any(isinstance(event, Lied) for _, event in desk.told)
            process.send_signal(signal.SIGTERM)
            assert process.stdout
            assert process.stderr
            summary, complaints = await all_of(process.stdout), await all_of(process.stderr)
            assert (await process.wait(), complaints) == (0, "")
    told = json.loads(summary)
    assert told["stations"]["l1"]["jobs"] == told["stations"]["p1"]["jobs"] == 1
    assert told["bodies_drawn"] == 1
    assert told["violations"] == told["planted"] == {}


@pytest.mark.whole
async def test_a_station_whose_key_is_not_listed_says_so_and_joins_once_it_is(tmp_path):
    centre, desk = Centre(tmp_path), FloorDesk()
    (tmp_path / "service" / "allowed" / STATION / "p1.public").rename(tmp_path / "p1.public")
    centre.ring.reload()
    with trio.fail_after(60):
        async with (
            centre.serving(desk, "tcp://127.0.0.1:*") as router,
            running(centre.stations(router.endpoint)) as process,
        ):
            await desk.joined(*NAMES[1:])
            assert process.stderr
            complaint = (await process.stderr.receive_some()).decode()
            assert complaint.startswith("p1: ")
            assert "cardmill keys allow" in complaint
            centre.ring.allow(STATION, "p1", (tmp_path / "p1.public").read_text().strip())
            await desk.joined("p1")


def setting(folder: Path, **changes: str) -> StationsSetting:
    public = new_pair(folder, "someone").public
    return StationsSetting(
        **{"endpoint": "tcp://127.0.0.1:1", "server_public": public, "secrets_folder": folder, **changes}
    )


def test_what_can_never_work_is_said_before_anything_runs(tmp_path):
    with pytest.raises(KeyFileError) as missing:
        run_stations(setting(tmp_path / "a"))
    assert missing.value.code == "keys.missing"
    for name in NAMES:
        new_pair(tmp_path / "b", name)
    with pytest.raises(FloorError) as place:
        run_stations(setting(tmp_path / "b", summary=str(tmp_path / "not" / "there")))
    assert place.value.code == "floor.bad_summary"
    for changes, code in (({"endpoint": "nonsense"}, "link.bad_endpoint"), ({"server_public": "x"}, "link.bad_key")):
        (tmp_path / "b" / "someone.secret").unlink(missing_ok=True)
        (tmp_path / "b" / "someone.public").unlink(missing_ok=True)
        with pytest.raises(LinkError) as refused:
            run_stations(setting(tmp_path / "b", **changes))
        assert refused.value.code == code
