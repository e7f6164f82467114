"""What is cut in the middle goes on from there: an upload by the page, a download by the desk."""

from __future__ import annotations

import itertools
import os
import re
import threading
from pathlib import Path

import pytest
from support.front import Forward, honest
from support.newsdesk import Source as Writer
from support.onions import Onions, given, socks_port, visit
from support.relay_process import new_id, send
from support.source import Source
from support.stage import Stage
from support.strands import strand
from support.tornet import until
from support.wires import Message

pytestmark = pytest.mark.onion
PART = 1 << 20
_PIECE = 1 << 16  # what a desk may have taken and not written yet
MESSAGE = "Sent while the box was restarted"


class Held:
    """Lets one part through to the relay, and holds what comes then until it is cut."""

    def __init__(self) -> None:
        self._parts = itertools.count()
        self.holds = threading.Event()
        self.cut = threading.Event()

    def __call__(self, request: Message, forward: Forward) -> Message:
        if request.head.startswith("PUT ") and next(self._parts):
            self.holds.set()
            self.cut.wait(60)
            raise ConnectionResetError
        return forward()


@strand("standard")
def test_the_pages_upload_outlives_a_restart_of_the_relay_and_of_tor(stage: Stage) -> None:
    firefox, onions, folder = stage.firefox, stage.onions, stage.folder
    file = folder / "file.bin"
    file.write_bytes(os.urandom(4 * PART))
    with onions.another("cut") as box, box.front("source") as front:
        source = Source(firefox, f"http://{box.source_onion}")
        source.open_send()
        source.write(MESSAGE, files=[file], to=["ada"], answers={"evidence": "a file"})
        front.bend = relay = Held()
        source.begin()
        assert relay.holds.wait(60)
        box.restart_relay()
        front.bend = tor = Held()
        relay.cut.set()
        assert tor.holds.wait(60)
        box.restart_tor(onions.source, onions.ada)
        front.bend = honest
        tor.cut.set()
        source.reach("done")
        with given(onions.ada, box.desk_onion, box.key("ada")):
            assert onions.desk("ada", "fetch", box=box).status == 0
        [drop] = [
            one for one in onions.desk("ada", "list", "--json", box=box).json if one.get("begins") == MESSAGE
        ]
        onions.desk("ada", "open", drop["id"], "-o", folder / "opened", box=box)
    assert (folder / "opened/files/file.bin").read_bytes() == file.read_bytes()


def test_a_desks_download_goes_on_where_its_circuit_was_closed(onions: Onions, tmp_path: Path) -> None:
    content = os.urandom(PART)
    drop, id_ = Writer(onions.house).sealed("Fetched in two halves", {"file.bin": content}), new_id()
    with visit(socks_port(onions.source), onions.source_onion) as opened:
        assert send(opened, drop, id_).status == 201
    assert onions.desk("ada", "list").status == 0
    half = len(drop) // 2
    came = onions.folder / f"ada-at-ada/drops/{id_}.part"

    def cut(request: Message, forward: Forward) -> Message:
        answer = forward()
        if request.head.startswith(f"GET /drops/{id_} ") and "Range:" not in request.head:
            return Message(answer.head, answer.body[:half])
        return answer

    def close() -> None:
        until("nothing of it came", lambda: came.exists() and came.stat().st_size > half - _PIECE)
        onions.ada.close_circuits(onions.desk_onion)

    with onions.front("desk") as front:
        front.bend = cut
        closing = threading.Thread(target=close)
        closing.start()
        done = onions.desk("ada", "fetch")
        closing.join()
        assert done.status == 1
        assert "it goes on from there" in done.err
        done = onions.desk("ada", "fetch")
        assert done.status == 0, done.err
        asked = [
            one.request.head for one in front.passed if one.request.head.startswith(f"GET /drops/{id_} ")
        ]
    ranges = [re.findall(r"^Range: bytes=(\d+)-\r$", head, re.M) for head in asked]
    assert len(ranges) == 2, ranges
    assert ranges[0] == []
    assert half - _PIECE < int(ranges[1][0]) <= half
    onions.desk("ada", "open", id_, "-o", tmp_path / "opened")
    assert (tmp_path / "opened/files/file.bin").read_bytes() == content
