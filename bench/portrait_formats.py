"""What of a file by a standard codec is coded data of the picture, and what is wrapping that readers could agree on."""

import re
from collections.abc import Callable, Iterator
from typing import Final

SEQUENCE_AND_DELIMITER: Final = (1, 2)  # AV1 unit types
FIRST_PARAMETER_SET: Final = 32  # HEVC unit type; those below are slices
VVC_SLICES_END: Final = 12
VVC_ADAPTATION_SETS: Final = (17, 18)  # filters fitted to this one picture: coded data, though not in a slice


def jpeg_payload_bytes(file: bytes) -> int:
    """Scans and Huffman tables."""
    at, total = 2, 0
    while at + 4 <= len(file):
        marker, length = file[at + 1], int.from_bytes(file[at + 2 : at + 4])
        if marker == 0xC4:
            total += 2 + length
        at += 2 + length
        if marker == 0xDA:
            end = at
            while file[end] != 0xFF or file[end + 1] in (0, *range(0xD0, 0xD8)):
                end += 1
            total, at = total + end - at, end
            if file[at + 1] == 0xD9:
                break
    return total


def j2k_payload_bytes(file: bytes) -> int:
    """Everything behind the start-of-data marker of a codestream, less the end marker."""
    return len(file) - file.index(b"\xff\x93") - 4


def webp_payload_bytes(file: bytes) -> int:
    """The VP8 frame, without RIFF and chunk heads."""
    return len(file) - 20


def avif_payload_bytes(file: bytes) -> int:
    """The units of coded data, without sequence headers and delimiters."""
    coded, at, total = b"".join(boxes(file, b"mdat")), 0, 0
    while at < len(coded):
        head = coded[at]
        start, size = at + 1 + (head >> 2 & 1), 0
        if head & 2:
            for shift in range(0, 56, 7):
                size |= (coded[start] & 127) << shift
                start += 1
                if coded[start - 1] < 128:
                    break
        else:
            size = len(coded) - start
        if head >> 3 & 15 not in SEQUENCE_AND_DELIMITER:
            total += start - at + size
        at = start + size
    return total


def hevc_payload_bytes(file: bytes) -> int:
    """The slices, without parameter sets."""
    coded, at, total = b"".join(boxes(file, b"mdat")), 0, 0
    while at + 4 < len(coded):
        size = int.from_bytes(coded[at : at + 4])
        if coded[at + 4] >> 1 & 63 < FIRST_PARAMETER_SET:
            total += size
        at += 4 + size
    return total


def vvc_payload_bytes(file: bytes) -> int:
    """Slices and adaptation sets of a raw stream, without start codes, delimiters, parameter sets and messages."""
    units = [unit for unit in re.split(b"\x00\x00\x00?\x01", file) if len(unit) > 1]
    kinds = [unit[1] >> 3 for unit in units]
    coded = [kind < VVC_SLICES_END or kind in VVC_ADAPTATION_SETS for kind in kinds]
    return sum(len(unit) for unit, counts in zip(units, coded, strict=True) if counts)


def boxes(file: bytes, kind: bytes) -> Iterator[bytes]:
    """The contents of the outermost boxes of a kind."""
    at = 0
    while at + 8 <= len(file):
        size = int.from_bytes(file[at : at + 4]) or len(file) - at
        if file[at + 4 : at + 8] == kind:
            yield file[at + 8 : at + size]
        at += size


PAYLOADS: Final[dict[str, Callable[[bytes], int]]] = {
    "jpeg": jpeg_payload_bytes,
    "j2k": j2k_payload_bytes,
    "webp": webp_payload_bytes,
    "avif": avif_payload_bytes,
    "hevc": hevc_payload_bytes,
    "jxl": len,  # a bare codestream is nothing but coded data
    "vvc": vvc_payload_bytes,
}
