"""Write coverage.bin from the bundled fonts: `python -m encoders.fonts.freeze`, after a font was replaced."""

from importlib.resources import files
from io import BytesIO
from pathlib import Path
from unicodedata import category

from fontTools.ttLib import TTFont

from encoders.fonts.coverage import HAN_FONT, HAN_STARTS, LATIN_FONT, FontCoverage

NO_TEXT = ("Cc", "Cf", "Co")  # controls and formats, which some fonts draw as a box, and private use


def drawable(font: bytes) -> set[int]:
    """The characters a TrueType font maps to a glyph with ink, and U+0020 if it has it; none of NO_TEXT."""
    face = TTFont(BytesIO(font), lazy=True)
    outlines = face["glyf"]
    return {
        code_point
        for code_point, name in face.getBestCmap().items()
        if category(chr(code_point)) not in NO_TEXT and (code_point == ord(" ") or outlines[name].numberOfContours != 0)
    }


def coverage_of(latin: bytes, han: bytes) -> FontCoverage:
    """What the pair draws: each font counts only on its side of HAN_STARTS."""
    below = {code_point for code_point in drawable(latin) if code_point < ord(HAN_STARTS)}
    return FontCoverage(below | {code_point for code_point in drawable(han) if code_point >= ord(HAN_STARTS)})


def main() -> None:
    """Read the fonts beside this file and write coverage.bin beside them."""
    folder = Path(str(files("encoders.fonts")))
    coverage = coverage_of((folder / LATIN_FONT).read_bytes(), (folder / HAN_FONT).read_bytes())
    (folder / "coverage.bin").write_bytes(coverage.to_bytes())


if __name__ == "__main__":
    main()
