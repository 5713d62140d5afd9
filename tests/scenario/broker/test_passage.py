"""Coming and going: every session is told once, with who, how and why; each trap of the broker is met here."""

import contextlib
import datetime
import socket
import ssl
import time

import broker_kit as kit
import pytest

CLEAN, TLS, MQTT5 = 1, 2, 4
REPORT = "$aws/things/sensor1/defender/metrics/json"


@pytest.fixture
def up(broker, far_end):
    def run():
        broker.fleet.write()
        far_end.open()
        broker.start()
        far_end.wait_up()
        return far_end

    return run


def certs_of(broker, ca, *names, **kwargs):
    made = [kit.make_cert(name, ca) for name in names]
    for cert, name in zip(made, names):
        broker.fleet.add(cert, things=[name], **kwargs)
    return made


def of_kind(far_end, kind, flush=[2000], **want):
    flush[0] += 1
    far_end.flush(flush[0])
    return [e for e in far_end.events if e["kind"] == kind and want.items() <= e.items()]


def drop(device):
    device.client._sock_close()


@pytest.mark.parametrize("clean, v5", [(True, False), (False, False), (True, True)])
def test_a_session_from_end_to_end(broker, up, ca, devices, clean, v5):
    (cert,) = certs_of(broker, ca, "sensor1")
    far_end = up()
    device = devices(broker, cert, "sensor1", clean=clean, v5=v5)
    assert device.connect() == 0
    event = far_end.wait_event(kind=kit.CONNECT, client_id="sensor1")
    assert (event["fingerprint"], event["thing"]) == (cert.fingerprint, "sensor1")
    assert (event["address"], event["port"], event["keep_alive_s"]) == ("127.0.0.1", broker.port, 60)
    assert event["flags"] == TLS | (CLEAN if clean or v5 else 0) | (MQTT5 if v5 else 0)
    assert (event["others"], event["username"]) == (0, "")
    device.close()
    end = far_end.wait_event(kind=kit.DISCONNECT, client_id="sensor1")
    assert (end["session"], end["cause"]) == (event["session"], "none")
    assert end["end"] in ("ended", "left")


def test_a_certificate_that_is_used_twice_at_once(broker, up, ca, devices):
    (cert,) = certs_of(broker, ca, "sensor1")
    far_end = up()
    first, second = devices(broker, cert, "first"), devices(broker, cert, "second")
    assert first.connect() == 0 and second.connect() == 0
    event = far_end.wait_event(kind=kit.CONNECT, client_id="second")
    assert (event["others"], event["other_client_id"], event["other_address"]) == (1, "first", "127.0.0.1")
    first.close()
    far_end.wait_event(kind=kit.DISCONNECT, client_id="first")
    third = devices(broker, cert, "third")
    assert third.connect() == 0
    assert far_end.wait_event(kind=kit.CONNECT, client_id="third")["other_client_id"] == "second"


def test_a_take_over_names_both(broker, up, ca, devices):
    old_cert, new_cert = certs_of(broker, ca, "sensor1", "sensor2")
    far_end = up()
    old, new = devices(broker, old_cert, "same"), devices(broker, new_cert, "same", clean=False)
    assert old.connect() == 0 and new.connect() == 0
    old.wait("disconnect")
    event = far_end.wait_event(kind=kit.TAKEOVER)
    assert event["old"]["fingerprint"] == old_cert.fingerprint
    assert event["new"]["fingerprint"] == new_cert.fingerprint
    assert event["old"]["client_id"] == event["new"]["client_id"] == "same"
    assert event["old"]["address"] == event["new"]["address"] == "127.0.0.1"
    assert event["new"]["session"] > event["old"]["session"] > 0
    assert (event["old_flags"], event["new_flags"]) == (TLS | CLEAN, TLS)
    assert new.is_live()
    (end,) = of_kind(far_end, kit.DISCONNECT)
    assert (end["session"], end["end"]) == (event["old"]["session"], "taken-over")
    assert len(of_kind(far_end, kit.TAKEOVER)) == 1
    assert len(of_kind(far_end, kit.CONNECT)) == 2


def test_a_take_over_that_is_refused_is_none(broker, up, ca, devices):
    good, bad = certs_of(broker, ca, "good", "bad")
    broker.fleet.policies["no"] = kit.document(kit.statement("iot:Connect", "client/else"))
    broker.fleet.add(bad, policies=["no"])
    far_end = up()
    live = devices(broker, good, "same")
    assert live.connect() == 0
    assert devices(broker, bad, "same").connect() == 5
    assert live.is_live()
    assert not of_kind(far_end, kit.TAKEOVER) and not of_kind(far_end, kit.DISCONNECT)


def test_a_returning_session_ended_once(broker, up, ca, devices):
    """The broker tells of the end of the object that was away, too."""
    (cert,) = certs_of(broker, ca, "sensor1")
    far_end = up()
    for n in (1, 2, 3):
        device = devices(broker, cert, "sensor1", clean=False)
        assert device.connect() == 0
        far_end.wait(lambda far: len([e for e in far.events if e["kind"] == kit.CONNECT]) == n)
        device.close()
        far_end.wait(lambda far: len([e for e in far.events if e["kind"] == kit.DISCONNECT]) == n)
    assert len(of_kind(far_end, kit.DISCONNECT)) == 3
    assert not of_kind(far_end, kit.TAKEOVER)


def test_who_may_not_publish_is_cut_with_the_cause(broker, up, ca, devices):
    broker.fleet.policies["p"] = kit.document(
        kit.statement("iot:Connect", "*"), kit.statement("iot:Publish", "topic/mine/*")
    )
    (cert,) = certs_of(broker, ca, "sensor1", policies=["p"])
    far_end = up()
    device = devices(broker, cert, "sensor1")
    assert device.connect() == 0
    device.publish("yours/a")
    device.wait("disconnect")
    refused = far_end.wait_event(kind=kit.REFUSED, cause="implicit-deny")
    assert (refused["resource"], refused["statement"], refused["policy"]) == ("yours/a", -1, "")
    end = far_end.wait_event(kind=kit.DISCONNECT, client_id="sensor1")
    assert (end["end"], end["cause"]) == ("cut", "implicit-deny")


def test_who_may_not_be_there_any_more_is_cut_with_the_cause(broker, up, ca, devices):
    (cert,) = certs_of(broker, ca, "sensor1")
    far_end = up()
    device = devices(broker, cert, "sensor1")
    assert device.connect() == 0
    broker.fleet.add(cert, active=False)
    far_end.send(kit.item_number(kit.GENERATION, broker.fleet.write()))
    end = far_end.wait_event(kind=kit.DISCONNECT, client_id="sensor1")
    assert (end["end"], end["cause"]) == ("cut", "certificate-inactive")
    far_end.wait_event(kind=kit.REFUSED, cause="certificate-inactive", client_id="sensor1")
    far_end.wait_event(kind=kit.APPLIED, number=2)
    kinds = [e["kind"] for e in far_end.events if e["kind"] in (kit.DISCONNECT, kit.APPLIED)]
    assert kinds == [kit.APPLIED, kit.DISCONNECT, kit.APPLIED]


def test_a_certificate_that_ends_while_it_is_used(broker, up, ca, devices):
    """S1: no new snapshot is needed."""
    cert = kit.make_cert("sensor1", ca)
    now = int(datetime.datetime.now(tz=datetime.timezone.utc).timestamp())
    broker.fleet.add(cert, validity=(now - 10, now + 8))
    far_end = up()
    device = devices(broker, cert, "sensor1")
    try:
        assert device.connect() == 0
    except (ssl.SSLError, OSError):
        pytest.skip("the machine needed eight seconds to come so far")
    end = far_end.wait_event(kind=kit.DISCONNECT, client_id="sensor1")
    assert (end["end"], end["cause"]) == ("cut", "certificate-expired")


def test_sighup_is_no_connect_and_no_end(broker, up, ca, devices):
    (cert,) = certs_of(broker, ca, "sensor1")
    far_end = up()
    live = [devices(broker, cert, f"live{i}", clean=i % 2 == 0, v5=i % 3 == 0) for i in range(12)]
    for device in live:
        assert device.connect() == 0
    before = len(of_kind(far_end, kit.CONNECT))
    broker.snapshot.unlink()  # and no snapshot can be read: the last good one rules
    for _ in range(3):
        since = broker.log.mark()
        broker.hup()
        broker.log.wait("Reloading config", since)
        for device in live:
            assert device.is_live()
    assert len(of_kind(far_end, kit.CONNECT)) == before == len(live)
    for kind in (kit.DISCONNECT, kit.TAKEOVER, kit.REFUSED):
        assert not of_kind(far_end, kind)


def test_handshakes_that_fail_are_told_by_address(broker, up, ca, devices):
    """Without a certificate and without TLS; a certificate that is refused is told once, with who it was."""
    (cert,) = certs_of(broker, ca, "sensor1")
    stranger = kit.make_cert("stranger", ca)
    far_end = up()
    assert devices(broker, cert, "sensor1").connect() == 0
    with pytest.raises(OSError):
        devices(broker, None, "x").connect()
    with socket.create_connection(("127.0.0.1", broker.port)) as s:
        s.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with contextlib.suppress(OSError):
            s.recv(100)
    far_end.wait(
        lambda far: sum(e["count"] for e in far.events if e["kind"] == kit.REFUSED and e["cause"] == "tls-failed") == 2
    )
    with pytest.raises(OSError):
        devices(broker, stranger, "stranger").connect()
    far_end.wait_event(kind=kit.REFUSED, cause="certificate-unknown", fingerprint=stranger.fingerprint)
    told = of_kind(far_end, kit.REFUSED)
    assert sum(e["count"] for e in told if e["cause"] == "tls-failed") == 2
    assert sum(e["count"] for e in told if e["cause"] == "certificate-unknown") == 1
    assert {(e["address"], e["port"]) for e in told} == {("127.0.0.1", broker.port)}


def test_connections_that_say_nothing_are_nobody(broker, up, ca):
    """Port scans of a listener without TLS."""
    port = kit.free_port()
    broker.extra = f"listener {port} 127.0.0.1"
    far_end = up()
    for _ in range(3):
        socket.create_connection(("127.0.0.1", port)).close()
    broker.log.wait("Client <unknown> (closed|disconnected)|disconnected: connection closed")
    assert not of_kind(far_end, kit.REFUSED) and not of_kind(far_end, kit.DISCONNECT)


def test_a_resumed_tls_session_is_judged_too(broker, up, ca, devices):
    """It skips the check of the certificate; who it is and what it asked for are known all the same."""
    broker.fleet.policies["p"] = kit.document(
        kit.statement("iot:Connect", "*") | {"Condition": {"StringEquals": {"iot:DomainName": "iot.example"}}},
        kit.statement("iot:Publish", "*"),
    )
    (cert,) = certs_of(broker, ca, "sensor1", policies=["p"])
    far_end = up()
    context = kit.client_context(broker, cert)
    for minimum in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context.minimum_version = context.maximum_version = minimum
        session = None
        for is_resumed in (False, True):
            raw = socket.create_connection(("127.0.0.1", broker.port), timeout=kit.DEADLINE)
            with context.wrap_socket(raw, server_hostname="iot.example", session=session) as s:
                s.sendall(b"\x10\x13\x00\x04MQTT\x04\x02\x00\x3c\x00\x07sensor1")
                assert s.recv(4) == b"\x20\x02\x00\x00"
                assert s.session_reused == is_resumed
                session = s.session
    assert {e["port"] for e in of_kind(far_end, kit.CONNECT)} == {broker.port}
    raw = socket.create_connection(("127.0.0.1", broker.port), timeout=kit.DEADLINE)
    with context.wrap_socket(raw, server_hostname="elsewhere.example") as s:
        s.sendall(b"\x10\x13\x00\x04MQTT\x04\x02\x00\x3c\x00\x07sensor1")
        assert s.recv(4) == b"\x20\x02\x00\x05"


# ---- Wills ----




WILL_STATEMENTS = {
    # The spec's examples 15 and 16, told by the will.
    "only plain or with a will": kit.statement("iot:Connect", "*")
    | {"Condition": {"ForAllValues:StringEquals": {"iot:ConnectAttributes": ["LastWill"]}}},
    "to one topic": kit.statement("iot:Connect", "*")
    | {"Condition": {"ArnEqualsIfExists": {"iot:LastWillTopic": kit.ARN + "topic/will/mine"}}},
    "none at all": kit.statement("iot:Connect", "*")
    | {"Condition": {"ForAllValues:StringEquals": {"iot:ConnectAttributes": ["PersistentConnect"]}}},
}


@pytest.mark.parametrize(
    "grant, topic, is_sent",
    [
        ("only plain or with a will", "will/any", True),
        ("to one topic", "will/mine", True),
        ("to one topic", "will/yours", False),
        ("none at all", "will/mine", False),
    ],
)
def test_the_will_is_judged_when_it_is_sent(broker, up, ca, devices, grant, topic, is_sent):
    broker.fleet.policies["p"] = kit.document(WILL_STATEMENTS[grant], kit.statement("iot:Publish", "*"))
    seer, mortal = certs_of(broker, ca, "seer", "mortal")
    broker.fleet.add(mortal, policies=["p"])
    far_end = up()
    watching, leaving = devices(broker, seer, "seer"), devices(broker, mortal, "mortal", will=(topic, b"bye", 1))
    assert watching.connect() == 0 and watching.subscribe("#") == 1
    assert leaving.connect() == 0
    drop(leaving)
    far_end.wait_event(kind=kit.DISCONNECT, client_id="mortal")
    watching.publish_acked("fence", b"")
    assert watching.receive().topic == (topic if is_sent else "fence")
    told = of_kind(far_end, kit.REFUSED)
    assert [e["cause"] for e in told] == ([] if is_sent else ["will-not-allowed"])
    if not is_sent:
        assert (told[0]["client_id"], told[0]["resource"]) == ("mortal", topic)


def test_a_persistent_connect_is_judged_by_the_clean_flag(broker, up, ca, devices):
    broker.fleet.policies["p"] = kit.document(
        kit.statement("iot:Connect", "*"),
        kit.statement("iot:Connect", "*", effect="Deny")
        | {"Condition": {"ForAnyValue:StringEquals": {"iot:ConnectAttributes": ["PersistentConnect"]}}},
    )
    (cert,) = certs_of(broker, ca, "sensor1", policies=["p"])
    far_end = up()
    assert devices(broker, cert, "sensor1", clean=False).connect() == 5
    told = far_end.wait_event(kind=kit.REFUSED, cause="explicit-deny")
    assert (told["policy"], told["statement"]) == ("p", 1)
    assert devices(broker, cert, "sensor1").connect() == 0


def test_the_will_of_a_taken_over_session(broker, up, ca, devices):
    """It is sent while the old session is still open: a will is no publish, so it cannot be a report."""
    broker.extra = f"persistence true\npersistence_location {broker.run_dir}/"
    (cert,) = certs_of(broker, ca, "sensor1")
    far_end = up()
    old = devices(broker, cert, "sensor1", will=(REPORT, b"report-kept", 1, True))
    new = devices(broker, cert, "sensor1")
    assert old.connect() == 0 and new.connect() == 0
    told = far_end.wait_event(kind=kit.REFUSED, cause="will-report")
    assert (told["resource"], told["count"]) == (REPORT, 1)
    assert new.is_live()
    broker.stop()
    assert b"report-kept" not in (broker.run_dir / "mosquitto.db").read_bytes()


def test_a_will_is_judged_by_the_rules_of_then(broker, up, ca, devices):
    """S6: whoever is thrown out says nothing more by its will."""
    seer, mortal = certs_of(broker, ca, "seer", "mortal")
    far_end = up()
    watching, leaving = devices(broker, seer, "seer"), devices(broker, mortal, "mortal", will=("will", b"bye", 1))
    assert watching.connect() == 0 and watching.subscribe("#") == 1
    assert leaving.connect() == 0
    broker.fleet.add(mortal, active=False)
    far_end.send(kit.item_number(kit.GENERATION, broker.fleet.write()))
    far_end.wait_event(kind=kit.DISCONNECT, client_id="mortal")
    watching.publish_acked("fence", b"")
    assert watching.receive().topic == "fence"


# ---- Quarantine (S6) ----


@pytest.mark.parametrize("client_id", ["sensor1", "another"])
def test_quarantine_rules_every_session_of_the_certificate(broker, up, ca, devices, client_id):
    broker.fleet.policies["locked"] = kit.document(
        kit.statement("iot:Connect", "*"), kit.statement("iot:Publish", "topic/report/only")
    )
    broker.fleet.groups["locked"] = {"quarantine": True, "policies": ["locked"]}
    seer, suspect = certs_of(broker, ca, "seer", "sensor1")
    far_end = up()
    watching = devices(broker, seer, "seer")
    device = devices(broker, suspect, client_id, will=("will", b"bye", 1))
    assert watching.connect() == 0 and watching.subscribe("#") == 1
    assert device.connect() == 0
    broker.fleet.things["sensor1"] = ["locked"]
    far_end.send(kit.item_number(kit.GENERATION, broker.fleet.write()))
    far_end.wait_event(kind=kit.APPLIED, number=2)
    device.publish_acked("report/only", b"1")
    assert watching.receive().topic == "report/only"
    device.publish("anything/else")
    device.wait("disconnect")
    told = far_end.wait_event(kind=kit.REFUSED, cause="quarantined", resource="anything/else")
    assert told["client_id"] == client_id
    far_end.wait_event(kind=kit.REFUSED, cause="quarantined", resource="will")
    watching.publish_acked("fence", b"")
    assert watching.receive().topic == "fence"


def test_quarantine_withholds_what_was_queued(broker, up, ca, devices):
    broker.fleet.policies["locked"] = kit.document(kit.statement("iot:Connect", "*"))
    broker.fleet.groups["locked"] = {"quarantine": True, "policies": ["locked"]}
    seer, suspect = certs_of(broker, ca, "seer", "sensor1")
    far_end = up()
    sender, device = devices(broker, seer, "seer"), devices(broker, suspect, "sensor1", clean=False)
    assert sender.connect() == 0 and device.connect() == 0
    assert device.subscribe("to/sensor1") == 1
    device.close()
    far_end.wait_event(kind=kit.DISCONNECT, client_id="sensor1")
    sender.publish_acked("to/sensor1", b"before")
    broker.fleet.things["sensor1"] = ["locked"]
    far_end.send(kit.item_number(kit.GENERATION, broker.fleet.write()))
    far_end.wait_event(kind=kit.APPLIED, number=2)
    sender.publish_acked("to/sensor1", b"after")
    far_end.wait_event(kind=kit.REFUSED, cause="quarantined", client_id="sensor1")
    back = devices(broker, suspect, "sensor1", clean=False)
    assert back.connect() == 0 and back.session_present
    broker.fleet.things["sensor1"] = []
    far_end.send(kit.item_number(kit.GENERATION, broker.fleet.write()))
    far_end.wait_event(kind=kit.APPLIED, number=3)
    sender.publish_acked("to/sensor1", b"released")
    assert back.receive().payload == b"released"
