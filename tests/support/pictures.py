"""Pictures, made here."""

from __future__ import annotations

import struct
import zlib


def png(width: int, height: int) -> bytes:
    """A picture in one colour, with a text chunk that is not to be seen."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\xd0\x30\x30" * width) * height
    parts = chunk(b"IHDR", head), chunk(b"tEXt", b"Author\0the source"), chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")
