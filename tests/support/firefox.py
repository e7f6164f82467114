"""Drives a real Firefox over Marionette, the protocol every Firefox has built in: JSON over TCP, no driver.

A message is `LENGTH:[0, id, command, parameters]` and its answer `LENGTH:[1, id, error, result]`.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from support.firefox_prefs import QUIET, Prefs

T = TypeVar("T")

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver's name for a reference to an element
TAB, ENTER, SPACE, SHIFT = "\ue004", "\ue007", " ", "\ue008"
_FLAGS = ("--headless", "--no-remote", "--marionette", "-remote-allow-system-access")
# The second lets a preference say where remote settings come from, which is nowhere.
_ENVIRONMENT = {"MOZ_CRASHREPORTER_DISABLE": "1", "MOZ_REMOTE_SETTINGS_DEVTOOLS": "1"}
PATIENCE = 90.0  # seconds: a loaded machine is slow, and only a broken page waits this long


class FirefoxError(Exception):
    """Firefox refused a command or went away."""


class Firefox:
    """One headless Firefox with a fresh profile; leaving the `with` block ends it and removes the profile."""

    def __init__(self, prefs: Prefs | None = None) -> None:
        binary = shutil.which("firefox-esr") or shutil.which("firefox")
        if not binary:
            raise FirefoxError("firefox is not installed: 'sudo apt-get install firefox-esr'")
        self.profile = Path(tempfile.mkdtemp(prefix="knothole-firefox-"))
        wanted = {**QUIET, **(prefs or {})}
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in wanted.items())
        (self.profile / "user.js").write_text("".join(lines))
        self._socket: socket.socket | None = None
        self._ids = itertools.count(1)
        with (self.profile / "output").open("wb") as output:
            self._process = subprocess.Popen(
                [binary, *_FLAGS, "--profile", str(self.profile), "about:blank"],
                env={**os.environ, "HOME": str(self.profile), **_ENVIRONMENT},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # its session id then names every process of this browser
            )
        try:
            self._connect()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Firefox:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def _connect(self) -> None:
        port = self.wait(self._port)
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._answers = self._socket.makefile("rb")
        self._receive()  # Marionette greets first
        capabilities = {"strictFileInteractability": False, "unhandledPromptBehavior": "ignore"}
        self.command("WebDriver:NewSession", capabilities)
        self.command("WebDriver:SetTimeouts", {"script": 300_000, "pageLoad": 120_000, "implicit": 0})
        self.chrome(
            "window.leaveWarnings = 0; addEventListener('DOMWillOpenModalDialog',"
            "event => { window.leaveWarnings += Boolean(event.detail.inPermitUnload); }, true);"
        )

    def _port(self) -> int:
        if self._process.poll() is not None:
            said = (self.profile / "output").read_text(errors="replace")
            raise RuntimeError(f"firefox did not start: {said[-1000:]}")
        file = self.profile / "MarionetteActivePort"
        return int(file.read_text() or 0) if file.exists() else 0

    def close(self) -> None:
        """Kills this browser's processes and removes its profile; to be asked to end costs it a second."""
        if self._socket:
            self._answers.close()
            self._socket.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    # The protocol

    def _receive(self) -> Any:
        length = b""
        while (byte := self._answers.read(1)) != b":":
            if not byte:
                raise FirefoxError("firefox closed the connection")
            length += byte
        return json.loads(self._answers.read(int(length)))

    def command(self, name: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """The answer to one Marionette command, or FirefoxError with what Firefox said."""
        assert self._socket
        self._socket.settimeout(400)
        message = json.dumps([0, next(self._ids), name, parameters or {}]).encode()
        self._socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self._receive()
        if error:
            raise FirefoxError(f"{name}: {error['error']}: {error['message'][:500]}")
        return result["value"] if isinstance(result, dict) and set(result) == {"value"} else result

    # The page

    def open(self, url: str) -> None:
        self.command("WebDriver:Navigate", {"url": url})

    @property
    def url(self) -> str:
        return str(self.command("WebDriver:GetCurrentURL"))

    def find(self, css: str) -> str:
        """A reference to the first element that matches, or FirefoxError."""
        found = self.command("WebDriver:FindElement", {"using": "css selector", "value": css})
        return str(found[ELEMENT])

    def _all(self, css: str) -> list[str]:
        found = self.command("WebDriver:FindElements", {"using": "css selector", "value": css})
        return [str(one[ELEMENT]) for one in found]

    def count(self, css: str) -> int:
        return len(self._all(css))

    def text(self, css: str) -> str:
        """The text a reader sees there."""
        return str(self.command("WebDriver:GetElementText", {"id": self.find(css)}))

    def shown(self, css: str) -> bool:
        """Whether something matches and a reader sees it."""
        first = self._all(css)[:1]
        return bool(first and self.command("WebDriver:IsElementDisplayed", {"id": first[0]}))

    def click(self, css: str) -> None:
        self.command("WebDriver:ElementClick", {"id": self.find(css)})

    def type(self, css: str, text: str) -> None:
        """Types into a field; for a file field the text is one path a line."""
        self.command("WebDriver:ElementSendKeys", {"id": self.find(css), "text": text})

    def press(self, *keys: str) -> None:
        """Presses keys wherever the focus is, one argument a stroke; `SHIFT + TAB` is one stroke."""
        strokes = []
        for chord in keys:
            strokes += [{"type": "keyDown", "value": key} for key in chord]
            strokes += [{"type": "keyUp", "value": key} for key in reversed(chord)]
        actions = [{"type": "key", "id": "keyboard", "actions": strokes}]
        self.command("WebDriver:PerformActions", {"actions": actions})

    def script(self, body: str, *arguments: Any) -> Any:
        """What a function body run in the page returns; it may await."""
        wrapped = (
            "const given = [...arguments], done = given.pop();"
            f"(async function () {{{body}}})(...given)"
            ".then(value => done({value}), error => done({error: String(error)}));"
        )
        answer = self.command(
            "WebDriver:ExecuteAsyncScript", {"script": wrapped, "args": list(arguments), "sandbox": None}
        )
        if not answer or "error" in answer:
            raise FirefoxError(answer["error"] if answer else "the page went away meanwhile")
        return answer.get("value")

    # The browser around the page

    @contextlib.contextmanager
    def _chrome(self) -> Iterator[None]:
        self.command("Marionette:SetContext", {"value": "chrome"})
        try:
            yield
        finally:
            self.command("Marionette:SetContext", {"value": "content"})

    def chrome(self, body: str, *arguments: Any) -> Any:
        """What a function body run with the browser's own rights returns."""
        with self._chrome():
            return self.command("WebDriver:ExecuteScript", {"script": body, "args": list(arguments)})

    def set_pref(self, name: str, value: bool | int | str) -> None:
        kind = {bool: "Bool", int: "Int", str: "String"}[type(value)]
        self.chrome(f"Services.prefs.set{kind}Pref(...arguments)", name, value)

    def viewport(self, width: int, height: int = 800) -> None:
        """Sizes the page itself: a window cannot be as narrow as a phone."""
        self.chrome(
            "const { style } = gBrowser.selectedBrowser;"
            "style.width = `${arguments[0]}px`; style.height = `${arguments[1]}px`;",
            width,
            height,
        )
        self.wait(lambda: self.script("return innerWidth") == width)

    def text_zoom(self, factor: float) -> None:
        """Enlarges the letters alone."""
        self.chrome("gBrowser.selectedBrowser.textZoom = arguments[0]", factor)

    def medium(self, name: str) -> None:
        """Shows the page as it would be printed ("print"), or as it is ("")."""
        self.chrome("gBrowser.selectedBrowser.browsingContext.mediumOverride = arguments[0]", name)

    def dark(self, on: bool) -> None:
        self.set_pref("layout.css.prefers-color-scheme.content-override", 0 if on else 1)
        self.wait(lambda: self.script("return matchMedia('(prefers-color-scheme: dark)').matches") == on)

    def screenshot(self, path: Path, css: str = "") -> None:
        """Writes the whole page, also what is below the fold, as a PNG; or the one element that matches."""
        path.parent.mkdir(parents=True, exist_ok=True)
        what = {"id": self.find(css)} if css else {"full": True}
        path.write_bytes(base64.b64decode(self.command("WebDriver:TakeScreenshot", what)))

    def errors(self) -> list[str]:
        """What pages did wrong since the last call, as the console has it: broken policy, thrown errors."""
        return list(
            self.chrome(
                "const found = Services.console.getMessageArray().filter(m => m instanceof Ci.nsIScriptError)"
                ".filter(m => /^(http|file):/.test(m.sourceName) || m.category.startsWith('CSP'))"
                ".filter(m => m.category !== 'Layout')"  # that it was drawn early, by a screenshot for one
                # Firefox 140 knows no Trusted Types, and says so of every policy that asks for them.
                ".filter(m => !/unknown directive .(require-)?trusted-types/.test(m.errorMessage))"
                ".map(m => `${m.category}: ${m.errorMessage} (${m.sourceName}:${m.lineNumber})`);"
                "Services.console.reset(); return found;"
            )
        )

    def leave_warnings(self) -> int:
        """How often the browser has asked "leave this page?"; Marionette itself then answers yes."""
        return int(self.chrome("return window.leaveWarnings"))

    def processes(self) -> list[int]:
        """The ids of every process of this browser."""
        return [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and self._owns(int(p.name))]

    def _owns(self, pid: int) -> bool:
        try:
            return os.getsid(pid) == self._process.pid
        except ProcessLookupError:
            return False

    def memory(self) -> int:
        """Bytes resident in all of this browser's processes, shared pages counted once (PSS)."""
        total = 0
        for pid in self.processes():
            with contextlib.suppress(OSError):
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
                total += 1024 * sum(int(row.split()[1]) for row in rollup.splitlines() if row[:4] == "Pss:")
        return total

    def wait(self, condition: Callable[[], T], patience: float = PATIENCE) -> T:
        """The first true value of the condition; a command that fails meanwhile counts as not yet."""
        start = time.monotonic()
        last: object = None
        while (waited := time.monotonic() - start) < patience:
            try:
                if value := condition():
                    return value
            except FirefoxError as error:
                last = error
            time.sleep(min(0.03 + waited / 20, 0.3))  # to be asked is work for the page that is waited for
        raise TimeoutError(f"waited {patience:.0f} s in vain; last: {last}")
