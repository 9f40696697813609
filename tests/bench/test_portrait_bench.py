"""The portrait benchmark and the trainer: measures that mean something, peers that fit, a model made twice alike."""

import json
from itertools import islice

import numpy as np
import pytest
from PIL import Image

from bench import portrait as bench_portrait
from bench import portrait_golden as bench_golden
from bench.portrait_formats import avif_payload_bytes
from bench.portrait_metrics import measures
from bench.portrait_peers import PEERS, named
from bench.portrait_pictures import OWN_PICTURES, as_sent, jittered, views
from bench.portrait_search import search
from bench.portrait_train import learn_core, learn_filters
from encoders import portrait
from encoders.codec.model import packed, unpacked

GOLDEN = portrait.golden_pixels()


def test_a_picture_is_like_itself_and_less_like_others():
    same = measures(GOLDEN, GOLDEN)
    assert (same["ssim"], same["ms_ssim"]) == (pytest.approx(1), pytest.approx(1))
    assert same["psnr_y"] > 100
    darker = measures(GOLDEN, (GOLDEN * 0.98).astype(np.uint8))
    assert 30 < darker["psnr_y"] < 45
    base = GOLDEN // 2 + 60  # far from black and white, where noise would be cut
    noisy = measures(base, np.clip(base + np.random.default_rng(1).normal(0, 9, GOLDEN.shape), 0, 255).astype(np.uint8))
    assert noisy["psnr_rgb"] == pytest.approx(20 * np.log10(255 / 9), abs=0.6)
    assert noisy["ssim"] < darker["ssim"] < 1


@pytest.mark.parametrize("name", ["avif6", "j2k"])
def test_a_peer_fits_its_budget_and_a_payload_is_never_worse_than_a_whole_file(name):
    payload, whole = (search(PEERS[name], GOLDEN, whole=part) for part in (False, True))
    assert payload is not None
    assert whole is not None
    assert max(payload.size_bytes, whole.size_bytes) <= 1024
    assert measures(GOLDEN, payload.shown)["psnr_y"] >= measures(GOLDEN, whole.shown)["psnr_y"]
    assert payload.at_1024["psnr_y"] >= measures(GOLDEN, payload.shown)["psnr_y"] - 0.01


def test_the_payload_of_an_avif_file_is_most_of_it_but_not_all():
    file = PEERS["avif6"].encode(GOLDEN, 40, PEERS["avif6"].settings[0])
    assert len(file) - 400 < avif_payload_bytes(file) < len(file) - 200


def test_unknown_peers_are_named():
    assert named(["avif0, jpeg", "webp", "jpeg"]) == ["avif0", "jpeg", "webp"]
    assert (named(["all"]), named(["none"])) == (list(PEERS), [])
    with pytest.raises(ValueError, match="bpg is no peer"):
        named(["avif0,bpg"])


def test_the_benchmark_writes_its_keys_and_a_sheet(tmp_path, capsys):
    result, sheet = tmp_path / "result.json", tmp_path / "sheet.png"
    arguments = ["--images", str(OWN_PICTURES), "--every", "20", "--peers", "avif6", "--json", str(result)]
    assert bench_portrait.main([*arguments, "--sheet", str(sheet)]) == 0
    told = json.loads(result.read_text())
    codecs, groups = told["codecs"], told["groups"]
    assert set(codecs) == {"cardmill", "avif6_payload", "avif6_whole"}
    wanted = {"psnr_y", "psnr_c", "psnr_rgb", "ssim", "ms_ssim", "bytes_mean", "bytes_max", "encode_ms", "decode_ms"}
    assert all(wanted <= set(figures) for figures in codecs.values())
    assert codecs["cardmill"]["psnr_y"] > codecs["avif6_payload"]["psnr_y"] > codecs["avif6_whole"]["psnr_y"]
    assert groups["over"] == "avif6_payload"
    assert set(groups["by"]["sex"]) == {"female", "male"}
    assert groups["held"] is None  # three pictures are no group
    assert told["demands"]["closest_whole_file"] == "avif6_whole"
    assert sheet.stat().st_size > 10_000
    printed = capsys.readouterr()
    assert "cardmill" in printed.out
    assert printed.err.endswith("\r3 of 3 portraits\n")


def test_what_cannot_be_read_or_written_is_refused_before_anything_is_measured(tmp_path, capsys):
    assert bench_portrait.main(["--images", str(tmp_path)]) == 2
    for words in (["--sheet", str(tmp_path / "gone/sheet.png")], ["--labels", "none.csv"], ["--peers", "bpg"]):
        with pytest.raises(SystemExit) as ended:
            bench_portrait.main(words)
        assert ended.value.code == 2
        assert words[1] in capsys.readouterr().err


def test_twenty_golden_portraits_give_what_they_always_gave(capsys):
    assert bench_golden.main(["--every", "12", "--interpreted", "0"]) == 0
    assert "20 portraits compiled" in capsys.readouterr().out


def test_two_golden_streams_show_the_same_interpreted_and_240_are_on_file():
    streams = {name: portrait.encode(pixels) for name, pixels in islice(bench_golden.pictures(), 2)}
    golden = bench_golden.golden_lines()
    assert len(golden) == 240
    assert bench_golden.interpreted_lines(streams) == {name: golden[name] for name in streams}


def test_a_golden_portrait_that_differs_is_named(monkeypatch, capsys):
    monkeypatch.setattr(bench_golden, "golden_lines", dict)
    assert bench_golden.main(["--every", "240", "--interpreted", "0"]) == 1
    assert "faker_0000-plain gives other bytes" in capsys.readouterr().err


def test_training_pictures_are_as_upstream_sends_them_and_the_same_each_time():
    path = OWN_PICTURES / "faker_0000.jpg"
    found = list(views(path, 1, 2))
    assert [one.shape for one in found] == [(126, 102, 3)] * 3
    assert all(np.array_equal(one, again) for one, again in zip(found, views(path, 1, 2), strict=True))
    assert not np.array_equal(found[0], found[2])
    with Image.open(path) as photo:
        sent = as_sent(jittered(photo.convert("RGB"), np.random.default_rng(2)), np.random.default_rng(3))
    assert 8_000 < len(sent) <= 20_000


def test_the_same_pictures_and_seed_give_the_same_model_and_it_works():
    pictures = [one for path in sorted(OWN_PICTURES.glob("*.jpg"))[:6] for one in views(path, 1, 1)]
    files = []
    for _ in range(2):
        learner, luma_db = learn_core(pictures, 1, 1, lambda text: None)
        files.append(packed(learner.model(), learn_filters(learner, pictures[:4])))
        assert luma_db > 33
    assert files[0] == files[1]
    assert unpacked(files[0])[0].basis8.shape == (24, 48, 64)
