"""Writes the vectors of keys/FORMAT.md sections 2 to 4 and 7 to 9, by a second implementation: no code of keys/ is used.

HKDF is written out over HMAC, XChaCha20-Poly1305 is HChaCha20 written out in front of OpenSSL's
ChaCha20-Poly1305, and signatures are OpenSSL's. Padding is the paper's rule: round up to as many significant
bits as it allows.
"""
# ruff: noqa: E501 (tables of words)

import hashlib
import hmac
import json
import struct
import tarfile
import unicodedata
from pathlib import Path

import mnemonic
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

HERE = Path(__file__).parent
LISTS = Path(mnemonic.__file__).parent / "wordlist"
NEWSROOM = "5d41402abc4b2a76"


def save(folder: str, stem: str, /, **case: object) -> None:
    (HERE / folder).mkdir(exist_ok=True)
    text = json.dumps(case, ensure_ascii=folder in ("name", "statement"), indent=1)
    (HERE / folder / f"{stem}.json").write_text(text + "\n", encoding="utf-8")


def hkdf(ikm: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869, sections 2.2 and 2.3."""
    prk = hmac.new(salt or bytes(32), ikm, hashlib.sha256).digest()
    block, out = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.new(prk, block + info + bytes([counter]), hashlib.sha256).digest()
        out += block
    return out[:length]


def hchacha20(key: bytes, nonce: bytes) -> bytes:
    """draft-irtf-cfrg-xchacha, section 2.2."""
    s = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))

    def turn(a: int, b: int, c: int, d: int) -> None:
        for x, y, z, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xFFFFFFFF
            mixed = s[z] ^ s[x]
            s[z] = (mixed << bits | mixed >> (32 - bits)) & 0xFFFFFFFF

    for _ in range(10):
        for column in range(4):
            turn(column, column + 4, column + 8, column + 12)
        for row in range(4):
            turn(row, 4 + (row + 1) % 4, 8 + (row + 2) % 4, 12 + (row + 3) % 4)
    return struct.pack("<8I", *s[:4], *s[12:])


def xseal(key: bytes, nonce: bytes, aad: bytes, plain: bytes) -> bytes:
    return ChaCha20Poly1305(hchacha20(key, nonce[:16])).encrypt(bytes(4) + nonce[16:], plain, aad)


def words_of(entropy: bytes, listname: str) -> list[str]:
    """BIP39: the entropy's bits and its checksum's, eleven at a time."""
    words = (LISTS / f"{listname}.txt").read_text(encoding="utf-8").split()
    bits = f"{int.from_bytes(entropy, 'big'):0128b}" + f"{hashlib.sha256(entropy).digest()[0]:08b}"[:4]
    return [words[int(bits[at : at + 11], 2)] for at in range(0, 132, 11)]


def padding() -> None:
    def padded(length: int) -> int:
        significant = (length.bit_length() - 1).bit_length() + 1  # floor(log2 E) + 1 bits after the first
        cut = max(0, length.bit_length() - significant)
        return max(16384, -(-length // 2**cut) * 2**cut)

    by_hand = {2048: 16384, 16384: 16384, 16896: 17408, 33280: 34816, 2**30: 2**30, 2**30 + 512: 1107296256}
    cases = {
        "smallest": (2048, "an empty tar pads to the floor"),
        "floor-exactly": (16384, "the floor itself"),
        "one-block-over": (16896, "one block over the floor: E = 14, S = 4, so multiples of 1024"),
        "already-padded": (17408, "a padded size pads to itself"),
        "power-of-two-plus": (33280, "just past 2^15: multiples of 2048"),
        "part": (1048576, "one part exactly"),
        "part-plus": (1049088, "one part and a block"),
        "gibibyte": (2**30, "1 GiB exactly"),
        "gibibyte-plus": (2**30 + 512, "past 1 GiB: E = 30, S = 5, so multiples of 2^25"),
        "over-2-gib": (2**31 + 512, "past 31 bits: 32-bit arithmetic is wrong from here"),
        "over-4-gib": (2**32 + 512, "past 32 bits: S grows to 6"),
        "eight-gib": (2**33 - 512 + 3072, "the largest file, its header and what surrounds it"),
        "odd": (5 * 10**9, "a number with many bits"),
    }
    for name, (length, comment) in cases.items():
        assert by_hand.get(length, padded(length)) == padded(length)
        save("padding", name, comment=comment, length=length, padded=padded(length))


def tars() -> None:
    """Python's own tarfile writes the header; its device numbers are set, since newer ones leave them empty."""
    cases = {
        "metadata": ("drop.json", 612, "the first member"),
        "empty": ("message.txt", 0, "a member without content"),
        "longest-name": ("files/" + "a" * 94, 1, "a name that fills its field, without a NUL"),
        "utf-8": ("files/" + "é" * 47, 5, "a name of two-byte characters"),
        "largest": ("files/big", 8**11 - 1, "the largest size eleven octal digits hold"),
    }
    for name, (member, size, comment) in cases.items():
        info = tarfile.TarInfo(member)
        info.size, info.mode = size, 0o600
        header = bytearray(info.tobuf(tarfile.USTAR_FORMAT, "utf-8"))
        header[329:345] = b"0000000\0" * 2
        header[148:156] = b"%06o\0 " % (sum(header[:148]) + 8 * 32 + sum(header[156:]))
        save("tar", name, comment=comment, name=member, size=size, header=header.hex())


def names() -> None:
    good = {
        "plain": ("report.pdf", "letters and a dot"),
        "no-extension": ("report", "no dot at all"),
        "spaces-inside": ("annual report 2024.pdf", "spaces inside are fine"),
        "dots-inside": ("a.b..c.tar.gz", "dots inside are fine"),
        "accents-nfc": (unicodedata.normalize("NFC", "été.txt"), "accents, composed"),
        "arabic": ("تقرير.pdf", "right to left letters, no control characters"),
        "chinese": ("报告.pdf", "Chinese"),
        "emoji": ("\U0001f41f.png", "an emoji of one code point"),
        "one-byte": ("a", "the shortest name"),
        "ninety-four-bytes": ("a" * 94, "the longest name"),
        "ninety-four-bytes-of-two": ("é" * 47, "bytes are counted, not characters"),
        "con-inside": ("CONTRACT.pdf", "begins like a device's name and is none"),
        "com-ten": ("COM10.txt", "two digits are no device's name"),
        "con-as-extension": ("notes.con", "only the stem matters"),
        "quote": ("it's (final) [2] & co; $5 #1 100%.txt", "characters that only a shell minds"),
        "hyphen-inside": ("a-b", "a hyphen inside"),
        "unassigned": (
            "\u0378.txt",
            "a character no Unicode knows yet: the reader's tables may be older than the page's",
        ),
    }
    bad = {
        "empty": ("", "no name"),
        "dot": (".", "this folder"),
        "dot-dot": ("..", "the folder above"),
        "hidden": (".bashrc", "begins with a dot"),
        "slash": ("a/b", "a path"),
        "absolute": ("/etc/passwd", "an absolute path"),
        "traversal": ("../../etc/passwd", "a path upwards"),
        "backslash": ("a\\b", "a path elsewhere"),
        "colon": ("c:a", "a drive or a stream"),
        "star": ("*", "a wildcard"),
        "question": ("a?.txt", "a wildcard"),
        "double-quote": ('a".txt', "a quote"),
        "less": ("a<.txt", "a redirection"),
        "greater": ("a>.txt", "a redirection"),
        "pipe": ("a|b", "a pipe"),
        "hyphen-first": ("-rf", "reads as an option"),
        "space-first": (" a", "begins with a space"),
        "space-last": ("a ", "ends with a space"),
        "dot-last": ("a.", "ends with a dot"),
        "newline": ("a\nb", "a line feed"),
        "nul": ("a\0b", "a NUL"),
        "escape": ("a\x1b[31m", "a terminal's escape"),
        "delete": ("a\x7f", "DEL"),
        "c1-control": ("a\u0085b", "a C1 control"),
        "bidi-override": ("a\u202efdp.exe", "a right to left override"),
        "zero-width-joiner": ("a\u200db", "a format character"),
        "byte-order-mark": ("\ufeffa", "a format character"),
        "soft-hyphen": ("a\u00adb", "a format character"),
        "line-separator": ("a\u2028b", "a line separator"),
        "paragraph-separator": ("a\u2029b", "a paragraph separator"),
        "private-use": ("a\ue000b", "a private-use character"),
        "surrogate": ("a\ud800b", "half of a pair"),
        "decomposed": (unicodedata.normalize("NFD", "é.txt"), "not NFC"),
        "ninety-five-bytes": ("a" * 95, "a byte too long"),
        "ninety-six-bytes-of-two": ("é" * 48, "bytes are counted, not characters"),
        "device": ("CON", "a device on Windows"),
        "device-any-case": ("cOn.txt", "a device in any case and with any extension"),
        "device-nul": ("nul.tar.gz", "the stem ends at the first dot"),
        "device-com0": ("com0", "COM0"),
        "device-lpt9": ("LPT9.log", "LPT9"),
    }
    for table, valid in ((good, True), (bad, False)):
        for name, (value, comment) in table.items():
            save("name", name, comment=comment, name=value, valid=valid)


TREZOR = {  # github.com/trezor/python-mnemonic, vectors.json
    "00000000000000000000000000000000": "abandon " * 11 + "about",
    "7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f": "legal winner thank year wave sausage worth useful legal winner thank yellow",
    "80808080808080808080808080808080": "letter advice cage absurd amount doctor acoustic avoid letter advice cage above",
    "ffffffffffffffffffffffffffffffff": "zoo " * 11 + "wrong",
    "9e885d952ad362caeb4efe34a8e91bd2": "ozone drill grab fiber curtain grace pudding thank cruise elder eight picnic",
    "c0ba5a8e914111210f2bd131f3d5e08d": "scheme spot photo card baby mountain device kick cradle pact join borrow",
    "23db8160a31d3e0dca3688ed941adbf3": "cat swing flag economy stadium alone churn speed unique patch report train",
    "f30f8c1da665478f49b001d94c5fc452": "vessel ladder alter error federal sibling chat ability sun glass valve picture",
}
LANGUAGES = {
    "es": "spanish", "fr": "french", "it": "italian", "ja": "japanese", "ko": "korean", "pt": "portuguese",
    "cs": "czech", "zh": "chinese_simplified", "zh-Hant": "chinese_traditional", "nl": "english",
}  # fmt: skip


def codenames() -> None:
    for number, (entropy, words) in enumerate(TREZOR.items(), 1):
        assert words_of(bytes.fromhex(entropy), "english") == words.split()
        comment = "Trezor's BIP39 vector"
        save("codename", f"trezor-{number}", comment=comment, language="en", entropy=entropy, words=words)
    entropy = "c0ba5a8e914111210f2bd131f3d5e08d"
    for language, listname in LANGUAGES.items():
        words = words_of(bytes.fromhex(entropy), listname)
        comment = f"the {listname} list"
        save(
            "codename",
            f"language-{language}",
            comment=comment,
            language=language,
            entropy=entropy,
            words=" ".join(words),
        )

    scheme = TREZOR[entropy]
    spanish = words_of(bytes.fromhex(entropy), "spanish")
    japanese = words_of(bytes.fromhex(entropy), "japanese")
    typed = {
        "typed-in-capitals": ("en", scheme.upper(), "case does not matter"),
        "typed-on-lines": ("en", "\n\t" + scheme.replace(" ", " \r\n ") + "  ", "nor does white space"),
        "typed-composed": (
            "es",
            unicodedata.normalize("NFC", " ".join(spanish)).title(),
            "accents composed, capitals",
        ),
        "typed-with-wide-spaces": ("ja", "\u3000".join(japanese), "ideographic spaces"),
        "typed-composed-japanese": (
            "ja",
            unicodedata.normalize("NFC", " ".join(japanese)),
            "voiced marks composed",
        ),
    }
    for name, (language, words, comment) in typed.items():
        save("codename", name, comment=comment, language=language, entropy=entropy, words=words)

    cut = scheme.split()
    wrong = {
        "wrong-word": (
            "en",
            scheme.replace("mountain", "mountian"),
            "word",
            "mountian",
            "a typing error is named",
        ),
        "wrong-first-of-two": (
            "en",
            "sceme " + " ".join(cut[1:-1]) + " borow",
            "word",
            "sceme",
            "the first is named",
        ),
        "other-language": ("nl", " ".join(spanish), "word", spanish[0], "another list's words"),
        "prefix": ("en", scheme.replace("mountain", "moun"), "word", "moun", "no abbreviations"),
        "swapped": (
            "en",
            " ".join([cut[1], cut[0], *cut[2:]]),
            "checksum",
            "",
            "the checksum catches a swap",
        ),
        "another-word": (
            "en",
            " ".join([*cut[:-1], "box"]),
            "checksum",
            "",
            "a word of the list in the wrong place",
        ),
        "eleven": ("en", " ".join(cut[:-1]), "count", "", "a word is missing"),
        "thirteen": ("en", scheme + " zoo", "count", "", "a word too many"),
        "twenty-four": ("en", "abandon " * 23 + "art", "count", "", "256 bits are BIP39 and no codename"),
        "none": ("en", "  \n ", "count", "", "nothing at all"),
    }
    for name, (language, words, error, word, comment) in wrong.items():
        more = {"word": word} if word else {}
        save("codename", name, comment=comment, language=language, words=words, error=error, **more)


def thread_of(entropy: bytes, newsroom: str) -> tuple[bytes, str]:
    key = hkdf(entropy, newsroom.encode(), b"knothole/v1/thread", 32)
    return key, hkdf(key, b"", b"knothole/v1/thread-id", 8).hex()


def threads() -> None:
    cases = {
        "zeros": (bytes(16), NEWSROOM, "no entropy"),
        "plain": (bytes(range(16)), NEWSROOM, "a newsroom id from a masthead"),
        "other-newsroom": (
            bytes(range(16)),
            "example-news",
            "the same words at another newsroom are another thread",
        ),
    }
    for name, (entropy, newsroom, comment) in cases.items():
        key, thread_id = thread_of(entropy, newsroom)
        save(
            "thread",
            name,
            comment=comment,
            entropy=entropy.hex(),
            newsroom=newsroom,
            thread_key=key.hex(),
            thread_id=thread_id,
        )


def line(
    name: str, comment: str, *, text: bytes = b"", n: int = 0, i: int = 0, k: int = 1, version: int = 1,
    newsroom: str = NEWSROOM, signs: int = 1, length: int | None = None, pad: bytes = b"", signed_n: int | None = None,
    forged: bool = False, reply: bytes = bytes.fromhex("0123456789abcdef"),
) -> None:  # fmt: skip
    """One case; `signs` picks the key that really signs, `signed_n` the n it signs for."""
    seed, signing = (hashlib.sha256(f"signer {number}".encode()).digest() for number in (1, signs))
    signer = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    thread = thread_of(bytes(range(16)), NEWSROOM)[0]
    head = (
        bytes([version]) + reply + bytes([i, k]) + struct.pack(">H", len(text) if length is None else length)
    )
    frame = head + text + pad + bytes(1915 - len(text) - len(pad))
    to_sign = b"knothole/v1/line" + bytes([len(newsroom)]) + newsroom.encode() + thread
    to_sign += bytes([n if signed_n is None else signed_n]) + frame
    frame += Ed25519PrivateKey.from_private_bytes(signing).sign(to_sign)
    nonce = hashlib.sha512(name.encode()).digest()[:24]
    label = hmac.new(
        hkdf(thread, b"", b"knothole/v1/label", 32), signer + bytes([n]), hashlib.sha256
    ).digest()[:16]
    key = hkdf(thread, b"", b"knothole/v1/line" + signer + bytes([n]), 32)
    whole = label + nonce + xseal(key, nonce, label, frame)
    assert len(whole) == 2048
    case = {
        "comment": comment, "newsroom": NEWSROOM, "thread_key": thread.hex(), "signer_seed": seed.hex(),
        "signer": signer.hex(), "n": n, "reply": reply.hex(), "i": i, "k": k,
        "text": text.decode("utf-8", "surrogateescape") if not forged else "", "nonce": nonce.hex(), "label": label.hex(),
        "line": whole.hex(),
    }  # fmt: skip
    save("line", name, **case, **({"forged": True} if forged else {}))


def lines() -> None:
    line("short", "a reply of one line", text=b"Thank you. Can we meet the evidence halfway?")
    line("last-n", "the last n", text=b"bye", n=255)
    line("accents", "text is UTF-8", text="déjà vu, 你好, שלום".encode(), n=7)
    line("full", "a frame filled to its last byte", text=b"x" * 1915, n=3)
    line("part-of-four", "the last of four parts", text=b"and that is all", n=9, i=3, k=4)
    line(
        "another-key",
        "signed by another key",
        text=b"send the originals to this address",
        signs=2,
        forged=True,
    )
    line(
        "another-newsroom", "signed for another newsroom", text=b"hello", newsroom="example-news", forged=True
    )
    line("another-n", "signed for another n", text=b"hello", n=4, signed_n=5, forged=True)
    line("version-two", "a version that is not 1", text=b"hello", version=2, forged=True)
    line("no-parts", "k is 0", text=b"hello", k=0, forged=True)
    line("five-parts", "k is 5", text=b"hello", k=5, forged=True)
    line("part-past-the-last", "i is not below k", text=b"hello", i=2, k=2, forged=True)
    line("too-long", "a length past the frame", text=b"hello", length=1916, forged=True)
    line("padding-not-zero", "a byte hidden in the padding", text=b"hello", pad=b"\0\0!", forged=True)
    line("not-utf-8", "a whole reply that is not UTF-8", text=b"caf\xe9", forged=True)


def notices() -> None:
    """What a day's three numbers are: drawn one after the other from those that are left."""
    days = {"a-day": (bytes(32), "2026-11-22"), "another": (bytes(range(32)), "2027-02-28")}
    for stem, (identity, day) in days.items():
        drawn = int.from_bytes(hkdf(identity, b"", f"knothole/v1/notice {day}".encode(), 32), "big")
        left = [f"{number:04}" for number in range(10_000)]
        numbers = {}
        for meaning in ("nothing", "new", "trouble"):
            drawn, at = divmod(drawn, len(left))
            numbers[meaning] = left.pop(at)
        save("notice", stem, identity=identity.hex(), day=day, numbers=numbers)


def rotations() -> None:
    old, new = bytes(range(32)), bytes(range(32, 64))
    stretched = hashlib.shake_256(new).digest(96)
    lattice = MLKEM768PrivateKey.from_seed_bytes(stretched[:64]).public_key().public_bytes_raw()
    curve = X25519PrivateKey.from_private_bytes(stretched[64:]).public_key().public_bytes_raw()
    before, after = (
        Ed25519PrivateKey.from_private_bytes(hkdf(seed, b"", b"knothole/v1/sign", 32)) for seed in (old, new)
    )
    former, signer = (key.public_key().public_bytes_raw() for key in (before, after))
    for name in ("ada", "a" + "-" * 31):
        signed = b"knothole/v1/rotate" + bytes([len(name)]) + name.encode() + signer + lattice + curve
        digits = hashlib.sha256(lattice + curve + signer).hexdigest()
        save(
            "rotation",
            f"name-of-{len(name)}",
            name=name,
            old_identity=old.hex(),
            new_identity=new.hex(),
            recipient=(lattice + curve).hex(),
            signer=signer.hex(),
            former=f"{former.hex()} {before.sign(signed).hex()}",
            number=" ".join(digits[at : at + 4] for at in range(0, 32, 4)),
        )


def said(id_: str, minute: int, says: str, **more: object) -> dict[str, object]:
    return {"id": id_ * 16, "time": f"2026-11-22T06:{minute:02}Z", "says": says, **more}


PARTNERS = {"harbour": ["ada", "bea"], "valley": ["cyn"], "coast": ["eve"]}


def state(id_: str, minute: int, state: str, text: str = "") -> dict[str, object]:
    return said(id_, minute, "state", state=state, text=text)


def case(
    name: str,
    comment: str,
    notes: list[tuple[str, str, str, list[dict[str, object]]]],
    partners: dict[str, list[str]] = PARTNERS,
    late: str = "",
    **expected: object,
) -> None:
    """A case's notes, each an id, its author, what it comes after and what it says; and where the case stands
    by section 8, worked out by hand."""
    nothing = {
        "readers": ["ada", "bea", "cyn"], "order": "", "state": "new", "reason": "", "tasks": [], "labels": [],
        "checks": {"documents": "unknown", "second-source": "unknown", "heard": "unknown"},
        "date": "", "agreed": False, "answers": {"harbour": None, "valley": None}, "exclusive": None,
        "reads": {}, "refused": "", "missing": "", "heads": "",
    }  # fmt: skip
    case = nothing | expected
    ids = {key: [id_ * 32 for id_ in str(case[key])] for key in ("refused", "missing", "heads")}
    save(
        "case",
        name,
        comment=comment,
        partners=partners,
        messages=[{"id": "0" * 32, "day": "2026-11-20", "to": ["ada", "bea", "cyn"]}],
        notes=[
            {"id": id_ * 32, "author": author, "after": [one * 32 for one in after], "says": says}
            | ({"late": True} if id_ in late else {})
            for id_, author, after, says in notes
        ],
        case=case | ids | {"order": [id_ * 16 for id_ in str(case["order"])]},
    )


def cases() -> None:
    case("nothing", "nothing was said yet", [])
    case(
        "who-knew-has-the-last-word",
        "bea had read ada's note, whose clock is ahead",
        [("1", "bea", "2", [state("a", 1, "checking")]), ("2", "ada", "", [state("b", 59, "published")])],
        order="ba", state="checking", heads="1",
    )  # fmt: skip
    case(
        "neither-knew",
        "two who were offline: the later minute, and within a minute the greater id",
        [
            ("3", "bea", "", [state("a", 5, "checking")]),
            ("2", "ada", "", [state("b", 5, "aside", "no papers")]),
            ("1", "cyn", "", [state("c", 4, "published")]),
        ],
        order="cba", state="checking", heads="123",
    )  # fmt: skip
    case(
        "deeper-is-later",
        "a chain of two stands behind one note, whatever the minutes say",
        [
            ("1", "ada", "", [state("a", 9, "checking")]),
            ("2", "bea", "", [state("b", 1, "investigating")]),
            ("3", "bea", "2", [state("c", 2, "published")]),
        ],
        order="bac", state="published", heads="13",
    )  # fmt: skip
    case(
        "claims-of-depth",
        "naming notes that are not there makes none deeper, and they are missed",
        [
            ("1", "bea", "89", [state("a", 1, "published")]),
            ("2", "ada", "1", [state("b", 0, "checking", "not yet")]),
        ],
        order="ab", state="checking", reason="not yet", missing="89", heads="2",
    )  # fmt: skip
    case(
        "an-outsider",
        "eve may not read it, so she says nothing and lets nobody in; who comes after her note misses nothing",
        [
            ("1", "eve", "", [state("a", 1, "published"), said("b", 1, "widen", to=["eve"])]),
            ("2", "ada", "1", [said("c", 2, "label", label="harbour deal", set=True)]),
        ],
        order="c", labels=["harbour deal"], refused="1", heads="2",
    )  # fmt: skip
    case(
        "widened",
        "cyn lets eve in, and her outlet has a say from then on; what eve said before counts too",
        [
            ("1", "eve", "", [said("a", 1, "accept", date="2027-01-31")]),
            ("2", "ada", "", [said("b", 2, "date", date="2027-01-31")]),
            ("3", "cyn", "2", [said("c", 3, "accept", date="2027-01-31"), said("d", 3, "widen", to=["eve"])]),
        ],
        readers=["ada", "bea", "cyn", "eve"], order="abcd", date="2027-01-31", agreed=True, heads="13",
        answers={"harbour": "date", "valley": "accept", "coast": "accept"},
    )  # fmt: skip
    case(
        "a-date-that-is-objected-to",
        "answers stay with their date, and the last word of an outlet counts",
        [
            ("1", "ada", "", [said("a", 1, "date", date="2027-01-31")]),
            ("2", "cyn", "1", [said("b", 2, "accept", date="2027-01-31")]),
            ("3", "bea", "2", [said("c", 3, "date", date="2027-02-07")]),
            ("4", "cyn", "3", [said("d", 4, "object", date="2027-02-07", text="too late")]),
            ("5", "ada", "4", [said("e", 5, "date", date="2027-01-31")]),
            ("6", "bea", "5", [said("f", 6, "object", date="2027-01-31", text="too soon")]),
        ],
        order="abcdef", date="2027-01-31", answers={"harbour": "object", "valley": "accept"}, heads="6",
    )  # fmt: skip
    case(
        "tasks",
        "a task said twice is one; a handover takes the open ones; one that nobody made is not shown",
        [
            ("1", "ada", "", [said("a", 1, "task", text="call", to="bea"), said("b", 1, "task", text="read", to="bea")]),
            ("2", "bea", "1", [said("c", 2, "done", task="b" * 16, done=True), said("d", 2, "done", task="9" * 16, done=True)]),
            ("3", "ada", "2", [said("e", 3, "handover", **{"from": "bea", "to": "cyn"})]),
            ("4", "ada", "3", [said("a", 1, "task", text="call", to="bea")]),
        ],
        order="abcde", heads="4",
        tasks=[
            {"id": "a" * 16, "author": "ada", "text": "call", "to": "cyn", "done": False},
            {"id": "b" * 16, "author": "ada", "text": "read", "to": "bea", "done": True},
        ],
    )  # fmt: skip
    case(
        "the-rest",
        "labels, the checklist, exclusivity, and who has read what",
        [
            ("1", "ada", "", [
                said("a", 1, "label", label="b", set=True), said("b", 1, "label", label="a", set=True),
                said("c", 1, "check", item="heard", **{"is": "yes"}), said("d", 1, "check", item="flight-log", **{"is": "no"}),
                said("e", 1, "exclusive", partner="valley", until="2027-01-15"),
                said("f", 1, "read", messages=["0" * 32, "7" * 32]),
            ]),
            ("2", "bea", "1", [
                said("1", 2, "label", label="b", set=False), said("2", 9, "read", messages=["0" * 32]),
                said("3", 4, "read", messages=["0" * 32]),
            ]),
        ],
        order="abcdef132", labels=["a"], heads="2", exclusive=["valley", "2027-01-15"],
        checks={"documents": "unknown", "second-source": "unknown", "heard": "yes", "flight-log": "no"},
        reads={"0" * 32: {"ada": "2026-11-22T06:01Z", "bea": "2026-11-22T06:04Z"}},
    )  # fmt: skip
    case(
        "one-id-by-two-authors",
        "two tasks of one id share what is said of them, also what was said before either was made",
        [
            ("1", "cyn", "", [said("9", 1, "assign", task="a" * 16, to="bea"), said("8", 1, "done", task="a" * 16, done=True)]),
            ("2", "ada", "1", [said("a", 2, "task", text="call", to="")]),
            ("3", "bea", "2", [said("a", 2, "task", text="write", to="ada"), said("7", 3, "assign", task="a" * 16, to="cyn")]),
        ],
        order="98aa7", heads="3",
        tasks=[
            {"id": "a" * 16, "author": "ada", "text": "call", "to": "cyn", "done": True},
            {"id": "a" * 16, "author": "bea", "text": "write", "to": "cyn", "done": True},
        ],
    )  # fmt: skip
    case(
        "taken-back",
        "a date, exclusivity, a label, an answer and a task that is done are all taken back; a done task stays whose it is",
        [
            ("1", "ada", "", [
                said("a", 1, "date", date="2027-01-31"), said("b", 1, "exclusive", partner="harbour", until="2027-01-31"),
                said("c", 1, "label", label="b", set=True), said("d", 1, "check", item="heard", **{"is": "yes"}),
                said("e", 1, "task", text="call", to="bea"), said("f", 1, "done", task="e" * 16, done=True),
                said("1", 1, "handover", **{"from": "bea", "to": "cyn"}),
            ]),
            ("2", "cyn", "1", [
                said("2", 2, "date", date=""), said("3", 2, "exclusive", partner="", until=""),
                said("4", 2, "label", label="b", set=False), said("5", 2, "check", item="heard", **{"is": "unknown"}),
                said("6", 2, "done", task="e" * 16, done=False),
            ]),
        ],
        order="abcdef123456", heads="2",
        tasks=[{"id": "e" * 16, "author": "ada", "text": "call", "to": "bea", "done": False}],
    )  # fmt: skip
    case(
        "without-partners",
        "a newsroom without partners is one outlet, of all readers",
        [
            ("1", "bea", "", [said("a", 1, "date", date="2027-01-31")]),
            ("2", "eve", "1", [said("b", 2, "object", date="2027-01-31", text="no")]),
        ],
        partners={}, order="a", date="2027-01-31", agreed=True, answers={"": "date"}, refused="2", heads="1",
    )  # fmt: skip
    case(
        "let-in-by-one-who-was-let-in",
        "eve, whom ada lets in, lets fay in, whatever stands first; fay is of no outlet",
        [
            ("1", "fay", "", [said("a", 1, "note", text="hello"), said("b", 1, "accept", date="2027-01-31")]),
            ("2", "eve", "", [said("c", 1, "widen", to=["fay"])]),
            ("3", "ada", "", [said("d", 1, "widen", to=["bea", "eve"]), said("e", 1, "date", date="2027-01-31")]),
        ],
        readers=["ada", "bea", "cyn", "eve", "fay"], order="abcde", date="2027-01-31", heads="123",
        answers={"harbour": "date", "valley": None, "coast": None},
    )  # fmt: skip
    case(
        "late",
        "two of bea's came after her key had ended: ada had the one, which lets eve in; for the other speaks fay, who is no reader",
        [
            ("1", "bea", "", [state("a", 1, "checking")]),
            ("2", "bea", "1", [said("b", 2, "widen", to=["eve"])]),
            ("3", "ada", "2", [said("c", 3, "note", text="I had that")]),
            ("4", "bea", "3", [state("d", 4, "published")]),
            ("5", "fay", "4", [said("e", 5, "note", text="and I that")]),
            ("6", "eve", "3", [said("f", 6, "label", label="eve", set=True)]),
        ],
        late="24", readers=["ada", "bea", "cyn", "eve"], order="abcf", state="checking", refused="45", heads="6",
        labels=["eve"], answers={"harbour": None, "valley": None, "coast": None},
    )  # fmt: skip


def statements() -> None:
    texts = {
        "nothing": "",
        "line": "It began in March.",
        "lines": "one\n\ntwo \u202e three",
        "long": "é" * 2000,
    }
    right: dict[str, dict[str, object]] = {
        "state": {"says": "state", "state": "checking", "text": texts["nothing"]},
        "state-set-aside": {"says": "state", "state": "aside", "text": texts["line"]},
        "note": {"says": "note", "text": texts["lines"]},
        "note-of-4000-bytes": {"says": "note", "text": texts["long"]},
        "task-for-nobody": {"says": "task", "text": texts["line"], "to": ""},
        "assign": {"says": "assign", "task": "0" * 16, "to": "ada"},
        "done": {"says": "done", "task": "0" * 16, "done": False},
        "check": {"says": "check", "item": "constructor", "is": "unknown"},
        "label": {"says": "label", "label": "ħ" * 30, "set": True},
        "date-of-a-leap-day": {"says": "date", "date": "2028-02-29"},
        "date-none": {"says": "date", "date": ""},
        "accept": {"says": "accept", "date": "1000-01-01"},
        "object": {"says": "object", "date": "9999-12-31", "text": texts["line"]},
        "exclusive": {"says": "exclusive", "partner": "valley", "until": "2027-01-31"},
        "exclusive-for-nobody": {"says": "exclusive", "partner": "", "until": ""},
        "handover": {"says": "handover", "from": "ada", "to": "bea"},
        "widen-to-64": {"says": "widen", "to": [f"a{n}" for n in range(64)]},
        "read-100": {"says": "read", "messages": [f"{n:032x}" for n in range(100)]},
    }
    wrong: dict[str, dict[str, object]] = {
        "unknown": {"says": "vote"},
        "a-key-more": {"says": "note", "text": "x", "to": "ada"},
        "a-key-less": {"says": "task", "text": "x"},
        "set-aside-without-reason": {"says": "state", "state": "aside", "text": ""},
        "note-of-4001-bytes": {"says": "note", "text": texts["long"] + "e"},
        "note-of-nothing": {"says": "note", "text": ""},
        "carriage-return": {"says": "note", "text": "a\r\nb"},
        "tab": {"says": "note", "text": "a\tb"},
        "half-a-character": {"says": "note", "text": "\ud800"},
        "capital-in-a-name": {"says": "task", "text": "x", "to": "Ada"},
        "name-of-33": {"says": "handover", "from": "a" * 33, "to": "ada"},
        "done-as-number": {"says": "done", "task": "0" * 16, "done": 1},
        "label-of-61-bytes": {"says": "label", "label": "ħ" * 30 + "h", "set": True},
        "label-of-two-lines": {"says": "label", "label": "a\nb", "set": True},
        "label-with-a-space-behind": {"says": "label", "label": "a ", "set": True},
        "date-that-is-none": {"says": "date", "date": "2027-02-29"},
        "date-of-the-year-999": {"says": "date", "date": "0999-01-01"},
        "exclusive-for-ever": {"says": "exclusive", "partner": "valley", "until": ""},
        "widen-to-65": {"says": "widen", "to": [f"a{n}" for n in range(65)]},
        "widen-twice": {"says": "widen", "to": ["ada", "ada"]},
        "read-nothing": {"says": "read", "messages": []},
        "hour-24": {"time": "2026-11-22T24:00Z", "says": "note", "text": "x"},
        "seconds": {"time": "2026-11-22T06:00:00Z", "says": "note", "text": "x"},
        "id-in-capitals": {"id": "A" * 16, "says": "note", "text": "x"},
    }
    head = {"id": "0" * 16, "time": "2026-11-22T06:10Z"}
    for valid, told in ((True, right), (False, wrong)):
        for name, more in told.items():
            save("statement", name, statement=head | more, valid=valid)


if __name__ == "__main__":
    for write in (padding, tars, names, codenames, threads, lines, notices, cases, statements, rotations):
        write()
