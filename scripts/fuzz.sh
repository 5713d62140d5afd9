#!/bin/sh
# Runs every fuzz target (tests/fuzz/MODULE/fuzz_NAME.c) for a while, from its corpus and dictionary, JOBS at a time.
#
#   scripts/fuzz.sh [SECONDS [NAME...]]   60 seconds each, all targets
#   scripts/fuzz.sh --planted             does the machinery find anything? With tests/fuzz/planted.patch, which
#                                         takes a bounds check away, it must
#
# Prints for each target: runs, line coverage of the files that its line "covers: FILE..." names, findings. Fails when there
# is a finding or a target does not build. Finds and findings stay in build/fuzz/; a file of findings is replayed
# by naming it on the command line of build/fuzz/tests/fuzz_NAME.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
dir=$root/build/fuzz
jobs=${JOBS:-$(nproc)}

build() { # SOURCE-TREE BUILD-DIR NAME...
	tree=$1 dir=$2
	shift 2
	[ -f "$dir/build.ninja" ] || cmake -S "$tree" --preset fuzz -B "$dir" >/dev/null
	cmake "$dir" >/dev/null
	# shellcheck disable=SC2046 # names without blanks
	ninja -k 0 -j "$jobs" -C "$dir" $(printf 'fuzz_%s ' "$@") >"$dir/build.log" 2>&1 || { tail -n 20 "$dir/build.log" >&2; return 1; }
}

run() { # BUILD-DIR NAME SECONDS; the log is in BUILD-DIR/fuzz_NAME.run
	name=$2
	mkdir -p "$1/found/$name" "$1/findings"
	dict=$root/tests/fuzz/dict/$name.dict
	set -- "$1" "$3" "$1/found/$name" "$root/tests/fuzz/corpus/$name"
	[ ! -f "$dict" ] || set -- "$@" "-dict=$dict"
	where=$1 seconds=$2
	shift 2
	LLVM_PROFILE_FILE="$where/fuzz_$name.profraw" "$where/tests/fuzz_$name" -max_total_time="$seconds" -timeout=10 \
		-print_final_stats=1 -artifact_prefix="$where/findings/$name-" "$@" >"$where/fuzz_$name.run" 2>&1
}

coverage() { # NAME SOURCE; the percentage of lines
	# The names behind "covers:", up to the end of the comment or an empty line of it.
	files=$(sed -n '/^\/\* covers:/,/\*\/\|^ \*$/p' "$2" | tr ' ' '\n' | grep '\.c$')
	llvm-profdata-14 merge -sparse "$dir/fuzz_$1.profraw" -o "$dir/fuzz_$1.profdata"
	# shellcheck disable=SC2086 # one word a file
	(cd "$root" && llvm-cov-14 report "$dir/tests/fuzz_$1" -instr-profile="$dir/fuzz_$1.profdata" $files) |
		awk '$1 == "TOTAL" { print $10 }'
}

one() { # NAME SECONDS; a row of the table
	result=none
	run "$dir" "$1" "$2" || result="see $dir/fuzz_$1.run"
	printf '%-16s %12s %9s  %s\n' "$1" \
		"$(sed -n 's/^stat::number_of_executed_units: *//p' "$dir/fuzz_$1.run")" \
		"$(coverage "$1" "$root"/tests/fuzz/*/fuzz_"$1".c)" "$result"
	[ "$result" = none ]
}

fuzz_all() { # SECONDS NAME...
	seconds=$1
	shift
	if [ $# -eq 0 ]; then
		# shellcheck disable=SC2046 # names without blanks
		set -- $(find "$root/tests/fuzz" -name 'fuzz_*.c' | sed 's|.*/fuzz_||; s|\.c$||' | sort)
	fi
	build "$root" "$dir" "$@"
	printf '%-16s %12s %9s  %s\n' target runs lines findings
	printf '%s\n' "$@" | xargs -P "$jobs" -I NAME "$0" --one NAME "$seconds"
}

planted() {
	tree=$root/build/planted/tree
	rm -rf "$root/build/planted"
	mkdir -p "$tree"
	(cd "$root" && tar -cf - CMakeLists.txt CMakePresets.json model mosquitto src tests) | tar -xf - -C "$tree"
	patch -s -d "$tree" -p1 <"$root/tests/fuzz/planted.patch"
	build "$tree" "$root/build/planted/build" report_cbor
	if run "$root/build/planted/build" report_cbor 60; then
		echo "the planted fault was not found" >&2
		return 1
	fi
	grep -m 1 'ERROR: AddressSanitizer' "$root/build/planted/build/fuzz_report_cbor.run"
}

case ${1:-} in
--planted) planted ;;
--one) one "$2" "$3" ;;
*)
	seconds=${1:-60}
	[ $# -eq 0 ] || shift
	fuzz_all "$seconds" "$@"
	;;
esac
