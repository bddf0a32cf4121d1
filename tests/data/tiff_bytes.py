"""TIFF files made by hand, with any claim in their header."""

import struct


def tiff_bytes(width, height, bits, data, photometric=1):
    """A grey TIFF of one uncompressed strip."""
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: photometric, 273: 0, 277: 1,
            278: height, 279: len(data)}  # fmt: skip
    tags[273] = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4) + data
