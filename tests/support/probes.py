"""What a program that was taken over would try, from inside of a unit's sandbox, in place of its own program.

Prints how each try ended, as JSON: "done", or the error's name.
"""
# ruff: noqa: S108 - on the box

import ctypes
import errno
import json
import mmap
import os
import resource
import socket
import time
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)


def call(name, *words):
    """One of libc's functions; OSError when it says no."""
    if getattr(libc, name)(*words) == -1:
        raise OSError(ctypes.get_errno(), name)


def write(folder):
    file = Path(folder, "probe")
    file.write_text("x")
    file.unlink()


def run(folder):
    file = Path(folder, "probe")
    file.write_text("#!/bin/true\n")
    file.chmod(0o700)
    try:
        os.waitpid(os.posix_spawn(file, [str(file)], {}), 0)
    finally:
        file.unlink()


def read(path):
    list(Path(path).iterdir()) if Path(path).is_dir() else Path(path).read_bytes()


def others():
    """Only one's own process can be seen."""
    if [one.name for one in Path("/proc").iterdir() if one.name.isdigit()] == [str(os.getpid())]:
        raise PermissionError(errno.EPERM, "nobody else")


def core():
    if resource.getrlimit(resource.RLIMIT_CORE) == (0, 0):
        raise PermissionError(errno.EPERM, "no core")


TRIES = {
    "speak IPv4": lambda: socket.socket(socket.AF_INET),
    "speak IPv6": lambda: socket.socket(socket.AF_INET6),
    "ask the kernel about networks": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "listen to the wire": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "write to /etc": lambda: write("/etc"),
    "write to /usr": lambda: write("/usr"),
    "write to the programs": lambda: write("/opt/knothole"),
    "write to /run": lambda: write("/run"),
    "write to /home": lambda: write("/home"),
    "write to /dev/shm": lambda: write("/dev/shm"),
    "write to /tmp": lambda: write("/tmp"),
    "write to /var/tmp": lambda: write("/var/tmp"),
    "run what it wrote beside the source's socket": lambda: run("/run/knothole/source"),
    "run what it wrote beside the sealer's socket": lambda: run("/run/knothole/sealer"),
    "run what it wrote among the drops": lambda: run("/var/lib/knothole"),
    "write to the drops": lambda: write("/var/lib/knothole"),
    "read the drops": lambda: read("/var/lib/knothole"),
    "read passwords": lambda: read("/etc/shadow"),
    "read the onions' keys": lambda: read("/var/lib/tor"),
    "read tor's settings": lambda: read("/etc/tor"),
    "read tor's cookie": lambda: read("/run/tor/control.authcookie"),
    "read ssh's keys": lambda: read("/etc/ssh"),
    "read root's home": lambda: read("/root"),
    "see other processes": others,
    "read the kernel's log": lambda: call("klogctl", 3, ctypes.create_string_buffer(64), 64),
    "open memory": lambda: read("/dev/mem"),
    "run what is in memory": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC),
    "become root": lambda: os.setuid(0),
    "make namespaces": lambda: call("unshare", 0x10000000),
    "mount": lambda: call("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    "change its root": lambda: os.chroot("/tmp"),
    "trace a process": lambda: call("ptrace", 16, os.getppid(), None, None),
    "set the clock": lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()),
    "name the machine": lambda: socket.sethostname("probe"),
    "come before all others": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
    "change how programs run": lambda: call("personality", 0x0040000),
    "lock memory": lambda: call("mlockall", 1),
    "swap": lambda: call("swapon", b"/tmp/none", 0),
    "restart the machine": lambda: call("reboot", 0),
    "account for all": lambda: call("acct", b"/tmp/none"),
    "leave a core": core,
}


def ended(attempt):
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))
    return "done"


if __name__ == "__main__":
    print(json.dumps({name: ended(attempt) for name, attempt in TRIES.items()}))
