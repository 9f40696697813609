"""The sheet that shows photos before and after each step of their preparation, SPECIMEN on what is printed."""

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from itertools import groupby
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from encoders.codec.tables import HEIGHT_PX, WIDTH_PX
from encoders.fonts.coverage import HAN_FONT, HAN_STARTS, LATIN_FONT
from encoders.preparation import Figures, Preparation

ZOOM: Final = 2
CELL_PX: Final = (WIDTH_PX * ZOOM, HEIGHT_PX * ZOOM)
GAP_PX, MARGIN_PX, NUMBER_PX = 12, 20, 34
TITLE_PX, HEADING_PX, FIGURES_PX = 64, 40, 46
DESK, INK, SOFT = (236, 238, 241), (27, 36, 48), (93, 106, 122)
HEADINGS: Final = (
    ("原相片", "source photo"),
    ("缩至芯片尺寸", "prepared, 102 × 126"),
    ("背景匀净", "background flattened"),
    ("芯片码流解码", "decoded chip stream"),
    ("印面，未校正", "printed, no tone curve"),
    ("印面，按批次曲线", "printed, tone of the lots"),
)


def draw_sheet(rows: Sequence[tuple[int, Preparation]], note_zh: str, note_en: str) -> Image.Image:
    """The sheet, RGB: a row of six pictures for each (number, preparation), figures below, the notes above.

    Cost: 20 ms a row.
    """
    columns = len(HEADINGS)
    row_px = CELL_PX[1] + FIGURES_PX
    width = 2 * MARGIN_PX + NUMBER_PX + columns * CELL_PX[0] + (columns - 1) * GAP_PX
    sheet = Image.new("RGB", (width, 2 * MARGIN_PX + TITLE_PX + HEADING_PX + len(rows) * row_px), DESK)
    pen = ImageDraw.Draw(sheet)
    _write(pen, MARGIN_PX, MARGIN_PX, "相片制备样张  Portraits before and after their preparation", 22, INK)
    _write(pen, MARGIN_PX, MARGIN_PX + 30, f"{note_zh}  {note_en}", 13, SOFT)
    top = MARGIN_PX + TITLE_PX
    for place, (zh, en) in enumerate(HEADINGS):
        _write(pen, _left(place), top, zh, 14, INK)
        _write(pen, _left(place), top + 18, en, 12, SOFT)
    for row, (number, one) in enumerate(rows):
        y = top + HEADING_PX + row * row_px
        _write(pen, MARGIN_PX, y, f"{number:02d}", 16, INK)
        for place, (picture, lines) in enumerate(zip(_pictures(one), _lines(one.figures), strict=True)):
            sheet.paste(picture.resize(CELL_PX, Image.Resampling.BICUBIC), (_left(place), y))
            for line, text in enumerate(lines):
                _write(pen, _left(place), y + CELL_PX[1] + 4 + 16 * line, text, 12, INK if line == 0 else SOFT)
    return sheet


def _left(place: int) -> int:
    return MARGIN_PX + NUMBER_PX + place * (CELL_PX[0] + GAP_PX)


def _pictures(one: Preparation) -> list[Image.Image]:
    chip = [Image.fromarray(pixels) for pixels in (one.prepared, one.flat, one.decoded)]
    return [one.source, *chip, one.printed, one.printed_toned]


def _lines(figures: Figures) -> list[tuple[str, ...]]:
    """What stands under each picture."""
    walls = f"{figures.wall_deviation:.1f} → {figures.wall_deviation_flattened:.1f}"
    change = figures.toned_mean_level - figures.printed_mean_level
    return [
        (f"{figures.source_bytes:,} 字节 bytes", "358 × 441"),
        (f"{WIDTH_PX * HEIGHT_PX * 3:,} 字节 bytes",),
        (f"{_db(figures.flattened_psnr_rgb_db)}, {figures.flattened_px:,} px", f"背景偏差 wall ± {walls}"),
        (f"{figures.stream_bytes:,} 字节 bytes", f"Y {_db(figures.psnr_y_db)}, RGB {_db(figures.psnr_rgb_db)}"),
        (f"平均亮度 mean level {figures.printed_mean_level:.1f}",),
        (f"平均亮度 mean level {figures.toned_mean_level:.1f}", f"{change:+.1f}"),
    ]


def _db(value: float | None) -> str:
    return "相同 same" if value is None else f"{value:.1f} dB"


def _write(
    pen: ImageDraw.ImageDraw, x_px: float, y_px: float, text: str, size_px: int, colour: tuple[int, int, int]
) -> None:
    """Chinese in the Han font and the rest in the Latin one, on one base line."""
    for is_han, signs in groupby(text, lambda sign: sign >= HAN_STARTS):
        run, font = "".join(signs), _font(HAN_FONT if is_han else LATIN_FONT, size_px)
        pen.text((x_px, y_px + size_px), run, colour, font, anchor="ls")
        x_px += font.getlength(run)


@lru_cache(maxsize=16)
def _font(name: str, size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(files("encoders.fonts").joinpath(name)), size_px)
