"""The direction of dependencies (the map in README.md), read from the imports themselves."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# What the relay's process may load beside the standard library: each one more is one more to audit.
RELAY_LIBRARIES = {"aiohttp", "yaml"}
# What one module alone may load besides. The sealer is a process of its own, which nothing else here loads.
RELAY_EXCEPTIONS = {"relay.tor": {"stem"}, "relay.sealer": {"keys"}}


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def dotted(file: Path) -> str:
    parts = list(file.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(file: Path) -> set[str]:
    package = dotted(file) if file.name == "__init__.py" else dotted(file).rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def test_there_is_something_to_check() -> None:
    assert len(modules("keys")) > 8
    assert len(modules("relay")) > 5
    assert within("keys.desk.home", "keys")
    assert not within("keystone", "keys")


@pytest.mark.parametrize("file", modules("relay"), ids=dotted)
def test_relay_loads_few_libraries_and_nothing_of_ours(file: Path) -> None:
    outside = {name.partition(".")[0] for name in imports(file)} - set(sys.stdlib_module_names) - {"relay"}
    given = [more for module, more in RELAY_EXCEPTIONS.items() if within(dotted(file), module)]
    allowed = RELAY_LIBRARIES.union(*given)
    assert outside <= allowed, f"{dotted(file)} imports {outside - allowed}"


@pytest.mark.parametrize("file", modules("relay"), ids=dotted)
def test_the_sealer_is_loaded_by_nothing_else_of_the_relay(file: Path) -> None:
    if not within(dotted(file), "relay.sealer"):
        assert not any(within(name, "relay.sealer") for name in imports(file))


@pytest.mark.parametrize("file", modules("keys"), ids=dotted)
def test_keys_import_no_other_part(file: Path) -> None:
    for name in imports(file):
        assert not within(name, "relay", "build"), f"{dotted(file)} imports {name}"
        if not within(dotted(file), "keys.desk"):
            assert not within(name, "keys.desk"), f"{dotted(file)} imports {name}: the desk stands on keys"


def test_build_imports_keys_alone_and_is_imported_by_nobody() -> None:
    assert not {name for name in imports(ROOT / "build.py") if within(name, "relay", "tests", "keys.desk")}
    for file in [*modules("keys"), *modules("relay"), *modules("tests")]:
        assert not any(within(name, "build") for name in imports(file)), dotted(file)


def test_site_is_data_only() -> None:
    ours = [file for file in modules("site") if "node_modules" not in file.parts]
    assert ours == []
