# shellcheck shell=bash
# What the steps of scripts/check share. A step says one line of result; all else that it prints goes to stderr.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
JOBS=${JOBS:-$(nproc)}
exec 3>&1 1>&2

result() { printf '%s\n' "$*" >&3; }

die() {
	result "$*"
	exit 1
}

need() { # TOOL...
	local tool
	for tool; do
		command -v "$tool" >/dev/null || die "$tool is not installed; cure: scripts/setup check"
	done
}

build() { # PRESET
	cmake --preset "$1" >/dev/null
	cmake --build "build/$1" -j "$JOBS" -- -k 0 || die "build/$1 does not build"
}

shipped() { git ls-files 'src/*.c' 'mosquitto/*.c'; }

scenarios() { # PRESET PYTEST-ARGUMENT...; says how many passed, by pytest's last line
	local preset=$1 closing
	shift
	closing=$(THINGWARD_BUILD=$PWD/build/$preset /usr/bin/python3 -m pytest -q -p no:cacheprovider "$@" |
		tee >(cat >&2) | tail -n 1) || die "scenarios: $closing"
	grep -oE "^[0-9]+ [a-z]+" <<<"$closing"
}
