"""Each kernel of the portrait codec gives what its plain twin gives, bit for bit."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from encoders import portrait
from encoders.codec import entropy, kernels, pixels, rate, search, stream, twin, twin_entropy
from encoders.codec.contexts import CONTEXTS, FORMAT_PRIOR
from encoders.codec.tables import (
    CHROMA,
    COUNT,
    DECODED,
    GUIDE,
    LEVEL,
    LINE_PX,
    LUMA,
    MODE,
    MODES,
    SOURCE,
    SPLIT,
    STEP,
    chroma_step,
    log2_256ths,
)
from encoders.codec.workspace import Workspace

SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.sampled_from([8, 4])


def numbers(seed, low, high, *shape):
    """Random int32 numbers from `low` to `high`."""
    return np.random.default_rng(seed).integers(low, high + 1, shape).astype(np.int32)


def block(numbers_of_it):
    """An 8x8 scratch block with numbers in its upper left; the rest is there to be left alone."""
    whole = np.full((8, 8), 77, np.int32)
    whole[: len(numbers_of_it), : len(numbers_of_it)] = numbers_of_it
    return whole


def picture(seed, smoothness):
    """A random picture, uint8[126, 102, 3], from noise to large patches."""
    cells = np.random.default_rng(seed).integers(0, 256, (126, 102, 3)).astype(np.uint8)
    rows, columns = np.indices((126, 102)) // smoothness
    return np.ascontiguousarray(cells[rows, columns])


# ---- pixels ---------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=6)
@given(SEEDS)
def test_shrinking_is_the_exact_mean_of_areas(seed):
    photo = numbers(seed, 0, 255, 441, 358, 3).astype(np.uint8)
    assert np.array_equal(portrait.shrunk(photo), twin.shrink(photo))


def test_the_areas_of_shrinking_cover_the_photo_once():
    for from_px, to_px in ((441, 126), (358, 102)):
        table = twin.overlaps(from_px, to_px)
        assert all(sum(row) == 1 for row in table)
        assert {sum(column) * from_px / to_px for column in table.T} == {1}


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.integers(1, 20))
def test_colours_are_split_and_halved_as_their_twins_do(seed, smoothness):
    shown, work = picture(seed, smoothness), Workspace()
    rate.lay_source(work, shown)
    for plane, expected in zip(work.planes, twin.split_colours(shown), strict=True):
        assert np.array_equal(plane.field[SOURCE], expected)
    pixels.halve(work.luma.field[SOURCE], work.blue.field[GUIDE])
    assert np.array_equal(work.blue.field[GUIDE], twin.halve(work.luma.field[SOURCE]))


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.integers(0, 600))
def test_planes_are_smoothed_and_joined_as_their_twins_do(seed, limit):
    luma, blue, red = numbers(seed, 0, 255, 128, 104), numbers(seed + 1, 0, 255, 64, 56), numbers(seed, 0, 255, 64, 56)
    smoothed, joined = np.empty_like(luma), np.empty((126, 102, 3), np.uint8)
    pixels.smooth(luma, limit, smoothed)
    assert np.array_equal(smoothed, twin.smooth(luma, limit))
    pixels.join_colours(smoothed, blue, red, joined)
    assert np.array_equal(joined, twin.join_colours(smoothed, blue, red))


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.integers(1, 20))
def test_variation_sums_the_differences_to_the_right_and_below(seed, smoothness):
    luma = twin.split_colours(picture(seed, smoothness))[0].astype(np.int32)
    inner = luma[:126, :102]
    expected = np.abs(np.diff(inner, axis=1)[:-1]).sum() + np.abs(np.diff(inner, axis=0)[:, :-1]).sum()
    assert pixels.variation(luma) == expected


# ---- blocks ---------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(SEEDS, SIZES, st.sampled_from([3, 40, 255]))
def test_residuals_are_transformed_and_come_back(seed, size, height):
    residual = numbers(seed, -height, height, size, size)
    half_way, coefficients, back = block([]), block([]), block([])
    kernels.transform(block(residual), size, half_way, coefficients)
    assert np.array_equal(coefficients[:size, :size], twin.transform(residual))
    kernels.inverse_transform(coefficients, size, half_way, back)
    assert np.abs(back[:size, :size] - residual).max() <= 1


@settings(deadline=None)
@given(SEEDS, SIZES, st.sampled_from([20, 3000, 32767]))
def test_hostile_coefficients_are_transformed_within_32_bits(seed, size, height):
    coefficients = numbers(seed, -1, 1, size, size) * np.int32(height)
    half_way, residual = block([]), block([])
    kernels.inverse_transform(block(coefficients), size, half_way, residual)
    assert np.array_equal(residual[:size, :size], twin.inverse_transform(coefficients))


@settings(deadline=None)
@given(SEEDS, SIZES, st.sampled_from([1, 30, 255]))
def test_differences_are_measured_as_the_twin_does(seed, size, height):
    source, drawn = numbers(seed, 0, height, 16, 16), numbers(seed + 1, 0, height, size, size)
    found = search.difference(source, 8, 4, block(drawn), size, block([]))
    assert found == twin.difference(source[8 : 8 + size, 4 : 4 + size] - drawn)


@pytest.mark.parametrize("size", [8, 4])
@pytest.mark.parametrize(("y", "x"), [(0, 0), (0, 8), (8, 0), (8, 8), (8, 12), (12, 8), (12, 12), (16, 96), (24, 100)])
@pytest.mark.parametrize("mode", range(MODES))
def test_every_mode_draws_every_kind_of_place_as_the_twin_does(mode, y, x, size):
    if size == 8 and (y % 8 or x % 8):
        y, x = y // 8 * 8, x // 8 * 8
    decoded = numbers(mode * 1000 + y * 10 + x, 0, 255, 128, 104)
    line, drawn = np.zeros(LINE_PX, np.int32), block([])
    kernels.read_line(decoded, LUMA, y, x, size, line)
    kernels.draw(line, size, mode, LUMA, decoded, y, x, drawn)
    assert np.array_equal(drawn[:size, :size], twin.predict(twin.Line(decoded, LUMA, y, x, size), size, mode))
    assert np.all(block([])[size:] == drawn[size:])


@settings(deadline=None)
@given(SEEDS, st.sampled_from([(0, 0), (0, 8), (8, 0), (24, 16), (56, 48)]), st.sampled_from([1, 9, 255]))
def test_colour_follows_light_as_the_twin_does(seed, place, height):
    decoded, guide = numbers(seed, 0, 255, 64, 56), numbers(seed + 1, 255 - height, 255, 64, 56)
    line, drawn = np.zeros(LINE_PX, np.int32), block([])
    kernels.read_line(decoded, CHROMA, *place, 8, line)
    kernels.follow(line, 8, guide, *place, drawn)
    assert np.array_equal(drawn, twin.follow(twin.Line(decoded, CHROMA, *place, 8), guide, *place))


@settings(deadline=None)
@given(
    SEEDS,
    st.sampled_from([(8, 0), (4, 1), (8, 2)]),
    st.integers(0, 5),
    st.integers(0, 255).map(lambda index: int(STEP[index])),
    st.sampled_from([30, 400, 3000, 20000]),
)
def test_levels_are_chosen_as_the_twin_does_and_their_cost_is_true(seed, size_and_class, energy, step, height):
    size, class_ = size_and_class
    fall = 1 + np.add.outer(np.arange(size), np.arange(size)) * (seed % 3)
    spread = np.random.default_rng(seed).laplace(0, height, (size, size)) / fall
    coefficients = np.clip(spread, -32640, 32640).astype(np.int32)
    lambda_ = search.LAMBDA * step * step >> 8
    levels = block([])
    costs = FORMAT_PRIOR.costs
    cost = search.quantise(block(coefficients), size, class_, energy, step, lambda_, costs, levels)
    expected, expected_cost = twin_entropy.quantise(coefficients, class_, energy, step, lambda_)
    assert np.array_equal(levels[:size, :size], expected)
    assert cost == expected_cost
    pricer = twin_entropy.Pricer()
    twin_entropy.walk_levels(pricer, class_, energy, expected.copy())
    error = int(((coefficients.astype(np.int64) - expected * step) ** 2).sum())
    assert cost == ((error << 8) + lambda_ * pricer.price) >> 8


@settings(deadline=None)
@given(st.integers(0, 2), *[st.integers(0, MODES - 1)] * 3)
def test_a_mode_is_priced_as_its_answers_are(class_, mode, left, above):
    pricer = twin_entropy.Pricer()
    assert twin_entropy.walk_mode(pricer, class_, mode, left, above) == mode
    assert search.mode_cost(FORMAT_PRIOR.costs, class_, mode, left, above) == pricer.price


# ---- streams --------------------------------------------------------------------------------------------------


def planes_of(work):
    """The planes of a workspace as the twin has them."""
    planes = twin_entropy.blank_planes()
    for plane, own in zip(planes, work.planes, strict=True):
        plane.levels[:] = own.field[LEVEL]
        plane.split[:], plane.mode[:], plane.count[:] = own.plan[SPLIT], own.plan[MODE], own.plan[COUNT]
    return planes


@settings(deadline=None, max_examples=12)
@given(SEEDS, st.integers(1, 40), st.integers(0, 254))
def test_the_twin_writes_the_same_bytes_and_decodes_what_the_encoder_saw(seed, smoothness, step_index):
    work = Workspace()
    rate.lay_source(work, picture(seed, smoothness))
    attempt = rate.attempt(work, step_index, fresh=True)
    if attempt.payload:
        payload = twin_entropy.write_planes(planes_of(work))
        assert payload[: work.stream.size] == attempt.payload or attempt.size_bytes == work.stream.size
    planes, step = planes_of(work), int(STEP[step_index])
    assert np.array_equal(twin.rebuild(planes[0], step, None), work.luma.decoded)
    assert np.array_equal(twin.rebuild(planes[1], chroma_step(step), twin.halve(work.luma.decoded)), work.blue.decoded)


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 255), st.binary(max_size=1022))
@example(40, b"\xff" * 1022)
@example(0, b"\x00" * 1022)
@example(255, b"")
def test_the_twin_decodes_any_bytes_to_the_same_pixels(step_index, payload):
    whole = bytes((portrait.VERSION, step_index)) + payload
    assert np.array_equal(portrait.decode(whole), twin.decode(whole))


def test_the_golden_stream_is_what_the_twin_reads_and_writes():
    whole = portrait.encode(portrait.golden_pixels())
    planes = twin_entropy.blank_planes()
    twin_entropy.read_planes(whole[2:], planes)
    assert twin_entropy.write_planes(planes) == whole[2:]
    assert np.array_equal(portrait.decode(whole), twin.decode(whole))


@settings(deadline=None)
@given(st.lists(st.integers(0, 2 * CONTEXTS - 1), max_size=3000), st.integers(8, 400))
def test_answers_come_back_as_they_were_coded_or_the_coder_says_full(bins, room_bytes):
    listed, coded = np.array(bins, np.int32), np.zeros(room_bytes, np.uint8)
    size_bytes = entropy.encode_bins(listed, len(listed), FORMAT_PRIOR.probabilities.copy(), coded)
    writer = twin_entropy.Writer()
    for answer in bins:
        writer.ask(answer >> 1, answer & 1)
    assert size_bytes == room_bytes or coded[:size_bytes].tobytes() == writer.payload()
    assert size_bytes < room_bytes or len(writer.payload()) >= room_bytes - 8
    if size_bytes < room_bytes:
        state, probabilities = np.zeros(3, np.int64), FORMAT_PRIOR.probabilities.copy()
        payload = coded[:size_bytes].copy()
        entropy.start_decoder(payload, state)
        assert [entropy.ask(payload, state, probabilities, answer >> 1) for answer in bins] == [
            answer & 1 for answer in bins
        ]


@settings(deadline=None, max_examples=12)
@given(SEEDS, st.integers(1, 40), st.integers(0, 254))
def test_the_decoder_sees_every_plane_as_the_encoder_saw_it(seed, smoothness, step_index):
    work, reader = Workspace(), Workspace()
    rate.lay_source(work, picture(seed, smoothness))
    attempt = rate.attempt(work, step_index, fresh=True)
    again = rate.attempt(work, step_index, fresh=False)
    assert again == attempt
    if attempt.size_bytes < work.stream.size:
        stream.read_plans(np.frombuffer(attempt.payload, np.uint8).copy(), reader)
        for own, other in zip(work.planes, reader.planes, strict=True):
            assert np.array_equal(own.field[LEVEL], other.field[LEVEL])
            assert np.array_equal(own.plan, other.plan)
            stream.lay_guide(reader, other)
            kernels.rebuild(
                other.field, other.plan, other.kind, other.step(int(STEP[step_index])), reader.blocks, reader.line
            )
            assert np.array_equal(own.field[DECODED], other.field[DECODED])


# ---- tables ---------------------------------------------------------------------------------------------------


def test_steps_double_every_32_and_never_stand_still():
    assert STEP[0] == 64
    assert all(STEP[index + 32] // 2 in (STEP[index], STEP[index] - 1, STEP[index] + 1) for index in range(224))
    assert np.all(np.diff(STEP) > 0)


def test_directions_look_only_at_their_line():
    for size, which in ((8, 0), (4, 1)):
        for mode in range(2, MODES):
            places = twin.DIRECTIONS[mode - 2]
            looks = [twin.look(*places, row, column) for row, column in np.ndindex(size, size)]
            assert max(looks) <= 64 * size
            assert min(looks) >= -64 * size
            table = kernels.LOOK[:, which, mode].reshape(2, 8, 8)[:, :size, :size].reshape(2, -1)
            assert [(at - 16) * 32 + part for at, part in table.T] == looks


@given(st.integers(1, 2**40))
def test_logarithms_are_whole_and_rounded_down(number):
    assert abs(log2_256ths(number) - 256 * np.log2(number)) <= 1
    assert 2 ** log2_256ths(number) <= number**256 < 2 ** (log2_256ths(number) + 1)


def test_colour_planes_have_seven_eighths_of_the_step():
    assert [chroma_step(step) for step in (64, 1000, 16035)] == [56, 875, 14030]
    assert Workspace().blue.kind == CHROMA
