"""What lies on the box: whose it is, who can read it, what runs, and what is not there."""

import re

import pytest
from support.box_machine import FAILED, IN_A_CONTAINER, Box

pytestmark = IN_A_CONTAINER

PROGRAMS = ("relay", "sealer", "health", "debian-tor")
SERVICES = ("knothole-relay", "knothole-sealer", "tor", "nftables", "ssh")
TIMERS = ("knothole-health", "apt-daily", "apt-daily-upgrade")
MOUNTS = ("tmp", "var-lib-knothole")
UNITS = [
    f"{name}.{kind}"
    for kind, names in (("service", SERVICES), ("timer", TIMERS), ("mount", MOUNTS))
    for name in names
]


@pytest.mark.parametrize("unit", UNITS)
def test_what_should_run_runs_now_and_after_every_restart(box: Box, unit: str) -> None:
    assert box.machine.shell(f"systemctl is-active {unit}") == "active"
    assert box.machine.shell(f"systemctl is-enabled {unit}") == "enabled"


def test_nothing_failed(box: Box) -> None:
    assert box.machine.shell(FAILED) == ""


@pytest.mark.parametrize("unit", ["unattended-upgrades.service", "systemd-timesyncd.service"])
def test_what_only_waits_or_is_the_hosts_does_not_run_here(box: Box, unit: str) -> None:
    enabled = "enabled" if unit == "systemd-timesyncd.service" else "disabled"
    assert box.machine.run("systemctl", "is-enabled", unit).stdout.strip() == enabled
    assert box.machine.run("systemctl", "is-active", unit).stdout.strip() == "inactive"


ONION = "/var/lib/tor/{}-onion"
MODES = {
    "/var/lib/knothole": "700 relay:relay",
    "/var/lib/knothole/drops": "700 relay:relay",
    "/var/lib/knothole/board": "600 relay:relay",
    "/etc/knothole": "755 root:root",
    "/etc/knothole/relay.yaml": "600 root:root",
    "/etc/knothole/sealer.yaml": "600 root:root",
    "/etc/knothole/masthead.pub": "644 root:root",
    "/etc/tor/torrc": "640 root:debian-tor",
    "/etc/nftables.conf": "755 root:root",
    "/etc/ssh/sshd_config.d/10-knothole.conf": "600 root:root",
    "/etc/sudoers.d/knothole": "440 root:root",
    "/usr/bin/sudo": "4750 root:sudo",
    "/etc/shadow": "640 root:shadow",
    "/root": "700 root:root",
    "/opt/knothole": "755 root:root",
    "/opt/knothole/editions": "755 root:root",
    "/opt/knothole/relay/current/bin/python": "777 root:root",
    "/run/knothole": "755 root:root",
    "/run/knothole/source": "2750 relay:debian-tor",
    "/run/knothole/desk": "2750 relay:debian-tor",
    "/run/knothole/sealer": "2750 sealer:debian-tor",
    "/run/knothole/desk/socket": "660 relay:debian-tor",
    "/run/knothole/sealer/socket": "660 sealer:debian-tor",
    "/run/tor/control.authcookie": "640 debian-tor:debian-tor",
    **{ONION.format(one): "700 debian-tor:debian-tor" for one in ("source", "desk", "ssh")},
    **{
        f"{ONION.format(one)}/hs_ed25519_secret_key": "600 debian-tor:debian-tor"
        for one in ("source", "desk", "ssh")
    },
    **{f"{ONION.format(one)}/authorized_clients": "700 debian-tor:debian-tor" for one in ("desk", "ssh")},
    f"{ONION.format('ssh')}/authorized_clients/operator.auth": "600 debian-tor:debian-tor",
    f"{ONION.format('desk')}/authorized_clients/ada.auth": "600 debian-tor:debian-tor",
}


@pytest.mark.parametrize("path", MODES)
def test_a_file_belongs_to_whom_it_should(box: Box, path: str) -> None:
    assert (
        box.machine.shell(f"stat -Lc '%a %U:%G' {path}" if "socket" in path else f"stat -c '%a %U:%G' {path}")
        == MODES[path]
    )


@pytest.mark.parametrize("user", PROGRAMS)
def test_a_program_owns_nothing_that_runs(box: Box, user: str) -> None:
    owned = "find /opt/knothole /etc /usr -xdev"
    assert box.machine.shell(f"{owned} -user {user}") == ""
    assert box.machine.shell(f"{owned} -group {user} -perm /020") == ""
    assert box.machine.shell(f"getent passwd {user} | cut -d: -f7") in ("/usr/sbin/nologin", "/bin/false")
    assert box.machine.shell(f"passwd --status {user}").split()[1] == "L"


def test_nobody_but_root_writes_where_programs_and_settings_lie(box: Box) -> None:
    assert box.machine.shell("find /opt/knothole /etc /usr -xdev -not -type l -perm /022") == ""


def test_no_secret_lies_where_everybody_can_read(box: Box) -> None:
    """The onions' keys, searched for in every file that is not closed, of every disk."""
    last = "tail -c 64 /var/lib/tor/$one-onion/hs_ed25519_secret_key | base64 -w0; echo"
    secrets = box.machine.shell(f"for one in source desk ssh; do {last}; done").split()
    assert [len(one) for one in secrets] == [88, 88, 88]
    search = """
import base64, pathlib, stat, sys
secrets = [base64.b64decode(one)[:32] for one in sys.argv[1:]]
for top in ("/etc", "/opt", "/var", "/run", "/root", "/home", "/tmp", "/usr/local"):
    for file in pathlib.Path(top).rglob("*"):
        if file.is_file() and not file.is_symlink():
            found = [n for n, one in enumerate(secrets) if one in file.read_bytes()]
            if found:
                print(file, oct(file.stat().st_mode & 0o777), found)
"""
    said = box.machine.run("python3", "-c", search, *secrets).stdout.splitlines()
    assert sorted(said) == [
        f"/var/lib/tor/{one}-onion/hs_ed25519_secret_key 0o600 [{n}]"
        for n, one in sorted(enumerate(("source", "desk", "ssh")), key=lambda pair: pair[1])
    ]


def test_no_installer_is_left(box: Box) -> None:
    for program in ("relay", "sealer"):
        assert box.machine.run(f"/opt/knothole/{program}/current/bin/python", "-Im", "pip").returncode != 0
    assert box.machine.shell("ls /opt/knothole") == "edition\neditions\nrelay\nsealer"


@pytest.mark.parametrize("path", ["/tmp", "/var/lib/knothole", "/run", "/dev/shm"])  # noqa: S108 - the box's
def test_a_place_for_data_holds_no_program_and_no_device(box: Box, path: str) -> None:
    options = box.machine.shell(f"findmnt -no OPTIONS --target {path}").split(",")
    assert {"nosuid", "nodev"} <= set(options)
    assert "noexec" in options or path in ("/run", "/dev/shm")  # noqa: S108
    if "noexec" in options:
        box.machine.shell(f"printf '#!/bin/true\n' >{path}/probe; chmod 700 {path}/probe")
        assert "Permission denied" in box.machine.run("sh", "-c", f"{path}/probe").stderr
        box.machine.shell(f"rm {path}/probe")


def test_sudo_is_for_its_group_and_asks_every_time(box: Box) -> None:
    assert box.machine.shell("visudo --check") != ""
    said = box.machine.shell("sudo -l -U root")
    assert "use_pty" in said
    assert "timestamp_timeout=0" in said
    for user in PROGRAMS:
        assert (
            "PermissionError"
            in box.as_user(user, "import os; os.execv('/usr/bin/sudo', ['sudo', '-n'])").stderr
        )


SSHD = {
    "authenticationmethods": "publickey",
    "passwordauthentication": "no",
    "kbdinteractiveauthentication": "no",
    "permitrootlogin": "without-password",
    "permitemptypasswords": "no",
    "allowagentforwarding": "no",
    "allowtcpforwarding": "no",
    "allowstreamlocalforwarding": "no",
    "x11forwarding": "no",
    "permittunnel": "no",
    "permituserenvironment": "no",
    "maxauthtries": "3",
    "printlastlog": "no",
    "loglevel": "ERROR",
}


@pytest.mark.parametrize("option", SSHD)
def test_ssh_is_strict(box: Box, option: str) -> None:
    settings = dict(line.split(" ", 1) for line in box.machine.shell("sshd -T").splitlines() if " " in line)
    assert settings[option] == SSHD[option]


def test_it_is_small(box: Box, figures: dict[str, str]) -> None:
    kib = "cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '/^Pss:/ {all += $2} END {print all}'"
    used = int(box.machine.shell(kib))
    figures["memory of the idle box's programs"] = f"{used >> 10} MiB"
    assert used < 256 << 10


def test_an_update_with_other_settings_of_tor_is_installed_and_ours_stay(box: Box) -> None:
    """Asked of the program itself: it leaves out each package that would ask somebody."""
    ask = "runpy.run_path('/usr/bin/unattended-upgrade', run_name='asked')['dpkg_conffile_prompt']()"
    assert box.machine.shell(f'python3 -c "import runpy; print({ask})"') == "False"


@pytest.mark.parametrize(
    "there",
    [
        "/var/log/journal",
        "/var/log/syslog",
        "/usr/sbin/rsyslogd",
        "/etc/apt/sources.list",
        "/root/.bash_history",
        "/swapfile",
    ],
)
def test_what_would_remember_is_not_there(box: Box, there: str) -> None:
    assert box.machine.run("test", "-e", there).returncode != 0


@pytest.mark.parametrize("log", ["wtmp", "btmp", "lastlog"])
def test_who_logged_in_is_written_nowhere(box: Box, log: str) -> None:
    """Also after a start, at which Debian 12 makes these anew."""
    assert box.machine.shell(f"readlink /var/log/{log}") == "/dev/null"
    assert box.machine.shell(f"find /var/log /var/lib/lastlog -name '{log}*' -type f") == ""
    assert box.machine.shell("stat -c %F /var/log/wtmp.db") == "directory"


def test_nothing_is_kept_of_what_was(box: Box) -> None:
    assert box.machine.shell("tail -n +2 /proc/swaps") == ""
    assert box.machine.shell("ls /etc/apt/sources.list.d") == "knothole.sources"
    assert "Storage=volatile" in box.machine.shell("systemd-analyze cat-config systemd/journald.conf")
    for way in ("-ic", "-lic"):
        kept = f"bash {way} 'echo ${{HISTFILE-nothing}} $LESSHISTFILE' 2>/dev/null"
        assert box.machine.shell(kept).endswith("nothing -")
    assert box.machine.shell("su -s /bin/sh -c 'ulimit -Hc' nobody") == "0"


def test_the_clock_is_asked_for_as_every_debian_does(box: Box) -> None:
    said = box.machine.shell("systemd-analyze cat-config systemd/timesyncd.conf")
    named = re.findall(r"^(?:Fallback)?NTP=(.*)$", said, re.M)
    assert " ".join(named).split() == [f"{n}.debian.pool.ntp.org" for n in range(4)]


def test_updates_come_through_tor_by_themselves_and_restart_at_night(box: Box) -> None:
    uris = [
        line for line in box.machine.shell("apt-get indextargets --format '$(SITE)'").splitlines() if line
    ]
    assert uris
    assert all(uri.startswith("tor+https://deb.debian.org/") for uri in uris)
    settings = box.machine.shell("apt-config dump")
    for line in (
        'APT::Periodic::Unattended-Upgrade "1";',
        'Unattended-Upgrade::Automatic-Reboot "true";',
        'Unattended-Upgrade::Automatic-Reboot-Time "03:40";',
    ):
        assert line in settings
    origins = [line for line in settings.splitlines() if "Origins-Pattern::" in line]
    assert any("label=Debian-Security" in line for line in origins)
