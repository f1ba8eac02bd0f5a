"""Messages on a pipe or socket: four bytes of length, then JSON."""

from __future__ import annotations

import json
import os
import struct
from typing import Any

LARGEST = 64 << 20
_LENGTH = struct.Struct("<I")


def packed(message: Any) -> bytes:
    """Return a message as the bytes of one frame."""
    body = json.dumps(message, separators=(",", ":")).encode()
    return _LENGTH.pack(len(body)) + body


def write(fd: int, message: Any) -> None:
    """Write one frame. Raises OSError where the other end is gone."""
    rest = memoryview(packed(message))
    while rest:
        rest = rest[os.write(fd, rest) :]


def read(fd: int) -> Any:
    """Return the next message. Raises EOFError at the end, ValueError for what is no message."""
    (size,) = _LENGTH.unpack(_exactly(fd, _LENGTH.size))
    if size > LARGEST:
        raise ValueError(f"a frame of {size} bytes")
    return json.loads(_exactly(fd, size))


def _exactly(fd: int, size: int) -> bytes:
    parts: list[bytes] = []
    while size:
        part = os.read(fd, min(size, 1 << 20))
        if not part:
            raise EOFError("the other end is gone")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def split(received: bytes, most: int) -> tuple[list[bytes], bytes]:
    """Return the bodies of the first whole frames in what was received, and the rest."""
    bodies: list[bytes] = []
    start = 0
    while len(received) - start >= _LENGTH.size and len(bodies) < most:
        (size,) = _LENGTH.unpack_from(received, start)
        end = start + _LENGTH.size + size
        if end > len(received):
            break
        bodies.append(received[start + _LENGTH.size : end])
        start = end
    return bodies, received[start:]
