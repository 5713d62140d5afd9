"""The record of who changed what and who was refused (S18)."""

import json
import re
from collections import namedtuple

import botocore.exceptions
import broker_kit as kit
import pytest
import stack
from raw_http import Connection, ask

Row = namedtuple("Row", "at key_id address operation target result detail")


def trail(shared):
    """`thingward log api`, oldest first."""
    printed = shared.command("log", "api", "--data-dir", shared.dir)
    rows = [Row(*line.split(" ", 6)) for line in printed.splitlines()]
    return [row._replace(detail=json.loads(row.detail or "{}")) for row in rows]


@pytest.fixture
def since(shared):
    """What the trail gained since the test began. Rows of one millisecond stand in no order: let time pass between."""
    before = trail(shared)
    shared.advance(1)
    return lambda: [row for row in trail(shared) if row not in before]


def test_changing_calls_are_recorded(shared, since):
    shared.api.create_thing(thingName="recorded", attributePayload={"attributes": {"site": "north"}})
    shared.advance(1)
    shared.api.delete_thing(thingName="recorded")
    created, deleted = since()
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", created.at)
    assert created[1:6] == (stack.KEY_ID, "127.0.0.1", "CreateThing", "recorded", "ok")
    assert created.detail["in"]["attributePayload"] == {"attributes": {"site": "north"}}
    assert (deleted.operation, deleted.target, deleted.result) == ("DeleteThing", "recorded", "ok")


def test_reading_calls_are_not(shared, since):
    shared.api.list_things()
    shared.api.list_audit_findings(startTime=1, endTime=2)
    shared.get("/metrics")
    assert since() == []


def test_refused_calls_are_recorded_with_the_reason(shared, since):
    with pytest.raises(botocore.exceptions.ClientError):
        shared.api.describe_thing(thingName="missing")
    with pytest.raises(botocore.exceptions.ClientError):
        shared.api.create_policy(policyName="bad", policyDocument="{}")
    rows = [(row.operation, row.target, row.result) for row in since()]
    assert ("CreatePolicy", "bad", "MalformedPolicyException") in rows


def test_denied_calls_are_recorded(shared, since):
    viewer, secret = shared.create_key("viewer")
    assert ask(shared, "DELETE", "/things/kept", key=(viewer, secret)).status == 403
    (row,) = since()
    assert row[1:6] == (viewer, "127.0.0.1", "DeleteThing", "kept", "AccessDeniedException")
    assert "admin" in row.detail["message"]


def test_failed_signatures_are_recorded(shared, since):
    ask(shared, "GET", "/things", key=(stack.KEY_ID, "guess"))
    shared.advance(1)
    with Connection(shared) as connection:
        connection.send(f"GET /things HTTP/1.1\r\nHost: {shared.address}\r\n\r\n").answer()
    forged, unsigned = since()
    assert (forged.key_id, forged.result) == (stack.KEY_ID, "InvalidSignatureException")
    assert unsigned.result == "MissingAuthenticationTokenException"


def test_secrets_are_left_out(shared, since):
    made = shared.api.create_keys_and_certificate(setAsActive=True)
    (row,) = since()
    assert row.operation == "CreateKeysAndCertificate"
    assert "PRIVATE KEY" not in str(row.detail)
    assert made["keyPair"]["PrivateKey"].splitlines()[1] not in str(row.detail)
    assert row.detail["out"]["certificateId"] == made["certificateId"]


def test_texts_from_outside_stay_on_their_line(shared, since):
    """S23."""
    name = "x%0A2026-01-01T00:00:00Z%20root%20127.0.0.1%20CreateThing%20forged%20ok%20{}%1B[31m"
    ask(shared, "POST", f"/things/{name}", b"{}")
    (row,) = since()
    assert row.key_id == stack.KEY_ID and row.result == "InvalidRequestException"
    printed = shared.command("log", "api", "--data-dir", shared.dir)
    assert "\x1b" not in printed
    assert not re.search(r"^\S+ root ", printed, re.M)


def test_long_calls_are_cut(shared, since):
    document = json.dumps(kit.document(*(kit.statement("iot:Publish", f"topic/{i}") for i in range(12))))
    shared.api.create_policy(policyName="long", policyDocument=document)
    (row,) = since()
    assert len(str(row.detail)) < 8192


def test_it_outlives_the_daemon_and_the_keys(shared):
    key_id, secret = shared.create_key("admin")
    shared.client(key_id, secret).create_thing(thingName="by-a-key-that-goes")
    shared.command("key", "delete", key_id, "--data-dir", shared.dir)
    shared.kill_daemon()
    shared.start_daemon().wait_ready()
    assert [row.operation for row in trail(shared) if row.key_id == key_id] == ["CreateThing"]
