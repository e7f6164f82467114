"""`desk watch --at`: a desk on a machine that is always on looks once a day, and tells what it found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from threading import Thread
from time import sleep

from keys.desk.desk import Desk
from keys.desk.terminal import complain, say
from keys.desk.watcher import notice
from keys.desk.watcher.notice import TROUBLE, Told
from keys.desk.watcher.tell import Tell
from keys.errors import Deceived, KnotholeError, NotTold

_TICK = 20.0  # seconds: a machine that slept, or whose clock was set, is late by no more
_SLACK = timedelta(seconds=30)  # by which a clock may be set back and nobody minds
_TRIES = 3
_PAUSE = 240.0  # seconds between two tries of a look
_AGAIN = timedelta(minutes=1), timedelta(minutes=30)  # how soon a notice is tried again, at first and at most


class Clock:
    """The clock on the wall, which jumps when the machine sleeps or somebody sets it."""

    def now(self) -> datetime:
        return datetime.now()

    def wait(self, until: datetime) -> None:
        """Waits until then, or until it is earlier than it was: what comes next may be another thing now."""
        before = now = self.now()
        while before - _SLACK < now < until:
            before = now
            sleep(min((until - now).total_seconds(), _TICK))
            now = self.now()


# Gives what is new since the desk knew so many drops and notes, and how many it knows now.
Look = Callable[[int], tuple[str, int]]


@dataclass
class _Looking:
    """A look that is under way; until it has ended well, what it found is trouble."""

    look: Look
    known: int
    found: str = TROUBLE

    def start(self) -> None:
        # A daemon: what hangs in a look keeps neither the notice nor the end of the program waiting.
        Thread(target=self._run, name="look", daemon=True).start()

    def _run(self) -> None:
        for left in reversed(range(_TRIES)):
            try:
                found, known = self.look(self.known)
            except Deceived as error:
                complain(error)
                return
            except KnotholeError as error:
                complain(error)
            except OSError as error:
                complain(KnotholeError((error.strerror or "the disk failed").lower()))
            else:
                self.known, self.found = known, found
                return
            if left:
                sleep(_PAUSE)


def go_on(desk: Desk, at: time, tell: Tell, look: Look, clock: Clock) -> None:
    """Looks ahead of this hour of every day, and tells at it what was found, in a number; without end."""
    told = notice.remembered(desk.home) or Told(notice.last(clock.now(), at), 0)
    notice.remember(desk.home, told)
    while True:
        next_ = notice.following(clock.now(), at, told.day)
        if clock.now() < next_.look:
            clock.wait(next_.look)
            continue  # whoever slept until after the hour begins with what was missed
        looking = _Looking(look, told.known)
        looking.start()
        clock.wait(next_.tell)
        if clock.now() < next_.tell:
            continue  # the clock was set back
        day, found = notice.last(clock.now(), at), looking.found
        given = _give(notice.text(day, notice.numbers(desk.journalist, day)[found]), tell, at, clock)
        told = Told(day, looking.known if given and found != TROUBLE else told.known)
        notice.remember(desk.home, told)


def _give(text: str, tell: Tell, at: time, clock: Clock) -> bool:
    """Tells, again and again if it has to, until the next look is due; whether it was told."""
    end = notice.following(clock.now(), at, notice.last(clock.now(), at)).look
    pause, longest = _AGAIN
    while True:
        try:
            tell(text)
        except NotTold as error:
            complain(error)
        else:
            say("today's number was told")
            return True
        if clock.now() + pause >= end:
            complain(NotTold("it is given up; what was new is told with the next one"))
            return False
        clock.wait(clock.now() + pause)
        pause = min(pause * 2, longest)
