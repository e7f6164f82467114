"""Copies of a stranger's files without metadata, by the program mat2 in a sandbox: no network, no home."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from keys.desk import files

_SECONDS = 300  # that one file may take
_MEMORY = 2 << 30  # bytes, and as much again on the sandbox's own disk
# What a file's parser can reach: programs and fonts to read, one folder to write, nobody to tell.
_SANDBOX = (
    *("bwrap", "--unshare-all", "--new-session", "--die-with-parent", "--clearenv"),
    *("--setenv", "PATH", "/usr/bin", "--setenv", "HOME", "/tmp", "--setenv", "LANG", "C.UTF-8"),  # noqa: S108
    *("--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin"),
    *("--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"),
    *("--ro-bind-try", "/etc/fonts", "/etc/fonts", "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"),
    *("--ro-bind-try", "/etc/alternatives", "/etc/alternatives"),
    *("--proc", "/proc", "--dev", "/dev", "--size", str(_MEMORY), "--tmpfs", "/tmp"),  # noqa: S108
)
_WORK = ("--chdir", "/work", "prlimit", f"--as={_MEMORY}", "mat2", "--inplace")


def lacking() -> list[str]:
    """Gives the programs without which nothing can be cleaned here."""
    return [name for name in ("mat2", "bwrap", "prlimit") if shutil.which(name) is None]


def clean(original: Path, folder: Path) -> bool:
    """Writes a file without its metadata into a folder, under the same name; tells whether mat2 could."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".") as work:
        copy = Path(work, original.name)
        shutil.copyfile(original, copy)
        command = [*_SANDBOX, "--bind", work, "/work", *_WORK, f"./{original.name}"]
        try:
            # Every word but the name is ours, and the name begins with no hyphen.
            done = subprocess.run(  # noqa: S603
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
            )
        except (subprocess.TimeoutExpired, OSError):
            return False
        if done.returncode or copy.is_symlink() or not copy.is_file():
            return False
        copy.chmod(files.PRIVATE)
        copy.rename(folder / original.name)
    return True
