"""The index over the JSON keys of one type: a perfect hash, found by trying multipliers.

src/reflect/name_index.h reads it and says how a key is hashed; the two must agree
(tests/api/name_index_test.cpp looks every key of every type up).
"""

import random
import struct

WORD = (1 << 64) - 1
NO_FIELD = 0xFF
TRIES = 2000


def key_bits(name):
    """The hash's input: length, first and last bytes of the quoted key with its colon."""
    quoted = f'"{name}":'.encode()
    size = len(quoted)
    part, code = (8, "<Q") if size >= 8 else (4, "<I")
    first, = struct.unpack(code, quoted[:part])
    last, = struct.unpack(code, quoted[-part:])
    return first ^ ((last << 29 | last >> 35) & WORD) ^ size


def name_index(names):
    """(slots, multiplier, bits) for the names, or None where there can be no index."""
    keys = [key_bits(name) for name in names if name]
    if len(keys) != len(names) or not keys or len(keys) >= NO_FIELD or len(set(keys)) < len(keys):
        return None
    # Always the same multipliers, so that the same table gives the same output.
    numbers = random.Random(len(keys))
    bits = max(1, (len(keys) * 3 // 2 - 1).bit_length())
    while True:
        for _ in range(TRIES):
            multiplier = numbers.getrandbits(64) | 1
            places = [((key * multiplier) & WORD) >> (64 - bits) for key in keys]
            if len(set(places)) == len(places):
                slots = [NO_FIELD] * (1 << bits)
                for field, place in enumerate(places):
                    slots[place] = field
                return slots, multiplier, bits
        bits += 1
