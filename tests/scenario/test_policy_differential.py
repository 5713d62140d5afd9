"""The policy engine and an independent oracle decide the same (tests/differential): by themselves, through TestAuthorization,
and at the real broker.

THINGWARD_DIFFERENTIAL=check takes the numbers of `make check`."""

import json
import os
import sys

import broker_kit as kit
import pytest

sys.path.insert(0, str(kit.ROOT / "tests" / "differential"))

import at_broker
import authorization
import examples
import oracle
import run

IS_CHECK = os.environ.get("THINGWARD_DIFFERENTIAL") == "check"
CASES = 1000000 if IS_CHECK else 40000
SHARE_MIN = run.SHARE_MIN if IS_CHECK else run.SHARE_MIN / 2  # of each decision; fewer cases scatter more


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


def test_test_authorization_and_oracle_decide_the_same(shared):
    count = 20000 if IS_CHECK else 2000
    decisions = authorization.run(shared, count)
    print(f"TestAuthorization: {dict(decisions)}")
    assert min(decisions[one] for one in run.EFFECT) >= SHARE_MIN * count


def test_broker_and_oracle_decide_the_same(shared):
    count = 2000 if IS_CHECK else 150
    decisions = at_broker.run(shared, count)
    print(f"broker: {dict(decisions)}")
    assert min(decisions[one] for one in run.EFFECT) >= SHARE_MIN * count
