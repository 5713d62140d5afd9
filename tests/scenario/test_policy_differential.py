"""The policy engine and an independent oracle decide the same (tests/differential): by themselves, through TestAuthorization,
and at the real broker.

THINGWARD_DIFFERENTIAL=check takes the numbers of `make check`."""

import json
import os
import sys

import broker_kit as kit
import pytest

sys.path.insert(0, str(kit.ROOT / "tests" / "differential"))

import examples
import oracle
import run

IS_CHECK = os.environ.get("THINGWARD_DIFFERENTIAL") == "check"
CASES = 1000000 if IS_CHECK else 40000


@pytest.mark.parametrize("number, statements, request_, decision, missing", examples.EXAMPLES)
def test_worked_example(number, statements, request_, decision, missing):
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    verdict = oracle.evaluate([oracle.parse_policy("example", document)], request_)
    assert (verdict.decision, verdict.missing) == (decision, missing)


def test_engine_and_oracle_decide_the_same():
    tally = run.run(kit.build_dir() / "tests" / "policy_judge", CASES, jobs=2)
    assert not tally.difference, tally.difference
    run.report(tally)
    assert tally.cases >= CASES
    assert run.shortfalls(tally) == []
