"""The compiled hash of draws: BLAKE2b of one short text a number, for a row of numbers, without the GIL."""

import numpy as np
from numba import int64, njit, types, uint8, uint64, void

TEXT, ENDS = (types.Array(uint8, dimensions, "C", readonly=True) for dimensions in (1, 2))
BLOCK_BYTES = 128  # a text is at most this long: one block, the first and the last
START = np.array(
    [
        0x6A09E667F3BCC908 ^ 0x01010007,  # a digest of 7 bytes, without a key
        0xBB67AE8584CAA73B,
        0x3C6EF372FE94F82B,
        0xA54FF53A5F1D36F1,
        0x510E527FADE682D1,
        0x9B05688C2B3E6C1F,
        0x1F83D9ABFB41BD6B,
        0x5BE0CD19137E2179,
    ],
    np.uint64,
)
PLAIN_FIRST = 0x6A09E667F3BCC908  # the first word of the start before the digest's size is mixed in
SIGMA = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    ],
    np.uint8,  # without a sign: an index that cannot be negative is not tested for it
)


@njit(cache=True, nogil=True)
def _turned(word, bits):
    return (word >> uint64(bits)) | (word << uint64(64 - bits))


@njit(cache=True, nogil=True)
def _mix(a, b, c, d, x, y):
    a = a + b + x
    d = _turned(d ^ a, 32)
    c = c + d
    b = _turned(b ^ c, 24)
    a = a + b + y
    d = _turned(d ^ a, 16)
    c = c + d
    return a, _turned(b ^ c, 63), c, d


@njit(cache=True, nogil=True)
def _compress(words, size):
    v0, v1, v2, v3, v4, v5, v6, v7 = START
    v8, v9, v10, v11 = uint64(PLAIN_FIRST), START[1], START[2], START[3]
    v12, v13, v14, v15 = START[4] ^ uint64(size), START[5], ~START[6], START[7]
    for turn in range(12):
        order = SIGMA[turn]
        v0, v4, v8, v12 = _mix(v0, v4, v8, v12, words[order[0]], words[order[1]])
        v1, v5, v9, v13 = _mix(v1, v5, v9, v13, words[order[2]], words[order[3]])
        v2, v6, v10, v14 = _mix(v2, v6, v10, v14, words[order[4]], words[order[5]])
        v3, v7, v11, v15 = _mix(v3, v7, v11, v15, words[order[6]], words[order[7]])
        v0, v5, v10, v15 = _mix(v0, v5, v10, v15, words[order[8]], words[order[9]])
        v1, v6, v11, v12 = _mix(v1, v6, v11, v12, words[order[10]], words[order[11]])
        v2, v7, v8, v13 = _mix(v2, v7, v8, v13, words[order[12]], words[order[13]])
        v3, v4, v9, v14 = _mix(v3, v4, v9, v14, words[order[14]], words[order[15]])
    low, whole = START[0] ^ v0 ^ v8, uint64(0)
    for _ in range(7):
        whole = (whole << uint64(8)) | (low & uint64(255))
        low >>= uint64(8)
    return whole


@njit(void(TEXT, int64, ENDS, uint64[:, ::1]), cache=True, nogil=True)  # before it is called
def hash_rows(before, first, after, found):
    """Put 56 bits of the hash of `before`, the decimal number `first` + row and `after[column]` into each place.

    Args:
        before: shape (any,), uint8.
        first: the first row's number, not below 0.
        after: shape (columns, any), uint8; with 20 digits no text is longer than BLOCK_BYTES.
        found: shape (rows, columns), uint64: overwritten with the digest's 7 bytes, the first one highest.
    Source: RFC 7693, 3.2; little-endian machines only.
    """
    block = np.zeros(BLOCK_BYTES, np.uint8)
    words = block.view(np.uint64)
    block[: before.size] = before
    for row in range(found.shape[0]):
        digits, rest = 1, (first + row) // 10
        while rest:
            digits, rest = digits + 1, rest // 10
        rest = first + row
        for place in range(before.size + digits - 1, before.size - 1, -1):
            block[place] = 48 + rest % 10
            rest //= 10
        size = before.size + digits + after.shape[1]
        block[size:] = 0
        for column in range(found.shape[1]):
            block[before.size + digits : size] = after[column]
            found[row, column] = _compress(words, size)
