"""A drop that is sealed while it arrives: nobody knows how long a file is before it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from keys import tar
from keys.age import CHUNK, TAG, Sealing
from keys.drop import check, chosen, padded
from keys.errors import BadDrop
from keys.letter import Letter
from keys.names import Names
from keys.stanza import Recipient


class Arriving:
    """Hands to `sink(offset, data)` the bytes of a drop's age file, not all of them in order, each once.

    A tar says how long a file is before the file, and a browser does not say it at all. But an age file's
    chunks are sealed each by its number, and a tar's header, 512 bytes at a multiple of 512, lies within one
    of them. So the one chunk with the header of the file that is arriving waits in the clear; what follows it
    goes on. Raises BadDrop for what no reader would take, then and there.
    """

    def __init__(
        self,
        sink: Callable[[int, bytes], None],
        letter: Letter,
        text: str,
        recipients: Mapping[str, Recipient],
    ) -> None:
        check(letter, text, (), recipients)
        self._sink = sink
        self._sealing = Sealing(chosen(letter, recipients))
        self._chunk = bytearray()  # the one that is filled now
        self._count = 0  # its number
        self._waiting: bytearray | None = None  # an earlier one, in which a header is missing
        self._names = Names()
        self._file: str | None = None  # the name of the file that is arriving
        self._header = self._size = 0  # where its header belongs, and how much of it is there
        sink(0, self._sealing.head)
        for name, data in (("drop.json", letter.to_json()), ("message.txt", text.encode())):
            self._add(tar.header(name, len(data)) + data + _fill(len(data)))

    @property
    def size(self) -> int:
        """Bytes of the age file so far; once `close` is through, of all of it."""
        return self._offset(self._count) + len(self._chunk) + TAG

    def begin(self, name: str) -> None:
        """Begins a file, under the nearest name to this one that a drop may hold."""
        if self._file is not None:
            raise ValueError("a file is arriving already")
        self._file = self._names.take(name)
        self._header, self._size = self._position, 0
        self._add(bytes(tar.BLOCK))

    def write(self, data: bytes | memoryview) -> None:
        """Adds to the file that was begun."""
        self._size += len(data)
        if self._file is None or self._size > tar.LARGEST:
            raise BadDrop("a file is larger than a tar can hold")
        self._add(data)

    def end(self) -> None:
        """Ends the file, whose length is known now."""
        if self._file is None:
            raise ValueError("no file is arriving")
        self._add(_fill(self._size))
        count, at = divmod(self._header, CHUNK)
        chunk = self._chunk if self._waiting is None else self._waiting
        chunk[at : at + tar.BLOCK] = tar.header(f"files/{self._file}", self._size)
        self._file = None
        if self._waiting is not None:
            self._waiting = None
            self._seal(count, chunk, last=False)

    def close(self) -> Iterator[None]:
        """Pads and seals the rest, step by step, so that whoever asks can do something else in between."""
        if self._file is not None:
            raise ValueError("a file is arriving still")
        left = padded(self._position + len(tar.END)) - self._position
        while left:
            step = min(left, CHUNK)
            self._add(bytes(step))
            left -= step
            yield
        self._seal(self._count, self._chunk, last=True)

    @property
    def _position(self) -> int:
        return self._count * CHUNK + len(self._chunk)

    def _add(self, data: bytes | memoryview) -> None:
        left = memoryview(data)
        while left:
            # Only when more follows is a full chunk known not to be the last.
            if len(self._chunk) == CHUNK:
                self._turn()
            if (
                not self._chunk and len(left) > CHUNK
            ):  # sealed where it is: no header begins a chunk this long
                self._seal(self._count, left[:CHUNK], last=False)
                self._count += 1
                left = left[CHUNK:]
                continue
            taken = left[: CHUNK - len(self._chunk)]
            self._chunk += taken
            left = left[len(taken) :]

    def _turn(self) -> None:
        if self._file is not None and self._header // CHUNK == self._count:
            self._waiting = self._chunk
        else:
            self._seal(self._count, self._chunk, last=False)
        self._chunk = bytearray()
        self._count += 1

    def _seal(self, count: int, chunk: bytearray | memoryview, *, last: bool) -> None:
        self._sink(self._offset(count), self._sealing.seal(count, chunk, last=last))

    def _offset(self, count: int) -> int:
        return len(self._sealing.head) + count * (CHUNK + TAG)


def _fill(size: int) -> bytes:
    return bytes(-size % tar.BLOCK)
