"""The portrait as a file: format, size and tags, read from its header without decoding it (DOMAIN.md 3, 11.12)."""

from __future__ import annotations

from collections.abc import Iterator

from controller.application import Application
from controller.checks.context import CheckContext
from controller.checks.finding import FINDINGS, Finding
from controller.checks.jpeg import BASELINE, JpegFrame, read_frame

WIDTH_PX, HEIGHT_PX = 358, 441  # GA 461-2004: 26 mm x 32 mm at 350 dpi
COMPONENTS = 3
DEPTH_BITS = 8
DENSITY_DPI = 350
DENSITY_PER_CM = 138  # the same in JFIF's other unit, rounded
REFUSED_ABOVE_BYTES = 100_000  # ours, a KB being 1,000 bytes; the standard has no limit
LARGE_ABOVE_BYTES = 40_000
SMALL_BELOW_BYTES = 10_000
WALKED_UP_TO_BYTES = 400_000  # larger ones are refused unread, so that no hostile file costs more than milliseconds
QUALITY_FROM, QUALITY_TO = 60, 95


def check_portrait(app: Application, context: CheckContext) -> Iterator[Finding]:
    """Find a missing portrait, and what its file shows."""
    yield from portrait_findings(app.portrait)


def portrait_findings(picture: bytes) -> Iterator[Finding]:
    """Find what the file's size and markers tell; whoever decodes afterwards does so only when nothing here refuses.

    That order is what keeps a picture that claims 65,500 pixels a side from ever being decoded.
    """
    if not picture:
        yield FINDINGS["portrait.missing"]
        return
    size_bytes = len(picture)
    if size_bytes > REFUSED_ABOVE_BYTES:
        yield FINDINGS["portrait.too_large"]
    elif size_bytes > LARGE_ABOVE_BYTES:
        yield FINDINGS["portrait.large_file"]
    elif size_bytes < SMALL_BELOW_BYTES:
        yield FINDINGS["portrait.small_file"]
    if size_bytes > WALKED_UP_TO_BYTES:
        return
    frame = read_frame(picture)
    if not frame.is_jpeg:
        yield FINDINGS["portrait.not_jpeg"]
        return
    if frame.is_damaged:
        yield FINDINGS["portrait.damaged"]
    if frame.is_cut:
        yield FINDINGS["portrait.truncated"]
    if frame.process:
        yield from _frame_findings(frame)
        yield from _tag_findings(frame)


def _frame_findings(frame: JpegFrame) -> Iterator[Finding]:
    if (frame.width_px, frame.height_px) != (WIDTH_PX, HEIGHT_PX):
        yield FINDINGS["portrait.dimensions"]
    if frame.process != BASELINE:
        yield FINDINGS["portrait.not_baseline"]
    if frame.depth_bits != DEPTH_BITS:
        yield FINDINGS["portrait.sample_depth"]
    if len(frame.components) != COMPONENTS:
        yield FINDINGS["portrait.components"]


def _tag_findings(frame: JpegFrame) -> Iterator[Finding]:
    if frame.density not in ((1, DENSITY_DPI, DENSITY_DPI), (2, DENSITY_PER_CM, DENSITY_PER_CM)):
        yield FINDINGS["portrait.density"]
    if frame.quality is not None and not QUALITY_FROM <= frame.quality <= QUALITY_TO:
        yield FINDINGS["portrait.quality"]
    if frame.trailing_bytes:
        yield FINDINGS["portrait.trailing_bytes"]
