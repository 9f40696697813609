"""The portrait codec's kernels give what their twins give, its coder what it was given; its model is whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoders import portrait
from encoders.codec import coder, finish, finish_twin, kernels, model, quantiser, search, twin
from encoders.codec.levels import code_levels, settle
from encoders.codec.luma import walk_luma
from encoders.codec.rate import Encoder, colour_step
from encoders.codec.tables import BIAS, BIG, COLOUR, MODES, REFERENCES, SMALL, STEP, log2_256ths
from encoders.codec.workspace import new_work

SEEDS = st.integers(0, 2**32 - 1)
FROZEN = model.frozen()


def numbers(seed, low, high, *shape):
    """Random int32 numbers from `low` to `high`."""
    return np.random.default_rng(seed).integers(low, high + 1, shape).astype(np.int32)


# ---- products -------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(SEEDS, st.sampled_from(["predictors8", "predictors4", "predictors_colour"]), st.integers(0, 2))
def test_predictions_are_what_the_twin_predicts_for_any_reference(seed, name, mode):
    weights = getattr(FROZEN.model, name)[mode]
    reference = numbers(seed, -2040, 2040, len(weights))
    found, expected = np.zeros(128, np.int32), np.zeros(128, np.int32)
    kernels.predict(weights, reference, len(weights), found[: weights.shape[1]])
    twin.predict(weights, reference, len(weights), expected)
    assert np.array_equal(found, expected)


@settings(deadline=None, max_examples=30)
@given(SEEDS, st.sampled_from(["basis8", "basis4", "basis_colour"]), st.integers(0, 2))
def test_coefficients_are_what_the_twin_finds_for_any_block(seed, name, mode):
    basis = getattr(FROZEN.model, name)[mode]
    block = numbers(seed, -4080, 4080, basis.shape[1])
    found, expected = np.zeros(len(basis), np.int32), np.zeros(len(basis), np.int32)
    search.project(basis, block, found)
    twin.project(basis, block, expected)
    assert np.array_equal(found, expected)


@settings(deadline=None, max_examples=30)
@given(SEEDS, st.sampled_from([(BIG, 64, 48), (SMALL, 16, 16)]))
def test_comparing_all_modes_is_projecting_their_residuals_to_rounding(seed, shape):
    kind, pixels, number = shape
    name = "8" if kind == BIG else "4"
    spans, reach = getattr(FROZEN.search, f"spans{name}"), getattr(FROZEN.search, f"reach{name}")
    fixed = getattr(FROZEN.search, f"fixed{name}")
    block, reference = numbers(seed, -2032, 8, pixels), numbers(seed + 1, -900, 8, REFERENCES[kind])
    reference[-1] = BIAS
    seen, found, twin_seen, twin_found = np.zeros((4, MODES * number), np.int16)
    lifted = (block * 2).astype(np.int16)
    search.span(spans, lifted, fixed, seen)
    twin.span(spans, lifted, fixed, twin_seen)
    assert np.array_equal(seen, twin_seen)
    lifted = (reference * 16).astype(np.int16)
    search.compare(reach, lifted, seen, found)
    twin.compare(reach, lifted, seen, twin_found)
    assert np.array_equal(found, twin_found)
    predicted, direct = np.zeros(pixels, np.int32), np.zeros(number, np.int32)
    for mode in range(MODES):
        kernels.predict(getattr(FROZEN.model, f"predictors{name}")[mode], reference, REFERENCES[kind], predicted)
        search.project(getattr(FROZEN.model, f"basis{name}")[mode], block - predicted, direct)
        found_here = found[mode * number : (mode + 1) * number]
        assert np.abs(((found_here - direct) + 32768) % 65536 - 32768).max() <= 32


@given(st.integers(256, 2**56))
def test_logarithms_are_whole_and_near(number):
    assert abs(kernels.log2_of(number) - (256 * np.log2(number) - 2048)) <= 3


@given(st.integers(-255, 255), st.sampled_from(STEP.tolist()))
def test_a_level_stands_for_about_its_multiple_of_the_step(level, step):
    value = kernels.value_of(level, step, FROZEN.model.shifts[BIG])
    assert abs(value - level * step / 2) <= step / 8 + 1
    assert value == -kernels.value_of(-level, step, FROZEN.model.shifts[BIG])


# ---- blocks ---------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(
    SEEDS,
    st.sampled_from([(BIG, 48), (SMALL, 16), (COLOUR, 28)]),
    st.sampled_from([0, 0.05, 0.4, 1]),
    st.sampled_from([1, 3, 255]),
)
def test_levels_of_every_kind_come_back_as_they_were_written(seed, kind_and_count, density, height):
    kind, count = kind_and_count
    chance = np.random.default_rng(seed)
    levels = (chance.integers(-height, height + 1, count) * (chance.random(count) < density)).astype(np.int32)
    widths, features = numbers(seed, -768, 1280, count), numbers(seed, 0, 1500, 14)
    stream, state, settled = np.zeros(40_000, np.uint8), np.zeros(6, np.int64), np.zeros(18, np.int32)
    shared = widths, features, FROZEN.model.answers[kind], settled, FROZEN.model.chances, np.zeros((0, 16), np.int32)
    coder.start(stream, state, 1)
    total = code_levels(stream, state, levels.copy(), count, *shared, kind)
    size = coder.finish(stream, state)
    coder.start(stream[:size].copy(), state, 0)
    read = np.full(count, 7, np.int32)
    assert code_levels(stream[:size].copy(), state, read, count, *shared, kind) == total == np.abs(levels).sum()
    assert np.array_equal(read, levels)


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.sampled_from([30, 400, 3000]), st.sampled_from([64, 300, 1500]), st.sampled_from([1, 2, 4]))
def test_chosen_levels_cost_what_is_said_and_no_more_than_none(seed, height, step, most):
    chance = np.random.default_rng(seed)
    found = (chance.laplace(0, height, 48) / (1 + np.arange(48) / 4)).astype(np.int32)
    widths, features = numbers(seed, -300, 700, 48), numbers(seed, 0, 900, 14)
    settled, levels = np.zeros(18, np.int32), np.zeros(48, np.int32)
    settle(FROZEN.model.answers[BIG], features, settled)
    lambda_, ways = step * step * 36 >> 10, np.zeros((2, quantiser.MOST_WAYS, 6), np.int64)
    error, bits = quantiser.quantise(
        found, 48, widths, settled, FROZEN.model.answers[BIG], FROZEN.search.costs, step, lambda_,
        FROZEN.model.shifts[BIG], levels, ways, np.zeros((quantiser.NODES, 3), np.int32), most,
    )  # fmt: skip
    values = [kernels.value_of(level, step, FROZEN.model.shifts[BIG]) for level in levels.tolist()]
    assert error == sum((int(a) - b) ** 2 for a, b in zip(found.tolist(), values, strict=True))
    stream, state = np.zeros(99_000, np.uint8), np.zeros(6, np.int64)
    coder.start(stream, state, 1)
    for _ in range(40):
        code_levels(
            stream, state, levels.copy(), 48, widths, features, FROZEN.model.answers[BIG], settled,
            FROZEN.model.chances, np.zeros((0, 16), np.int32), BIG,
        )  # fmt: skip
    assert abs(coder.finish(stream, state) * 8 - 40 * bits / 256) <= 40 * 0.02 * bits / 256 + 24
    assert (error << 8) + lambda_ * bits <= (int((found.astype(np.int64) ** 2).sum()) << 8) + lambda_ * 256 * 12


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(8, 32760), st.integers(0, 1)), max_size=3000), st.integers(1, 300))
def test_bits_come_back_as_they_were_coded_or_the_coder_says_full(answers, room_bytes):
    stream, state = np.zeros(room_bytes, np.uint8), np.zeros(6, np.int64)
    coder.start(stream, state, 1)
    for chance, bit in answers:
        coder.code_bit(stream, state, chance, bit)
    size = coder.finish(stream, state)
    assert size <= room_bytes
    if size < room_bytes:
        written = stream[:size].copy()
        coder.start(written, state, 0)
        assert [coder.code_bit(written, state, chance, 0) for chance, _ in answers] == [bit for _, bit in answers]


@settings(deadline=None)
@given(st.lists(st.tuples(SEEDS, st.integers(0, 23)), max_size=300))
def test_choices_come_back_as_they_were_coded(choices):
    stream, state = np.zeros(4000, np.uint8), np.zeros(6, np.int64)
    coder.start(stream, state, 1)
    tables = [numbers(seed, 1, 2048, 24) for seed, _ in choices]
    for shares, (_, choice) in zip(tables, choices, strict=True):
        coder.code_choice(stream, state, shares, int(shares.sum()), choice)
    written = stream[: coder.finish(stream, state)].copy()
    coder.start(written, state, 0)
    found = [coder.code_choice(written, state, shares, int(shares.sum()), 0) for shares in tables]
    assert found == [choice for _, choice in choices]


# ---- pictures -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [20, 75, 140, 220])
def test_the_decoder_sees_luma_as_the_encoder_saw_it(index):
    encoder = Encoder(FROZEN.model, FROZEN.search)
    encoder.lay_source(portrait.golden_pixels())
    said = encoder.plan(index)
    planned = encoder.work.decoded.copy()
    polished, worth = encoder.polish(index, 1150, said)
    payload = encoder.written(index)
    assert abs(len(payload) - polished) <= 0.01 * polished + 8 or len(payload) == len(encoder.work.stream)
    assert 1150 * 3 // 4 <= worth <= 1150 * 5 // 4
    if index >= 75:
        assert abs(polished - said) < 0.02 * said + 4
    if index == 75:
        assert np.abs(encoder.work.decoded - planned).mean() < 16
    work = new_work()._replace(stream=np.frombuffer(payload, np.uint8).copy())
    coder.start(work.stream, work.state, 0)
    walk_luma(FROZEN.model, work, int(STEP[index]))
    if len(payload) < len(encoder.work.stream):
        assert np.array_equal(work.decoded, encoder.work.decoded)
        assert np.array_equal(work.mode, encoder.work.mode)


def test_filters_of_nothing_leave_grey_pictures_alone():
    work, room, pixels = new_work(), finish.new_room(), np.zeros((126, 102, 3), np.uint8)
    work.decoded[:] = np.linspace(-2032, 8, 104).astype(np.int32)
    none = model.Filters(np.zeros_like(FROZEN.filters.luma), np.zeros_like(FROZEN.filters.colour))
    finish.finish_picture(none, work, room, 300, pixels)
    expected = np.clip((work.decoded[:126, :102] + 254 * 8 + 4) >> 3, 0, 255)
    assert np.array_equal(pixels, np.repeat(expected[:, :, None], 3, axis=2).astype(np.uint8))


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.sampled_from([0, 40, 600, 3000]), st.sampled_from(STEP[:255].tolist()), st.booleans())
def test_finished_pictures_are_what_the_twin_finishes_whatever_was_decoded_and_trained(seed, height, step, extreme):
    chance, work, room = np.random.default_rng(seed), new_work(), finish.new_room()
    rough = chance.normal(0, height, (128, 104)) + np.linspace(-2500, 500, 104)
    work.decoded[:] = np.clip(rough, -2032, 8).astype(np.int32)
    for plane in (work.decoded_blue, work.decoded_red):
        plane[:] = np.clip(chance.normal(0, height / 3 + 1, (64, 56)), -1020, 1020).astype(np.int32)
    work.split[:] = chance.integers(0, 2, work.split.shape)
    filters = FROZEN.filters
    if extreme:
        filters = model.Filters(
            *(np.where(numbers(seed, 0, 1, *one.shape), 32767, -32768).astype(np.int16) for one in filters)
        )
    found, expected = np.zeros((2, 126, 102, 3), np.uint8)
    finish.finish_picture(filters, work, room, step, found)
    finish_twin.finish_picture(filters, work, room, step, expected)
    assert np.array_equal(found, expected)


# ---- model and tables -----------------------------------------------------------------------------------------


def test_a_model_comes_back_from_its_file_and_damaged_files_do_not():
    file = model.packed(FROZEN.model, FROZEN.filters)
    assert len(file) <= 1 << 20
    again, filters = model.unpacked(file)
    assert all(np.array_equal(one, other) for one, other in zip(again, FROZEN.model, strict=True))
    assert all(np.array_equal(one, other) for one, other in zip(filters, FROZEN.filters, strict=True))
    for damaged in (file[:-1], file + b"0", b"0" + file, file[:100]):
        with pytest.raises(ValueError, match="file"):
            model.unpacked(damaged)


def test_weights_that_could_leave_32_bits_are_refused():
    arrays = FROZEN.model._asdict() | {"predictors8": np.full_like(FROZEN.model.predictors8, 32767)}
    with pytest.raises(ValueError, match="32 bits"):
        model.model_of(arrays)


def test_probabilities_rise_with_odds_and_costs_are_their_logarithms():
    assert np.all(np.diff(FROZEN.model.chances) >= 0)
    assert FROZEN.model.chances.min() >= 8
    assert FROZEN.model.chances.max() <= 32760
    ones = 15 * 256 - np.array([log2_256ths(chance) for chance in FROZEN.model.chances.tolist()])
    assert np.array_equal(FROZEN.search.costs[:, 1], ones)


def test_steps_double_every_32_and_never_stand_still():
    assert STEP[0] == 64
    assert all(STEP[index + 32] // 2 in (STEP[index], STEP[index] - 1, STEP[index] + 1) for index in range(224))
    assert np.all(np.diff(STEP) > 0)
    assert all(colour_step(FROZEN.model, int(step)) >= 1 for step in STEP)
