"""`cardmill submit`: each shape brought to a real service, gone on with, told as it is; nothing half is sent."""

from __future__ import annotations

import json

import msgspec
import pytest

from controller import cli
from controller.asking.conversation import Refused
from controller.asking.submission import batch_digest, encode_application
from controller.commandline import submit as cli_submit
from controller.offline.errors import PackageError
from controller.offline.package import opened
from controller.offline.sending import REFUSED, Outcome, loads, require_whole
from controller.report.text import columns_of
from tests.controller.checks.samples import portrait
from tests.controller.offline.files import application as line_of
from tests.controller.offline.files import batch, person, write_file
from tests.controller.offline.packages import FACE, NAME, header, row, written, xml
from tests.controller.offline.upstream import DUE
from tests.whole.centre import free_port

ROWS = f"{NAME}.xml"
WHOLE = pytest.mark.whole


def run(monkeypatch, *words):
    """Run the command; give its exit code."""
    monkeypatch.setattr("sys.argv", ["cardmill", "submit", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return end.value.code or 0


def answered(monkeypatch, capsys, upstream, *words):
    """Run the command with --json; give its exit code and the batches it tells of."""
    code = run(monkeypatch, *upstream.options, *words, "--json", "-")
    shown = capsys.readouterr().out
    return code, json.loads(shown)["batches"] if shown else []


# ---- against the service ------------------------------------------------------------------------------------------


@WHOLE
@pytest.mark.parametrize("shape", ["archive", "folder"])
def test_a_package_is_sent_and_sent_again_gets_the_same_answer(shape, upstream, tmp_path, monkeypatch, capsys):
    number, people = upstream.number(), upstream.people(3)
    path = getattr(upstream, shape)(tmp_path, number, people)
    code, (sent,) = answered(monkeypatch, capsys, upstream, path, "--wait")
    assert (code, sent["batch_number"], sent["applications"], sent["state"]) == (0, number, 3, "open")
    assert sent["counts"]["open"] == 3
    assert answered(monkeypatch, capsys, upstream, path, "--wait") == (0, [sent])


@WHOLE
def test_other_content_under_the_number_is_a_conflict_and_exit_code_1(upstream, tmp_path, monkeypatch, capsys):
    number, people = upstream.number(), upstream.people(2)
    assert answered(monkeypatch, capsys, upstream, upstream.archive(tmp_path, number, people))[0] == 0
    path = upstream.archive(tmp_path, number, upstream.people(2))
    code, (told,) = answered(monkeypatch, capsys, upstream, path)
    assert (code, told["state"], told["codes"]) == (1, "conflict", ["batch.conflict"])
    assert run(monkeypatch, *upstream.options, path) == 1
    assert "batch.conflict: " in capsys.readouterr().out


@WHOLE
def test_a_batch_the_service_refuses_is_exit_code_1_and_the_next_one_goes_on(upstream, tmp_path, monkeypatch, capsys):
    refused, good = upstream.number()[:-5] + "00000", upstream.number()
    path = upstream.lines(tmp_path / "a.jsonl", {refused: upstream.people(1), good: upstream.people(1)})
    code, told = answered(monkeypatch, capsys, upstream, path)
    assert code == 1
    assert [one["state"] == "refused" for one in told] == [True, False]
    assert told[0]["codes"] == ["batch.sequence"]


@WHOLE
def test_what_the_service_has_already_is_not_sent_again(upstream, tmp_path, monkeypatch, capsys):
    number, people = upstream.number(), upstream.people(4)
    encoded = [encode_application(one) for one in people]
    with upstream.centre.upstream() as client:
        client.open_batch(number, DUE, 4, batch_digest(encoded))
        client.send_chunk(number, 1, encoded[1:3])
        told = []
        with opened(upstream.archive(tmp_path, number, people)) as one:
            load = next(loads(one))
            client.submit_batch(number, load.due, load.applications, told=lambda stored, of: told.append((stored, of)))
    assert told[0] == (2, 4)
    assert told[-1] == (4, 4)
    code, (sent,) = answered(monkeypatch, capsys, upstream, tmp_path / f"ZAGL_ZZJH_{number}.zip", "--wait")
    assert (code, sent["counts"]["open"]) == (0, 4)


@WHOLE
def test_a_file_that_is_not_whole_is_exit_code_2_and_the_service_hears_nothing(upstream, tmp_path, monkeypatch, capsys):
    number, people = upstream.number(), upstream.people(2)
    path = upstream.folder(tmp_path, number, people)
    (path / "2.jpg").unlink()
    assert run(monkeypatch, *upstream.options, path) == 2
    assert capsys.readouterr().err.startswith("cardmill: package.portrait: the portrait of application 2 ")
    with pytest.raises(Refused) as refused:
        upstream.status(number)
    assert refused.value.code == "batch.unknown"
    (path / "2.jpg").write_bytes(people[1].portrait)
    assert run(monkeypatch, *upstream.options, path) == 0


@WHOLE
def test_people_are_told_in_a_line_without_a_persons_field(upstream, tmp_path, monkeypatch, capsys):
    number, people = upstream.number(), upstream.people(1)
    people = [msgspec.structs.replace(people[0], sex="7")]
    assert run(monkeypatch, *upstream.options, upstream.archive(tmp_path, number, people), "--wait") == 0
    shown = capsys.readouterr().out
    told, why = shown.splitlines()
    assert told == f"{number}: 1 applications, closed; refused 1"
    assert "the receipt of each says it" in why
    assert people[0].name not in shown
    assert people[0].identity_number not in shown


@WHOLE
def test_without_a_service_it_is_exit_code_3(upstream, tmp_path, monkeypatch):
    path = upstream.archive(tmp_path, upstream.number(), upstream.people(1))
    options = [f"tcp://127.0.0.1:{free_port()}" if word.startswith("tcp:") else word for word in upstream.options]
    assert run(monkeypatch, *options, path, "--give-up-s", "0.5") == 3


# ---- what is not sent ---------------------------------------------------------------------------------------------


def why(path, due=""):
    with pytest.raises(PackageError) as raised:
        require_whole(path, due)
    return raised.value.code


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (xml(2, head=header(3)), "package.count"),
        (xml(2, head=header(1)), "package.count"),
        (xml(0), "package.count"),
        (xml(body=f"<application>{'<sex>1</sex>' * 2}</application>", head=header(1)), "package.row"),
        (xml(2, head={**header(2), "due": ""}), "package.no_due"),
        (xml(2)[:-20], "package.xml"),
        (xml(1).replace(FACE.encode(), b"gone.jpg"), "package.portrait"),
        (xml(1).replace(FACE.encode(), b"../face.jpg"), "package.portrait"),
    ],
)
def test_a_package_that_cannot_be_sent_whole_is_refused_before_anything_is_sent(content, code, tmp_path):
    assert why(written(tmp_path, ROWS, content)) == code


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([], "package.batch"),
        ([line_of(1)], "package.batch"),
        (["{"], "package.batch"),
        ([batch(1, 1, due=DUE), "oops"], "package.row"),
        ([batch(1, 1, due=DUE), line_of(1), '{"batch": 1}'], "package.batch"),
        ([batch(1, 1, due=DUE), line_of(1, name="\ud800")], "package.row"),
        ([batch(1, 1), line_of(1)], "package.no_due"),
        ([batch(1, 1, due=DUE), line_of(1), batch(2, 2, due=DUE), line_of(2)], "package.count"),
    ],
)
def test_json_lines_that_cannot_be_sent_whole_are_refused_too(lines, code, tmp_path):
    assert why(write_file(tmp_path, lines)) == code


def test_a_portrait_outside_the_folder_may_be_checked_and_is_never_sent(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    write_file(tmp_path, [])  # with its portrait
    file = write_file(inner, [batch(1, 1, due=DUE), line_of(1, portrait="../face.jpg")])
    assert why(file) == "package.portrait"
    with opened(file, anywhere=True) as one:
        assert one.read_picture("../face.jpg") == portrait()


def test_empty_lines_and_a_due_day_by_option_are_no_fault(tmp_path):
    file = write_file(tmp_path, [batch(1, 1), "", line_of(1), "", batch(2, 1, due="20260505"), line_of(2)])
    assert require_whole(file, DUE) == 2
    with opened(file) as one:
        assert [load.due for load in loads(one, DUE)] == [DUE, "20260505"]


def test_an_application_travels_with_its_portrait_and_one_without_is_the_checks_affair(tmp_path):
    rows = f"<application>{xml_of(1)}</application><application>{xml_of(2, portrait='')}</application>"
    with opened(written(tmp_path, ROWS, xml(body=rows))) as one:
        (load,) = loads(one)
        assert load.applications[0] == encode_application(msgspec.structs.replace(person(1), portrait=portrait()))
        assert load.applications[1:] == [encode_application(msgspec.structs.replace(person(2), portrait=b""))]


def xml_of(sequence, **changes):
    return "".join(f"<{name}>{text}</{name}>" for name, text in row(sequence, **changes).items())


def test_a_portrait_that_changes_between_two_looks_is_told(tmp_path):
    with opened(written(tmp_path, ROWS, xml(1))) as one:
        (load,) = loads(one)
        assert load.applications[0] == load.applications[0]
        (tmp_path / FACE).write_bytes(portrait()[:-1])
        with pytest.raises(PackageError) as raised:
            load.applications[0]
    assert raised.value.code == "package.changed"


@pytest.mark.parametrize("words", [[], ["a", "--watch", "b"], ["--watch", ".", "--json", "-"]])
def test_wrong_use_is_exit_code_2(words, monkeypatch, capsys):
    options = ["--endpoint", "tcp://127.0.0.1:1", "--server-key", "k", "--secret", "s"]
    assert run(monkeypatch, *options, *words) == 2
    assert capsys.readouterr().err.startswith("cardmill: ")


SOMEWHERE = ["a.zip", "--endpoint", "tcp://127.0.0.1:1", "--server-key", "k", "--secret", "s"]


def test_whoever_stops_it_hears_how_it_goes_on_and_exit_code_130(monkeypatch, capsys):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli_submit, "_send_all", stopped)
    assert run(monkeypatch, *SOMEWHERE) == 130
    assert capsys.readouterr().err == "cardmill: interrupted: say the same again, and only the rest is sent\n"


@pytest.mark.parametrize(("code", "said"), [("quota.never", "docs/protocol.md"), ("batch.sequence", "数据包")])
def test_a_refused_batch_is_told_with_its_code_and_what_to_do_or_where_that_stands(code, said, monkeypatch, capsys):
    monkeypatch.setattr(cli_submit, "_send_all", lambda *_, **__: [Outcome("5" * 25, 10, REFUSED, (code,))])
    assert run(monkeypatch, *SOMEWHERE) == 1
    head, *why = capsys.readouterr().out.splitlines()
    assert head == f"{'5' * 25}: 10 applications, refused"
    assert why[0].startswith(f"  {code}: ")
    assert said in " ".join(why)
    assert [line for line in why if columns_of(line) > 80] == []
