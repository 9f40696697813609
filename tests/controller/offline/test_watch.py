"""The watch folder: whole packages are sent and moved last, others kept aside; after any kill the end is the same."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from controller.asking.conversation import ClientError
from controller.offline import watch as watching
from controller.offline.errors import PackageError
from controller.offline.watch import DONE, HALF_COPIED_S, LOOK_S, REFUSED, Watch, keep_watch, take_ready
from tests.controller.offline.packages import FACE, NAME, written, xml, zipped

WHOLE = pytest.mark.whole
ZIP = f"{NAME}.zip"


def looked(watch: Watch, *times_s: float):
    """Look at these moments; give what the last one found: names, each with a code or ""."""
    found: list[tuple[str, str]] = []
    for now_s in times_s:
        found = [(path.name, error.code if error else "") for path, error in watch.ready(now_s)]
    return found


def names(folder: Path) -> list[str]:
    """Give what lies in a folder, hidden things left out."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


# ---- when a package is taken --------------------------------------------------------------------------------------


def test_a_package_is_taken_at_the_second_look_that_shows_the_same(tmp_path):
    watch = Watch(tmp_path)
    written(tmp_path / NAME, f"{NAME}.xml", xml())
    assert looked(watch, 0.0) == []
    assert looked(watch, LOOK_S) == [(NAME, "")]


def test_while_it_grows_it_is_not_taken_and_no_half_copy_is_refused_before_its_time(tmp_path):
    watch, content = Watch(tmp_path), zipped()
    for turn, size in enumerate(range(100, len(content), 700)):
        (tmp_path / ZIP).write_bytes(content[:size])
        assert looked(watch, turn * LOOK_S) == []
    stalled_s = (turn + 1) * LOOK_S
    assert looked(watch, stalled_s, stalled_s + HALF_COPIED_S / 2) == []
    (tmp_path / ZIP).write_bytes(content)
    again_s = stalled_s + HALF_COPIED_S
    assert looked(watch, again_s) == []
    assert looked(watch, again_s + LOOK_S) == [(ZIP, "")]


def test_a_folder_whose_portraits_are_still_coming_is_waited_for(tmp_path):
    watch = Watch(tmp_path)
    face = written(tmp_path / NAME, f"{NAME}.xml", xml()).parent / FACE
    picture = face.read_bytes()
    face.unlink()
    assert looked(watch, 0.0, LOOK_S, 2 * LOOK_S) == []
    face.write_bytes(picture)
    assert looked(watch, 3 * LOOK_S, 4 * LOOK_S) == [(NAME, "")]


def test_a_half_copy_that_does_not_change_any_more_is_refused_at_last(tmp_path):
    watch = Watch(tmp_path)
    (tmp_path / ZIP).write_bytes(zipped()[:-5])
    assert looked(watch, 0.0, LOOK_S, HALF_COPIED_S - LOOK_S) == []
    assert looked(watch, HALF_COPIED_S) == [(ZIP, "package.zip")]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        (f"{NAME}.xml", xml(), "package.bare"),
        ("photo.jpg", b"x", "package.name"),
        ("batch.zip", zipped(), "package.name"),
        (ZIP, zipped({"../a.xml": b"x"}), "package.zip_path"),
        (ZIP, zipped({f"{NAME}.xml": xml().replace(b"<batch>", b"<other/><batch>")}), "package.xml_shape"),
    ],
)
def test_what_can_never_become_a_package_is_refused_at_once(name, content, code, tmp_path):
    (tmp_path / name).write_bytes(content)
    assert looked(Watch(tmp_path), 0.0, LOOK_S) == [(name, code)]


def test_a_link_is_refused_and_not_followed(tmp_path):
    written(tmp_path / "elsewhere" / NAME, f"{NAME}.xml", xml())
    folder = tmp_path / "watched"
    folder.mkdir()
    (folder / NAME).symlink_to(tmp_path / "elsewhere" / NAME)
    assert looked(Watch(folder), 0.0, LOOK_S) == [(NAME, "package.member")]


@pytest.mark.parametrize("name", [".hidden", f"{ZIP}.part", f"~{ZIP}", f"{ZIP}.tmp", f".{ZIP}.Xy12"])
def test_names_of_copies_under_way_are_left_alone(name, tmp_path):
    (tmp_path / name).write_bytes(b"x")
    assert looked(Watch(tmp_path), 0.0, LOOK_S, HALF_COPIED_S + 1) == []


def test_what_leaves_between_two_looks_is_forgotten(tmp_path):
    watch = Watch(tmp_path)
    (tmp_path / ZIP).write_bytes(zipped())
    assert looked(watch, 0.0) == []
    (tmp_path / ZIP).unlink()
    assert looked(watch, LOOK_S) == []
    (tmp_path / ZIP).write_bytes(zipped())
    assert looked(watch, 2 * LOOK_S) == []


def test_a_package_that_comes_again_never_overwrites_the_one_before(tmp_path):
    watch = Watch(tmp_path)
    for _ in range(3):
        (tmp_path / ZIP).write_bytes(zipped())
        watch.done(tmp_path / ZIP)
    assert names(tmp_path / DONE) == [ZIP, f"{NAME}~2.zip", f"{NAME}~3.zip"]


def test_a_kill_between_reason_and_move_leaves_the_package_to_be_taken_again(tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    (tmp_path / ZIP).write_bytes(zipped())
    watch = Watch(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            watch.refuse(tmp_path / ZIP, ["package.zip: a sentence"])
    assert (tmp_path / ZIP).exists()
    Watch(tmp_path).refuse(tmp_path / ZIP, ["package.zip: a sentence"])
    assert names(tmp_path / REFUSED) == [ZIP, f"{ZIP}.reason.txt"]


def test_two_processes_do_not_watch_one_folder(tmp_path):
    with watching._alone(tmp_path), pytest.raises(PackageError) as raised:
        keep_watch(tmp_path, lambda: None, say=print)
    assert raised.value.code == "package.watched"


# ---- against the service ------------------------------------------------------------------------------------------


@pytest.fixture
def look(upstream, tmp_path):
    """Give a function that looks twice at a folder, sends, and gives what was said."""
    with upstream.centre.upstream() as client:

        def twice(folder: Path = tmp_path) -> list[str]:
            watch, said = Watch(folder), []
            take_ready(watch, client, said.append, 0.0)
            take_ready(watch, client, said.append, LOOK_S)
            return said

        yield twice


@WHOLE
def test_packages_are_sent_and_moved_and_the_same_one_again_is_known(upstream, look, tmp_path):
    numbers = [upstream.number(), upstream.number()]
    first = upstream.archive(tmp_path, numbers[0], upstream.people(2))
    second = upstream.folder(tmp_path, numbers[1], upstream.people(1))
    shutil.copy(first, tmp_path / "kept")
    (tmp_path / "kept").rename(tmp_path / ".kept")
    assert look() == [f"{first.name}: done", f"{second.name}: done"]
    assert names(tmp_path) == [DONE, REFUSED]
    assert upstream.status(numbers[0]).state in ("checking", "open")
    (tmp_path / ".kept").rename(first)
    assert look() == [f"{first.name}: done"]
    assert names(tmp_path / DONE) == sorted([first.name, second.name, f"{first.stem}~2.zip"])
    assert names(tmp_path / REFUSED) == []


@WHOLE
def test_other_content_under_a_number_is_kept_aside_with_codes_and_no_person(upstream, look, tmp_path):
    number, people = upstream.number(), upstream.people(2)
    upstream.archive(tmp_path, number, people)
    look()
    path = upstream.archive(tmp_path, number, [msgspec.structs.replace(people[0], name="样例乙"), people[1]])
    assert look() == [f"{path.name}: refused: batch.conflict"]
    reason = (tmp_path / REFUSED / f"{path.name}.reason.txt").read_text("utf-8")
    assert reason.startswith("batch.conflict: ")
    assert not any(text in reason for one in people for text in (one.name, one.identity_number, one.acceptance_number))
    assert (tmp_path / REFUSED / path.name).exists()


@WHOLE
def test_what_is_no_package_is_kept_aside_and_its_name_is_not_said(upstream, look, tmp_path):
    (tmp_path / "样例甲.jpg").write_bytes(b"x")
    assert look() == ["another file: refused: package.name"]
    assert names(tmp_path / REFUSED) == ["样例甲.jpg", "样例甲.jpg.reason.txt"]


@WHOLE
def test_a_service_that_does_not_answer_moves_nothing(upstream, tmp_path):
    path = upstream.archive(tmp_path, upstream.number(), upstream.people(1))

    class Silent:
        def submit_batch(self, *_, **__):
            raise ClientError("client.no_answer", "the service said nothing")

    watch = Watch(tmp_path)
    take_ready(watch, Silent(), print, 0.0)
    with pytest.raises(ClientError):
        take_ready(watch, Silent(), print, LOOK_S)
    assert path.exists()


@WHOLE
def test_a_package_that_changes_while_it_is_sent_is_left_for_the_next_look(upstream, tmp_path):
    path = upstream.folder(tmp_path, upstream.number(), upstream.people(2))

    class Slow:
        def submit_batch(self, number, due, applications, **_):
            assert applications[0]
            (path / "1.jpg").write_bytes(b"other")
            return applications[0]

    watch, said = Watch(tmp_path), []
    take_ready(watch, Slow(), said.append, 0.0)
    take_ready(watch, Slow(), said.append, LOOK_S)
    assert (path.exists(), said) == (True, [])


@WHOLE
def test_a_watch_that_is_killed_again_and_again_ends_with_every_package_done(upstream, tmp_path):
    folder = tmp_path / "watched"
    folder.mkdir()
    sent = [upstream.archive(folder, upstream.number(), upstream.people(40)) for _ in range(3)]
    command = [sys.executable, "-m", "controller.cli", "submit", *upstream.options, "--watch", str(folder)]
    said = []
    for _ in sent:
        if not list(folder.glob("*.zip")):
            break
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            said.append(process.stdout.readline())  # of one package; the next is on its way
            process.send_signal(signal.SIGKILL)
    assert all(line.endswith(": done\n") for line in said)
    assert names(folder / DONE) == sorted(path.name for path in sent)
    assert names(folder / REFUSED) == []
    assert all(upstream.status(path.stem[10:]).state in ("checking", "open") for path in sent)
