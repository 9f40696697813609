"""Complaint 12 of EXPECTATIONS: pages stay quick at millions of cards, for none reads more of a ledger that grew."""

from __future__ import annotations

from contextlib import contextmanager

from sqlalchemy import event

from controller.ledger.inbox import AcknowledgeReceipts
from tests.controller.console.floor_console import FloorDesk, open_floor_console
from tests.controller.core.keepers_floor import KeepersFloor

FEW, MANY = 80, 400  # copies of what stands in the tables, as old batches: lists are full in both
STEPS_PER_CALL = 50  # of SQLite's machine, counted together
YEAR_CARDS = 5_000_000
YEAR_STEPS_MAX = 5_000_000  # 150 ms of SQLite on one core, at 35 million a second (measured)
COPIED = {"card": "state = 'dispatched'"}
# returns and deliveries grow with mistakes and months, not with the cards that are made: a load stands in their place
SELDOM = "tag IN ('came_back', 'received')"
A_LOAD = "(SELECT {0} FROM move WHERE tag = 'job' ORDER BY seq LIMIT 1)"
PAGES = (
    *("/floor", "/alarms", "/stations", "/stations/p1", "/batches?only=open", "/batches?only=late"),
    *("/batches?only=held", "/batches?only=all", "/batches?only=closed", "/batches/{batch_number}"),
    *("/batches/{batch_number}?state=dispatched", "/cards/{card}", "/review", "/quality", "/quality/remakes"),
    *("/stock", "/stock/shift", "/acts", "/packing", "/campaign", "/settings", "/rights"),
)
NUMBERED = {  # tables that grow with the cards: what makes a copy's key new, `{n}` the copy, `{most}` the largest key
    "batch": ("batch_id", {"batch_id": "batch_id + {n} * {most}", "batch_number": "'9' || {n} || batch_number"}),
    "card": (
        "card_id",
        {"card_id": "card_id + {n} * {most}", "acceptance_number": "'9' || {n} || acceptance_number"},
    ),
    "sheet": (
        "sheet_id",
        {"sheet_id": "sheet_id + {n} * {most}", "imposed_floor_s": "imposed_floor_s + {n} * 1e6"},
    ),
    "bundle": ("bundle_id", {"bundle_id": "bundle_id + {n} * {most}", "batch_id": "batch_id + {n} * 1000"}),
    "consignment": (
        "consignment_id",
        {"consignment_id": "consignment_id + {n} * {most}", "uncounted": "'[]'", "batch_id": "batch_id + {n} * 1000"},
    ),
    "receipt": (
        "number",
        {
            "number": "number + {n} * {most}",
            "batch_id": "batch_id + {n} * 1000",
            "card_id": "card_id + {n} * 10000000",
            "at_floor_s": "at_floor_s + {n} * 1e6",
            "move_seq": "move_seq + {n} * {moves}",
        },
    ),
    "move": (
        "seq",
        {
            "seq": "seq + {n} * {most}",
            "at_floor_s": "at_floor_s + {n} * 1e6",
            **{one: f"CASE WHEN {SELDOM} THEN {A_LOAD.format(one)} ELSE {one} END" for one in ("tag", "body")},
        },
    ),
}


def grow(engine, copies):
    """Put copies of all that is at its end behind it, as other batches that are long closed."""
    with engine.begin() as connection:
        moves = connection.exec_driver_sql("SELECT max(seq) FROM move").scalar()
        for table, (key, changed) in NUMBERED.items():
            columns = [row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({table})")]
            most = connection.exec_driver_sql(f"SELECT max({key}) FROM {table}").scalar() or 0
            if table in ("batch", "card"):
                most = 1_000 if table == "batch" else 10_000_000
            own = f"{key} <= {most} AND {COPIED.get(table, 'true')}"
            for n in range(1, copies + 1):
                taken = ", ".join(changed.get(one, one).format(n=n, most=most, moves=moves) for one in columns)
                connection.exec_driver_sql(f"INSERT INTO {table} SELECT {taken} FROM {table} WHERE {own}")
        connection.exec_driver_sql("UPDATE batch SET state = 'closed' WHERE batch_id > 1000")


@contextmanager
def counted_steps(engine):
    """Count what SQLite's machine does on every connection of an engine."""
    steps, connections = [0], []

    def step():
        steps[0] += STEPS_PER_CALL

    def watch(connection, *_):
        connection.set_progress_handler(step, STEPS_PER_CALL)
        connections.append(connection)

    event.listen(engine, "checkout", watch)
    try:
        yield steps
    finally:
        event.remove(engine, "checkout", watch)
        for connection in connections:
            connection.set_progress_handler(None, 0)


async def costs_of(tmp_path, floor, copies):
    costs = {}
    tmp_path.mkdir()
    async with open_floor_console(tmp_path, floor) as console:
        behind: FloorDesk = console.behind
        grow(behind.pages.engine, copies)
        visitor = await console.visitor("all")
        last = behind.pages.rows("receipt")[-1]  # an upstream keeps up; how far it may lag has its own limit and test
        behind.pages.keep([AcknowledgeReceipts(last[0], last[1])])
        [batch] = behind.desk.ledger.reader.batches(limit=1, before=2)
        names = {"batch_number": batch.batch_number, "card": str(10_000)}
        for page in PAGES:
            with counted_steps(behind.pages.engine) as steps:
                got = await visitor.get(page.format(**names))
            assert got.status == 200, (page, got.status)
            costs[page] = steps[0]
        with behind.pages.engine.connect() as connection:
            cards = connection.exec_driver_sql("SELECT count(*) FROM card").scalar()
            moves = connection.exec_driver_sql("SELECT count(*) FROM move").scalar()
    return costs, cards, moves


def worked_floor():
    floor = KeepersFloor(2, trouble=0.1)
    floor.submit(1.0, 1, cards=60)
    floor.run()
    return floor


async def test_complaint_12_no_page_would_take_150_ms_of_the_database_at_five_million_cards(tmp_path):
    small, few, fewer_moves = await costs_of(tmp_path / "small", worked_floor(), FEW)
    large, many, moves = await costs_of(tmp_path / "large", worked_floor(), MANY)
    assert many > 4 * few > 10_000
    assert moves > 4 * fewer_moves > 10_000
    each = {page: max(0, large[page] - small[page]) / (many - few) for page in PAGES}
    in_a_year = {page: large[page] + each[page] * YEAR_CARDS for page in PAGES}
    assert sum(small.values()) > 0, "the machine's steps are counted"
    assert not {page: steps for page, steps in in_a_year.items() if steps > YEAR_STEPS_MAX}
