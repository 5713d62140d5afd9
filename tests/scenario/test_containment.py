"""What was taken away is followed to the broker: applied, verified with evidence, or ineffective with the reason; and
who fights for a client id is told apart."""

import json
import urllib.parse
from types import SimpleNamespace

import broker_kit as kit
import pytest
import raw_http
import stack

ANYONE = kit.statement("iot:Connect", "client/*")
THING_ONLY = kit.statement("iot:Connect", f"client/{stack.THING}")
PUBLISH = kit.statement("iot:Publish", "topic/a/*")
DENY_ALL = kit.document(kit.statement("iot:*", "*", effect="Deny"))


def newest(thingward):
    """The containment that was asked for last, whole."""
    (first, *_) = json.loads(thingward.command("containment", "--json", "--data-dir", thingward.dir))
    shown = thingward.command("containment", first["containmentId"], "--json", "--data-dir", thingward.dir)
    return json.loads(shown)


def becomes(thingward, *states):
    """Waits until the newest containment went through exactly these states; its lines of evidence."""

    def went():
        seen = newest(thingward)["evidence"]
        return [line["state"] for line in seen] == list(states) and [line["text"] for line in seen]

    return stack.wait_until(went, lambda: f"{states}: {newest(thingward)}")


def ineffective(thingward, number):
    """Waits until the containment was given up, and nothing else; its reason."""

    def is_given_up():
        whole = json.loads(thingward.command("containment", number, "--json", "--data-dir", thingward.dir))
        return [line["state"] for line in whole["evidence"]] == ["ineffective"] and whole

    return stack.wait_until(is_given_up, f"containment {number} is ineffective")["evidence"][0]["text"]


def maker_of_groups(thingward):
    """Makes a group with a policy of these statements; attributes as given."""

    def make(name, document, **attributes):
        thingward.api.create_thing_group(
            thingGroupName=name,
            thingGroupProperties={"attributePayload": {"attributes": attributes}} if attributes else {},
        )
        thingward.api.create_policy(policyName=f"of-{name}", policyDocument=json.dumps(document))
        thingward.api.attach_policy(policyName=f"of-{name}", target=f"{stack.ARN}thinggroup/{name}")
        return name

    return make


@pytest.fixture
def group(thingward):
    return maker_of_groups(thingward)


def test_a_refused_reconnect_verifies_a_deactivation(thingward):
    pump = thingward.register("pump-1")
    assert pump.connect() == 0
    thingward.api.update_certificate(certificateId=pump.certificate_id, newStatus="INACTIVE")
    pump.wait_closed()
    pump.connect_refused()
    applied, verified = becomes(thingward, "applied", "verified")
    assert "is in force on 1 broker and every open session was judged by it" in applied
    assert verified == "no session is open, and a connect from 127.0.0.1 was refused: certificate-inactive"
    record = newest(thingward)["containment"]
    assert (record["kind"], record["target"]) == ("certificate-deactivated", pump.certificate_id)
    assert record["accessKeyId"] == stack.KEY_ID
    assert record["timeToContainmentMs"] >= 0
    assert thingward.metric("containments_verified") == 1
    thingward.daemon_log.wait("containment: 1 .* is verified")


def test_quiet_verifies_a_deactivation(thingward):
    pump = thingward.register("pump-1")
    thingward.api.update_certificate(certificateId=pump.certificate_id, newStatus="REVOKED")
    becomes(thingward, "applied")
    thingward.advance(60)
    (_, verified) = becomes(thingward, "applied", "verified")
    assert verified == "no session is open, and no connect was tried for 60 s"


def test_a_broker_that_is_away_makes_it_ineffective_until_it_comes(thingward):
    pump = thingward.register("pump-1")
    assert thingward.stop_broker() == 0
    thingward.api.update_certificate(certificateId=pump.certificate_id, newStatus="INACTIVE")
    thingward.advance(60)
    (silent,) = becomes(thingward, "ineffective")
    assert "has not confirmed generation" in silent
    thingward.start_broker()
    becomes(thingward, "ineffective", "applied")


def test_a_session_that_is_not_cut_is_never_verified(make_thingward):
    """The broker says that it cut them, and did not."""
    thingward = make_thingward(plugin="planted_clinging").start()
    jail = maker_of_groups(thingward)("jail", DENY_ALL, **{"thingward:quarantine": "true"})
    off, bare, jailed = (thingward.register(f"clinging-{name}") for name in ("off", "bare", "jailed"))
    for device in (off, bare, jailed):
        assert device.connect() == 0
    thingward.api.update_certificate(certificateId=off.certificate_id, newStatus="INACTIVE")
    thingward.api.detach_policy(policyName="of-clinging-bare", target=bare.certificate_arn)
    thingward.api.add_thing_to_thing_group(thingName="clinging-jailed", thingGroupName=jail)
    thingward.settle()
    thingward.advance(120)
    reasons = [ineffective(thingward, n) for n in (1, 2, 3)]
    assert all("broker main has not confirmed generation" in reason for reason in reasons)
    assert reasons[0].endswith('; the session of client "clinging-off" from 127.0.0.1 is still open on broker main')
    thingward.advance(600)
    assert [ineffective(thingward, n) for n in (1, 2, 3)] == reasons
    assert thingward.metric("containments_verified") == 0
    for device in (off, bare, jailed):
        device.send(b"whoever speaks is thrown out")
        device.wait_closed()
    becomes(thingward, "ineffective", "applied", "verified")
    assert thingward.reports_in_log() == []


def test_a_quarantine_holds_whatever_the_client_id(thingward, group):
    pump = thingward.register("pump-1", kit.document(ANYONE, PUBLISH))
    jail = group("jail", kit.document(THING_ONLY), **{"thingward:quarantine": "true"})
    thingward.api.add_thing_to_thing_group(thingName="pump-1", thingGroupName=jail)
    (_, verified) = becomes(thingward, "applied", "verified")
    assert "judges every client id by the quarantine's policies alone" in verified
    assert newest(thingward)["containment"]["kind"] == "thing-quarantined"
    assert newest(thingward)["certificateIds"] == [pump.certificate_id]


def test_a_certificate_that_a_quarantined_thing_gets(thingward, group):
    """It could do what it liked until then."""
    jail = group("jail", DENY_ALL, **{"thingward:quarantine": "true"})
    thingward.register("pump-1")
    thingward.api.add_thing_to_thing_group(thingName="pump-1", thingGroupName=jail)
    becomes(thingward, "applied", "verified")
    spare = thingward.register("pump-2")
    assert spare.connect() == 0
    thingward.api.attach_thing_principal(thingName="pump-1", principal=spare.certificate_arn)
    spare.wait_closed()
    becomes(thingward, "applied", "verified")
    assert newest(thingward)["containment"]["containmentId"] == "2"
    assert spare.certificate_id in newest(thingward)["certificateIds"]


def test_a_group_that_becomes_a_quarantine(thingward, group):
    thingward.register("pump-1", kit.document(ANYONE, PUBLISH))
    hall = group("hall", kit.document(THING_ONLY))
    thingward.api.add_thing_to_thing_group(thingName="pump-1", thingGroupName=hall)
    properties = {"attributePayload": {"attributes": {"thingward:quarantine": "true"}}}
    thingward.api.update_thing_group(thingGroupName=hall, thingGroupProperties=properties)
    becomes(thingward, "applied", "verified")
    assert newest(thingward)["containment"]["kind"] == "group-made-quarantine"


def test_a_quarantine_is_true_or_false(thingward):
    with pytest.raises(thingward.api.exceptions.InvalidRequestException, match="use true to make the group"):
        thingward.api.create_thing_group(
            thingGroupName="jail",
            thingGroupProperties={"attributePayload": {"attributes": {"thingward:quarantine": "yes"}}},
        )


def test_an_ordinary_group_is_escaped_by_another_client_id(thingward, group):
    thingward.register("pump-1", kit.document(ANYONE, PUBLISH))
    hall = group("hall", DENY_ALL)
    thingward.api.add_thing_to_thing_group(thingName="pump-1", thingGroupName=hall)
    (_, reason) = becomes(thingward, "applied", "ineffective")
    assert reason.startswith("policy of-pump-1 version 1 statement 1 allows iot:Connect as client/")


def test_an_ordinary_group_holds_a_device_that_has_one_client_id(thingward, group):
    thingward.register("pump-1", kit.document(THING_ONLY, PUBLISH))
    hall = group("hall", DENY_ALL)
    thingward.api.add_thing_to_thing_group(thingName="pump-1", thingGroupName=hall)
    (_, verified) = becomes(thingward, "applied", "verified")
    assert "under every client id that was tried" in verified


def test_a_detached_policy_is_verified_or_another_one_named(thingward):
    pump = thingward.register("pump-1", kit.document(ANYONE, PUBLISH))
    extra = kit.document(kit.statement("iot:Publish", "topic/a/*", "topic/b/*"))
    thingward.api.create_policy(policyName="extra", policyDocument=json.dumps(extra))
    thingward.api.attach_policy(policyName="extra", target=pump.certificate_arn)
    thingward.api.detach_policy(policyName="extra", target=pump.certificate_arn)
    (_, reason) = becomes(thingward, "applied", "ineffective")
    assert reason.startswith("policy of-pump-1 version 1 statement 2 allows iot:Publish on topic/a/")

    changed = json.dumps(kit.document(ANYONE))
    thingward.api.create_policy_version(policyName="of-pump-1", policyDocument=changed, setAsDefault=True)
    (_, verified) = becomes(thingward, "applied", "verified")
    assert verified.startswith("the snapshot denies what was granted before")


def test_what_is_given_back_is_lifted(thingward):
    pump = thingward.register("pump-1")
    thingward.api.update_certificate(certificateId=pump.certificate_id, newStatus="INACTIVE")
    becomes(thingward, "applied")
    thingward.advance(1)
    thingward.api.update_certificate(certificateId=pump.certificate_id, newStatus="ACTIVE")
    assert pump.connect() == 0
    assert newest(thingward)["containment"]["liftedTime"]
    thingward.advance(120)
    becomes(thingward, "applied")


# ---- The API ----


def ask(thingward, path, **options):
    answer = raw_http.ask(thingward, "GET", path, **options)
    return SimpleNamespace(status=answer.status, body=json.loads(answer.body))


def test_containments_are_listed_in_pages(thingward):
    pump = thingward.register("pump-1")
    for status in ("INACTIVE", "ACTIVE", "INACTIVE", "REVOKED"):
        thingward.api.update_certificate(certificateId=pump.certificate_id, newStatus=status)
    first = ask(thingward, "/thingward/containments?maxResults=2").body
    assert [one["containmentId"] for one in first["containments"]] == ["3", "2"]
    token = urllib.parse.quote(first["nextToken"], safe="")
    rest = ask(thingward, f"/thingward/containments?maxResults=2&nextToken={token}").body
    assert [one["containmentId"] for one in rest["containments"]] == ["1"]
    assert "nextToken" not in rest
    whole = ask(thingward, "/thingward/containments/1").body
    assert whole["certificateIds"] == [pump.certificate_id]
    assert ask(thingward, "/thingward/containments/4").status == 404
    assert ask(thingward, "/thingward/containments/x").status == 400
    assert ask(thingward, "/thingward/containments", key=("nobody", "x")).status == 403


# ---- Clones ----


def cases(thingward):
    return json.loads(thingward.command("clones", "--json", "--data-dir", thingward.dir))


def fight(thingward, one, other, take_overs):
    """Each cuts the other off in turn."""
    assert one.connect() == 0
    for i in range(take_overs):
        newcomer, old = (other, one) if i % 2 == 0 else (one, other)
        assert newcomer.connect() == 0
        old.wait_closed()
        old.client.loop_stop()
    thingward.settle()
    return cases(thingward)


def test_one_certificate_at_two_addresses_is_a_clone_within_three_take_overs(thingward):
    pump = thingward.register("pump-1")
    copy = thingward.device("pump-1", pump.cert_pem, pump.key_pem, pump.certificate_arn)
    copy.bind_address = "127.0.0.2"
    (case,) = fight(thingward, pump, copy, 3)
    assert (case["clientId"], case["verdict"], case["takeovers"]) == ("pump-1", "clone", 3)
    assert {end["address"] for end in case["endpoints"]} == {"127.0.0.1", "127.0.0.2"}
    assert {end["certificateId"] for end in case["endpoints"]} == {pump.certificate_id}
    assert ask(thingward, "/thingward/clone-cases").body["cloneCases"][0]["verdict"] == "clone"


def test_two_certificates_that_take_turns_are_twins(thingward):
    one = thingward.register("pump-1", kit.ALLOW_ALL)
    made = thingward.register("pump-2", kit.ALLOW_ALL)
    other = thingward.device("pump-2", made.cert_pem, made.key_pem, made.certificate_arn, client_id="pump-1")
    (case,) = fight(thingward, one, other, 3)
    assert case["verdict"] == "twin"


def test_one_device_that_comes_again_and_again_is_no_clone(thingward):
    pump = thingward.register("pump-1")
    again = thingward.device("pump-1", pump.cert_pem, pump.key_pem, pump.certificate_arn)
    (case,) = fight(thingward, pump, again, 5)
    assert case["verdict"] == "unstable-link"


def test_one_certificate_under_two_client_ids_is_a_clone_when_both_live(thingward):
    pump = thingward.register("pump-1", kit.ALLOW_ALL)
    copy = thingward.device("pump-1", pump.cert_pem, pump.key_pem, pump.certificate_arn, client_id="copy")
    copy.bind_address = "127.0.0.2"
    assert pump.connect() == copy.connect() == 0
    thingward.settle()
    (case,) = cases(thingward)
    assert (case["certificateId"], case["verdict"]) == (pump.certificate_id, "undecided")
    thingward.advance(200)
    pump.close()
    thingward.settle()
    (case,) = cases(thingward)
    assert {reason["reason"] for reason in case["reasons"]} == {
        "sessions of one certificate were open at two addresses",
        "both lived at the same time, at addresses close by",
    }


def test_two_sessions_of_one_certificate_that_stay_open_are_told_by_their_counters(thingward):
    pump = thingward.register("pump-1", kit.ALLOW_ALL)
    copy = thingward.device("pump-1", pump.cert_pem, pump.key_pem, pump.certificate_arn, client_id="copy")
    copy.bind_address = "127.0.0.2"
    assert pump.connect() == copy.connect() == 0
    thingward.settle()
    for _ in range(3):
        thingward.advance(300)
    (case,) = cases(thingward)
    assert "both lived at the same time, at addresses close by" in {
        reason["reason"] for reason in case["reasons"]
    }
