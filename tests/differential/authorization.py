"""TestAuthorization and GetEffectivePolicies of a running daemon against the oracle."""

import random
from collections import Counter
from dataclasses import replace

import cases
import fleet as fleets
import oracle

ACTIONS = {"Publish": "PUBLISH", "Subscribe": "SUBSCRIBE", "Receive": "RECEIVE", "Connect": "CONNECT"}
UNKNOWN = ("aws:SourceIp", "iot:DomainName", "iot:LastWillTopic", "iot:ConnectAttributes")  # only a connection has them
QUESTIONS_A_WORLD, QUESTIONS_A_CALL = 40, 10


def run(installation, count, seed=1):
    """Asks `count` authInfos; the shares of the decisions. AssertionError with the first difference."""
    fleet = fleets.Fleet(installation, random.Random(seed))
    decisions = Counter()
    while sum(decisions.values()) < count:
        decisions.update(ask_world(fleet))
    return decisions


def ask_world(fleet):
    """One world's decisions."""
    member = fleet.rng.choice([*fleet.members * 3, None])
    client_id = fleet.some_client_id(member or fleet.members[0])
    left_out = UNKNOWN if fleet.rng.random() < 0.9 else ()
    client_id = fleet.rng.choice([client_id, client_id, client_id, None])
    world = fleets.some_world(fleet, fleet.about(member, client_id), list(ACTIONS), allow_share=0.63, left_out=left_out)
    placed = fleets.Placed(fleet, member)
    fleet.worlds += 1
    for i in range(world.rng.randint(4, 8)):
        placed.place(f"w{fleet.worlds}.{i}", cases.some_document(world), placed.some_place())
    try:
        check_effective(placed, world)
        for _ in range(QUESTIONS_A_WORLD // QUESTIONS_A_CALL):
            yield from ask(placed, world)
    finally:
        placed.remove()


def ask(placed, world):
    """One call: every authInfo's result as the oracle has it."""
    added = [name for name, target in placed.targets.items() if not target and world.chance(0.7)]
    skipped = [name for name, target in placed.targets.items() if target and world.chance(0.1)]
    thing = world.first.thing and world.first.thing.name
    policies = placed.effective(thing, added, skipped) if placed.member else [p for p in placed.parsed if p.name in added]
    patterns = cases.patterns_of(policies)
    questions = [some_questions(world, patterns) for _ in range(QUESTIONS_A_CALL)]
    infos = [{"actionType": ACTIONS[asked[0].action], "resources": [one.resource for one in asked]} for asked in questions]
    call = {"principal": placed.member and placed.member.arn, "clientId": world.first.client_id, "authInfos": infos}
    call |= {"policyNamesToAdd": added, "policyNamesToSkip": skipped}
    found = placed.fleet.api.test_authorization(**{key: value for key, value in call.items() if value})["authResults"]
    assert len(found) == len(questions)
    for asked, info, result in zip(questions, infos, found):
        expected = oracle.authorization_result(policies, asked)
        assert result["authInfo"] == info
        assert as_result(result) == expected, told(call, info, expected, as_result(result), placed)
        yield expected.decision


def told(call, info, expected, found, placed):
    """The difference, for who looks for its cause."""
    head = "".join(f"  {name}: {value}\n" for name, value in call.items() if name != "authInfos")
    documents = "".join(f"  {name} on {placed.groups[name]}: {text}\n" for name, text in placed.documents.items())
    facts = f"  certificate: {placed.member and placed.member.facts}\n  attributes: {placed.fleet.attributes}\n"
    return f"{info}\noracle {expected}\nfound  {found}\n{head}{facts}{documents}"


def some_questions(world, patterns):
    """Requests of one action: an authInfo."""
    first = cases.some_request(world, patterns)
    more = [cases.some_request(world, patterns) for _ in range(world.rng.choice((0,) * 10 + (1, 2)))]
    return [first, *(replace(one, action=first.action) for one in more)]


def as_result(result):
    """The API's answer as the oracle's."""

    def names(part):
        return {policy["policyName"] for policy in part.get("policies", [])}

    denied = result.get("denied", {})
    return oracle.AuthResult(
        result["authDecision"],
        names(result.get("allowed", {})),
        names(denied.get("explicitDeny", {})),
        names(denied.get("implicitDeny", {})),
        set(result.get("missingContextValues", [])),
    )


def check_effective(placed, world):
    """Section 11: the policies of the principal and of the groups of the thing, whether it is attached or not."""
    thing = world.rng.choice([None, *placed.fleet.groups]) if placed.member else world.rng.choice(list(placed.fleet.groups))
    call = {"principal": placed.member and placed.member.arn, "thingName": thing}
    found = placed.fleet.api.get_effective_policies(**{key: value for key, value in call.items() if value})
    names = sorted(policy["policyName"] for policy in found["effectivePolicies"])
    places = {*placed.fleet.effective_groups(thing), *(["certificate"] if placed.member else [])}
    assert names == sorted(one.name for one in placed.parsed if placed.groups[one.name] in places)
