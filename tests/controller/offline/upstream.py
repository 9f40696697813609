"""An upstream's side of a test: synthetic people in packages, the command's options, questions to the service."""

from __future__ import annotations

import io
import json
import zipfile
from itertools import count
from pathlib import Path

import msgspec

from controller.application import Application
from controller.wire import BatchState
from sims.faces import FaceSource
from sims.people import Population
from tests.controller.offline.packages import elements
from tests.whole.centre import Centre

DUE = "20260401"


class Upstream:
    """Makes packages that nobody sent before, for one running service."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self._people, self._sequence, self._person = Population(11, faces=FaceSource(11)), count(1), count()
        with centre.upstream() as client:
            self.today = client.hello().floor_date

    @property
    def options(self) -> list[str]:
        """Give the options that lead to the service."""
        door, keys = self.centre.doors["upstreams"], self.centre.server_public
        return ["--endpoint", door, "--server-key", str(keys), "--secret", str(self.centre.secret("upstream", "north"))]

    def status(self, batch_number: str) -> BatchState:
        """Ask the service how far a batch is."""
        with self.centre.upstream() as client:
            return client.status(batch_number)

    def number(self) -> str:
        """Give the next batch's number."""
        return f"520000000000{self.today}{next(self._sequence):05d}"

    def people(self, number: int) -> list[Application]:
        """Give so many good applications of people who did not apply before."""
        return [self._people.application(next(self._person), self.today) for _ in range(number)]

    def header(self, batch_number: str, number: int) -> dict[str, str]:
        """Give the fields of a header."""
        fields = {"batch_number": batch_number, "received_on": self.today, "card_kind": "second", "due": DUE}
        return fields | {"count": str(number)}

    def members(self, batch_number: str, people: list[Application]) -> dict[str, bytes]:
        """Give the files of a package, by name."""
        rows = [msgspec.structs.asdict(one) | {"portrait": f"{at}.jpg"} for at, one in enumerate(people, 1)]
        inside = "".join(f"<application>{elements(row)}</application>" for row in rows)
        head = elements(self.header(batch_number, len(people)))
        text = f'<package version="1"><batch>{head}</batch>{inside}</package>'
        return {f"ZAGL_ZZJH_{batch_number}.xml": text.encode()} | {
            f"{at}.jpg": one.portrait for at, one in enumerate(people, 1)
        }

    def archive(self, folder: Path, batch_number: str, people: list[Application]) -> Path:
        """Write a package as an archive; give its path."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, content in self.members(batch_number, people).items():
                archive.writestr(name, content)
        path = folder / f"ZAGL_ZZJH_{batch_number}.zip"
        path.write_bytes(out.getvalue())
        return path

    def folder(self, folder: Path, batch_number: str, people: list[Application]) -> Path:
        """Write a package as a folder; give its path."""
        path = folder / f"ZAGL_ZZJH_{batch_number}"
        path.mkdir()
        for name, content in self.members(batch_number, people).items():
            (path / name).write_bytes(content)
        return path

    def lines(self, path: Path, batches: dict[str, list[Application]]) -> Path:
        """Write batches as JSON lines, portraits beside; give the path."""
        lines = []
        for batch_number, people in batches.items():
            lines.append({"batch": self.header(batch_number, len(people)) | {"count": len(people)}})
            for at, one in enumerate(people):
                portrait = f"{batch_number}-{at}.jpg"
                (path.parent / portrait).write_bytes(one.portrait)
                lines.append({"application": msgspec.structs.asdict(one) | {"portrait": portrait}})
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        return path
