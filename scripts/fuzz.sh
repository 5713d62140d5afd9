#!/bin/sh
# Runs every fuzz target (tests/fuzz/MODULE/fuzz_NAME.c) for a while, from its corpus and dictionary.
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

build() { # SOURCE-TREE BUILD-DIR TARGET...
	tree=$1 dir=$2
	shift 2
	[ -f "$dir/build.ninja" ] || cmake -S "$tree" --preset fuzz -B "$dir" >/dev/null
	cmake "$dir" >/dev/null
	for target; do
		ninja -C "$dir" "$target" >"$dir/$target.log" 2>&1 || { tail -n 20 "$dir/$target.log" >&2; return 1; }
	done
}

run() { # BUILD-DIR NAME SECONDS; the log is in BUILD-DIR/fuzz_NAME.run
	name=$2
	mkdir -p "$1/found/$name" "$1/findings"
	dict=$root/tests/fuzz/dict/$name.dict
	set -- "$1" "$3" "$1/found/$name" "$root/tests/fuzz/corpus/$name"
	LLVM_PROFILE_FILE="$1/fuzz_$name.profraw" "$1/tests/fuzz_$name" -max_total_time="$2" -timeout=10 \
		-print_final_stats=1 -artifact_prefix="$1/findings/$name-" \
		$([ -f "$dict" ] && echo "-dict=$dict") "$3" "$4" >"$1/fuzz_$name.run" 2>&1
}

coverage() { # BUILD-DIR NAME SOURCE; the percentage of lines
	# The names behind "covers:", up to the end of the comment or an empty line of it.
	files=$(sed -n '/^\/\* covers:/,/\*\/\|^ \*$/p' "$3" | tr ' ' '\n' | grep '\.c$' || true)
	[ -n "$files" ] || { echo "-"; return; }
	llvm-profdata-14 merge -sparse "$1/fuzz_$2.profraw" -o "$1/fuzz_$2.profdata"
	(cd "$root" && llvm-cov-14 report "$1/tests/fuzz_$2" -instr-profile="$1/fuzz_$2.profdata" $files) |
		awk '$1 == "TOTAL" { print $10 }'
}

fuzz_all() { # SECONDS NAME...
	seconds=$1 failed=0
	shift
	printf '%-16s %12s %9s  %s\n' target runs lines findings
	for source in "$root"/tests/fuzz/*/fuzz_*.c; do
		name=$(basename "$source" .c)
		name=${name#fuzz_}
		case " $* " in "  " | *" $name "*) ;; *) continue ;; esac
		if ! build "$root" "$dir" "fuzz_$name"; then
			printf '%-16s %12s\n' "$name" "not built"
			failed=1
			continue
		fi
		result=none
		run "$dir" "$name" "$seconds" || { result="see $dir/fuzz_$name.run"; failed=1; }
		printf '%-16s %12s %9s  %s\n' "$name" \
			"$(sed -n 's/^stat::number_of_executed_units: *//p' "$dir/fuzz_$name.run")" \
			"$(coverage "$dir" "$name" "$source")" "$result"
	done
	return $failed
}

planted() {
	tree=$root/build/planted/tree
	rm -rf "$root/build/planted"
	mkdir -p "$tree"
	(cd "$root" && tar -cf - CMakeLists.txt CMakePresets.json src tests) | tar -xf - -C "$tree"
	patch -s -d "$tree" -p1 <"$root/tests/fuzz/planted.patch"
	build "$tree" "$root/build/planted/build" fuzz_report_cbor
	if run "$root/build/planted/build" report_cbor 60; then
		echo "the planted fault was not found" >&2
		return 1
	fi
	grep -m 1 'ERROR: AddressSanitizer' "$root/build/planted/build/fuzz_report_cbor.run"
}

dir=$root/build/fuzz
if [ "${1:-}" = --planted ]; then
	planted
else
	seconds=${1:-60}
	[ $# -eq 0 ] || shift
	fuzz_all "$seconds" "$@"
fi
