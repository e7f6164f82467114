"""What goes wrong on the way: visitors who leave or stall, a relay that is restarted or has no room."""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.front import Forward, Front, commits, honest, lacks_the_board, loses_commits
from support.lane import Lane, impatient
from support.relay_process import PART, RelayProcess, ask, connect, connection, new_id
from support.sealer_process import ImpatientSealer, SealerProcess, Visitor, encode
from support.small_edition import some_drop
from support.wires import Message

from keys import codename
from relay.circuits import line_of

ANSWERS = {"evidence": "The minutes."}


class Upload:
    """A form that is sent piece by piece: the visitor has time."""

    def __init__(self, visitor: Visitor, data: bytes, start: bytes = b"", to: str = "ada") -> None:
        fields = [("codename", visitor.hidden("codename")), ("to", to), ("message", "m"), ("q-evidence", "e")]
        body, kind = encode(fields, [("large", data)])
        self.body = memoryview(body)
        self.plug = connect(visitor.address)
        head = f"POST /en/send HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
        self.plug.sendall(start + f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
        self.sent = 0

    def go_on(self, to: int | None = None) -> None:
        """Sends up to this byte of the body, all of it without one."""
        self.plug.sendall(self.body[self.sent : to])
        self.sent = len(self.body) if to is None else to

    def answer(self) -> bytes:
        """All that comes until the sealer closes, or has answered."""
        said = b""
        while more := self.plug.recv(1 << 16):
            said += more
            head, _, body = said.partition(b"\r\n\r\n")
            found = re.search(rb"Content-Length: (\d+)", head)
            if found and len(body) >= int(found[1]):
                break
        self.plug.close()
        return said


def test_a_mistake_is_said_when_all_of_the_form_is_there(lane: Lane) -> None:
    """Firefox looks at no answer before, and shows none where the connection was closed meanwhile."""
    before = lane.house.drops()
    upload = Upload(begun(lane), os.urandom(3 * PART), to="nobody")
    upload.go_on(len(upload.body) - 1)
    assert not _answers_soon(upload)
    upload.go_on()
    assert b"Choose who may read this" in upload.answer()
    assert lane.house.drops() == before


@pytest.mark.parametrize("step", ["send", "words", "nowhere"])
def test_a_form_that_does_not_say_its_length_is_refused(lane: Lane, step: str) -> None:
    with connect(lane.sealer.address) as plug:
        head = f"POST /en/{step} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        plug.sendall(head.encode() + b"5\r\nhello\r\n0\r\n\r\n")
        said = plug.recv(1 << 16)
    assert said.split()[1] in (b"400", b"411")
    assert b"The box did not understand this" in said


def begun(lane: Lane) -> Visitor:
    visitor = lane.visitor()
    visitor.begin()
    return visitor


def until(true: object) -> None:
    while not true():  # type: ignore[operator]
        time.sleep(0.01)


def unfinished(lane: Lane) -> int:
    return int(ask(lane.house.relay.desk, "GET", "/status").said["unfinished"])


@pytest.mark.parametrize("how", ["closed", "reset", "ended early"])
def test_an_upload_that_is_cancelled_is_never_listed(lane: Lane, how: str) -> None:
    before = lane.house.drops()
    started = unfinished(lane)
    upload = Upload(begun(lane), os.urandom(6 * PART))
    upload.go_on(4 * PART)
    until(lambda: unfinished(lane) > started)
    if how == "reset":
        upload.plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    if how == "ended early":
        upload.plug.shutdown(socket.SHUT_WR)
        assert b"It has arrived" not in upload.answer()
    upload.plug.close()
    assert lane.visitor().open("send.html").status == 200
    assert lane.house.drops() == before


def test_the_relay_may_be_killed_and_started_again_in_mid_upload(lane: Lane) -> None:
    house = lane.house
    before = set(house.drops())
    data = os.urandom(8 * PART)
    started = unfinished(lane)
    upload = Upload(begun(lane), data)
    upload.go_on(3 * PART)
    until(lambda: unfinished(lane) > started)
    desk, source = house.relay.desk, house.relay.source
    house.relay.kill()
    sending = threading.Thread(target=upload.go_on)
    sending.start()
    # The same addresses, as a box has them.
    settings = house.relay.data.with_name("data.yaml")
    text = settings.read_text()
    settings.write_text(
        text.replace("source: 127.0.0.1:0", f"source: {source}").replace("desk: 127.0.0.1:0", f"desk: {desk}")
    )
    house.relay.start()
    sending.join()
    assert b"It has arrived" in upload.answer()
    [drop] = set(house.drops()) - before
    assert house.open("ada", drop).files["large"] == data


def test_a_sealer_that_was_restarted_goes_on_with_a_form_that_was_open(lane: Lane, tmp_path: Path) -> None:
    house = lane.house
    with SealerProcess(house.edition, house.relay.source, tmp_path / "one.yaml") as sealer:
        visitor = Visitor(sealer.address)
        words = visitor.words()
        sealer.stop()
        sealer.start()
        visitor.address = sealer.address
        assert visitor.type_back(words).status == 200
        sealer.stop()
        sealer.start()
        visitor.address = sealer.address
        assert visitor.send("written before the restart", answers=ANSWERS).status == 200
    assert sealer.errors == ""


def test_a_relay_without_room_is_told_and_nothing_typed_is_lost(lane: Lane, tmp_path: Path) -> None:
    edition = lane.house.edition
    with (
        RelayProcess(edition, tmp_path / "data", reserve_bytes=10**15) as full,
        SealerProcess(edition, full.source, tmp_path / "s.yaml") as sealer,
    ):
        visitor = Visitor(sealer.address)
        visitor.begin()
        for files in ([], [("f", os.urandom(3 * PART))]):
            assert visitor.send("my only copy", files, answers=ANSWERS).status == 400
            assert "no room at this moment" in visitor.text
            assert "my only copy" in visitor.page


@pytest.mark.parametrize("files", [[], [("large", bytes(2 * PART))]], ids=["in one part", "in parts"])
def test_what_the_relay_may_have_is_not_called_lost(
    lane: Lane, tmp_path: Path, files: list[tuple[str, bytes]]
) -> None:
    house = lane.house
    before = house.drops()
    with impatient(house, loses_commits, tmp_path) as visitor:
        visitor.begin()
        assert visitor.send("my only copy", files, answers=ANSWERS).status == 400
    assert "It may have arrived all the same" in visitor.text
    assert "my only copy" in visitor.page
    assert len(house.drops()) == len(before) + 1


def test_without_the_board_nobody_is_told_that_there_is_no_answer(lane: Lane, tmp_path: Path) -> None:
    words = codename.words(bytes(16), "en")
    with (
        Front(lane.house.relay.source, lacks_the_board) as front,
        SealerProcess(lane.house.edition, front.address, tmp_path / "s.yaml") as sealer,
    ):
        visitor = Visitor(sealer.address)
        assert visitor.read(words).status == 400
        assert "The answers could not be fetched" in visitor.text
        assert "There is no answer yet" not in visitor.text
        front.bend = honest
        assert visitor.read(words).status == 200
        assert "There is no answer yet" in visitor.text


def test_a_drop_that_a_desk_took_before_the_answer_came_is_not_called_lost(
    lane: Lane, tmp_path: Path
) -> None:
    house = lane.house

    def taken(request: Message, forward: Forward) -> Message:
        answer = forward()
        if commits(request) and " 201 " in answer.head:
            ask(house.relay.desk, "DELETE", request.head.split()[1])
            raise ConnectionResetError
        return answer

    with (
        Front(house.relay.source, taken) as front,
        SealerProcess(house.edition, front.address, tmp_path / "s.yaml") as sealer,
    ):
        visitor = Visitor(sealer.address)
        visitor.begin()
        visitor.send("taken", [("large", bytes(2 * PART))], answers=ANSWERS)
    assert "It may have arrived all the same" in visitor.text


def test_a_circuit_over_its_share_is_told_that_nothing_was_delivered(lane: Lane, tmp_path: Path) -> None:
    house = lane.house
    with (
        RelayProcess(house.edition, tmp_path / "data", circuits="haproxy") as relay,
        ImpatientSealer(house.edition, relay.source, tmp_path / "s.yaml", circuits="haproxy") as sealer,
    ):
        with connection(relay.source) as spent:
            spent.sock.sendall(line_of(7))
            said = [ask(spent, "PUT", f"/drops/{new_id()}/0", some_drop()).status for _ in range(9)]
        assert said == [*8 * [204], 503]
        visitor = begun(lane)
        fields = [("codename", visitor.hidden("codename")), ("to", "ada"), ("message", "my only copy")]
        body, kind = encode([*fields, ("q-evidence", "e")])
        with connection(sealer.address) as opened:
            opened.sock.sendall(line_of(7))
            page = ask(opened, "POST", "/en/send", body, {"Content-Type": kind}).body.decode()
    assert "too much to do at this moment. Nothing was delivered" in page
    assert "my only copy" in page


def test_a_visitor_who_stalls_when_all_is_delivered_is_told_so(lane: Lane, tmp_path: Path) -> None:
    """A form ends with two bytes that mean nothing, and they may be all that is missing."""
    house = lane.house
    before = house.drops()
    with SealerProcess(house.edition, house.relay.source, tmp_path / "s.yaml", idle_seconds=1) as sealer:
        visitor = begun(lane)
        visitor.address = sealer.address
        upload = Upload(visitor, b"data")
        upload.go_on(len(upload.body) - 2)
        assert b"It has arrived" in upload.answer()
    assert len(house.drops()) == len(before) + 1


def test_visitors_who_send_nothing_are_dropped(lane: Lane, tmp_path: Path) -> None:
    house = lane.house
    with SealerProcess(house.edition, house.relay.source, tmp_path / "s.yaml", idle_seconds=1) as sealer:
        visitor = Visitor(sealer.address)
        visitor.begin()
        before = house.drops()
        upload = Upload(visitor, os.urandom(PART))
        upload.go_on(PART // 2)
        said = upload.answer()
        assert said.startswith(b"HTTP/1.1 408 ")
        assert b"Nothing came for too long" in said
        assert house.drops() == before
        silent = connect(sealer.address)
        assert silent.recv(1) == b""
        silent.close()


def test_more_uploads_than_there_are_places_are_asked_to_come_back(lane: Lane, tmp_path: Path) -> None:
    house = lane.house
    with SealerProcess(house.edition, house.relay.source, tmp_path / "s.yaml", uploads=2) as sealer:
        visitor = Visitor(sealer.address)
        visitor.begin()
        waiting = [Upload(visitor, bytes(PART)) for _ in range(2)]
        for upload in waiting:
            upload.go_on(1000)
        until(lambda: visitor.post("send", [("codename", "00" * 16)]).status == 503)
        assert "too much to do at this moment" in visitor.text
        # Others still get their words, and read answers.
        assert Visitor(sealer.address).words()
        waiting[0].go_on()
        assert b"It has arrived" in waiting[0].answer()
        second = Visitor(sealer.address)
        second.begin()
        until(lambda: second.send("now", answers=ANSWERS).status == 200)
        waiting[1].plug.close()


def test_each_visitor_is_the_relay_s_visitor_on_their_own_circuit(lane: Lane, tmp_path: Path) -> None:
    """The sealer says to the relay what tor said to it, on each of its connections."""
    heard: list[bytes] = []
    with _listening_relay(lane.house.relay.source, heard) as address:
        sealer = SealerProcess(lane.house.edition, address, tmp_path / "s.yaml", circuits="haproxy")
        with sealer:
            body, kind = encode([("typed", lane_words())])
            for circuit in (7, 0xFFFF0001):
                with connect(sealer.address) as plug:
                    head = f"POST /en/answers HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
                    plug.sendall(
                        line_of(circuit) + f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
                    )
                    assert plug.recv(12) == b"HTTP/1.1 200"
            with connect(sealer.address) as plug:
                plug.sendall(b"GET /en/send.html HTTP/1.1\r\nHost: x\r\n\r\n")
                assert plug.recv(1) == b""
    assert heard == [line_of(7), line_of(0xFFFF0001)]


def lane_words() -> str:
    return "abandon " * 11 + "about"


@contextmanager
def _listening_relay(real: str, heard: list[bytes]) -> Iterator[str]:
    """Hands each connection on to a relay that expects no line, and keeps the line."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    plug, _ = server.accept()
                except OSError:
                    return
                with plug, connect(real) as onward:
                    line, _, rest = plug.recv(1 << 16).partition(b"\r\n")
                    heard.append(line + b"\r\n")
                    onward.sendall(rest)
                    while answer := onward.recv(1 << 16):
                        plug.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_one_circuit_gets_some_of_the_places_only(lane: Lane, tmp_path: Path) -> None:
    house = lane.house
    with SealerProcess(house.edition, house.relay.source, tmp_path / "s.yaml", circuits="haproxy") as sealer:
        visitor = begun(lane)
        visitor.address = sealer.address
        uploads = [Upload(visitor, bytes(PART), start=line_of(5)) for _ in range(4)]
        for upload in uploads:
            upload.go_on(1000)
        until(lambda: _status(sealer.address, 5) == 503)
        assert _status(sealer.address, 6) == 400
        for upload in uploads:
            upload.plug.close()


def _status(address: str, circuit: int) -> int:
    """What a form without words is told on this circuit: 503 where there is no place for it, else 400."""
    body, kind = encode([("message", "m")])
    head = f"POST /en/send HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    with connect(address) as plug:
        plug.sendall(line_of(circuit) + head.encode() + body)
        return int(plug.recv(12).split()[1])


def _answers_soon(upload: Upload) -> bool:
    upload.plug.settimeout(0.3)
    try:
        return bool(upload.plug.recv(1, socket.MSG_PEEK))
    except TimeoutError:
        return False
