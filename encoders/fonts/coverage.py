"""Which characters a print font can draw, as a set that is asked before a text reaches a printer."""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from struct import Struct
from typing import Final, Self

MAGIC: Final = b"CMGLYPH1"
HAN_FONT: Final = "DroidSansFallbackFull.ttf"
LATIN_FONT: Final = "Cousine-Regular.ttf"
HAN_STARTS: Final = "\u2e80"  # the Latin font draws what is below, the Han font the rest

_RUN = Struct("<II")  # first and last code point of a run, both inside


class FontError(Exception):
    """Bytes that are no frozen coverage; `code` is font.coverage."""

    code = "font.coverage"

    def __init__(self) -> None:
        super().__init__(f"{self.code}: these bytes are no list of glyphs; make it with encoders.fonts.freeze")


class FontCoverage:
    """The characters one stock of fonts can draw: those with ink, and the space."""

    def __init__(self, code_points: Iterable[int]) -> None:
        self.characters: Final = frozenset(map(chr, code_points))

    @classmethod
    def from_bytes(cls, frozen: bytes) -> Self:
        """The coverage that `to_bytes` gave.  Raises: FontError."""
        runs = frozen[len(MAGIC) :]
        if not frozen.startswith(MAGIC) or len(runs) % _RUN.size:
            raise FontError
        code_points: list[int] = []
        above = -1
        for first, last in _RUN.iter_unpack(runs):
            if not above < first <= last <= 0x10FFFF:
                raise FontError
            code_points.extend(range(first, last + 1))
            above = last
        return cls(code_points)

    def to_bytes(self) -> bytes:
        """MAGIC, then the runs of code points in order, each as first and last, 32 bits little-endian."""
        runs: list[list[int]] = []
        for code_point in sorted(map(ord, self.characters)):
            if runs and runs[-1][1] == code_point - 1:
                runs[-1][1] = code_point
            else:
                runs.append([code_point, code_point])
        return MAGIC + b"".join(_RUN.pack(first, last) for first, last in runs)

    def missing_glyphs(self, text: str) -> list[int]:
        """The code points of `text` that cannot be drawn, in its order, repeated as they are there."""
        if self.characters.issuperset(text):  # nearly always: one pass in C
            return []
        return [ord(character) for character in text if character not in self.characters]


@cache
def bundled_coverage() -> FontCoverage:
    """The coverage of the fonts in this folder, frozen by `python -m encoders.fonts.freeze`; read once."""
    return FontCoverage.from_bytes(files("encoders.fonts").joinpath("coverage.bin").read_bytes())
