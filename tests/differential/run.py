#!/usr/bin/python3
"""Holds the policy engine (policy_judge) against the oracle, with cases by chance.

    tests/differential/run.py --judge build/asan/tests/policy_judge --cases 40000 --jobs 2 [--seed 1]
    tests/differential/run.py --judge ... --case LINE      # one case, as it was printed: what both say

Ends with 1 at the first difference, which is printed as small as it still shows, as a line for policy_judge; with 2 when the
cases do not cover what they must. The same seed makes the same cases, whatever the number of jobs.
"""

import argparse
import copy
import json
import multiprocessing
import subprocess
import sys
from collections import Counter, namedtuple
from dataclasses import dataclass, field

import cases
import matter
import oracle

CHUNKS = 40  # each with a seed of its own
SHARE_MIN = 0.2  # of each decision
COUNT_MIN = 1000  # in 1,000,000 cases, of each operator and variable


# ---- A case as a line ----


def request_json(request):
    """The request as policy_judge reads it; what is not known is left out."""
    thing, will = request.thing, request.last_will_topic
    certificate = None if request.certificate_id is None else {"id": request.certificate_id, **request.certificate}
    found = {
        "action": f"iot:{request.action}",
        "resource": request.resource,
        "clientId": request.client_id,
        "thing": thing and {"name": thing.name, "type": thing.type, "attributes": thing.attributes, "isAttached": True},
        "certificate": certificate,
        "sourceIp": request.source_ip,
        "connectAttributes": request.connect_attributes,
        "lastWillTopic": will and will[len(f"{cases.ARN}topic/") :],
        "domainName": request.domain_name,
    }
    return {key: value for key, value in found.items() if value is not None}


def request_of(found):
    """The other way round."""
    thing, will, certificate = found.get("thing"), found.get("lastWillTopic"), found.get("certificate")
    return oracle.Request(
        action=found["action"].partition(":")[2],
        resource=found["resource"],
        client_id=found.get("clientId"),
        source_ip=found.get("sourceIp"),
        domain_name=found.get("domainName"),
        certificate_id=certificate and certificate["id"],
        certificate={key: values for key, values in (certificate or {}).items() if key != "id"},
        thing=thing and oracle.Thing(thing["name"], thing.get("type"), thing.get("attributes", {})),
        connect_attributes=found.get("connectAttributes"),
        last_will_topic=None if will is None else f"{cases.ARN}topic/{will}",
    )


def policies_text(policies):
    return json.dumps([{"name": name, "version": 1, "document": document} for name, document in policies])


def lines_of(policies, requests):
    head = '{"policies": ' + policies_text(policies) + ', "request": '
    return [f"{head}{json.dumps(request_json(request))}}}\n" for request in requests]


# ---- The two answers ----


class Judge:
    """The engine's process."""

    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, lines):
        """An answer a line. Answers of a world fit into a pipe, so that nobody waits for the other."""
        self.process.stdin.write("".join(lines).encode())
        self.process.stdin.flush()
        return [self._answer() for _ in lines]

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"policy_judge ended with {self.process.wait()}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


EFFECT = {oracle.ALLOWED: "Allow", oracle.EXPLICIT_DENY: "Deny", oracle.IMPLICIT_DENY: None}


def answer_of(verdict):
    """What policy_judge should say; without a verdict a policy was malformed."""
    if not verdict:
        return {"error": "MalformedPolicyException"}
    deciding = next(
        (one for one in verdict.judged if one.matches and one.statement.effect == EFFECT[verdict.decision]), None
    )
    return {
        "decision": verdict.decision,
        "policy": deciding and deciding.policy.name,
        "statement": deciding and deciding.statement.index,
        "missing": sorted(verdict.missing, key=str.encode),
    }


def oracle_answer(case):
    policies = cases.parsed_or_none([(one["name"], document_text(one)) for one in case["policies"]])
    return answer_of(None if policies is None else oracle.evaluate(policies, request_of(case["request"])))


def agree(expected, found):
    """Words of an error are the engine's own."""
    return all(found.get(key) == value for key, value in expected.items()) and ("error" in expected) == ("error" in found)


def document_text(policy):
    document = policy["document"]
    return document if isinstance(document, str) else json.dumps(document)


# ---- The smallest case that still shows it ----


def smaller(value):
    """Copies of a JSON value, each with one thing less."""
    if isinstance(value, list):
        for i, one in enumerate(value):
            yield value[:i] + value[i + 1 :]
            yield from (value[:i] + [less] + value[i + 1 :] for less in smaller(one))
        if len(value) == 1 and isinstance(value[0], str):
            yield value[0]
    elif isinstance(value, dict):
        for key, one in value.items():
            yield {k: v for k, v in value.items() if k != key}
            yield from ({**value, key: less} for less in smaller(one))
    elif isinstance(value, str) and len(value) > 1:
        for i in range(len(value)):
            yield value[:i] + value[i + 1 :]


def differ(judge, case):
    """Both answers when they differ, else None. A case that is none to either side is no difference."""
    try:
        expected = oracle_answer(case)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return None
    found = judge.ask([json.dumps(case) + "\n"])[0]
    if found.get("error") == "case":
        return None
    return None if agree(expected, found) else (expected, found)


def shrunk(judge, case):
    """The smallest case found that still makes them decide differently. A document that one side refuses stays as it is."""
    case = copy.deepcopy(case)
    for one in case["policies"]:
        one["document"] = json.loads(document_text(one))
    is_done = not is_decided_differently(differ(judge, case))
    while not is_done:
        better = next((less for less in smaller(case) if is_decided_differently(differ(judge, less))), None)
        is_done, case = better is None, better or case
    return case


def is_decided_differently(difference):
    return difference and not any("error" in answer for answer in difference)


# ---- Counting ----


@dataclass
class Tally:
    """What the cases covered, and the first difference."""

    decisions: Counter = field(default_factory=Counter)
    operators: Counter = field(default_factory=Counter)
    keys: Counter = field(default_factory=Counter)
    variables: Counter = field(default_factory=Counter)
    malformed: int = 0
    difference: str = None

    def count(self, verdict):
        self.malformed += not verdict
        if not verdict:
            return
        self.decisions[verdict.decision] += 1
        for counter, found in zip((self.operators, self.keys, self.variables), matter.matter(verdict)):
            counter.update(found)

    def add(self, other):
        self.malformed += other.malformed
        for name in ("decisions", "operators", "keys", "variables"):
            getattr(self, name).update(getattr(other, name))

    @property
    def cases(self):
        return sum(self.decisions.values())


Part = namedtuple("Part", "judge seed cases is_shrunk")


def run_part(part):
    """One chunk's cases against a judge of its own."""
    judge, tally = Judge(part.judge), Tally()
    for policies, parsed, requests in cases.worlds(part.seed):
        lines = lines_of(policies, requests)
        for line, request, found in zip(lines, requests, judge.ask(lines)):
            verdict = parsed and oracle.evaluate(parsed, request)
            if not agree(answer_of(verdict), found):
                tally.difference = described(judge, json.loads(line), part)
                return tally
            tally.count(verdict)
        if tally.cases >= part.cases:
            judge.close()
            return tally


def described(judge, case, part):
    case = shrunk(judge, case) if part.is_shrunk else case
    expected, found = oracle_answer(case), judge.ask([json.dumps(case) + "\n"])[0]
    return f"seed {part.seed}\ncase   {json.dumps(case)}\noracle {json.dumps(expected)}\nengine {json.dumps(found)}"


def run(judge, count, seed=1, jobs=1, is_shrunk=True):
    """A tally of about `count` cases; it ends early with a difference."""
    parts = [Part(judge, f"{seed}.{i}", -(-count // CHUNKS), is_shrunk) for i in range(CHUNKS)]
    total = Tally()
    with multiprocessing.Pool(jobs) as pool:
        for tally in pool.imap_unordered(run_part, parts):
            total.add(tally)
            if tally.difference:
                total.difference = tally.difference
                break
    return total


# ---- What must be covered ----

CERTIFICATE_KINDS = [f"iot:Certificate.{name}{which}" for name in oracle.MULTIVALUED for which in ("", ".N")]
TEXT_KINDS = [*CERTIFICATE_KINDS, *sorted({matter.kind_of(key) for key in cases.PLAIN_KEYS})]
LIST_KINDS = [*cases.LIST_KEYS, *(f"iot:Certificate.{name}.List" for name in oracle.MULTIVALUED)]
EXPECTED = {"operators": cases.WORDS, "keys": [*TEXT_KINDS, *LIST_KINDS], "variables": TEXT_KINDS}


def shortfalls(tally):
    """Lines on what came too seldom."""
    found = [
        f"{decision}: {tally.decisions[decision] / tally.cases:.1%}, below {SHARE_MIN:.0%}"
        for decision in EFFECT
        if tally.decisions[decision] < SHARE_MIN * tally.cases
    ]
    least = COUNT_MIN * tally.cases // 1000000
    least //= 1 if tally.cases >= 1000000 else 2  # fewer cases scatter more
    for name, wanted in EXPECTED.items():
        counter = getattr(tally, name)
        found += [f"{name}: {one} mattered {counter[one]} times, below {least}" for one in sorted(wanted) if counter[one] < least]
    return found


def report(tally):
    shares = ", ".join(f"{decision} {tally.decisions[decision] / tally.cases:.1%}" for decision in EFFECT)
    print(f"{tally.cases} cases: {shares}; {tally.malformed} malformed policies beside them")
    for name in EXPECTED:
        counter = getattr(tally, name)
        least = min(EXPECTED[name], key=lambda one: counter[one])
        print(f"{name} that mattered: {len(EXPECTED[name])}, each at least {counter[least]} times ({least})")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--judge", required=True, help="the program policy_judge")
    options.add_argument("--cases", type=int, default=40000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--case", help="one case, a line of JSON")
    given = options.parse_args()
    if given.case:
        case = json.loads(given.case)
        print(f"oracle {json.dumps(oracle_answer(case))}\nengine {json.dumps(Judge(given.judge).ask([json.dumps(case) + chr(10)])[0])}")
        return 0
    tally = run(given.judge, given.cases, given.seed, given.jobs)
    if tally.difference:
        print(tally.difference)
        return 1
    report(tally)
    short = shortfalls(tally)
    print("\n".join(short))
    return 2 if short else 0


if __name__ == "__main__":
    sys.exit(main())
