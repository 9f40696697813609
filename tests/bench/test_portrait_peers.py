"""The peers of the portrait benchmark: what counts as coded data, the search, VVC by programs that may be at hand."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench import portrait as bench_portrait
from bench import portrait_vvc
from bench.portrait_formats import PAYLOADS
from bench.portrait_metrics import measures
from bench.portrait_peers import PEERS, Peer
from bench.portrait_pictures import OWN_PICTURES
from bench.portrait_search import Files, between, finest, search
from encoders import portrait

GOLDEN = portrait.golden_pixels()
COPIES = """#!{python}
import sys
words = sys.argv[1:]
if "-encoders" in words or "-decoders" in words:
    print(" V....D libvvenc\\n V....D vvc    H.266")
elif "-" in words:
    sys.stdout.buffer.write(sys.stdin.buffer.read())
else:
    given, made = (words[words.index(name) + 1] for name in {names})
    open(made, "wb").write(open(given, "rb").read())
"""


def unit(kind: int, size: int) -> bytes:
    """A VVC unit of a kind behind its start code."""
    return b"\0\0\0\1" + bytes([0, kind << 3 | 1]) + b"\x55" * (size - 2)


# ---- what is coded data ---------------------------------------------------------------------------------------


def test_a_vvc_stream_is_charged_its_slices_and_its_own_filters_but_no_parameter_sets():
    stream = unit(20, 3) + unit(15, 47) + unit(16, 11) + unit(17, 16) + unit(8, 900)
    assert PAYLOADS["vvc"](stream) == 16 + 900


def test_a_hevc_file_is_charged_its_slices():
    slices = [bytes([19 << 1, 1]) + b"\x55" * 98, bytes([33 << 1, 1]) + b"\x55" * 40]
    coded = b"".join(len(one).to_bytes(4) + one for one in slices)
    file = (16).to_bytes(4) + b"ftypheic\0\0\0\0" + (8 + len(coded)).to_bytes(4) + b"mdat" + coded
    assert PAYLOADS["hevc"](file) == 100


def test_a_jpeg_file_is_charged_scans_and_huffman_tables():
    table = b"\xff\xc4" + (30).to_bytes(2) + b"\x55" * 28
    quantiser = b"\xff\xdb" + (67).to_bytes(2) + b"\x55" * 65
    scan = b"\xff\xda" + (12).to_bytes(2) + b"\x55" * 10 + b"\x12\xff\x00\x34\xff\xd0\x56"
    assert PAYLOADS["jpeg"](b"\xff\xd8" + quantiser + table + scan + b"\xff\xd9") == 32 + 7


@pytest.mark.parametrize(("name", "least", "most"), [("j2k", 80, 160), ("avif6", 200, 400)])
def test_a_real_file_is_charged_most_of_it_but_not_all(name, least, most):
    peer = PEERS[name]
    file = peer.encode(GOLDEN, 40, peer.settings[0])
    assert least < len(file) - peer.payload_bytes(file) < most


# ---- the search -----------------------------------------------------------------------------------------------


@given(st.integers(0, 130), st.integers(-1, 130), st.one_of(st.none(), st.integers(0, 200)))
def test_the_finest_quality_that_fits_is_found_from_wherever_the_search_starts(top, answer, start):
    answer, asked = min(answer, top), []

    def fits(quality: int) -> bool:
        assert 0 <= quality <= top
        asked.append(quality)
        return quality <= answer

    assert finest(fits, top, start) == answer
    assert len(asked) <= 18
    if start is not None and start == answer:
        assert len(asked) <= 4


def test_a_size_that_dips_again_is_not_missed():
    assert finest(lambda quality: quality <= 7 or quality == 9, 20, None) == 9


def test_measures_at_the_budget_lie_on_the_line_between_two_sizes():
    assert between({"psnr_y": 30.0}, 512, {"psnr_y": 32.0}, 2048)["psnr_y"] == pytest.approx(31.0)
    assert between({"psnr_y": 30.0}, 1024, {"psnr_y": 32.0}, 2048)["psnr_y"] == pytest.approx(30.0)


def test_each_file_is_made_once_for_payload_and_whole_and_both_are_charged_for_it():
    made = []

    def encode(pixels, quality, settings):
        made.append((settings["name"], quality))
        return bytes([quality]) * (200 + 40 * quality)

    def decode(file):
        return np.clip(GOLDEN.astype(int) + 40 - file[0], 0, 255).astype(np.uint8)

    peer = Peer(encode, decode, lambda file: len(file) - 160, 30, ({"name": "a"}, {"name": "b"}))
    files = Files(peer, GOLDEN)
    payload, whole = (search(peer, GOLDEN, whole=part, files=files) for part in (False, True))
    assert (payload.size_bytes, whole.size_bytes) == (1000, 1000)
    assert measures(GOLDEN, payload.shown)["psnr_y"] > measures(GOLDEN, whole.shown)["psnr_y"]
    assert payload.at_1024["psnr_y"] > measures(GOLDEN, payload.shown)["psnr_y"]
    assert len(made) == len(set(made))
    assert min(payload.encode_s, whole.encode_s) > 0


def test_a_codec_that_never_fits_is_found_out():
    peer = Peer(lambda pixels, quality, settings: bytes(2000), lambda file: GOLDEN, len, 10, ({},))
    assert search(peer, GOLDEN, whole=True) is None


# ---- VVC ------------------------------------------------------------------------------------------------------


@pytest.fixture
def on_path(tmp_path, monkeypatch):
    """Put a program on an otherwise empty PATH; the test decides which."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(portrait_vvc, "packed_ffmpeg", lambda: None)
    portrait_vvc.programs.cache_clear()

    def put(name: str, names: tuple[str, str] = ("", "")) -> None:
        file = tmp_path / name
        file.write_text(COPIES.format(python=sys.executable, names=names))
        file.chmod(0o755)

    yield put
    portrait_vvc.programs.cache_clear()


def test_a_frame_keeps_light_to_a_quarter_and_colour_smooth():
    again = portrait_vvc.pixels_of(portrait_vvc.frame_of(GOLDEN))
    near = measures(GOLDEN, again)
    assert near["psnr_y"] > 45
    assert near["psnr_c"] > 38


def test_without_a_program_that_works_vvc_is_not_at_hand(on_path, tmp_path):
    (tmp_path / "ffmpeg").write_text("#!/nowhere/sh\n")
    (tmp_path / "ffmpeg").chmod(0o755)
    assert portrait_vvc.programs() is None
    assert not PEERS["vvc"].here


def test_vvencapp_and_vvdecapp_are_found_and_fed_by_files(on_path):
    on_path("vvencapp", ("--input", "--output"))
    on_path("vvdecapp", ("-b", "-o"))
    assert PEERS["vvc"].here
    stream = portrait_vvc.encode(GOLDEN, 10, PEERS["vvc"].settings[1])
    assert stream == portrait_vvc.frame_of(GOLDEN)  # these programs copy
    assert np.array_equal(portrait_vvc.decode(stream), portrait_vvc.pixels_of(stream))


def test_an_ffmpeg_with_libvvenc_will_do_and_is_fed_by_pipes(on_path):
    on_path("ffmpeg")
    assert portrait_vvc.programs().ffmpeg
    stream = portrait_vvc.encode(GOLDEN, 10, PEERS["vvc"].settings[0])
    assert np.array_equal(portrait_vvc.decode(stream), portrait_vvc.pixels_of(stream))


def test_a_run_says_which_peer_was_not_at_hand(on_path, tmp_path, capsys):
    folder = tmp_path / "two"
    folder.mkdir()
    with Image.open(OWN_PICTURES / "faker_0000.jpg") as photo:
        photo.save(folder / "one_1.jpg", quality=90)
    assert bench_portrait.main(["--images", str(folder), "--peers", "vvc"]) == 0
    printed = capsys.readouterr()
    assert "vvc is not at hand and left out" in printed.err
    assert "not at hand: vvc" in " ".join(printed.out.split())
