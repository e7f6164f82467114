"""The playbook and its roles, as they are written; `make lint` has Ansible's linter read them too."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.box_room import PROVISION, ansible, script

ROLES = sorted(path for path in (PROVISION / "roles").iterdir())


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text()) if path.exists() else {}


def steps(tasks: Any) -> list[dict[str, Any]]:
    found = []
    for task in tasks or []:
        found += [task, *steps(task.get("block")), *steps(task.get("rescue"))]
    return found


def of(role: Path) -> list[dict[str, Any]]:
    files = [*role.glob("tasks/*.yml"), *role.glob("handlers/*.yml")]
    return [step for file in files for step in steps(read(file))]


@pytest.mark.parametrize("playbook", ["playbook.yml", "wipe.yml"])
def test_ansible_can_read_the_playbook(furnished: Path, playbook: str) -> None:
    done = ansible("ansible-playbook", "--syntax-check", playbook, newsroom=furnished)
    assert done.returncode == 0, done.stderr


def test_what_a_vault_file_holds_is_copied_by_way_of_memory(furnished: Path) -> None:
    done = ansible("ansible-config", "dump", "--only-changed", newsroom=furnished)
    assert re.search(r"(?m)^DEFAULT_LOCAL_TMP\(.*\) = /dev/shm/", done.stdout)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_what_a_role_is_given_is_what_it_says_it_takes(role: Path) -> None:
    takes = read(role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    (play,) = read(PROVISION / "playbook.yml")
    imports = [task for task in play["tasks"] if "ansible.builtin.import_role" in task]
    (given,) = (
        task.get("vars", {}) for task in imports if task["ansible.builtin.import_role"]["name"] == role.name
    )
    required = {name for name, one in takes.items() if one.get("required")}
    assert required <= set(given) <= set(takes)
    assert set(takes) - required == set(read(role / "defaults/main.yml"))
    assert all(one["description"] for one in takes.values())


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_only_what_comes_with_ansible_is_used_and_modes_are_said(role: Path) -> None:
    for step in of(role):
        names = [key for key in step if "." in key]
        assert all(name.startswith("ansible.builtin.") for name in names)
        for name in ("ansible.builtin.template", "ansible.builtin.copy"):
            if name in step:
                assert re.fullmatch(r"0[0-7]{3}", step[name]["mode"]), step["name"]


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_templates_stand_where_they_go(role: Path) -> None:
    for step in of(role):
        if written := step.get("ansible.builtin.template"):
            source, target = (re.sub(r"\{\{.*?\}\}", "*", written[one]) for one in ("src", "dest"))
            assert f"/{source}" == f"{target}.j2", step["name"]


def test_whoever_touches_a_secret_says_nothing_of_it() -> None:
    touching = [step for role in ROLES for step in of(role) if "secret_key" in str(step)]
    preflight = steps(read(PROVISION / "preflight.yml"))
    touching += [step for step in preflight if "block" not in step and "foreign_onions" in str(step)]
    assert len(touching) == 2
    assert all(step["no_log"] is True for step in touching)
    assert all(step["diff"] is False for step in touching if "ansible.builtin.copy" in step)


def test_every_notice_has_a_handler_and_only_handlers_restart() -> None:
    for role in ROLES:
        found = steps(read(role / "handlers/main.yml"))
        handlers = {step["name"] for step in found} | {step.get("listen", "") for step in found}
        for file in role.glob("tasks/*.yml"):
            for step in steps(read(file)):
                notices = step.get("notify", [])
                for notice in [notices] if isinstance(notices, str) else notices:
                    pattern = re.escape(notice).replace(r"\{\{\ item\ \}\}", ".*")
                    assert "item." in notice or any(re.fullmatch(pattern, one) for one in handlers), notice
                assert "restarted" not in str(step.get("ansible.builtin.systemd_service"))


def test_the_files_of_the_base_notify_its_handlers() -> None:
    base = PROVISION / "roles/base"
    handlers = {step.get("listen", step["name"]) for step in read(base / "handlers/main.yml")}
    files = read(base / "vars/main.yml")["base_files"]
    assert {one["notify"] for one in files if "notify" in one} <= handlers
    assert all((base / "templates" / f"{one['path']}.j2").is_file() for one in files)


@pytest.mark.parametrize("program", ["relay", "sealer"])
def test_every_requirement_is_pinned_and_carries_its_hashes(program: str) -> None:
    wheels = script("wheels")
    locked = dict(wheels.requirements(wheels.LOCKS[program]))
    assert {"aiohttp", "pyyaml", "stem", "typing-extensions"} <= set(locked)
    assert ("cryptography" in locked) == (program == "sealer")
    assert len(locked) == wheels.LOCKS[program].read_text().count("==") - wheels.LOCKS[
        program
    ].read_text().count("_full_version ==")
    assert all(";" not in line and " --hash=sha256:" in line for line in locked.values())


def test_a_line_that_locks_nothing_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "relay.txt"
    for line in ("aiohttp>=3", "aiohttp==3", "-r other.txt", "aiohttp @ https://example.org/x.whl"):
        lock.write_text(f"{line}\n")
        with pytest.raises(SystemExit, match="locks nothing"):
            list(script("wheels").requirements(lock))


def test_a_release_is_named_after_all_that_goes_into_it() -> None:
    named = {
        script("wheels").inputs(python, machine) for python in ("3.11", "3.13") for machine in ("a", "b")
    }
    assert len(named) == 4
    assert script("wheels").inputs("3.11", "a") in named


def test_the_guide_can_be_read_in_an_afternoon() -> None:
    assert len((PROVISION / "README.md").read_text().split()) <= 3000
