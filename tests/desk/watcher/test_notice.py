"""`desk watch --at` tells every day, and who passes it on cannot tell what: FORMAT.md section 7."""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.newsdesk import PASSPHRASE, Newsdesk, Result, Source, run
from support.socks_port import SocksPort
from support.vectors import cases
from support.wires import Script, http

from keys.desk.desk import Desk
from keys.desk.home import Home
from keys.desk.state import State
from keys.desk.watcher import daily, notice, visit, watch
from keys.desk.watcher.daily import Clock
from keys.desk.watcher.visit import Pace, Span
from keys.identity import Journalist
from keys.onion import ServiceKey
from keys.recipients import HybridIdentity

AT, LOOK = time(9), time(8, 30)
DAY = timedelta(days=1)
AT_ONCE = Span(0, 0, 0)
ONION = ServiceKey.generate().address
TOLD = re.compile(r"The number of (\d{4}-\d{2}-\d{2}) is (\d{4})\.")


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """No visitor pauses, each sends a canary if it may, and a look that failed is tried again at once."""
    monkeypatch.setattr(visit, "BRIEF", Pace(AT_ONCE, AT_ONCE, AT_ONCE, AT_ONCE))
    monkeypatch.setattr(visit, "_PAUSE", 0)
    monkeypatch.setattr(watch, "_DUE", 1)
    monkeypatch.setattr(daily, "_PAUSE", 0)
    monkeypatch.setattr(daily, "Clock", Days)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Newsdesk]:
    """A newsroom whose relay runs; ada has joined, and her desk knows where the page is."""
    newsdesk = Newsdesk(tmp_path / "house")
    newsdesk.start()
    try:
        assert newsdesk.join("ada", page=newsdesk.relay.source_url).status == 0
        yield newsdesk
    finally:
        newsdesk.stop()


@pytest.fixture(scope="module")
def shut(tmp_path_factory: pytest.TempPathFactory) -> Newsdesk:
    """One whose relay does not run; ada and bea have joined."""
    newsdesk = Newsdesk(tmp_path_factory.mktemp("newsdesk"))
    for name in newsdesk.journalists:
        assert newsdesk.join(name, relay="http://127.0.0.1:1", page="http://127.0.0.1:1").status == 0
    return newsdesk


class Days(Clock):
    """A clock that strikes without delay, but lets each look end first. Before each look the next thing
    happens; after the last one the machine is switched off."""

    def __init__(self, *happens: Callable[[], object], start: datetime | None = None) -> None:
        self.time = start or datetime.combine(date.today(), time(8))
        self._happens = iter(happens)

    def now(self) -> datetime:
        return self.time

    def wait(self, until: datetime) -> None:
        for thread in threading.enumerate():
            if thread.name == "look":
                thread.join(600)
        if until.time() == LOOK:
            happens = next(self._happens, None)
            if happens is None:
                raise KeyboardInterrupt
            happens()
        self.time = until


def nothing() -> None:
    pass


def watched(
    house: Newsdesk, monkeypatch: pytest.MonkeyPatch, way: str, *happens: Callable[[], object], **more: object
) -> Result:
    """What ada's desk prints while these days go by."""
    clock = Days(*happens, **more)  # type: ignore[arg-type]
    monkeypatch.setattr(daily, "Clock", lambda: clock)
    return house.desk("ada", "watch", "--at", "09:00", "--tell", way)


def meant(house: Newsdesk, texts: list[str]) -> list[str]:
    """What each of these sentences means to who has ada's sheet."""
    meanings = []
    for text in texts:
        found = TOLD.search(text)
        assert found
        numbers = notice.numbers(house.journalists["ada"], date.fromisoformat(found[1]))
        by_number = {number: meaning for meaning, number in numbers.items()}
        meanings.append(by_number[found[2]])
    return meanings


def masked(told: bytes) -> bytes:
    return TOLD.sub("The number of DAY is N.", told.decode()).encode()


def mailer(house: Newsdesk, name: str = "mailed") -> Path:
    """Makes the newsroom's mail command, which puts each mail, its environment and its open files into a
    folder."""
    folder = house.folder / name
    folder.mkdir()
    program = house.folder / "a mailer"
    program.write_text(
        '#!/bin/sh\nn=$(ls "$2" | wc -l)\n'
        'test -e "$2/../broken" && rm "$2/../broken" && exit 75\n'
        'env > "$2/../environment"; ls /proc/self/fd > "$2/../files"; cat > "$2/$n"\n'
    )
    program.chmod(0o700)
    (house.home("ada") / "mail").write_text(f"{program}\n--to\n{folder}\n")
    return folder


def mails(folder: Path) -> list[bytes]:
    return [(folder / str(n)).read_bytes() for n in range(len(list(folder.iterdir())))]


# --- what is told -------------------------------------------------------------------------------------------


def test_every_day_the_same_words_and_what_they_mean_is_on_the_sheet_alone(
    house: Newsdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = mailer(house)
    source = Source(house)
    sent: list[str] = []
    assert house.join("bea", page=house.relay.source_url).status == 0

    def colleagues_have_nothing_to_say() -> None:
        for _ in range(2):
            assert house.desk("bea", "fetch").status == 0

    def a_reply() -> None:
        assert house.desk("bea", "reply", sent[0], text="Which one?").status == 0

    def looked_at() -> None:
        sent.append(source.send("Look at page 4"))
        assert house.desk("ada", "fetch").status == 0
        assert house.desk("ada", "show", sent[-1]).status == 0

    done = watched(
        house,
        monkeypatch,
        "mail",
        nothing,
        lambda: sent.append(source.send("The permit was signed first")),
        colleagues_have_nothing_to_say,
        lambda: Source(house, to=("bea",)).send("For bea alone"),
        a_reply,
        house.relay.kill,
        nothing,
        lambda: revive(house),
        looked_at,
    )
    told = mails(folder)
    assert meant(house, [one.decode() for one in told]) == [
        "nothing",
        "new",
        "nothing",
        "nothing",
        "new",
        "trouble",
        "trouble",
        "nothing",
        "nothing",
    ]
    assert {len(one) for one in told} == {len(told[0])}
    assert {masked(one) for one in told} == {
        b"Subject: The number of the day\n\nThe number of DAY is N.\n"
    }, "and neither newsroom nor program is named"
    assert done.out == "today's number was told\n" * 9
    assert done.err.count("desk: error: the relay does not answer: connection refused\n") == 6
    assert PASSPHRASE not in (house.folder / "environment").read_bytes()
    assert set((house.folder / "files").read_text().split()) <= {"0", "1", "2", "3"}, "3 is the folder's own"


def revive(house: Newsdesk) -> None:
    house.relay.start()
    assert house.join("ada", page=house.relay.source_url).status == 0


def test_what_came_on_a_day_of_trouble_is_told_on_the_next(
    house: Newsdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = mailer(house)
    page = house.relay.source_url

    def the_page_is_away() -> None:
        Source(house).send("Before the page went")
        assert house.join("ada", page="http://127.0.0.1:1").status == 0

    def the_page_is_back() -> None:
        assert house.join("ada", page=page).status == 0

    done = watched(house, monkeypatch, "mail", the_page_is_away, the_page_is_back, nothing)
    assert meant(house, [one.decode() for one in mails(folder)]) == ["trouble", "new", "nothing"]
    assert done.err.count("desk: error: the watcher could not look: connection refused\n") == 3


def test_a_box_that_deceives_is_trouble_and_is_not_looked_at_again_until_it_looks_honest(
    house: Newsdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = mailer(house)
    other = Newsdesk(house.folder / "other", pages={"/index.html": b"another page"})
    other.start()
    try:
        done = watched(house, monkeypatch, "mail", lambda: house.join("ada", page=other.relay.source_url))
    finally:
        other.stop()
    assert meant(house, [one.decode() for one in mails(folder)]) == ["trouble"]
    assert done.err.count("desk: error: the box does what no honest box does: ") == 1
    assert len(list((house.home("ada") / "evidence").iterdir())) == 1


def test_a_notice_that_failed_is_told_again_and_shows(
    house: Newsdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = mailer(house)
    Source(house).send("hello")
    done = watched(house, monkeypatch, "mail", lambda: (house.folder / "broken").touch(), nothing)
    assert meant(house, [one.decode() for one in mails(folder)]) == ["new", "nothing"]
    program = house.folder / "a mailer"
    assert done.err == (
        f"desk: error: today's number could not be told: {program} ended with 75\n"
        "desk: error: something went wrong: interrupted\n"
    )


def test_a_notice_that_fails_all_day_is_given_up_and_the_news_kept(
    house: Newsdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = mailer(house)
    program = house.folder / "a mailer"
    whole = program.read_text()

    def broken() -> None:
        Source(house).send("hello")
        program.write_text("#!/bin/sh\nexit 1\n")

    monkeypatch.setattr(daily, "_AGAIN", (timedelta(hours=2), timedelta(hours=8)))
    done = watched(house, monkeypatch, "mail", broken, lambda: program.write_text(whole))
    assert meant(house, [one.decode() for one in mails(folder)]) == ["new"]
    assert done.err.count(f"{program} ended with 1\n") == 5, "at 9, 11, 15, 23 and 7"
    assert "it is given up; what was new is told with the next one\n" in done.err


# --- when ---------------------------------------------------------------------------------------------------


def test_a_day_that_was_missed_is_told_at_the_next_chance_and_once(
    house: Newsdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = mailer(house)
    today = date.today()
    start = datetime.combine(today, time(11))
    told = house.home("ada") / "told.json"
    told.write_text(json.dumps({"day": str(today - 3 * DAY), "known": 0}))
    watched(house, monkeypatch, "mail", nothing, start=start)
    days = [TOLD.search(one.decode())[1] for one in mails(folder)]  # type: ignore[index]
    assert days == [str(today), str(today + DAY)]
    watched(house, monkeypatch, "mail", start=start + DAY)
    assert len(mails(folder)) == 2, "it remembers what it told"


def test_the_first_day_begins_with_the_next_hour(house: Newsdesk, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = mailer(house)
    start = datetime.combine(date.today(), time(9, 10))
    watched(house, monkeypatch, "mail", nothing, start=start)
    (told,) = mails(folder)
    assert str(date.today() + DAY) in told.decode()


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1))


@given(moments, st.times(), st.integers(0, 400))
def test_what_comes_next_is_never_past_and_never_far(now: datetime, at: time, back: int) -> None:
    at = at.replace(second=0, microsecond=0)
    done = notice.last(now, at)
    assert timedelta() <= now - datetime.combine(done, at) < DAY
    next_ = notice.following(now, at, done)
    assert (next_.tell.time(), now < next_.tell <= now + DAY) == (at, True)
    assert next_.tell - next_.look == notice.AHEAD
    missed = notice.following(now, at, done - (back + 1) * DAY)
    assert missed.look == now < missed.tell <= min(now + notice.AHEAD, next_.tell)
    assert notice.following(now, at, done + DAY).look == now, "a clock that was ahead is forgotten"


def test_a_look_that_hangs_is_trouble_at_the_hour(shut: Newsdesk) -> None:
    end = threading.Event()
    told: list[str] = []

    class Impatient(Days):
        def wait(self, until: datetime) -> None:
            if told:
                raise KeyboardInterrupt
            self.time = until

    def look(_: int) -> tuple[str, int]:
        assert end.wait(60)
        return notice.NEW, 1

    with pytest.raises(KeyboardInterrupt):
        daily.go_on(opened(shut), AT, told.append, look, Impatient())
    end.set()
    assert meant(shut, told) == ["trouble"]
    assert json.loads((shut.home("ada") / "told.json").read_text())["known"] == 0


def opened(house: Newsdesk) -> Desk:
    return Desk(Home(house.home("ada")), house.newsroom, house.journalists["ada"], State())


def test_a_clock_that_is_set_back_ends_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daily, "_TICK", 0.001)
    start = datetime(2026, 11, 22, 9)
    said = iter([start, start + timedelta(seconds=20), start, start - timedelta(hours=1)])

    class Set(Clock):
        def now(self) -> datetime:
            return next(said)

    Set().wait(start + DAY)
    assert next(said, None) is None


def test_a_wait_ends_at_its_time() -> None:
    clock = Clock()
    until = clock.now() + timedelta(seconds=0.05)
    clock.wait(until)
    assert until <= clock.now()


# --- numbers ------------------------------------------------------------------------------------------------


@cases("notice")
def test_numbers_are_those_of_the_format(case: dict[str, str]) -> None:
    journalist = Journalist("ada", HybridIdentity(bytes.fromhex(case["identity"])))
    assert notice.numbers(journalist, date.fromisoformat(case["day"])) == case["numbers"]


def test_who_lacks_the_sheet_learns_nothing_from_a_number() -> None:
    journalist = Journalist("ada", HybridIdentity(bytes(32)))
    days = [notice.numbers(journalist, date(2026, 1, 1) + n * DAY) for n in range(3000)]
    for day in days:
        assert len(set(day.values())) == 3
        assert all(re.fullmatch("[0-9]{4}", number) for number in day.values())
    for meaning in notice.MEANINGS:
        drawn = [int(day[meaning]) for day in days]
        assert len(set(drawn)) > 2500
        assert 4800 < sum(drawn) / len(drawn) < 5200
        assert 200 < sum(number < 1000 for number in drawn) < 400
    assert len({day["new"] > day["nothing"] for day in days}) == 2


def test_the_sheet_is_a_month_for_people(shut: Newsdesk) -> None:
    sheet = shut.desk("ada", "watch", "--numbers")
    assert (sheet.status, sheet.err) == (0, "")
    head, *lines = sheet.out.splitlines()
    assert head.split() == ["DAY", "NOTHING", "NEW", "TROUBLE"]
    assert len(lines) == 31
    first = date.fromisoformat(lines[0].split()[0])
    assert date.today() - DAY <= first <= date.today(), "midnight may have struck"
    for n, line in enumerate(lines):
        day = first + n * DAY
        numbers = notice.numbers(shut.journalists["ada"], day)
        assert line.split() == [str(day), numbers["nothing"], numbers["new"], numbers["trouble"]]
    assert (
        shut.desk("ada", "watch", "--numbers", "--json").json[str(first + DAY)]["new"] == lines[1].split()[2]
    )
    assert shut.desk("bea", "watch", "--numbers").out != sheet.out


# --- the ways -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A certificate of hook.example, and its key, in one file."""
    file = tmp_path_factory.mktemp("tls") / "hook.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=hook.example", "-addext", "subjectAltName=DNS:hook.example"]
    subprocess.run([*command, "-keyout", file, "-out", f"{file}.crt"], check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + Path(f"{file}.crt").read_bytes())
    return file


class Secure(Script):
    """The same behind TLS."""

    def __init__(self, certificate: Path, *answers: bytes) -> None:
        super().__init__(*answers)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)

    def _serve(self, client: socket.socket) -> None:
        with self._context.wrap_socket(client, server_side=True) as secured:
            super()._serve(secured)


def joined(house: Newsdesk, proxy: str, address: str) -> None:
    keys = ("--masthead", house.folder / "masthead.pub", "--identity", house.folder / "ada.key")
    where = ("--relay", house.relay.desk_url, "--page", house.relay.source_url, "--socks", proxy)
    assert run("--home", house.home("ada"), "join", house.edition, *keys, *where).status == 0
    (house.home("ada") / "webhook").write_text(f"{address}\n")


def port_of(script: Script) -> tuple[str, int]:
    return "127.0.0.1", int(script.url.rpartition(":")[2])


def test_a_webhook_hears_the_same_whatever_there_is(
    house: Newsdesk, monkeypatch: pytest.MonkeyPatch, certificate: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    answers = [http(b"ok"), http(b"", "503 Service Unavailable"), http(b"", "204 No Content"), http(b"ok")]
    with Secure(certificate, *answers) as hook, SocksPort(port_of(hook)) as tor:
        joined(house, tor.address, "https://hook.example:8443/in/s3cret?to=desk")
        done = watched(
            house, monkeypatch, "webhook", nothing, lambda: Source(house).send("hello"), house.relay.kill
        )
    assert [(host, port) for host, port, _ in tor.asked] == [("hook.example", 8443)] * 4
    assert len({circuit for _, _, circuit in tor.asked}) == 4
    texts = [json.loads(one.body)["text"] for one in hook.asked]
    assert meant(house, texts) == ["nothing", "new", "new", "trouble"]
    assert {one.head for one in hook.asked} == {hook.asked[0].head}
    assert hook.asked[0].head.startswith("POST /in/s3cret?to=desk HTTP/1.1\r\n")
    assert "Host: hook.example:8443\r\n" in hook.asked[0].head
    assert {masked(one.body) for one in hook.asked} == {b'{"text": "The number of DAY is N."}'}
    assert {len(one.body) for one in hook.asked} == {len(hook.asked[0].body)}
    assert "today's number could not be told: the webhook answered 503\n" in done.err
    assert "s3cret" not in done.out + done.err


def test_a_webhook_at_an_onion_needs_no_certificate(house: Newsdesk, monkeypatch: pytest.MonkeyPatch) -> None:
    with Script(http(b"ok")) as hook, SocksPort(port_of(hook)) as tor:
        joined(house, tor.address, f"http://{ONION}/in")
        assert watched(house, monkeypatch, "webhook", nothing).out == "today's number was told\n"
    assert [(host, port) for host, port, _ in tor.asked] == [(ONION, 80)]
    assert len(hook.asked) == 1


def test_a_webhook_that_cannot_prove_its_name_is_told_nothing(
    house: Newsdesk, monkeypatch: pytest.MonkeyPatch, certificate: Path
) -> None:
    monkeypatch.setattr(daily, "_AGAIN", (DAY, DAY))
    with Secure(certificate, http(b"ok")) as hook, SocksPort(port_of(hook)) as tor:
        joined(house, tor.address, "https://hook.example/in")
        done = watched(house, monkeypatch, "webhook", nothing)
    assert hook.asked == []
    assert "the webhook was not reached: self-signed certificate" in done.err


def test_a_redirect_is_not_followed(house: Newsdesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daily, "_AGAIN", (DAY, DAY))
    moved = http(b"", "302 Found", more=["Location: http://elsewhere.example/"])
    with Script(moved) as hook, SocksPort(port_of(hook)) as tor:
        joined(house, tor.address, f"http://{ONION}/in")
        assert "the webhook answered 302\n" in watched(house, monkeypatch, "webhook", nothing).err
    assert len(tor.asked) == 1


def test_without_tor_nothing_goes_to_a_webhook(house: Newsdesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daily, "_AGAIN", (DAY, DAY))
    with Script(http(b"ok")) as hook:
        with SocksPort(port_of(hook)) as tor:
            joined(house, tor.address, f"http://{ONION}/in")
        done = watched(house, monkeypatch, "webhook", nothing)
    assert "the webhook was not reached: there is no tor at 127.0.0.1:" in done.err
    assert hook.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "http://chat.example/hook",
        "https://",
        "https://ada:pw@chat.example/s3cret",
        "ftp://chat.example/s3cret",
        "chat.example/s3cret",
        "https://chat.example:99999/s3cret",
        "https://chat.example/s3cret#part",
        "https://chat.example/s3 cret",
        "https://chät.example/s3cret",
        "https://chat.example/a\nhttps://chat.example/s3cret",
    ],
)
def test_an_address_that_is_none_or_unsafe_is_refused_and_not_shown(shut: Newsdesk, address: str) -> None:
    (shut.home("ada") / "webhook").write_text(address)
    done = shut.desk("ada", "watch", "--at", "09:00", "--tell", "webhook")
    assert done.status == 1
    assert "webhook does not hold the one address of a webhook\n" in done.err
    assert "s3cret" not in done.err


def test_a_notification_is_the_same_on_the_screen(
    house: Newsdesk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """notify-send needs a screen: in its place stands a program that writes down how it was called."""
    program = tmp_path / "bin/notify-send"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {tmp_path}/shown\necho >> {tmp_path}/shown\n')
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    watched(
        house, monkeypatch, "notification", nothing, lambda: Source(house).send("hello"), house.relay.kill
    )
    shown = (tmp_path / "shown").read_text().strip().split("\n\n")
    assert meant(house, shown) == ["nothing", "new", "trouble"]
    assert {masked(one.encode()) for one in shown} == {b"--\nThe number of the day\nThe number of DAY is N."}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--at", "09:00"], "--at and --tell go together"),
        (["--tell", "mail"], "--at and --tell go together"),
        (["--numbers", "--tell", "mail"], "--at and --tell go together"),
        (["--at", "09:00", "--tell", "mail"], "this desk does not know its mail"),
        (["--at", "09:00", "--tell", "webhook"], "this desk does not know its webhook"),
    ],
)
def test_what_is_missing_is_said_at_once(shut: Newsdesk, words: list[str], said: str) -> None:
    for name in ("mail", "webhook"):
        (shut.home("ada") / name).write_text("\n")
    done = shut.desk("ada", "watch", *words)
    assert (done.status, said in done.err, "desk: hint: " in done.err) == (1, True, True)


@pytest.mark.parametrize("way", ["mail", "notification"])
def test_a_program_that_is_not_there_is_said_at_once(
    shut: Newsdesk, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    (shut.home("ada") / "mail").write_text("/nowhere/mailer\n")
    monkeypatch.setenv("PATH", "/nowhere")
    done = shut.desk("ada", "watch", "--at", "09:00", "--tell", way)
    assert (done.status, "there is no program " in done.err) == (1, True)


@pytest.mark.parametrize("given_", ["9", "09:60", "24:00", "0900", "09:00Z", "nine o"])
def test_an_hour_that_is_none(given_: str) -> None:
    done = run("watch", "--at", given_, "--tell", "mail")
    assert done.status == 2
    assert "an hour of this machine's clock, such as 09:00" in done.err


def test_a_desk_that_cannot_look_at_the_page_does_not_begin(
    house: Newsdesk,
) -> None:
    mailer(house)
    house.join("ada")
    done = house.desk("ada", "watch", "--at", "09:00", "--tell", "mail")
    assert done.status == 1
    assert "the newsroom names no onion" in done.err
