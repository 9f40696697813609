"""The pages of keepers, packers, auditors and administrators: who sees them, in both languages, and what they say."""

from __future__ import annotations

import dataclasses
import html
import re
from contextlib import asynccontextmanager

import pytest

from controller import rights
from controller.config import Config, StorageConfig, UpstreamConfig
from controller.console.menu import menu_of
from controller.console.words import LANGUAGES, catalogue
from controller.core import events as e
from controller.core.key_events import KeysSeen, SeenPeer
from controller.core.moves import ConsignmentSent
from controller.core.rights_events import AttemptRefused
from controller.evidence.manifests import read_signature, sign_manifest
from controller.ledger.journal import TAGS
from controller.packing.manifest import digest_of
from devices.peers import fingerprint, key_text
from tests.controller.console.floor_console import PEOPLE, open_floor_console
from tests.controller.console.lobby import Browser
from tests.controller.console.test_stock_page import HOSTILE, texts
from tests.controller.core.keepers_floor import KeepersFloor
from tests.controller.core.test_packing import stopped_floor

SECRET_URL = "postgresql://mill:hunter2@db/cardmill"
CONFIG = dataclasses.replace(
    Config(), storage=StorageConfig(url=SECRET_URL), upstreams=UpstreamConfig(quotas="city-1 50000")
)
PAGES = {  # path -> the verb whose right it takes
    "/stock": "shift",
    "/stock/shift": "shift",
    "/acts": "acts",
    "/packing": "consignments",
    "/packing/1": "manifest",
    "/packing/1/manifest.csv": "manifest",
    "/packing/1/manifest.csv.sig": "manifest",
    "/campaign": "campaign",
    "/audit": "audit",
    "/settings": "settings",
    "/rights": "rights",
}
FILE = "/packing/1/manifest.csv"
DOWNLOADS = (FILE, f"{FILE}.sig")
PUBLICS = [key_text(bytes([number]) * 32) for number in (1, 2)]


def sent_floor():
    floor = KeepersFloor(1, trouble=0.0)
    floor.submit(1.0, 1, cards=9)
    floor.run()
    floor.both("receive", first_body=90_000, sheets=50, lot="B")
    floor.say(e.ActAsked("sample", {"first_body": 90_001, "sheets": 2}, "cat"))
    floor.say(AttemptRefused("mal", "dispatch", "", "right.missing", 3))
    return floor


@asynccontextmanager
async def served(tmp_path, *names, floor=None):
    floor = floor or sent_floor()
    async with open_floor_console(tmp_path, floor, CONFIG) as console:
        yield console.behind, [await console.visitor(name) for name in names]


# ---- who sees what ------------------------------------------------------------------------------------------------


async def test_each_page_is_seen_by_exactly_those_whose_role_may_ask_its_verb(tmp_path):
    async with served(tmp_path, *PEOPLE) as (_, visitors):
        for name, visitor in zip(PEOPLE, visitors, strict=True):
            for path, verb in PAGES.items():
                page = await visitor.get(path)
                assert page.status == (200 if rights.may(PEOPLE[name], verb) else 403), (name, path)
                if page.status == 403:
                    assert "<table" not in page.text
                    assert "right.missing" in page.text
                    assert ("<nav " in page.text) is bool(menu_of(frozenset(PEOPLE[name])))


async def test_whoever_lost_the_way_keeps_the_menu_and_whoever_is_not_logged_in_is_shown_none(tmp_path):
    async with served(tmp_path, "stock-keeper") as (_, [kim]):
        for path in ("/nowhere", "/packing/x", "/do/nothing"):
            page = await kim.get(path)
            assert page.status == 404
            assert 'href="/stock"' in page.text
        assert (await kim.browser.post("/do/nothing", {"csrf": "of another"})).text.count("<nav ") == 0
        stranger = Browser(kim.browser.port, kim.browser.tls)
        page = await stranger.get("/nowhere")
        assert page.status == 404
        assert "<nav " not in page.text
        assert "/logout" not in page.text


async def test_every_page_stands_in_both_languages_and_the_menu_marks_where_one_is(tmp_path):
    async with served(tmp_path, "all") as (_, [person]):
        for path in PAGES:
            if path in DOWNLOADS:
                continue
            for language in LANGUAGES:
                page = await person.get(f"{path}?lang={language}")
                assert (page.status, f'<html lang="{language}">' in page.text) == (200, True), path
                assert page.text.count("<h1") == 1
                assert 'aria-current="page"' in page.text
                assert "style=" not in page.text


def test_every_action_has_its_words_in_both_languages():
    from controller.console.actions import ACTIONS

    for language in LANGUAGES:
        words = catalogue(language)
        for action in ACTIONS.values():
            keys = {f"action.{action.name}", f"effect.{action.name}", *(f"field.{one.name}" for one in action.asked)}
            keys |= {f"choice.{value}" for one in action.asked for value in one.choices}
            assert not keys - words.keys(), action.name
            must = {one.name for one in action.asked if not one.is_optional}
            assert set(re.findall(r"{(\w+)}", words[f"effect.{action.name}"])) <= must, action.name


@pytest.mark.parametrize(
    ("name", "home"),
    [
        ("stock-keeper", "/stock"),
        ("auditor", "/audit"),
        ("administrator", "/rights"),
        ("quality", "/quality"),
        ("supervisor", "/floor"),
        ("operator", "/stations"),
    ],
)
async def test_each_role_begins_on_its_own_page(tmp_path, name, home):
    async with served(tmp_path, name) as (_, [person]):
        assert (await person.get("/")).header("location") == home


# ---- acts of two people -------------------------------------------------------------------------------------------


async def test_an_act_is_shown_to_who_may_not_agree_without_a_button_and_to_who_may_with_a_badge(tmp_path):
    async with served(tmp_path, "quality", "supervisor") as (_, [quality, supervisor]):
        for visitor, may in ((quality, False), (supervisor, True)):
            page = await visitor.get("/acts")
            assert "2 body sheets from 90001 on leave the vault as samples" in texts(page)
            assert "Proposed by cat" in texts(page)
            assert ('href="/do/second?' in page.text) is may
            assert ('class="badge">1<' in page.text) is may
            assert ("Your roles may not agree" in page.text) is not may


async def test_who_proposed_may_take_it_back_and_not_agree_to_it(tmp_path):
    async with served(tmp_path, "all") as (behind, [person]):
        await person.start()
        await person.follow("/stock")
        await person.follow("/do/act-sample")
        await person.send(first_body="90010", sheets="1")
        await person.send()
        page = await person.get("/acts")
        assert "You proposed it" in texts(page)
        own = max(behind.desk.state.acts)
        assert f'href="/do/second?act_id={own}"' not in page.text
        refused = await person.browser.get(f"/do/second?act_id={own}")
        person.page = refused
        assert "act.same_person" in (await person.send()).text
        await person.start()
        await person.follow("/acts")
        await person.follow(f"/do/withdraw?act_id={own}")
        await person.send()
        assert own not in behind.desk.state.acts


async def test_an_act_that_is_over_says_so_before_anybody_agrees(tmp_path):
    async with served(tmp_path, "supervisor") as (_, [person]):
        assert "This act is done, withdrawn" in texts(await person.get("/do/second?act_id=9999"))


# ---- packing ------------------------------------------------------------------------------------------------------


async def test_consignments_show_what_left_and_a_count_with_its_difference(tmp_path):
    async with served(tmp_path, "supervisor") as (behind, [person]):
        await person.start()
        page = await person.follow("/packing")
        assert texts(page).count("not counted for") == 3
        await person.follow("/do/arrived?consignment_id=1&unit=520102001")
        await person.send(consignment_id="1", unit="520102001", cards="2")
        await person.send()
        assert "2 (-1)" in texts(await person.get("/packing"))
        assert texts(await person.get("/packing?uncounted=1")).count("not counted for") == 2
        [sent] = [move for _, move in behind.floor.log if isinstance(move, ConsignmentSent)]
        assert sent.consignment_id == 1


async def test_the_file_of_a_manifest_is_what_its_page_gives_the_digest_of_and_its_signature_holds(tmp_path):
    async with served(tmp_path, "supervisor") as (behind, [person]):
        page, file = await person.get("/packing/1"), await person.get(FILE)
        digest = digest_of(file.text.encode("utf-8"))
        assert digest in page.text
        assert file.header("content-type") == "text/csv; charset=utf-8"
        assert file.header("content-disposition") == 'attachment; filename="manifest-1.csv"'
        assert file.text.startswith("\ufeffmanifest,")
        signed = await person.get(f"{FILE}.sig")
        (tmp_path / "a.sig").write_text(signed.text, "utf-8")
        signature, desk = read_signature(tmp_path / "a.sig"), behind.desk
        assert signature == sign_manifest(desk.signer, file.text.encode("utf-8"))
        assert 'href="/packing/1/manifest.csv.sig"' in page.text
        for path in (
            "/packing/2/manifest.csv.sig",
            "/packing/2",
            "/packing/99999999999999999999",
            "/packing/2/manifest.csv",
            "/packing/x",
        ):
            page = await person.get(path)
            assert page.status == 404, path


async def test_a_pile_that_did_not_scan_whole_leads_to_the_two_acts_that_end_it(tmp_path):
    floor, job, _ = stopped_floor(foreign=[77_777])
    async with served(tmp_path, "supervisor", "operator", floor=floor) as (_, [person, operator]):
        page = await person.get("/packing")
        assert f'href="/do/act-missing?card={job.cards[0]}"' in page.text
        assert "<code>77777</code>" in page.text
        await person.start()
        await person.follow("/packing")
        shown = await person.follow("/do/act-repack?")
        assert "are packed again" in texts(shown)
        assert "/do/act-" not in (await operator.get("/packing")).text


# ---- the campaign -------------------------------------------------------------------------------------------------


async def test_the_campaign_shows_each_unit_of_the_plan_against_the_line_and_all_of_its_cards(tmp_path):
    async with served(tmp_path, "supervisor") as (behind, [person]):
        page = await person.get("/campaign?from=2005-01&to=2030-12")
        targets = behind.desk.plan.targets
        assert f"{len(targets)} units complete (acceptance 98 %)" in texts(page)
        shown = re.findall(r"<code>(\d{6,9})</code>", page.text)
        assert len(shown) == min(len(targets), 100)
        assert page.text.count('class="mark"') == len(shown)
        assert set(shown) <= {one.unit for one in targets}


@pytest.mark.parametrize("query", ["from=x", "from=2026-13", "from=2027-01&to=2026-01", "page=99999999", "page=-1"])
async def test_months_and_pages_that_are_none_are_no_error_of_the_page(tmp_path, query):
    async with served(tmp_path, "supervisor") as (_, [person]):
        page = await person.get(f"/campaign?{query}")
        assert page.status == 200
        assert ("Months are like" in texts(page)) is query.startswith("from")


# ---- the audit ----------------------------------------------------------------------------------------------------


async def test_the_audit_tells_who_did_what_the_last_first_and_where_the_chain_stands(tmp_path):
    async with served(tmp_path, "auditor") as (behind, [person]):
        page = await person.get("/audit")
        assert "mal was refused dispatch (right.missing), 3 times" in texts(page)
        numbers = [int(one) for one in re.findall(r'<th scope="row" class="number">(\d+)<', page.text)]
        assert numbers == sorted(numbers, reverse=True)
        assert f"cardmill audit verify --head {len(behind.floor.log)}:" in page.text
        assert re.findall(r"</td><td></td><td>", page.text) == [], "each of these has somebody behind it"
        everything = await person.get("/audit?group=everything")
        assert f">{len(behind.floor.log)}<" in everything.text


async def test_pages_of_the_audit_follow_each_other_without_a_gap_and_end(tmp_path):
    async with served(tmp_path, "auditor") as (behind, [person]):
        seen, href = [], "/audit?group=everything"
        while href:
            page = await person.get(href)
            seen += map(int, re.findall(r'<th scope="row" class="number">(\d+)<', page.text))
            found = re.search(r'href="(/audit\?[^"]+)" rel="next"', page.text)
            href = html.unescape(found[1]) if found else ""
        assert seen == list(range(len(behind.floor.log), 0, -1))


async def test_the_audit_is_asked_by_person_by_kind_and_by_time(tmp_path):
    async with served(tmp_path, "auditor") as (_, [person]):
        refused = texts(await person.get("/audit?group=denied"))
        assert "mal was refused" in refused
        assert "received from" not in refused
        mine = texts(await person.get("/audit?by=cat"))
        assert "proposed: sample" in mine
        assert "mal was refused" not in mine
        early = texts(await person.get("/audit?group=everything&until=1970-01-01T00:00:00"))
        assert "body sheets received from 1000 on" in early
        assert "mal was refused" not in early
        for bad in (
            "by=%3Cscript%3E",
            "until=yesterday",
            "until=1200-01-01",
            "before=-1",
            "group=none",
            "before=" + "9" * 40,
        ):
            page = await person.get(f"/audit?{bad}")
            assert page.status == 200, bad
            assert "<script>" not in page.text


def test_every_kind_of_move_stands_in_a_group_and_groups_and_sections_have_their_words():
    from controller.audit.groups import EVERYTHING, GROUPS

    assert set(GROUPS[EVERYTHING]) == set(TAGS)
    assert all(GROUPS.values())
    for language in LANGUAGES:
        words = catalogue(language).keys()
        assert {f"audit.group.{name}" for name in GROUPS} <= words
        assert {f"section.{one.name}" for one in dataclasses.fields(Config)} <= words


# ---- settings, rights and keys ------------------------------------------------------------------------------------


async def test_settings_show_each_value_its_unit_and_what_was_changed_and_no_secret(tmp_path):
    async with served(tmp_path, "administrator") as (_, [person]):
        page = await person.get("/settings")
        for section in dataclasses.fields(Config):
            for one in dataclasses.fields(getattr(CONFIG, section.name)):
                assert f"<code>{one.name}</code>" in page.text
        assert "second_within_s 28800.0 s 28800.0" in " ".join(texts(page).split())
        assert "hunter2" not in page.text
        assert "set, not shown" in page.text
        assert page.text.count('class="changed"') == 2
        only = await person.get("/settings?changed=1")
        assert "city-1 50000" in only.text
        assert "retention_days" not in only.text


async def test_the_table_of_rights_is_that_of_the_code_and_marks_what_is_yours(tmp_path):
    async with served(tmp_path, "quality") as (_, [person]):
        page = await person.get("/rights")
        rows = dict(re.findall(r'<th scope="row"><code>(\w+)</code></th>(.*?)</tr>', page.text))
        assert set(rows) == set(rights.VERB_RIGHTS)
        for verb, roles in rights.VERB_RIGHTS.items():
            ticks = [("✓" in cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", rows[verb])]
            wanted = [role in roles or "" in roles for role in rights.ROLES]
            assert ticks == [*wanted, rights.may({rights.QUALITY}, verb)], verb
        assert 'class="centre mine"' in page.text
        assert "Keys that may connect" not in page.text


async def test_keys_are_shown_by_fingerprints_alone_and_lead_to_the_acts_that_change_them(tmp_path):
    floor = KeepersFloor(1, trouble=0.0)
    peers = [
        SeenPeer("operator", "ann", PUBLICS[0], "", ["administrator"]),
        SeenPeer("station", "p1", PUBLICS[1], "", []),
    ]
    floor.say(KeysSeen(peers))
    async with served(tmp_path, "administrator", "auditor", floor=floor) as (behind, [root, auditor]):
        for visitor, may in ((root, True), (auditor, False)):
            page = await visitor.get("/rights")
            for public in PUBLICS:
                assert f"<code>{fingerprint(public)}</code>" in page.text
                assert public not in page.text
            assert ("/do/act-revoke_key?role=station&amp;name=p1" in page.text) is may
        await root.start()
        await root.follow("/do/act-revoke_key?role=station")
        await root.send()
        assert [act.verb for act in behind.desk.state.acts.values()] == ["revoke_key"]
        await root.start()
        form = await root.follow("/do/act-rotate_key?role=operator")
        assert 'name="public"' in form.text, "who rotates a key types the new one"


# ---- what somebody else wrote ----------------------------------------------------------------------------------------


async def test_words_of_others_are_shown_as_text_on_every_page(tmp_path):
    floor = sent_floor()
    floor.say(e.SupplyEntered("p1", "film", HOSTILE, 40, "cat"))
    floor.say(e.ActAsked("receive", {"first_body": 800_000, "sheets": 5, "lot": HOSTILE}, "cat"))
    async with served(tmp_path, "all", floor=floor) as (_, [person]):
        for path in PAGES:
            assert HOSTILE not in (await person.get(path)).text, path
        for path in ("/acts", "/audit?group=stock", "/stock"):
            assert html.escape(HOSTILE) in (await person.get(path)).text, path
