"""Counters of each identity, on a real broker: what counts, when it is cut, and what does not count."""

import contextlib

import broker_kit as kit
import pytest

START = 1_700_000_000_000
MARK = 300_000
FIRST = START // MARK * MARK + MARK  # the first mark after START
ZERO = dict.fromkeys(("sent", "received", "refusals", "connects", "disconnects"), 0)


@pytest.fixture
def fleet(broker, ca):
    """Two devices that may do all, each with its own thing."""
    certs = {}
    for name in ("sensor1", "sensor2"):
        certs[name] = kit.make_cert(name, ca)
        broker.fleet.add(certs[name], things=[name])
    broker.fleet.write()
    return certs


@pytest.fixture
def up(broker, fleet, far_end):
    """A broker on a channel whose clock stands still."""
    far_end.manual, far_end.now_ms = True, START
    far_end.open()
    broker.start()
    far_end.wait_up()
    return far_end


def cut(up, mark=FIRST):
    """Lets the mark pass. The counters up to it, by client id."""
    up.send(kit.item_number(kit.TIME, mark + 10))
    up.wait_event(kind=kit.CUT, number=mark)
    found = [e for e in up.events if e["kind"] == kit.COUNTERS and e["to_ms"] == mark]
    assert len({e["client_id"] for e in found}) == len(found)
    return {e["client_id"]: e for e in found}


def counts(event):
    return {name: event[name] for name in ZERO if event[name]}


def drop(device):
    """The network fails: the broker sees the end of the stream without a DISCONNECT packet."""
    device.client._sock_close()
    with contextlib.suppress(Exception):
        device.thread.join(kit.DEADLINE)


def settled(up, device, n):
    """Waits until the device's n-th end was told."""
    up.wait(
        lambda far: sum(e["kind"] == kit.DISCONNECT and e["client_id"] == device for e in far.events) == n
    )


def test_messages_and_their_bytes(up, broker, fleet, devices):
    sender, receiver = (devices(broker, fleet[name], name) for name in ("sensor1", "sensor2"))
    assert sender.connect() == 0 and receiver.connect() == 0
    assert receiver.subscribe("data/#") == 1
    for n in (10, 3, 200):
        sender.publish_acked("data/a", b"x" * n)
        receiver.receive()
    sender.publish("data/a", b"", qos=0)
    receiver.receive()
    found = cut(up)
    assert set(found) == {"sensor1", "sensor2"}
    one, two = found["sensor1"], found["sensor2"]
    assert counts(one) == {"sent": 4, "connects": 1}
    assert (one["sent_bytes"], one["sent_min"], one["sent_max"]) == (213, 0, 200)
    assert counts(two) == {"received": 4, "connects": 1}
    assert two["received_bytes"] == 213
    assert one["fingerprint"] == fleet["sensor1"].fingerprint
    assert one["thing"] == "sensor1"
    assert (one["from_ms"], one["to_ms"]) == (FIRST - MARK, FIRST)
    assert one["is_connected"] and two["is_connected"]


def test_reports_and_their_answers_count(up, broker, fleet, devices):
    device = devices(broker, fleet["sensor1"], "sensor1")
    assert device.connect() == 0
    topic = "$aws/things/sensor1/defender/metrics/json"
    assert device.subscribe(topic + "/+") == 1
    device.publish_acked(topic, b"report")
    up.send(kit.item_publish(topic + "/accepted", b"answer"))
    device.receive()
    event = cut(up)["sensor1"]
    assert counts(event) == {"sent": 1, "received": 1, "connects": 1}
    assert (event["sent_bytes"], event["received_bytes"]) == (6, 6)


def test_each_mark_has_its_own_counters(up, broker, fleet, devices):
    device = devices(broker, fleet["sensor1"], "sensor1")
    assert device.connect() == 0
    device.publish_acked("data/a")
    assert counts(cut(up)["sensor1"]) == {"sent": 1, "connects": 1}
    # Connected and silent: told, with nothing in it.
    silent = cut(up, FIRST + MARK)["sensor1"]
    assert counts(silent) == {} and silent["is_connected"]
    device.publish_acked("data/a")
    device.close()
    settled(up, "sensor1", 1)
    last = cut(up, FIRST + 2 * MARK)["sensor1"]
    assert counts(last) == {"sent": 1, "disconnects": 1}
    assert not last["is_connected"]
    assert cut(up, FIRST + 3 * MARK) == {}


def test_jump_over_several_marks(up, broker, fleet, devices):
    device = devices(broker, fleet["sensor1"], "sensor1")
    assert device.connect() == 0
    up.send(kit.item_number(kit.TIME, FIRST + 5 * MARK + 10))
    up.wait_event(kind=kit.CUT, number=FIRST + 5 * MARK)
    told = [e for e in up.events if e["kind"] == kit.COUNTERS]
    assert [(e["from_ms"], e["to_ms"]) for e in told] == [(FIRST - MARK, FIRST)]
    device.publish_acked("data/a")
    assert counts(cut(up, FIRST + 6 * MARK)["sensor1"]) == {"sent": 1}


def test_refused_requests(up, broker, fleet, ca, devices):
    """Refusals count for the identity; a message that was refused is not sent, nor received."""
    broker.fleet.policies["narrow"] = kit.document(
        kit.statement("iot:Connect", "client/narrow"),
        kit.statement("iot:Publish", "topic/ok"),
        kit.statement("iot:Subscribe", "topicfilter/*"),
        kit.statement("iot:Receive", "topic/ok"),
    )
    cert = kit.make_cert("narrow", ca)
    broker.fleet.add(cert, policies=("narrow",))
    up.send(kit.item_number(kit.GENERATION, broker.fleet.write()))
    up.wait_event(kind=kit.APPLIED, number=2)  # a new base is read aside
    narrow = devices(broker, cert, "narrow", v5=True)
    assert narrow.connect() == 0
    assert narrow.subscribe("#") == 1
    speaker = devices(broker, fleet["sensor2"], "sensor2")
    assert speaker.connect() == 0
    speaker.publish_acked("secret", b"x")
    speaker.publish_acked("ok", b"x")
    assert narrow.receive().topic == "ok"
    narrow.publish("forbidden", b"x")
    narrow.wait("disconnect")
    settled(up, "narrow", 1)
    event = cut(up)["narrow"]
    assert counts(event) == {"received": 1, "refusals": 2, "connects": 1, "disconnects": 1}


def test_shared_subscription_counts_for_who_got_it(up, broker, fleet, devices):
    group = [devices(broker, fleet["sensor1"], name) for name in ("a", "b")]
    sender = devices(broker, fleet["sensor2"], "sender")
    for device in (*group, sender):
        assert device.connect() == 0
    for device in group:
        assert device.subscribe("$share/g/work") == 1
    for i in range(10):
        sender.publish_acked("work", str(i).encode())
    up.flush(1)
    found = cut(up)
    got = [found[name]["received"] for name in ("a", "b")]
    assert sum(got) == 10
    for device, n in zip(group, got):
        for _ in range(n):
            device.receive()


def test_will_counts_as_sent_by_its_device(up, broker, fleet, devices):
    device = devices(broker, fleet["sensor1"], "sensor1", will=("last/words", b"farewell", 1, False))
    listener = devices(broker, fleet["sensor2"], "sensor2")
    assert device.connect() == 0 and listener.connect() == 0
    assert listener.subscribe("last/words") == 1
    drop(device)
    assert listener.receive().payload == b"farewell"
    event = cut(up)["sensor1"]
    assert counts(event) == {"sent": 1, "connects": 1, "disconnects": 1}
    assert event["sent_bytes"] == 8


def test_retained_replay_counts_as_received_and_not_as_sent(up, broker, fleet, devices):
    """The broker asks again whether the one who left the message may write: that is no message."""
    sender, receiver = (devices(broker, fleet[name], name) for name in ("sensor1", "sensor2"))
    assert sender.connect() == 0 and receiver.connect() == 0
    sender.publish_acked("kept", b"12345", retain=True)
    assert receiver.subscribe("kept") == 1
    assert receiver.receive().retain
    found = cut(up)
    assert counts(found["sensor1"]) == {"sent": 1, "connects": 1}
    assert counts(found["sensor2"]) == {"received": 1, "connects": 1}


def test_queued_for_an_absent_session_is_not_received_until_it_is_back(up, broker, fleet, devices):
    sleeper = devices(broker, fleet["sensor1"], "sleeper", clean=False)
    sender = devices(broker, fleet["sensor2"], "sender")
    assert sleeper.connect() == 0 and sender.connect() == 0
    assert sleeper.subscribe("data/#") == 1
    sleeper.close()
    settled(up, "sleeper", 1)
    for _ in range(3):
        sender.publish_acked("data/a")
    assert counts(cut(up)["sleeper"]) == {"connects": 1, "disconnects": 1}
    back = devices(broker, fleet["sensor1"], "sleeper", clean=False)
    assert back.connect() == 0
    for _ in range(3):
        back.receive()
    event = cut(up, FIRST + MARK)["sleeper"]
    assert counts(event) == {"received": 3, "connects": 1}


def test_qos_2_is_one_message(up, broker, fleet, devices):
    sender, receiver = (devices(broker, fleet[name], name) for name in ("sensor1", "sensor2"))
    assert sender.connect() == 0 and receiver.connect() == 0
    assert receiver.subscribe("data/a", 2) == 2
    sender.publish("data/a", b"x", qos=2)
    receiver.receive()
    found = cut(up)
    assert found["sensor1"]["sent"] == 1
    assert found["sensor2"]["received"] == 1


def test_take_over_and_sighup(up, broker, fleet, devices):
    """A take-over is an attempt and an end; SIGHUP is neither."""
    first, second = (devices(broker, fleet["sensor1"], "sensor1") for _ in range(2))
    assert first.connect() == 0 and second.connect() == 0
    first.wait("disconnect")
    mark = broker.log.mark()
    broker.hup()
    broker.log.wait("Reloading config", mark)
    assert second.is_live()
    event = cut(up)["sensor1"]
    assert (event["connects"], event["disconnects"], event["is_connected"]) == (2, 1, True)


def test_counters_survive_the_daemons_absence(up, broker, fleet, devices):
    """What could not be told at its mark is told with the daemon's return, once."""
    device = devices(broker, fleet["sensor1"], "sensor1")
    assert device.connect() == 0
    device.publish_acked("data/a")
    up.close()
    broker.log.wait("no daemon at ")
    device.publish_acked("data/a")
    up.now_ms = FIRST + MARK + 10
    up.open()
    up.wait_up(2)
    up.wait_event(kind=kit.CUT, number=FIRST + MARK)
    told = [e for e in up.events if e["kind"] == kit.COUNTERS and e["client_id"] == "sensor1"]
    assert sum(e["sent"] for e in told) == 2


def test_stop_of_the_broker_tells_the_rest(up, broker, fleet, devices):
    device = devices(broker, fleet["sensor1"], "sensor1")
    assert device.connect() == 0
    device.publish_acked("data/a", b"xyz")
    assert broker.stop() == 0
    event = up.wait_event(kind=kit.COUNTERS, client_id="sensor1")
    assert (event["sent"], event["sent_bytes"]) == (1, 3)


def test_dimensions_count_apart(up, broker, fleet, devices):
    """Sent, received and refused by topic; a dimension that changes outdates nobody's session."""
    broker.fleet.dimensions = {"doors": ["door/+", "gate"], "own": ["${iot:ClientId}/#"]}
    broker.fleet.policies["nearly-all"] = kit.document(
        kit.statement("iot:*", "*"), kit.statement("iot:Publish", "topic/gate", effect="Deny")
    )
    broker.fleet.certs[fleet["sensor1"].fingerprint]["policies"] = ["nearly-all"]
    up.send(kit.item_number(kit.GENERATION, broker.fleet.write()))
    up.wait_event(kind=kit.APPLIED, number=2)  # a new base is read aside
    sender, receiver = (devices(broker, fleet[name], name) for name in ("sensor1", "sensor2"))
    assert sender.connect() == 0 and receiver.connect() == 0
    assert receiver.subscribe("#") == 1
    for topic, n in (("door/1", 10), ("door/2", 4), ("sensor1/x", 7), ("sensor2/x", 3), ("door", 1)):
        sender.publish_acked(topic, b"x" * n)
        receiver.receive()
    sender.publish("gate")
    sender.wait("disconnect")
    settled(up, "sensor1", 1)
    found = cut(up)
    doors = found["sensor1"]["dimensions"]["doors"]
    assert (doors["sent"], doors["sent_bytes"], doors["sent_min"], doors["sent_max"]) == (2, 14, 4, 10)
    assert (doors["received"], doors["refusals"]) == (0, 1)
    assert found["sensor1"]["dimensions"]["own"]["sent_bytes"] == 7
    assert found["sensor1"]["sent"] == 5
    received = found["sensor2"]["dimensions"]
    assert (received["doors"]["received"], received["doors"]["received_bytes"]) == (2, 14)
    assert (received["own"]["received"], received["own"]["received_bytes"]) == (1, 3)
    assert received["own"]["sent"] == 0
