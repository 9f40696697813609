"""The compiled packing of text records: a chunk of fields in one pass, without the GIL."""

from numba import njit

from encoders.text_layout import FILL  # frozen into the cached kernel; the door's self-test sees a stale one

SEPARATOR = 0xDFFF  # a lone surrogate: no valid text holds one, so it can part the fields of a chunk
PLAIN, ETHNIC, NUMBER = 0, 1, 2  # rules of a field: as it is; 57, 58 become 97, 98; a final x becomes X


@njit(cache=True, nogil=True)
def pack_records(codes, places, units):
    """Write the fields of all records as UTF-16 units; False when any of them does not fit or is no text.

    Args:
        codes: shape (any,), uint32: the code points of all fields of all records, SEPARATOR between two fields.
        places: shape (fields, 3), int64: start and width in units, and rule of each field.
        units: shape (records, 128), uint16: overwritten; without meaning after False.
    """
    at, size, fields = 0, codes.size, places.shape[0]
    ended = False  # the last field read ran to the end of `codes`
    for row in range(units.shape[0]):
        for unit in range(units.shape[1]):
            units[row, unit] = FILL
        for field in range(fields):
            if ended:
                return False
            start, rule = places[field, 0], places[field, 2]
            put, stop = start, start + places[field, 1]
            ended = True
            while at < size:
                code = codes[at]
                at += 1
                if code == SEPARATOR:
                    ended = False
                    break
                if code >= 0x10000:
                    if put + 2 > stop:
                        return False
                    units[row, put] = 0xD7C0 + (code >> 10)  # 0xD800 + ((code - 0x10000) >> 10)
                    units[row, put + 1] = 0xDC00 + (code & 0x3FF)
                    put += 2
                elif put == stop or 0xD800 <= code < 0xE000:
                    return False
                else:
                    units[row, put] = code
                    put += 1
            if rule == ETHNIC and put == start + 2 and units[row, start] == 0x35:
                if units[row, start + 1] == 0x37 or units[row, start + 1] == 0x38:
                    units[row, start] = 0x39
            elif rule == NUMBER and put > start and units[row, put - 1] == 0x78:
                units[row, put - 1] = 0x58
    return ended  # a separator after the last field: some value held one
