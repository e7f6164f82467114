#!/bin/sh
# Lock what pyproject.toml asks for, for every platform, with hashes. Needs `uv`.
set -eu
cd "$(dirname "$0")/.."
lock() { uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header "$@"; }
lock pyproject.toml --all-extras --output-file requirements/dev.txt
# The relay's process imports aiohttp, PyYAML and stem and nothing of ours, so the desk's libraries stay away from it.
printf 'aiohttp>=3.14\npyyaml>=6.0.3\nstem>=1.8.2\n' | lock - --constraint requirements/dev.txt --output-file requirements/relay.txt
# The sealer stands on keys as well.
lock pyproject.toml --extra relay --constraint requirements/dev.txt --output-file requirements/sealer.txt
# stem has no wheel. What builds it is pinned too, so pip is told --no-build-isolation.
echo 'setuptools>=80' | lock - --output-file requirements/setuptools.txt
