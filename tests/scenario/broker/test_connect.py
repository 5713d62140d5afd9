"""Who may connect (S1-S4, S8)."""

import ssl

import broker_kit as kit
import pytest

REFUSED_V3, REFUSED_V5 = 5, 135


def test_does_anything_get_through_at_all(broker, ca, devices):
    cert = kit.make_cert("sensor1", ca)
    broker.fleet.add(cert, things=["sensor1"])
    broker.fleet.write()
    broker.start()
    device = devices(broker, cert, "sensor1")
    assert device.connect() == 0
    assert device.subscribe("a/b") == 1
    device.publish_acked("a/b", b"hello")
    assert device.receive().payload == b"hello"


def test_registered_certificate_of_unknown_issuer_connects(broker, devices):
    """The broker's capath is empty: nobody has the CA of what AWS issued."""
    stranger_ca = kit.make_cert("AWS IoT Certificate", is_ca=True)
    cert = kit.make_cert("AWS IoT Certificate", stranger_ca)
    broker.fleet.add(cert)
    broker.fleet.write()
    broker.start()
    assert devices(broker, cert, "x").connect() == 0


def refused_in_tls(device):
    with pytest.raises((ssl.SSLError, OSError)):
        device.connect()


@pytest.mark.parametrize(
    "add, cause, words",
    [
        (None, "certificate-unknown", "certificate is not registered"),
        ({"active": False}, "certificate-inactive", "certificate is INACTIVE"),
        ({"validity": (4000000000, 4100000000)}, "certificate-not-yet-valid", "validity has not begun"),
        ({"validity": (0, 1000000000)}, "certificate-expired", "validity has ended"),
    ],
)
def test_certificate_that_may_not_is_refused_with_the_reason(broker, far_end, ca, devices, add, cause, words):
    cert = kit.make_cert("sensor1", ca)
    if add is not None:
        broker.fleet.add(cert, **add)
    broker.fleet.write()
    far_end.open()
    broker.start()
    far_end.wait_up()
    refused_in_tls(devices(broker, cert, "sensor1"))
    broker.log.wait(f"refused TLS handshake .*Fleet CA.*{words}")
    event = far_end.wait_event(kind=kit.REFUSED, action=255, cause=cause)
    assert event["fingerprint"] == cert.fingerprint
    assert (event["address"], event["port"]) == ("127.0.0.1", broker.port)


def test_client_without_certificate_is_refused(broker, devices):
    broker.fleet.write()
    broker.start()
    refused_in_tls(devices(broker, None, "x"))


@pytest.mark.parametrize("v5, code", [(False, REFUSED_V3), (True, REFUSED_V5)])
def test_policy_decides_the_connect(broker, ca, devices, v5, code):
    cert = kit.make_cert("sensor1", ca)
    broker.fleet.policies["own"] = kit.document(
        kit.statement("iot:Connect", "client/${iot:Connection.Thing.ThingName}"),
        kit.statement("iot:Publish", "*"),
    )
    broker.fleet.add(cert, things=["sensor1"], policies=["own"])
    broker.fleet.write()
    broker.start()
    assert devices(broker, cert, "other", v5=v5).connect() == code
    broker.log.wait('refused iot:Connect of client "other" .*a policy variable that the grant needs has no value')
    assert devices(broker, cert, "sensor1", v5=v5).connect() == 0


def test_policies_of_the_things_groups_count(broker, ca, devices):
    cert = kit.make_cert("sensor1", ca)
    broker.fleet.policies["no"] = kit.document(kit.statement("iot:Connect", "*", effect="Deny"))
    broker.fleet.groups["quarantine"] = ["no"]
    broker.fleet.things["sensor1"] = ["quarantine"]
    broker.fleet.add(cert, things=["sensor1"])
    broker.fleet.write()
    broker.start()
    assert devices(broker, cert, "sensor1").connect() == REFUSED_V3


@pytest.mark.parametrize("n, code", [(128, 0), (129, REFUSED_V3)])
def test_long_client_id_is_refused(broker, ca, devices, n, code):
    """S8."""
    cert = kit.make_cert("sensor1", ca)
    broker.fleet.add(cert)
    broker.fleet.write()
    broker.start()
    assert devices(broker, cert, "c" * n).connect() == code


def test_websocket_listener_is_refused(broker, ca, devices):
    port = kit.free_port()
    broker.extra = f"listener {port} 127.0.0.1\nprotocol websockets"
    broker.fleet.write()
    broker.start()
    client = devices(broker, None, "x", transport="websockets")
    assert client.connect(port) == REFUSED_V3
    broker.log.wait("websocket listeners carry no client certificate")


def test_plain_listener_takes_nobody(broker, ca, devices):
    """Not even with the name of a registered certificate."""
    cert = kit.make_cert("sensor1", ca)
    broker.fleet.add(cert)
    broker.fleet.write()
    port = kit.free_port()
    broker.extra = f"listener {port} 127.0.0.1"
    broker.start()
    client = devices(broker, None, "sensor1", transport="tcp", username=cert.fingerprint)
    assert client.connect(port) == REFUSED_V3
    broker.log.wait("showed no certificate")


def test_offered_username_is_ignored(broker, ca, devices):
    """SDKs send statistics there; the certificate is who it is."""
    cert = kit.make_cert("sensor1", ca)
    broker.fleet.add(cert)
    broker.fleet.write()
    broker.start()
    assert devices(broker, cert, "sensor1", username="?SDK=Python&Version=1.4").connect() == 0


def test_no_snapshot_at_start_refuses_everybody_until_one_comes(broker, ca, devices):
    """S2."""
    cert = kit.make_cert("sensor1", ca)
    broker.fleet.add(cert)
    broker.start()
    broker.log.wait("snapshot .* refused: No such file.*every connect is refused")
    refused_in_tls(devices(broker, cert, "sensor1"))
    broker.log.wait("refused TLS handshake .*has no usable snapshot")
    broker.fleet.write()
    broker.log.wait("snapshot generation 1 is in force")
    assert devices(broker, cert, "sensor1").connect() == 0


def damage_truncate(broker, data):
    kit.replace_file(broker.snapshot, data[: len(data) // 2])
    return "its base is not whole"


def damage_flip(broker, data):
    at = len(data) // 2
    kit.replace_file(broker.snapshot, data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    return "checksum does not match"


def damage_foreign(broker, data):
    kit.replace_file(broker.snapshot, data, uid=65534)
    return "owned by uid 65534"


def damage_writable(broker, data):
    kit.replace_file(broker.snapshot, data, mode=0o666)
    return "mode 0666 lets others write it"


def damage_older(broker, data):
    kit.replace_file(broker.snapshot, broker.fleet.bytes(1))
    return "generation 1 is older than 2"


def damage_in_place(broker, data):
    with open(broker.snapshot, "r+b") as f:
        f.truncate(10)
    return "cut to 10 bytes while in use"


@pytest.mark.parametrize(
    "damage",
    [damage_truncate, damage_flip, damage_foreign, damage_writable, damage_older, damage_in_place],
)
def test_bad_snapshot_while_running_leaves_the_last_good_one(broker, ca, devices, damage):
    """S3, S4."""
    cert, stranger = kit.make_cert("sensor1", ca), kit.make_cert("sensor2", ca)
    broker.fleet.add(cert)
    broker.fleet.write()
    broker.fleet.write()
    broker.start()
    live = devices(broker, cert, "live")
    assert live.connect() == 0
    broker.fleet.add(stranger)
    why = damage(broker, broker.fleet.bytes(3))
    broker.log.wait(f"snapshot .* refused: .*{why}.*the last good one stays in force")
    assert live.is_live()
    assert devices(broker, cert, "again").connect() == 0
    refused_in_tls(devices(broker, stranger, "sensor2"))


def test_sighup_keeps_sessions_and_trust(broker, far_end, ca, devices):
    cert = kit.make_cert("sensor1", ca)
    broker.fleet.add(cert)
    broker.fleet.write()
    far_end.open()
    broker.start()
    live, away = devices(broker, cert, "live"), devices(broker, cert, "away", clean=False)
    assert live.connect() == 0 and away.connect() == 0
    assert away.subscribe("to/away") == 1
    away.close()
    far_end.wait_event(kind=kit.DISCONNECT, client_id="away")
    since = broker.log.mark()
    for _ in range(2):
        broker.hup()
        broker.log.wait("Reloading config", since)
        assert live.is_live()
    back = devices(broker, cert, "away", clean=False)
    assert back.connect() == 0
    assert back.session_present
    assert not broker.log.has("refused", since)
    assert len([e for e in far_end.events if e["kind"] == kit.CONNECT and e["client_id"] == "live"]) == 1


def test_deactivated_certificate_is_cut_and_stays_out(broker, ca, devices):
    """S1: again at every snapshot change."""
    bad, good = kit.make_cert("bad", ca), kit.make_cert("good", ca)
    broker.fleet.add(bad)
    broker.fleet.add(good)
    broker.fleet.write()
    broker.start()
    first, second = devices(broker, bad, "bad"), devices(broker, good, "good")
    assert first.connect() == 0 and second.connect() == 0
    broker.fleet.add(bad, active=False)
    broker.fleet.write()
    first.wait("disconnect")
    broker.log.wait('cut client "bad" .*INACTIVE')
    assert second.is_live()
    refused_in_tls(devices(broker, bad, "bad"))


def test_session_that_policy_no_longer_lets_in_is_cut(broker, ca, devices):
    cert = kit.make_cert("sensor1", ca)
    broker.fleet.add(cert)
    broker.fleet.write()
    broker.start()
    device = devices(broker, cert, "sensor1")
    assert device.connect() == 0
    broker.fleet.policies["none"] = kit.document(kit.statement("iot:Connect", "client/else"))
    broker.fleet.add(cert, policies=["none"])
    broker.fleet.write()
    device.wait("disconnect")
