"""A watch folder: packages dropped into it are sent when they are whole, and then moved to `done/` or `refused/`.

Nothing is remembered outside the folder.  The move is the last act, so that one that was interrupted anywhere is done
again, and the service gives the same answer to the same batch.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from controller.asking.conversation import ClientError
from controller.checks.codes import CODES
from controller.client import UpstreamClient
from controller.offline.archive import MEMBERS_MAX
from controller.offline.errors import PackageError
from controller.offline.package import NAME, ZIP_END, opened
from controller.offline.sending import loads, require_whole, send

DONE, REFUSED, LOCK = "done", "refused", ".cardmill-watch"
REASON_END = ".reason.txt"
LOOK_S = 2.0
HALF_COPIED_S = 600.0  # a package that is not whole and does not change is refused after that
UNFINISHED_ENDS = (".part", ".partial", ".tmp", ".crdownload", ".filepart", ".swp")
# What a copy that has stopped half way looks like; everything else is refused at once.
HALF_COPIED = frozenset(
    {
        "package.zip",
        "package.xml",
        "package.csv",
        "package.count",
        "package.portrait",
        "package.rows",
    }
)

Say = Callable[[str], None]


@dataclass(slots=True)
class _Seen:
    """What an entry looked like, since when, and whether it has been read in this shape."""

    look: bytes
    since_s: float
    is_half: bool = False


class Watch:
    """The entries of one folder, as they are seen again and again."""

    def __init__(self, folder: Path, *, due: str = "", half_copied_s: float = HALF_COPIED_S) -> None:
        """Make `done/` and `refused/` in the folder.  `due`: as `sending.loads`."""
        self._folder, self._due, self._half_copied_s = folder, due, half_copied_s
        self._seen: dict[str, _Seen] = {}
        for name in (DONE, REFUSED):
            (folder / name).mkdir(exist_ok=True)

    def ready(self, now_s: float) -> Iterator[tuple[Path, PackageError | None]]:
        """Give the packages that are whole, and those that are none with the reason, in order of name.

        An entry is read when two looks show the same; one that seems half copied waits longer.
        """
        names = sorted(entry.name for entry in os.scandir(self._folder) if _is_meant(entry.name))
        self._seen = {name: seen for name, seen in self._seen.items() if name in set(names)}
        for name in names:
            path = self._folder / name
            try:
                if self._is_still(name, _look(path), now_s):
                    yield from self._examined(path, now_s)
            except FileNotFoundError:  # it left while we looked
                self._seen.pop(name, None)

    def _is_still(self, name: str, look: bytes, now_s: float) -> bool:
        seen = self._seen.get(name)
        if seen is None or seen.look != look:
            self._seen[name] = _Seen(look, now_s)
            return False
        return not seen.is_half or now_s - seen.since_s >= self._half_copied_s

    def _examined(self, path: Path, now_s: float) -> Iterator[tuple[Path, PackageError | None]]:
        seen = self._seen[path.name]
        try:
            _require_kind(path)
            require_whole(path, self._due)
        except FileNotFoundError:
            raise
        except (PackageError, OSError) as fault:
            error = fault if isinstance(fault, PackageError) else PackageError("package.unreadable", fault.strerror)
            seen.is_half = error.code in HALF_COPIED and now_s - seen.since_s < self._half_copied_s
            if not seen.is_half:
                yield path, error
            return
        yield path, None

    def done(self, path: Path) -> Path:
        """Move a package that the service has; give where to."""
        return self._moved(path, _free(self._folder / DONE, path.name))

    def refuse(self, path: Path, reasons: list[str]) -> Path:
        """Move a package aside, its reasons beside it; give where to."""
        target = _free(self._folder / REFUSED, path.name)
        note = target.with_name(target.name + REASON_END)
        note.write_text("".join(f"{reason}\n" for reason in reasons), "utf-8")
        return self._moved(path, target)

    def _moved(self, path: Path, target: Path) -> Path:
        os.rename(path, target)
        self._seen.pop(path.name, None)
        return target


def keep_watch(
    folder: Path, connect: Callable[[], UpstreamClient], *, due: str = "", say: Say, look_s: float = LOOK_S
) -> None:
    """Watch a folder until the process is ended, which may be at any moment.

    Raises: PackageError package.watched: another process watches it; OSError: the folder cannot be used.
    """
    with _alone(folder):
        watch = Watch(folder, due=due)
        while True:
            try:
                with connect() as client:
                    while True:
                        take_ready(watch, client, say, time.monotonic(), due=due)
                        time.sleep(look_s)
            except ClientError as error:
                if error.code.startswith("keys."):
                    raise
                say(f"no answer, tried again: {error}")
                time.sleep(look_s)


def take_ready(watch: Watch, client: UpstreamClient, say: Say, now_s: float, *, due: str = "") -> None:
    """Look once; send what is whole, move what is settled.  Raises: ClientError: no answer; nothing is moved then."""
    for path, error in watch.ready(now_s):
        name = path.name if NAME.match(path.name) else "another file"  # a name that somebody chose may be a person's
        try:
            reasons = [str(error)] if error else _sent(path, client, due)
        except (PackageError, FileNotFoundError):  # it changed or left while it was sent: looked at anew
            continue
        if reasons:
            watch.refuse(path, reasons)
            say(f"{name}: refused: {'; '.join(reason.partition(': ')[0] for reason in reasons)}")
        else:
            watch.done(path)
            say(f"{name}: done")


def _sent(path: Path, client: UpstreamClient, due: str) -> list[str]:
    """Send a package; give why the service refused it.  Raises: PackageError: it is not what it was."""
    codes: list[str] = []
    with opened(path) as one:
        for load in loads(one, due):
            outcome = send(client, load)
            codes += outcome.codes if not outcome.is_accepted else ()
    return [_with_sentence(code) for code in codes]


def _with_sentence(code: str) -> str:
    return (
        f"{code}: {CODES[code].en} {CODES[code].zh}" if code in CODES else f"{code}: docs/protocol.md says what to do"
    )


def _require_kind(path: Path) -> None:
    """Raise when an entry is not of a kind that is whole in itself."""
    if path.is_symlink() or not (path.is_dir() or path.is_file()):
        raise PackageError("package.member", 1)
    if NAME.fullmatch(path.name if path.is_dir() else path.stem) is None:
        raise PackageError("package.name")
    if not path.is_dir() and path.suffix.lower() != ZIP_END:
        raise PackageError("package.bare")


def _is_meant(name: str) -> bool:
    """Say whether an entry may be a package: hidden ones and those still under way have other names."""
    return name not in (DONE, REFUSED) and not name.startswith((".", "~")) and not name.endswith(UNFINISHED_ENDS)


def _look(path: Path) -> bytes:
    """Give what changes when a file or anything in a folder changes."""
    seen = sha256()
    names = [""]
    for at, folders, files in os.walk(path):
        names += (os.path.relpath(os.path.join(at, name), path) for name in (*folders, *files))
        if len(names) > MEMBERS_MAX + 1:  # no package, however it goes on
            break
    for name in sorted(names):
        one = os.lstat(path / name if name else path)
        seen.update(f"{name}\0{one.st_size} {one.st_mtime_ns} {one.st_ino}\0".encode("utf-8", "surrogateescape"))
    return seen.digest()


def _free(folder: Path, name: str) -> Path:
    """Give a path in a folder that nothing has yet: a package that came twice stays twice."""
    target, turn = folder / name, 1
    while os.path.lexists(target):
        turn += 1
        target = folder / f"{Path(name).stem}~{turn}{Path(name).suffix}"
    return target


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder for this process; the kernel lets go of it however the process ends."""
    file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PackageError("package.watched") from None
        yield
    finally:
        os.close(file)
