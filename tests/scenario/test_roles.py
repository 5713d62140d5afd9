"""Who may call what (S17): each role against every operation of the model, and keys over their life."""

import json
import re

import botocore.exceptions
import broker_kit as kit
import pytest
import stack
from raw_http import ask

OPERATIONS = {
    name: operation
    for path in sorted((kit.ROOT / "model" / "operations").glob("*.json"))
    for name, operation in json.loads(path.read_text()).items()
}
RANK = {"viewer": 0, "operator": 1, "admin": 2}
# What S17 says in words, besides reading: this and no more is an operator's.
OPERATORS = re.compile(
    r"(Start|Cancel)\w*(Audit|Mitigation)\w*|PutVerificationStateOnViolation|\w+AuditSuppression|\w+ScheduledAudit"
)


@pytest.fixture(scope="module")
def keys(shared):
    return {role: shared.create_key(role) for role in RANK}


def attempt(shared, operation, key):
    """The answer to a call that is right up to its role: names that nothing has, and no members."""
    path = re.sub(r"\{\w+\+?\}", "nothing-of-that-name", operation["uri"])
    return ask(shared, operation["method"], path, b"{}", key=key)


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_role_decides_for_every_operation(shared, keys, role):
    wrong = []
    for name, operation in OPERATIONS.items():
        answer = attempt(shared, operation, keys[role])
        is_denied = "x-amzn-errortype: AccessDeniedException" in answer.head
        if is_denied != (RANK[operation["role"]] > RANK[role]):
            wrong.append((name, operation["role"], answer.status))
        assert not is_denied or answer.status == 403
    assert wrong == []
    assert len(OPERATIONS) > 140


def test_roles_are_what_the_words_say():
    for name, operation in OPERATIONS.items():
        if operation["role"] == "viewer":
            assert not operation["writes"], name
        if operation["role"] == "operator":
            assert OPERATORS.fullmatch(name), name


def test_a_denied_call_changes_nothing(shared, keys):
    api = shared.client(*keys["operator"])
    shared.api.create_thing(thingName="kept")
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied.* role is operator.* needs admin"):
        api.delete_thing(thingName="kept")
    assert api.describe_thing(thingName="kept")["thingName"] == "kept"


def test_a_deleted_key_ends_at_once(shared):
    key_id, secret = shared.create_key("viewer")
    assert ask(shared, "GET", "/things", key=(key_id, secret)).status == 200
    shared.command("key", "delete", key_id, "--data-dir", shared.dir)
    answer = ask(shared, "GET", "/things", key=(key_id, secret))
    assert answer.status == 403
    assert "x-amzn-errortype: UnrecognizedClientException" in answer.head


def test_the_last_admin_key_stays(make_thingward):
    """S21."""
    thingward = make_thingward().start()
    other, _ = thingward.create_key("admin")
    thingward.command("key", "delete", other, "--data-dir", thingward.dir)
    thingward.create_key("operator")
    refused = thingward.command("key", "delete", stack.KEY_ID, "--data-dir", thingward.dir, check=False)
    assert refused.returncode == 1
    assert "last" in refused.stderr
    assert thingward.api.list_things()["things"] == []
    gone = thingward.command("key", "delete", "AKIANOBODY", "--data-dir", thingward.dir, check=False)
    assert gone.returncode == 4
