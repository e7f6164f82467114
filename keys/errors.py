# ruff: noqa: N818 - an exception is named for what happened
"""Every exception of the project. The docstring's first line is what the user reads after `desk: error:`."""


class KnotholeError(Exception):
    """something went wrong"""

    hint = ""

    def __init__(self, detail: str = "", *, hint: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint or type(self).hint

    def __str__(self) -> str:
        said = (type(self).__doc__ or "").partition("\n")[0]
        return f"{said}: {self.detail}" if self.detail else said


class BadAgeFile(KnotholeError):
    """this is not a whole and unaltered age file"""

    hint = "fetch it again; if it stays broken, it was damaged or altered before it came here"


class NotForYou(KnotholeError):
    """none of these identities opens this file"""

    hint = "the source may have chosen other recipients, or it was sealed to an older key of yours"


class BadRecipient(KnotholeError):
    """this is not a recipient"""


class BadIdentity(KnotholeError):
    """this is not an identity"""


class WrongPassphrase(KnotholeError):
    """the passphrase does not unlock this file"""


class NoPassphrase(KnotholeError):
    """there is no passphrase to use"""


class BadDrop(KnotholeError):
    """this drop breaks the format and was not opened"""

    hint = "nothing of it was written; a drop is a stranger's file, and this one is malformed"


class NoDrop(BadDrop):
    """this age file holds no drop"""


class WrongNewsroom(KnotholeError):
    """this drop was made for another newsroom"""


class Replayed(KnotholeError):
    """this drop is a copy of one that was seen before"""


class BadCodename(KnotholeError):
    """these are not the twelve words of a codename"""

    def __init__(self, detail: str = "", *, word: str = "", count: int = 12) -> None:
        super().__init__(detail)
        self.word = word  # the first that is not in the list
        self.count = count  # how many there are


class Forged(KnotholeError):
    """a signature does not match"""


class BadMasthead(Forged):
    """this is not a masthead"""

    hint = "name the masthead.pub that `desk keygen --masthead` made: a minisign public key of two lines"


class BadEdition(KnotholeError):
    """this edition is not genuine"""

    hint = "do not use the page; tell the newsroom by another way"


class BadOnion(KnotholeError):
    """this is not an onion address or key"""


class BadNewsroom(KnotholeError):
    """the newsroom's file has mistakes"""


class Refused(KnotholeError):
    """the relay refused"""


class Unreachable(KnotholeError):
    """the relay does not answer"""


class Deceived(KnotholeError):
    """the box does what no honest box does"""


class NotWatched(KnotholeError):
    """the watcher could not look"""


class NotTold(KnotholeError):
    """today's number could not be told"""


class DeskError(KnotholeError):
    """the desk cannot do that"""

    def __str__(self) -> str:
        return self.detail or super().__str__()
