#!/bin/sh
# Make the venv named by the first argument, or say in one sentence what is missing.
set -eu
venv=$1
python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "make: error: $python is older than 3.11" >&2
    echo "make: hint: set PYTHON to a newer one, as in 'make PYTHON=python3.13 test'" >&2
    exit 1
fi
# Debian ships venv without ensurepip until python3-venv is there.
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends python3-venv >/dev/null
    else
        echo "make: error: python3-venv is not installed" >&2
        echo "make: hint: run 'sudo apt-get install python3-venv', then this again" >&2
        exit 1
    fi
fi
exec "$python" -m venv "$venv"
