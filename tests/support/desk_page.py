"""A journalist at desk.html, opened from a file, by the ids that site/scripts/desk.md promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.firefox import Firefox
from support.house import PASSPHRASE, House

from keys.onion import ServiceKey

DESK_ONION = ServiceKey(bytes([64] * 32 + [0] * 32)).address  # in the file as it is built
WITH_DESK = f"desk_onion: {DESK_ONION}\n"

_THREADS = """
return [...document.querySelectorAll("#threads > li")].map(li => ({
  title: li.querySelector("[data-title]").textContent,
  facts: li.querySelector("[data-facts]").textContent,
  new: !li.querySelector("[data-new]").hidden,
}));
"""
_TURNS = """
const said = (li, part) => {
  const found = li.querySelector(`[data-${part}]`);
  return found.hidden ? "" : found.textContent;
};
return [...document.querySelectorAll("#conversation > li")].map(li => ({
  kind: li.dataset.kind,
  ...Object.fromEntries(["author", "note", "text", "answers"].map(part => [part, said(li, part)])),
  files: [...li.querySelectorAll("[data-files] > li")].map(file => said(file, "name")),
}));
"""
_CASE = """
const texts = css => [...document.querySelectorAll(css)].map(one => one.textContent);
const rows = (css, ...parts) => [...document.querySelectorAll(css)].map(one =>
  parts.map(part => one.querySelector(`[data-${part}]`)).map(part => part.hidden ? "" : part.textContent));
return {
  state: texts("#case-state")[0],
  reason: texts("#case-state-text")[0],
  tasks: rows("#tasks > li", "title", "facts"),
  checks: rows("#checks > li", "item", "answer"),
  labels: rows("#labels > li", "label").flat(),
  date: texts("#case-date")[0],
  outlets: texts("#outlets > li"),
  exclusive: texts("#case-exclusive")[0],
  warnings: texts("#case-warnings > li"),
  history: rows("#history > li", "author", "said", "text", "note"),
};
"""
_SYNCED = """
const [syncing, said, problem] = ["syncing", "status", "problem"].map(id => document.getElementById(id));
return syncing.checkVisibility() ? "" : said.textContent || problem.textContent;
"""
_SET = """
const field = document.querySelector(arguments[0]);
if (["radio", "checkbox"].includes(field.type)) field.checked = true;
else field.value = arguments[1];
"""


class DeskPage:
    """desk.html as `house` built it, written into `folder`; for its relay in place of an onion, unless one is
    given."""

    def __init__(
        self,
        firefox: Firefox,
        house: House,
        folder: Path,
        language: str = "en",
        idle_minutes: float = 15,
        onion: str = "",
    ) -> None:
        self.firefox = firefox
        self.house = house
        built = house.edition.parent / f"desk/desk-{language}.html"
        page = built.read_text()
        assert f"http://{onion or DESK_ONION}" in page
        page = page.replace(f"http://{DESK_ONION}", house.relay.desk_url)
        page = page.replace('"idle_minutes": 15', f'"idle_minutes": {idle_minutes}')
        self.path = folder / built.name
        self.path.write_text(page)
        self.downloads = folder / "downloads"
        self.downloads.mkdir(exist_ok=True)

    def open(self) -> None:
        prefs: dict[str, bool | int | str] = {
            "browser.download.dir": str(self.downloads),
            "browser.download.folderList": 2,
            "browser.download.useDownloadDir": True,
            "browser.download.alwaysOpenPanel": False,
            "browser.download.start_downloads_in_tmp_dir": False,
        }
        for name, value in prefs.items():
            self.firefox.set_pref(name, value)
        self.firefox.open(self.path.as_uri())
        self.reach("unlock")

    @property
    def step(self) -> str:
        shown = self.firefox.script(
            "return [...document.querySelectorAll('section[id^=step-]')]"
            ".filter(step => step.checkVisibility()).map(step => step.id)"
        )
        return " ".join(shown).replace("step-", "")

    def reach(self, step: str) -> None:
        """Waits until that step is the one that is shown."""
        try:
            self.firefox.wait(lambda: self.step == step)
        except TimeoutError:
            said = self.firefox.script("return document.body.innerText")
            raise AssertionError(f"the page is at {self.step} and not at {step}: {said}") from None

    def unlock(self, name: str, saved: Path | None = None, passphrase: str = PASSPHRASE.decode()) -> None:
        """From the opened page to the inbox."""
        self.firefox.type("#identity", str(self.house.folder / f"{name}.key"))
        if saved:
            self.firefox.type("#saved", str(saved))
        self.submit_passphrase(passphrase)
        self.reach("inbox")

    def submit_passphrase(self, passphrase: str = PASSPHRASE.decode()) -> None:
        self.firefox.script("document.getElementById('passphrase').value = ''")
        self.firefox.type("#passphrase", passphrase)
        self.firefox.click("#unlock [type=submit]")

    def sync(self) -> str:
        """Fetches and sends, to the end; what the page says then."""
        self.firefox.click("#sync")
        return self.synced()

    def synced(self) -> str:
        """What the page says once no sync is under way."""
        return str(self.firefox.wait(lambda: self.firefox.script(_SYNCED)))

    def said(self) -> str:
        return str(self.firefox.script("return document.getElementById('status').textContent"))

    def problem(self) -> str:
        return str(self.firefox.script("return document.getElementById('problem').textContent"))

    def message(self, key: str, **values: object) -> str:
        """What the page says under this key."""
        data = self.firefox.script("return JSON.parse(document.getElementById('edition').textContent)")
        text = str(data["messages"][key])
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", f"\u2068{value}\u2069")
        return text

    def error(self, field: str) -> str:
        self.firefox.wait(lambda: self.firefox.shown(f"#{field}-error"))
        return self.firefox.text(f"#{field}-error")

    def threads(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.firefox.script(_THREADS)
        return found

    def problems(self) -> list[str]:
        said = self.firefox.script(
            "return [...document.querySelectorAll('#problem-list > li')].map(li => li.textContent)"
        )
        return [str(one) for one in said]

    def open_thread(self, title: str) -> None:
        """From the inbox to the thread that begins so."""
        at = [one["title"] for one in self.threads()].index(title) + 1
        self.firefox.click(f"#threads > li:nth-child({at}) button")
        self.reach("thread")

    def back(self) -> None:
        self.firefox.click("#back")
        self.reach("inbox")

    def turns(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.firefox.script(_TURNS)
        return found

    def reply(self, text: str) -> str:
        """Writes, sends, and gives what the page says in the end."""
        self.firefox.type("#message", text)
        self.firefox.click("#reply [type=submit]")
        ends = [self.message("sent"), self.message("queued")]
        self.firefox.wait(lambda: self.said() in ends)
        return self.said()

    def file(self, name: str) -> str:
        """A selector for the item of a file that is shown."""
        places = self.firefox.script(
            "return [...document.querySelectorAll('.attached > li')].map(li => "
            "[li.querySelector('[data-name]').textContent, li])"
        )
        at = [place[0] for place in places].index(name)
        self.firefox.script(
            "document.querySelectorAll('.attached > li')[arguments[0]].dataset.wanted = arguments[1]",
            at,
            str(at),
        )
        return f'.attached > li[data-wanted="{at}"]'

    def said_of(self, item: str) -> str:
        """What is said at a file, once something is."""
        self.firefox.wait(lambda: self.firefox.shown(f"{item} [data-said]"))
        said = self.firefox.script(
            "return document.querySelector(arguments[0]).textContent", f"{item} [data-said]"
        )
        return str(said)

    def saved(self, name: str) -> Path:
        """A file that was downloaded, once all of it is there."""
        path = self.downloads / name
        self.firefox.wait(lambda: path.exists() and not list(self.downloads.glob("*.part")))
        return path

    def case(self) -> dict[str, Any]:
        """What is shown of the case, the history with its last word first."""
        found: dict[str, Any] = self.firefox.script(_CASE)
        return found

    def say(self, form: str, **fields: str) -> None:
        """Opens a form of the case, fills it in and sends it; `fields` are ids with _ for -."""
        closed = f"!document.querySelector('#{form}-details')?.open"
        if form != "note":
            self.firefox.click(f"#{form}-details summary")
        for id_, value in fields.items():
            css = f"#{id_.replace('_', '-')}"
            self.firefox.script(_SET, f'[name="state"][value="{value}"]' if id_ == "state" else css, value)
        self.firefox.click(f"#say-{form} [type=submit]")
        self.firefox.wait(
            lambda: self.said() == self.message("said") and self.firefox.script(f"return {closed}")
        )
