"""Observe before enforce: who decides on which listener, and what is told of what would have been refused."""

import socket
import struct
import subprocess

import broker_kit as kit
import pytest

OBSERVED = 8
REFUSED_V3, BAD_METHOD_V5 = 5, 140


def plain_listener(broker, *lines):
    """One more listener, without TLS, and the broker's own files as the lines say. Its port."""
    port = kit.free_port()
    broker.extra = "\n".join([f"listener {port} 127.0.0.1", *lines])
    return port


def tls_listener(broker, *lines):
    port = kit.free_port()
    here = broker.dir
    broker.extra = "\n".join(
        [
            f"listener {port} 127.0.0.1",
            f"capath {here / 'capath'}",
            f"certfile {here / 'server.pem'}",
            f"keyfile {here / 'server.key'}",
            *lines,
        ]
    )
    return port


def trust(broker, ca):
    """The broker's own chain check accepts what this CA issued."""
    ca.save(broker.dir / "capath", "ca")
    subprocess.run(["openssl", "rehash", broker.dir / "capath"], check=True, capture_output=True)


def passwords(broker, **users):
    path = broker.dir / "passwords"
    path.touch()
    for name, password in users.items():
        subprocess.run(["mosquitto_passwd", "-b", path, name, password], check=True, capture_output=True)
    path.chmod(0o644)
    return f"password_file {path}"


def acls(broker, *lines):
    path = broker.dir / "acls"
    path.write_text("\n".join([*lines, ""]))
    path.chmod(0o644)
    return f"acl_file {path}"


@pytest.fixture
def start(broker, far_end):
    """Starts the broker with the channel up, under these modes."""

    def run(mode="observe", **by_port):
        broker.options.update({"mode": mode, **by_port})
        broker.fleet.write()
        far_end.open()
        broker.start()
        far_end.wait_up()
        return far_end

    return run


def refusals(far_end, flush=[1000]):
    flush[0] += 1
    far_end.flush(flush[0])
    return [e for e in far_end.events if e["kind"] == kit.REFUSED]


@pytest.mark.parametrize("username", [None, "somebody"])
def test_a_broker_without_files_goes_on_as_it_was(broker, start, devices, username):
    """Nobody else decides: whoever comes may do all, over SIGHUP too, a user name or not."""
    port = plain_listener(broker, "allow_anonymous true")
    far_end = start()
    device = devices(broker, None, "sensor1", transport="tcp", username=username)
    assert device.connect(port) == 0
    assert device.subscribe("a/b") == 1
    device.publish_acked("a/b", b"hello")
    assert device.receive().payload == b"hello"
    event = far_end.wait_event(kind=kit.CONNECT, client_id="sensor1")
    assert event["flags"] & OBSERVED and event["port"] == port
    assert event["username"] == (username or "")
    for _ in range(2):
        since = broker.log.mark()
        broker.hup()
        broker.log.wait("Reloading config", since)
        assert device.is_live()
    (told,) = refusals(far_end)
    assert (told["cause"], told["is_observed"], told["client_id"]) == ("no-certificate", True, "sensor1")
    assert not [e for e in far_end.events if e["kind"] == kit.DISCONNECT]


def test_a_session_that_is_away_is_left_as_it_was(broker, start, devices):
    port = plain_listener(broker, "allow_anonymous true")
    start()
    other = devices(broker, None, "other", transport="tcp", username="b")
    away = devices(broker, None, "away", transport="tcp", username="a", clean=False)
    assert other.connect(port) == 0 and away.connect(port) == 0
    assert away.subscribe("to/away") == 1
    away.close()
    other.publish_acked("to/away", b"1")
    broker.hup()
    broker.log.wait("Reloading config")
    other.publish_acked("to/away", b"2")
    back = devices(broker, None, "away", transport="tcp", username="a", clean=False)
    assert back.connect(port) == 0 and back.session_present
    assert [back.receive().payload, back.receive().payload] == [b"1", b"2"]


def test_a_name_is_no_certificate_while_its_client_is_away(broker, start, ca, devices):
    """Who is let in is named by its fingerprint. A client of an observed listener may call itself so, and gains
    and loses nothing by it: what is queued for it is left to the broker, and nothing is told of the certificate."""
    port = plain_listener(broker, "allow_anonymous true")
    cert = kit.make_cert("sensor1", ca)
    broker.fleet.add(cert, policies=())
    far_end = start(**{f"mode_{broker.port}": "enforce"})
    other, away = (
        devices(broker, None, name, transport="tcp", username=username, clean=name == "other")
        for name, username in (("other", "b"), ("away", cert.fingerprint))
    )
    assert other.connect(port) == 0 and away.connect(port) == 0
    assert away.subscribe("to/away") == 1
    away.close()
    far_end.wait_event(kind=kit.DISCONNECT, client_id="away")
    other.publish_acked("to/away", b"1")
    assert not [e for e in refusals(far_end) if e["fingerprint"] == cert.fingerprint]
    back = devices(broker, None, "away", transport="tcp", username=cert.fingerprint, clean=False)
    assert back.connect(port) == 0 and back.session_present
    assert back.receive().payload == b"1"


def test_the_brokers_own_files_decide(broker, start, devices):
    port = plain_listener(
        broker,
        passwords(broker, ann="x", bob="other"),
        acls(broker, "user ann", "topic readwrite a/#"),
    )
    far_end = start()
    ann, bob = (devices(broker, None, n, transport="tcp", username=n) for n in ("ann", "bob"))
    assert ann.connect(port) == 0
    assert bob.connect(port) == REFUSED_V3
    assert devices(broker, None, "nameless", transport="tcp").connect(port) == REFUSED_V3
    assert ann.subscribe("#") == 1
    ann.publish_acked("b", b"withheld")
    ann.publish_acked("a/b", b"seen")
    assert ann.receive().payload == b"seen"
    told = {(e["client_id"], e["cause"], e["is_observed"]) for e in refusals(far_end)}
    assert told == {
        ("ann", "no-certificate", True),
        ("bob", "broker-refused", False),
        ("nameless", "broker-refused", False),
    }
    assert [e["client_id"] for e in far_end.events if e["kind"] == kit.CONNECT] == ["ann"]


def test_policy_is_judged_and_told_but_not_obeyed(broker, start, ca, devices):
    trust(broker, ca)
    broker.extra = "allow_anonymous true"
    cert = kit.make_cert("sensor1", ca)
    broker.fleet.policies["p"] = kit.document(
        kit.statement("iot:Connect", "*"),
        kit.statement("iot:*", "*", effect="Deny") | {"Action": "iot:Publish", "Resource": kit.ARN + "topic/no"},
        kit.statement(["iot:Publish", "iot:Subscribe", "iot:Receive"], "*"),
    )
    broker.fleet.add(cert, things=["sensor1"], policies=["p"])
    far_end = start()
    device = devices(broker, cert, "sensor1")
    assert device.connect() == 0
    assert device.subscribe("no") == 1
    device.publish_acked("no", b"all the same", retain=True)
    assert device.receive().payload == b"all the same"
    (told,) = refusals(far_end)
    assert told["cause"] == "explicit-deny" and told["is_observed"]
    assert (told["policy"], told["statement"], told["resource"]) == ("p", 1, "no")
    assert told["fingerprint"] == cert.fingerprint
    # What would be refused does not end what is there.
    broker.fleet.add(cert, active=False)
    far_end.send(kit.item_number(kit.GENERATION, broker.fleet.write()))
    far_end.wait_event(kind=kit.APPLIED, number=2)
    far_end.wait_event(kind=kit.REFUSED, cause="certificate-inactive", is_observed=True)
    assert device.is_live()


def test_the_brokers_chain_check_decides(broker, start, ca, devices):
    """A registered certificate of an authority that the broker does not hold is refused, as it was before."""
    trust(broker, ca)
    broker.extra = "allow_anonymous true"
    stranger, known = kit.make_cert("stranger", kit.make_cert("Other CA", is_ca=True)), kit.make_cert("x", ca)
    broker.fleet.add(stranger)
    far_end = start()
    with pytest.raises(OSError):
        devices(broker, stranger, "stranger").connect()
    event = far_end.wait_event(kind=kit.REFUSED, cause="chain-not-trusted")
    assert event["fingerprint"] == stranger.fingerprint and not event["is_observed"]
    assert devices(broker, known, "x").connect() == 0
    far_end.wait_event(kind=kit.REFUSED, cause="certificate-unknown", is_observed=True, client_id="x")
    assert {e["count"] for e in refusals(far_end)} == {1}


def test_modes_are_per_listener(broker, start, ca, devices):
    port = plain_listener(broker, passwords(broker, ann="x"))
    cert, stranger = kit.make_cert("sensor1", ca), kit.make_cert("stranger", ca)
    broker.fleet.add(cert)
    start(mode="enforce", **{f"mode_{port}": "observe"})
    with pytest.raises(OSError):
        devices(broker, stranger, "stranger").connect()
    ann, device = devices(broker, None, "ann", transport="tcp", username="ann"), devices(broker, cert, "sensor1")
    assert ann.connect(port) == 0 and device.connect() == 0
    assert ann.subscribe("t") == 1
    device.publish_acked("t", b"across")
    assert ann.receive().payload == b"across"


def test_an_enforced_listener_beside_observed_ones(broker, start, ca, devices):
    port = plain_listener(broker, "allow_anonymous true")
    start(mode="observe", **{f"mode_{port}": "enforce"})
    cert = kit.make_cert("sensor1", ca)
    broker.fleet.add(cert)
    assert devices(broker, None, "x", transport="tcp", username=cert.fingerprint).connect(port) == REFUSED_V3
    broker.log.wait("showed no certificate")


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_listener_that_names_clients_by_their_certificate(broker, start, ca, devices, mode):
    """The broker asks nobody about their CONNECT: they are met at their first packet."""
    trust(broker, ca)
    port = tls_listener(broker, "require_certificate true", "use_identity_as_username true", "allow_anonymous true")
    victim = kit.make_cert("victim", ca)
    cert = kit.make_cert(victim.fingerprint, ca)  # to be taken for somebody else
    broker.fleet.add(cert, policies=["all"])
    broker.fleet.add(victim, policies=["all"])
    far_end = start(mode)
    device = devices(broker, cert, "sensor1")
    assert device.connect(port) == 0
    if mode == "observe":
        assert device.subscribe("a") == 1
        event = far_end.wait_event(kind=kit.CONNECT, client_id="sensor1", fingerprint=cert.fingerprint)
        assert event["port"] == port
        device.close()
        far_end.wait_event(kind=kit.DISCONNECT, client_id="sensor1")
    else:
        assert device.subscribe("a") == 0x80
        device.publish("a")
        device.wait("disconnect")
        broker.log.wait("the listener takes the user name from the certificate")
        event = far_end.wait_event(kind=kit.REFUSED, cause="identity-as-username")
        assert event["fingerprint"] == cert.fingerprint


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_authentication_method_is_taken_from_nobody(broker, start, mode):
    port = plain_listener(broker, "allow_anonymous true")
    far_end = start(mode)
    method = b"\x15" + struct.pack(">H", 5) + b"SCRAM"
    body = b"\x00\x04MQTT\x05\x02\x00\x3c" + bytes([len(method)]) + method + b"\x00\x03me5"
    with socket.create_connection(("127.0.0.1", port), timeout=kit.DEADLINE) as s:
        s.sendall(bytes([0x10, len(body)]) + body)
        answer = s.recv(5)
    assert (answer[0], answer[3]) == (0x20, BAD_METHOD_V5)
    causes = {e["cause"] for e in refusals(far_end)}
    assert causes == ({"auth-method"} if mode == "enforce" else set())


@pytest.mark.parametrize(
    "options, complaint",
    [
        ({"mode": "watch"}, 'plugin_opt_mode is "watch": give observe or enforce'),
        ({"mode_8883": "on"}, 'plugin_opt_mode_8883 is "on": give observe or enforce'),
        ({"mode_tls": "observe"}, "plugin_opt_mode_tls names no port"),
        ({"mode_65536": "observe"}, "plugin_opt_mode_65536 names no port"),
    ],
)
def test_a_mode_is_not_guessed(broker, options, complaint):
    broker.options = options
    with pytest.raises(AssertionError):
        broker.start()
    assert broker.stop() != 0
    assert any(complaint in line for line in broker.log.lines)
