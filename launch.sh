#!/usr/bin/env bash
# Finds a Python and hands over to webui/launcher/, which sets up and starts. `bash launch.sh help` lists the commands.
# launch.bat does the same on Windows, line by line; tests/launcher compares the two.
ATHANOR_CWD=${ATHANOR_CWD:-$PWD}
CDPATH= cd -- "$(dirname -- "$0")" || exit 1
export ATHANOR_CWD PYTHONUTF8=1

try() {
    [ -n "$PY" ] && return
    "$@" -c 'import sys; sys.exit(not ((3, 10) <= sys.version_info[:2] < (3, 14) and sys.maxsize > 2**32))' >/dev/null 2>&1 || return
    PY=$1
}

PY=
[ -x .venv/bin/python ] && try .venv/bin/python
[ -n "$ATHANOR_PYTHON" ] && try "$ATHANOR_PYTHON"
try python3.11
try python3.12
try python3.10
try python3.13
try python3
try python

if [ -z "$PY" ]; then
    language=en
    case "${LC_ALL:-${LC_MESSAGES:-$LANG}}" in zh*) language=zh ;; esac
    case " $* " in *" --lang zh "* | *" --lang=zh "*) language=zh ;; *" --lang en "* | *" --lang=en "*) language=en ;; esac
    cat "webui/launcher/no-python.$language.txt" >&2
    exit 1
fi

exec "$PY" -m webui.launcher "$@"
