"""What a broker does that is easily taken for something else, as far as it has no better place (test_passage.py,
test_counters.py): delayed wills and sessions that expire, retained messages, handshakes that break off, its own bridges."""

import socket
import subprocess

import broker_kit as kit
import pytest
import raw_mqtt

START = 1_700_000_000_000
MARK = START // 300_000 * 300_000 + 300_000


@pytest.fixture
def certs(broker, ca):
    made = {name: kit.make_cert(name, ca) for name in ("seer", "mortal")}
    for name, cert in made.items():
        broker.fleet.add(cert, things=[name])
    return made


@pytest.fixture
def up(broker, far_end):
    """Starts the broker on a channel whose clock stands still."""

    def run():
        broker.fleet.write()
        far_end.manual, far_end.now_ms = True, START
        far_end.open()
        broker.start()
        far_end.wait_up()
        return far_end

    return run


def of_kind(far_end, kind, **want):
    return [e for e in far_end.events if e["kind"] == kind and want.items() <= e.items()]


def counters(far_end):
    """What the mark cuts, by client id."""
    far_end.send(kit.item_number(kit.TIME, MARK + 10))
    far_end.wait_event(kind=kit.CUT, number=MARK)
    return {e["client_id"]: e for e in of_kind(far_end, kit.COUNTERS, to_ms=MARK)}


# ---- Sessions that are away ----


@pytest.mark.parametrize("is_contained", [False, True])
def test_a_will_that_comes_when_its_session_expires(broker, up, certs, devices, is_contained):
    """No session has that client id any more: the rules of then judge it, it counts as sent, and nothing ended twice."""
    far_end = up()
    seer = devices(broker, certs["seer"], "seer")
    assert seer.connect() == 0 and seer.subscribe("#") == 1
    mortal = raw_mqtt.RawClient(
        broker.port, "mortal", version=5, clean=False, will=("will", b"bye", 1, False), will_delay_s=100,
        tls=kit.client_context(broker, certs["mortal"]),
    )  # fmt: skip
    mortal.session_expiry_s = 1
    mortal.connect()
    mortal.drop()
    far_end.wait_event(kind=kit.DISCONNECT, client_id="mortal")
    if is_contained:
        broker.fleet.add(certs["mortal"], active=False)
        far_end.send(kit.item_number(kit.GENERATION, broker.fleet.write()))
        far_end.wait_event(kind=kit.APPLIED, number=2)
    broker.log.wait("Expiring client mortal due to timeout")
    seer.publish_acked("fence", b"")
    assert seer.receive().topic == ("fence" if is_contained else "will")
    found = counters(far_end)
    assert found["mortal"]["sent"] == (0 if is_contained else 1)
    assert (found["mortal"]["connects"], found["mortal"]["disconnects"]) == (1, 1)
    assert len(of_kind(far_end, kit.DISCONNECT, client_id="mortal")) == 1
    causes = [e["cause"] for e in of_kind(far_end, kit.REFUSED)]
    assert causes == (["certificate-inactive"] if is_contained else [])


# ---- Retained messages ----


@pytest.mark.parametrize("is_contained", [False, True])
def test_the_source_of_a_retained_message_is_asked_about(broker, up, certs, devices, is_contained):
    """The broker asks whether who left it may write, under that one's name: that is no message of that one's."""
    broker.extra = "check_retain_source true"
    far_end = up()
    mortal, seer = (devices(broker, certs[name], name) for name in ("mortal", "seer"))
    assert mortal.connect() == seer.connect() == 0
    mortal.publish_acked("kept", b"x", retain=True)
    if is_contained:
        broker.fleet.add(certs["mortal"], active=False)
        far_end.send(kit.item_number(kit.GENERATION, broker.fleet.write()))
        far_end.wait_event(kind=kit.APPLIED, number=2)
    assert seer.subscribe("#") == 1
    seer.publish_acked("fence", b"")
    assert seer.receive().topic == ("fence" if is_contained else "kept")
    assert counters(far_end)["mortal"]["sent"] == 1
    assert not of_kind(far_end, kit.REFUSED, resource="kept")


# ---- Handshakes ----


def test_a_scan_of_a_tls_listener(broker, up, certs, devices):
    """Connections that are closed without a word, or in the middle of the handshake: nobody was there, but the address
    is told, though the socket has none any more."""
    far_end = up()
    hello = b"\x16\x03\x01\x02\x00\x01"  # the begin of a ClientHello
    for words in (b"", hello, b""):
        with socket.create_connection(("127.0.0.1", broker.port), timeout=kit.DEADLINE) as s:
            s.sendall(words)
    far_end.wait(lambda far: sum(e["count"] for e in of_kind(far, kit.REFUSED)) == 3)
    told = of_kind(far_end, kit.REFUSED)
    assert {(e["cause"], e["address"], e["client_id"]) for e in told} == {("tls-failed", "127.0.0.1", "")}
    found = counters(far_end)
    assert {name: found[name]["refusals"] for name in found} == {"": 3}
    assert not of_kind(far_end, kit.CONNECT) and not of_kind(far_end, kit.DISCONNECT)


# ---- Bridges ----


@pytest.fixture
def far_broker(broker):
    """Another broker with TLS and without our plugin; its log."""
    port = kit.free_port()
    cert, key = kit.make_cert("localhost").save(broker.dir, "far")
    conf = broker.dir / "far.conf"
    conf.write_text(
        f"user root\nallow_anonymous true\nlog_dest stderr\nlog_type all\nlistener {port} 127.0.0.1\n"
        f"certfile {cert}\nkeyfile {key}\n"
    )
    process = subprocess.Popen(["/usr/sbin/mosquitto", "-c", conf], stderr=subprocess.PIPE, text=True)
    log = kit.Log(process.stderr)
    log.wait(r"mosquitto version .* running")
    yield port, log
    process.terminate()
    process.wait(kit.DEADLINE)
    log.thread.join(kit.DEADLINE)


def bridge(broker, name, port, authority):
    return (
        f"connection {name}\naddress 127.0.0.1:{port}\nbridge_cafile {authority}\nbridge_insecure true\n"
        f"remote_clientid {name}\nnotifications false\nrestart_timeout 1\ntopic out/# out 1\n"
    )


@pytest.mark.skipif(kit.sanitizer() == "libtsan.so", reason="Debian's broker with a bridge dies of libtsan, without us too")
def test_bridges_check_their_servers_themselves(broker, up, certs, devices, far_broker):
    """Trust of our listeners is not for them: an unknown server is refused, a known one is no device of ours."""
    port, log = far_broker
    wrong, _ = kit.make_cert("localhost").save(broker.dir, "wrong")
    broker.extra = bridge(broker, "good", port, broker.dir / "far.pem") + bridge(broker, "bad", port, wrong)
    far_end = up()
    log.wait("New (client|bridge) connected from 127.0.0.1:.* as good")
    broker.log.wait("certificate verify failed")
    seer = devices(broker, certs["seer"], "seer")
    assert seer.connect() == 0
    seer.publish_acked("out/a")
    log.wait("Received PUBLISH from good .*'out/a'")
    assert not log.has("as bad")
    found = counters(far_end)
    assert set(found) == {"seer"} and found["seer"]["sent"] == 1
