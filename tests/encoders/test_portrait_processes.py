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
        timeout=900,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout.strip()


def hostile_streams(count):
    """Streams nobody wrote, of every kind of length and step."""
    chance = np.random.default_rng(1024)
    for number in range(count):
        payload = chance.bytes(int(chance.integers(0, 1023)))
        kinds = (payload, bytes(len(payload)), b"\xff" * len(payload), payload[:9])
        yield bytes((2, int(chance.integers(0, 256)))) + kinds[number % 4]


def drawn_streams():
    """Streams of pictures that need no model of a person: the golden one's, and twenty drawn from numbers."""
    from encoders import portrait

    yield portrait.encode(portrait.golden_pixels())
    rows, columns = np.indices((126, 102))
    for number in range(20):
        face = ((rows - 60) / (34 + number)) ** 2 + ((columns - 51) / (22 + number % 7)) ** 2 < 1
        chance = np.random.default_rng(number)
        picture = np.full((126, 102, 3), 250.0)
        picture[face] = chance.integers(60, 220, 3)
        picture += 12 * np.sin(rows / (2 + number % 5) + columns / 7)[:, :, None] + chance.normal(0, 2, (126, 102, 3))
        yield portrait.encode(np.clip(picture, 0, 255).astype(np.uint8))


def decodings(streams):
    """Whether kernels are compiled, and a digest of what streams show."""
    from encoders import portrait

    digest = sha256()
    for stream in streams:
        digest.update(portrait.decode(stream).tobytes())
    return f"{'interpreted' if numba.config.DISABLE_JIT else 'compiled'} {digest.hexdigest()}"


def decodings_of_the_file():
    """The decodings of the streams whose lines lie in a file."""
    lines = Path(os.environ["STREAMS"]).read_text().split()
    return decodings(bytes.fromhex(line) for line in lines)


def jit_and_golden_digest():
    """Whether kernels are compiled, and a digest of the golden portrait's stream and pixels."""
    from encoders import portrait

    found = portrait.self_test_digest(portrait.golden_pixels())
    return f"{'interpreted' if numba.config.DISABLE_JIT else 'compiled'} {found}"


def checked_codings():
    """Encode and decode with numba's bounds checks on; an index out of bounds would raise here."""
    from encoders import portrait

    assert numba.config.BOUNDSCHECK == 1
    digest = sha256()
    for seed in range(3):
        stream = portrait.encode(np.random.default_rng(seed).integers(0, 256, (126, 102, 3)).astype(np.uint8))
        digest.update(stream + portrait.decode(stream).tobytes())
    for stream in hostile_streams(150):
        digest.update(portrait.decode(stream).tobytes())
    return digest.hexdigest()


def kernels_and_cache_hits():
    """How many compilations of the codec's kernels there are, and how many of them came from numba's cache."""
    from numba.core.dispatcher import Dispatcher

    from encoders import portrait
    from encoders.codec import (
        coder,
        colour,
        doubling,
        finish,
        kernels,
        levels,
        luma,
        pixels,
        polish,
        quantiser,
        search,
        texture,
    )

    portrait.warm_up()
    rooms = (coder, colour, doubling, finish, kernels, levels, luma, pixels, polish, quantiser, search, texture)
    found = {id(one): one for room in rooms for one in vars(room).values() if isinstance(one, Dispatcher)}
    found = {key: one for key, one in found.items() if one.targetoptions.get("inline") != "always"}
    hits = sum(sum(one.stats.cache_hits.values()) for one in found.values())
    return f"{sum(len(one.signatures) for one in found.values())} {hits} {len(found)}"


def test_interpreted_kernels_decode_twenty_one_streams_to_the_same_pixels_and_never_overflow(tmp_path):
    streams = [*drawn_streams(), *hostile_streams(2)]
    file = tmp_path / "streams"
    file.write_text("\n".join(stream.hex() for stream in streams))
    interpreted = said("decodings_of_the_file", NUMBA_DISABLE_JIT="1", STREAMS=str(file))
    assert interpreted == decodings(streams).replace("compiled", "interpreted")


def test_interpreted_kernels_encode_the_golden_portrait_to_the_same_bytes():
    interpreted = said("jit_and_golden_digest", NUMBA_DISABLE_JIT="1")
    assert interpreted == jit_and_golden_digest().replace("compiled", "interpreted")


def test_no_index_leaves_its_array_whatever_is_encoded_or_decoded(pytestconfig, tmp_path):
    from encoders import portrait

    cache = getattr(pytestconfig, "cache", None)  # there is none with `-p no:cacheprovider`
    sources = sorted((ROOT / "encoders" / "codec").glob("*.py"))
    of_these = sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    kept = cache.mkdir(f"checked-kernels-{of_these}") if cache else tmp_path  # compiled once for these sources
    checked = said("checked_codings", NUMBA_BOUNDSCHECK="1", NUMBA_CACHE_DIR=str(kept))
    digest = sha256()
    for seed in range(3):
        stream = portrait.encode(np.random.default_rng(seed).integers(0, 256, (126, 102, 3)).astype(np.uint8))
        digest.update(stream + portrait.decode(stream).tobytes())
    for stream in hostile_streams(150):
        digest.update(portrait.decode(stream).tobytes())
    assert checked == digest.hexdigest()


def test_a_second_process_compiles_no_kernel_and_each_has_one_signature():
    jit_and_golden_digest()  # whoever runs this fills the cache
    compilations, hits, kernels = map(int, said("kernels_and_cache_hits").split())
    assert kernels > 30
    assert compilations == kernels == hits
