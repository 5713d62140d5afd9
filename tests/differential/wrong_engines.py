#!/usr/bin/python3
"""Would the differential test notice a wrong engine? Each row of WRONG is a slip of the pen in the engine's source; with it
policy_judge is built, from a copy, and held against the oracle.

    tests/differential/wrong_engines.py [--cases 100000] [--jobs 2] [NAME...]    # all, or those named

A line for each: after how many cases it was told from the oracle. Ends with 1 when one was not, or when a row no longer fits the
source.
"""

import argparse
import multiprocessing
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

import run

ROOT = Path(__file__).resolve().parent.parent.parent
POLICY = ROOT / "src" / "policy"

Wrong = namedtuple("Wrong", "name file old new")  # file: in src/policy; old: as it stands there, once

WRONG = [
    # Wildcards and text
    Wrong(
        "a run does not cross '/'",
        "glob.c",
        "if (!has_run || is_end(run.at))",
        "if (!has_run || is_end(run.at) || run.at.piece->p[run.at.offset] == '/')",
    ),
    Wrong(
        "a run at the end takes at least one character",
        "glob.c",
        "if (!scan_more(&now.ops))\n\t\t\t\treturn true;",
        "if (!scan_more(&now.ops))\n\t\t\t\treturn !is_end(now.at);",
    ),
    Wrong("what follows a run need not end the text", "glob.c", "at = moved(at, left - literal.n);", ""),
    Wrong(
        "'?' matches none, too",
        "glob.c",
        "static bool take_character(struct place *at)\n{\n\tif (is_end(*at))\n\t\treturn false;",
        "static bool take_character(struct place *at)\n{\n\tif (is_end(*at))\n\t\treturn true;",
    ),
    Wrong("'?' is one byte", "glob.c", "while (is_continuation(*at));", "while (false);"),
    Wrong("letter case does not count", "glob.c", "if (terms->is_folded ?", "if (true ?"),
    Wrong("letter case counts with IgnoreCase", "holds.c", "terms->is_folded = true;", "terms->is_folded = false;"),
    Wrong("a pattern must be shorter than the text", "glob.c", "if (scan_u32(&ops) > text.n)", "if (scan_u32(&ops) >= text.n)"),
    Wrong(
        "a value of '*' acts as a wildcard",
        "glob.c",
        "\tfor (unsigned i = 0; i < value.n; i++)\n\t\tif (!take_bytes",
        '\tif (view_is(value.pieces[0], "*"))\n\t\tat->piece = at->end;\n'
        '\tfor (unsigned i = 0; i < value.n && !view_is(value.pieces[0], "*"); i++)\n\t\tif (!take_bytes',
    ),
    Wrong("'${*}' acts as a wildcard", "glob_compile.c", "add_literal(p, name.p[0]);", "add_op(p, GLOB_RUN);"),
    # ARNs
    Wrong(
        "colons in variables separate parts",
        "glob_compile.c",
        "unit = glob_unit((struct view){text.p + at, text.n - at});",
        "unit = 1;",
    ),
    Wrong("partition, region and account do not count", "holds.c", "while (scan_more(&rest)) {", "while (false) {"),
    Wrong("the type of a resource does not count", "decide.c", "if (type.n != request->type.n ||", "if (false &&"),
    Wrong("fewer than six parts match nothing", "holds.c", "return glob_match(scan_rest(&rest), arn->whole, terms);", "return false;"),
    # Statements
    Wrong("Deny loses to Allow", "decide.c", "{find_deny, find_allow}", "{find_allow, find_deny}"),
    Wrong("NotResource is read as Resource", "decide.c", "(statement.not_resource ? YES : NO)", "NO"),
    Wrong("NotAction is read as Action", "compile.c", "is_negated ? all & ~c->place.actions : c->place.actions", "all & c->place.actions"),
    Wrong("letter case of actions counts", "compile.c", "struct glob_terms terms = {NULL, true, 0};", "struct glob_terms terms = {NULL, false, 0};"),
    Wrong(
        "a variable without a value is empty",
        "decide.c",
        "if (known_text(c->request, &reference, room, &c->values[i]))",
        "if (!known_text(c->request, &reference, room, &c->values[i]))\n\t\tc->values[i].n = 0;",
    ),
    Wrong("the first resource decides", "decide.c", "\twhile (scan_more(&resources)) {", "\tfor (int n = 0; n < 1; n++) {"),
    Wrong(
        "names that are missing come from Allow alone",
        "decide.c",
        "each_missing(&c, POLICY_EFFECT_DENY, fn, ctx);",
        "",
    ),
    # Conditions
    Wrong(
        "the first key of an operator decides",
        "condition.c",
        "\t\tif (compile_key(c, name, values) != 0)\n\t\t\treturn -1;",
        "\t\treturn compile_key(c, name, values);",
    ),
    Wrong("the first value of the policy decides", "holds.c", "\twhile (scan_more(&values))\n\t\tif (relations", "\tif (scan_more(&values))\n\t\tif (relations"),
    Wrong("the first value of the request decides", "holds.c", "for (unsigned i = 0; known_value(", "for (unsigned i = 0; i < 1 && known_value("),
    Wrong("IfExists is ignored", "holds.c", "return c->if_exists || ", "return "),
    Wrong("a negated operator fails without its key", "holds.c", "[QUANTIFIER_NONE] = {false, true }", "[QUANTIFIER_NONE] = {false, false}"),
    Wrong("ForAllValues fails without its key", "holds.c", "[QUANTIFIER_ALL] = {true,  true }", "[QUANTIFIER_ALL] = {false, false}"),
    Wrong("ForAnyValue holds without its key", "holds.c", "[QUANTIFIER_ANY] = {false, false}", "[QUANTIFIER_ANY] = {true, true}"),
    Wrong("ForAllValues wants any", "condition.c", '{"ForAllValues:", QUANTIFIER_ALL}', '{"ForAllValues:", QUANTIFIER_ANY}'),
    Wrong("a negated operator wants all of the policy's values", "holds.c", "(c->quantifier == QUANTIFIER_NONE && c->row->is_negated)", "false"),
    Wrong("Null the wrong way round", "holds.c", ".p[0] != 0) == is_absent", ".p[0] != 0) != is_absent"),
    Wrong("StringEquals takes wildcards", "condition.c", "return value_pattern(c, text, false);", "return value_pattern(c, text, true);"),
    Wrong("BinaryEquals is content with a beginning", "holds.c", "return relation_if(value.n == 0);", "return relation_if(true);"),
    Wrong("numbers compared the wrong way round", "holds.c", "number_compare(&theirs, &ours)", "number_compare(&ours, &theirs)"),
    Wrong("NumericLessThanEquals leaves out the limit", "operator.tbl.h", '"NumericLessThanEquals", NUMBER, RELATION_LESS | RELATION_EQUAL', '"NumericLessThanEquals", NUMBER, RELATION_LESS'),
    Wrong("negative numbers compared by their size", "operand.c", "return a->is_negative ? compare_sizes(b, a)", "return a->is_negative ? compare_sizes(a, b)"),
    Wrong("zones of dates the wrong way round", "operand.c", "is_behind ? seconds : -seconds", "is_behind ? -seconds : seconds"),
    Wrong("parts of a second do not count", "operand.c", "(uint32_t)(digits.p[i] - '0') * unit", "0 * unit"),
    Wrong("bits of a prefix behind its last whole byte do not count", "operand.c", "return rest == 0 ||", "return rest < 8 ||"),
    Wrong(
        "IPv6 networks hold IPv4 addresses",
        "operand.c",
        "if (is_v4(address) != (is_v4(network) && bits >= PROGRAM_V4_MAPPED))\n\t\treturn false;",
        "",
    ),
    # What is known
    Wrong("the thing is always attached", "known.c", "request->is_thing_attached ?", "true ?"),
    Wrong("values of a certificate count from two", "known.c", "is_all ? i : reference->index,", "is_all ? i : (reference->index > 0) + reference->index,"),
    Wrong("a will is no ARN", "key.tbl.h", '"iot:LastWillTopic", ARN', '"iot:LastWillTopic", ONE'),
    Wrong("an empty list of connect attributes is missing", "known.c", "if (reference->key == KEY_CONNECT_ATTRIBUTES)", "if (false)"),
    Wrong("special characters are not escaped", "facts_write.c", "if (is_among(value.p[i], ESCAPED))", "if (false)"),
    Wrong("values with '+' are put in", "facts_write.c", '"*$+?#"', '"*$?#"'),
    Wrong("long values are put in", "facts_write.c", "return chars > FACT_CHARS_MAX;", "return false;"),
    Wrong("the limit of a value counts bytes", "facts_write.c", "chars += ((unsigned char)value.p[i] & 0xc0) != 0x80;", "chars++;"),
    Wrong("a sixth value counts", "facts_write.c", "FACT_VALUES_MAX - 1, &last", "FACT_VALUES_MAX, &last"),
]


def flags(*packages):
    found = subprocess.run(["pkg-config", "--cflags", "--libs", *packages], check=True, capture_output=True, text=True)
    return shlex.split(found.stdout)


def mutated(wrong, directory):
    """A copy of src/policy with the row's change."""
    shutil.copytree(POLICY, directory / "policy")
    file = directory / "policy" / wrong.file
    text = file.read_text()
    if text.count(wrong.old) != 1:
        raise SystemExit(f"wrong_engines: '{wrong.name}' finds its text {text.count(wrong.old)} times in {wrong.file}; mend the row")
    file.write_text(text.replace(wrong.old, wrong.new))


def build(wrong, directory):
    """The judge with this engine. Without sanitizers: it is to be wrong, not to be checked."""
    mutated(wrong, directory)
    sources = [*sorted((directory / "policy").glob("*.c")), *sorted((ROOT / "src" / "base").glob("*.c"))]
    judge = directory / "policy_judge"
    subprocess.run(
        ["cc", "-std=c11", "-O1", "-w", "-D_GNU_SOURCE", f"-I{directory}", f"-I{ROOT / 'src'}", "-o", judge]
        + [ROOT / "tests" / "differential" / "policy_judge.c", *sources]
        + flags("glib-2.0", "jansson", "libcrypto"),
        check=True,
    )
    return judge


def told(wrong, given):
    """The number of cases that told this engine from the oracle; 0: they did not."""
    with tempfile.TemporaryDirectory(prefix="wrong-engine-") as directory:
        judge = build(wrong, Path(directory))
        passed = 0
        for i in range(run.CHUNKS):
            tally = run.run_part(run.Part(judge, f"{given.seed}.{i}", -(-given.cases // run.CHUNKS), False))
            passed += tally.cases
            if tally.difference:
                return passed + 1
    return 0


def one(arguments):
    return arguments[0], told(*arguments)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--cases", type=int, default=100000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("names", nargs="*", help="of rows; all when none is given")
    given = options.parse_args()
    rows = [wrong for wrong in WRONG if not given.names or wrong.name in given.names]
    missed = 0
    with multiprocessing.Pool(given.jobs) as pool:
        for wrong, cases in pool.imap(one, [(wrong, given) for wrong in rows]):
            missed += cases == 0
            print(f"{wrong.name}: {f'told after {cases} cases' if cases else 'NOT TOLD'}", flush=True)
    print(f"{len(rows) - missed} of {len(rows)} wrong engines told from the oracle")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
