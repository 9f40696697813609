"""The portrait codec in processes of its own: interpreted, with every index checked, and with a full cache."""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numba
import numpy as np

ROOT = Path(__file__).resolve().parents[2]


def said(function, **environment):
    """What a function of this file returns, as text, in a process of its own."""
    script = f"from tests.encoders.test_portrait_processes import {function} as act; print(act())"
    process = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", script],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout.strip()


def hostile_streams(count):
    """Streams nobody wrote, of every kind of length and step."""
    chance = np.random.default_rng(1024)
    for number in range(count):
        payload = chance.bytes(int(chance.integers(0, 1023)))
        kinds = (payload, bytes(len(payload)), b"\xff" * len(payload), payload[:9])
        yield bytes((1, int(chance.integers(0, 256)))) + kinds[number % 4]


def jit_and_codec_digest():
    """Whether kernels are compiled, and a digest of some streams and the pixels of more."""
    from encoders import portrait

    golden = portrait.golden_pixels()
    drawn = [golden, np.zeros_like(golden), np.ascontiguousarray(np.rot90(golden[:102], 1))]
    drawn[2] = np.concatenate([drawn[2], np.full((24, 102, 3), 90, np.uint8)])
    streams = [portrait.encode(picture) for picture in drawn]
    digest = sha256()
    for stream in [*streams, *hostile_streams(3)]:
        digest.update(stream + portrait.decode(stream).tobytes())
    return f"{'interpreted' if numba.config.DISABLE_JIT else 'compiled'} {digest.hexdigest()}"


def checked_decodings():
    """Decode hostile streams with numba's bounds checks on; an index out of bounds would raise here."""
    from encoders.codec.stream import decode_stream

    assert numba.config.BOUNDSCHECK == 1
    digest = sha256()
    for stream in hostile_streams(150):
        digest.update(decode_stream(stream).tobytes())
    return digest.hexdigest()


def kernels_and_cache_hits():
    """How many compilations of the codec's kernels there are, and how many of them came from numba's cache."""
    from numba.core.dispatcher import Dispatcher

    from encoders import portrait
    from encoders.codec import entropy, kernels, pixels, search

    portrait.warm_up()
    rooms = (entropy, kernels, pixels, search)
    found = {id(one): one for room in rooms for one in vars(room).values() if isinstance(one, Dispatcher)}
    hits = sum(sum(one.stats.cache_hits.values()) for one in found.values())
    return f"{sum(len(one.signatures) for one in found.values())} {hits} {len(found)}"


def test_interpreted_kernels_give_the_same_bytes_and_pixels_and_never_overflow():
    compiled, interpreted = jit_and_codec_digest(), said("jit_and_codec_digest", NUMBA_DISABLE_JIT="1")
    assert interpreted == compiled.replace("compiled", "interpreted")


def test_no_index_leaves_its_array_whatever_bytes_are_decoded(pytestconfig, tmp_path):
    from encoders.codec.stream import decode_stream

    cache = getattr(pytestconfig, "cache", None)  # there is none with `-p no:cacheprovider`
    sources = sorted((ROOT / "encoders" / "codec").glob("*.py"))
    of_these = sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    kept = cache.mkdir(f"checked-kernels-{of_these}") if cache else tmp_path  # compiled once for these sources
    checked = said("checked_decodings", NUMBA_BOUNDSCHECK="1", NUMBA_CACHE_DIR=str(kept))
    digest = sha256()
    for stream in hostile_streams(150):
        digest.update(decode_stream(stream).tobytes())
    assert checked == digest.hexdigest()


def test_a_second_process_compiles_no_kernel_and_each_has_one_signature():
    jit_and_codec_digest()  # whoever runs this fills the cache
    compilations, hits, kernels = map(int, said("kernels_and_cache_hits").split())
    assert kernels > 30
    assert compilations == kernels == hits
