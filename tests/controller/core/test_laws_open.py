"""For tests/controller/core/test_laws.py, once `give_up` is an act."""

from controller.core import events as e
from controller.core.cards import State
from devices.defects import Step
from tests.controller.core.rough_floor import RoughFloor


def test_two_people_give_up_a_job_whose_station_never_comes_back_and_its_cards_go_on():
    floor = RoughFloor(1, trouble=0.0)
    floor.submit(1.0, 1, cards=8)
    silent = floor.start
    floor.start = lambda at, job: None if job.step == Step.WRITE and not floor.lost else silent(at, job)
    floor.host.run(1e6)
    [job] = floor.state.jobs.values()
    assert (job.step, floor.state.batches != {}) == (Step.WRITE, True)
    floor.lost.add(job.job_id)
    floor.host.handle(e.StationReported(job.station, "silent", "", 0.0), 1e6)
    act = floor.host.handle(e.ActAsked("give_up", {"job_id": job.job_id}, "ann"), 1e6).answer
    assert floor.host.handle(e.ActSeconded(act, "bob"), 1e6).refused is None
    assert {card.state for card in floor.state.cards.values()} == {State.SUSPECT}
    again = floor.host.handle(e.ActAsked("give_up", {"job_id": job.job_id}, "ann"), 1e6)
    assert again.refused.code == "act.no_job"
    floor.run()
    assert set(floor.ends().values()) == {1}
    assert floor.refolded() == floor.state
