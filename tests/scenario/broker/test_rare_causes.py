"""Causes of a refusal that no client of a whole installation can bring about; the others: ../test_causes.py."""

import socket
import struct

import broker_kit as kit
import pytest

CONNECT = kit.statement("iot:Connect", "*")
TLS = 255


@pytest.fixture
def up(broker, far_end):
    def run():
        broker.fleet.write()
        far_end.open()
        broker.start()
        far_end.wait_up()
        return far_end

    return run


def test_certificate_that_waits(broker, up, ca, devices):
    """The API gives no certificate this status; AWS's own does."""
    cert = kit.make_cert("sensor1", ca)
    broker.fleet.add(cert)
    broker.fleet.certs[cert.fingerprint]["status"] = "PENDING_ACTIVATION"
    far_end = up()
    with pytest.raises(OSError):
        devices(broker, cert, "sensor1").connect()
    event = far_end.wait_event(kind=kit.REFUSED, cause="certificate-pending")
    assert (event["action"], event["fingerprint"], event["count"]) == (TLS, cert.fingerprint, 1)


def test_more_policies_than_a_session_may_have(broker, up, ca, devices):
    """The API's quotas end before."""
    cert = kit.make_cert("sensor1", ca)
    names = [f"p{i}" for i in range(257)]
    broker.fleet.policies.update({name: kit.document(CONNECT) for name in names})
    broker.fleet.add(cert, things=["sensor1"], policies=names)
    far_end = up()
    assert devices(broker, cert, "sensor1").connect() == 5
    event = far_end.wait_event(kind=kit.REFUSED, cause="too-many-policies")
    assert (event["client_id"], event["policy"], event["count"]) == ("sensor1", "", 1)


def test_a_doorbell_that_talks(broker, up):
    """Only the daemon has the token."""
    far_end = up()
    words = (b"doorbell", b"thingward-doorbell", kit.TOKEN.encode())
    body = b"\x00\x04MQTT\x04\xc2\x00\x00" + b"".join(struct.pack(">H", len(x)) + x for x in words)
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(broker.doorbell))
        s.sendall(bytes([0x10, len(body)]) + body)
        assert s.recv(4)[3] == 0
        s.sendall(b"\x30\x05\x00\x03a/b")
        assert s.recv(1) == b""
    event = far_end.wait_event(kind=kit.REFUSED, cause="doorbell-only")
    assert (event["action"], event["resource"], event["address"]) == (1, "a/b", str(broker.doorbell))


@pytest.mark.parametrize("text", [b"a\x01", b"a\x7f", b"a\xc2\x85", b"a\xff", b"a\x00b", b"a\xef\xbf\xbf", b"a\xed\xa0\x80"])
@pytest.mark.parametrize("where", ["client id", "topic", "filter"])
def test_characters_that_the_broker_ends_a_connection_for(broker, devices, where, text):
    """S8."""
    port = kit.free_port()
    broker.extra = f"listener {port} 127.0.0.1\nallow_anonymous true"
    broker.options["mode"] = "observe"
    broker.fleet.write()
    broker.start()
    data = struct.pack(">H", len(text)) + text
    client_id = data if where == "client id" else b"\x00\x01c"
    connect = b"\x00\x04MQTT\x04\x02\x00\x3c" + client_id
    with socket.create_connection(("127.0.0.1", port), timeout=kit.DEADLINE) as s:
        s.sendall(bytes([0x10, len(connect)]) + connect)
        if where == "client id":
            assert s.recv(4) == b""
            return
        assert s.recv(4)[3] == 0
        body = {"topic": data, "filter": b"\x00\x01" + data + b"\x00"}[where]
        s.sendall(bytes([0x30 if where == "topic" else 0x82, len(body)]) + body)
        assert s.recv(5) == b""
