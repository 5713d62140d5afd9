"""Reports up, answers down, and what holds when the daemon is away (S5, S11)."""

import json

import broker_kit as kit
import pytest

REPORT = "$aws/things/sensor1/defender/metrics/json"
MARK = 300_000
START = 1_700_000_000_000


@pytest.fixture
def fleet(broker, ca):
    """Two devices, each with its own thing, that may do all on their own topics."""
    certs = {}
    broker.fleet.policies["own"] = kit.document(
        kit.statement("iot:Connect", "*"),
        kit.statement("iot:Publish", "*"),
        kit.statement(
            ["iot:Subscribe"],
            "topicfilter/$aws/things/${iot:Connection.Thing.ThingName}/*",
            "topicfilter/fence/*",
        ),
        kit.statement(
            ["iot:Receive"], "topic/$aws/things/${iot:Connection.Thing.ThingName}/*", "topic/fence/*"
        ),
    )
    for name in ("sensor1", "sensor2"):
        certs[name] = kit.make_cert(name, ca)
        broker.fleet.add(certs[name], things=[name], policies=["own"])
    broker.fleet.write()
    return certs


@pytest.fixture
def up(broker, fleet, far_end):
    """Broker and far end, joined."""
    far_end.open()
    broker.start()
    far_end.wait_up()
    return far_end


def test_greeting_names_broker_instance_and_generation(up):
    hello = up.hellos[0]
    assert hello["broker"] == "test"
    assert len(hello["instance"]) == 32
    assert hello["first_frame"] == 1
    up.wait_event(kind=kit.APPLIED, number=1)
    up.close()
    up.open()
    up.wait_up(2)
    assert up.hellos[1]["generation"] == 1


def test_report_reaches_the_channel_with_who_and_where(up, broker, fleet, devices):
    device = devices(broker, fleet["sensor1"], "sensor1")
    assert device.connect() == 0
    device.publish_acked(REPORT, b'{"header":{}}')
    event = up.wait_event(kind=kit.REPORT, client_id="sensor1")
    assert event["topic"] == REPORT
    assert event["payload"] == b'{"header":{}}'
    assert event["at_ms"] >= up.now_ms
    assert event["fingerprint"] == fleet["sensor1"].fingerprint
    assert event["is_own"]


def test_report_for_another_thing_is_marked(up, broker, fleet, devices):
    """S10."""
    device = devices(broker, fleet["sensor1"], "sensor1")
    assert device.connect() == 0
    device.publish_acked("$aws/things/sensor2/defender/metrics/cbor", b"\xa0")
    assert up.wait_event(kind=kit.REPORT)["is_own"] is False


def test_answer_reaches_the_device_and_nobody_else(up, broker, fleet, devices):
    reporter, other = devices(broker, fleet["sensor1"], "sensor1"), devices(
        broker, fleet["sensor2"], "sensor2"
    )
    assert reporter.connect() == 0 and other.connect() == 0
    assert reporter.subscribe(REPORT + "/+") == 1
    assert other.subscribe(REPORT + "/accepted") == 0x80
    assert other.subscribe("fence/other") == 1
    up.send(kit.item_publish(REPORT + "/accepted", b'{"status":"ACCEPTED"}'))
    message = reporter.receive()
    assert (message.topic, message.payload, message.qos) == (
        REPORT + "/accepted",
        b'{"status":"ACCEPTED"}',
        1,
    )
    other.publish_acked("fence/other", b"")
    assert other.receive().topic == "fence/other"


def test_frames_are_sent_again_without_gaps_after_the_channel_was_lost(up, broker, fleet, devices):
    device = devices(broker, fleet["sensor1"], "sensor1")
    assert device.connect() == 0
    device.publish_acked(REPORT, b"0")
    up.wait_event(kind=kit.REPORT, payload=b"0")
    up.auto_ack = False
    device.publish_acked(REPORT, b"1")
    up.wait_event(kind=kit.REPORT, payload=b"1")
    up.close()
    device.publish_acked(REPORT, b"2")
    broker.log.wait("no daemon at ")
    lost = len(up.frames)
    up.auto_ack = True
    up.open()
    up.wait_up(2)
    up.wait_event(kind=kit.REPORT, payload=b"2")
    again = up.frames[lost:]
    assert up.hellos[1]["instance"] == up.hellos[0]["instance"]
    assert up.hellos[1]["first_frame"] == again[0]
    assert again == list(range(again[0], again[0] + len(again)))
    payloads = [e["payload"] for e in up.events if e["kind"] == kit.REPORT]
    assert payloads == [b"0", b"1", b"1", b"2"]  # 1 came twice under one number


def test_frames_the_daemon_has_already_do_not_come_again(up, broker, fleet, devices):
    device = devices(broker, fleet["sensor1"], "sensor1")
    assert device.connect() == 0
    up.auto_ack = False
    device.publish_acked(REPORT, b"1")
    up.wait_event(kind=kit.REPORT, payload=b"1")
    up.acknowledged = up.frames[-1]  # durable, but the word of it is lost
    up.close()
    up.auto_ack = True
    up.open()
    up.wait_up(2)
    device.publish_acked(REPORT, b"2")
    up.wait_event(kind=kit.REPORT, payload=b"2")
    assert [e["payload"] for e in up.events if e["kind"] == kit.REPORT] == [b"1", b"2"]


def test_announced_generation_is_loaded_before_the_connect_is_judged(up, broker, ca, devices):
    """Attach, then connect."""
    late = kit.make_cert("late", ca)
    broker.fleet.add(late)
    generation = broker.fleet.write()
    up.send(kit.item_number(kit.GENERATION, generation))
    assert devices(broker, late, "late").connect() == 0
    up.wait_event(kind=kit.APPLIED, number=generation)


def test_flush_comes_after_all_before_it(up, broker, fleet, devices):
    device = devices(broker, fleet["sensor1"], "sensor1")
    assert device.connect() == 0
    for i in range(50):
        device.publish_acked(REPORT, str(i).encode())
    up.flush(7)
    kinds = [(e["kind"], e.get("payload")) for e in up.events]
    assert kinds.index((kit.FLUSHED, None)) > kinds.index((kit.REPORT, b"49"))


def test_cut_is_sent_at_each_mark_of_manual_server_time(broker, fleet, far_end):
    far_end.manual = True
    far_end.now_ms = START
    far_end.open()
    broker.start()
    far_end.wait_up()
    first = START // MARK * MARK
    far_end.wait_event(kind=kit.CUT, number=first)
    far_end.send(kit.item_number(kit.TIME, first + MARK - 1))
    far_end.flush(1)
    assert len([e for e in far_end.events if e["kind"] == kit.CUT]) == 1
    far_end.send(kit.item_number(kit.TIME, first + MARK))
    far_end.wait_event(kind=kit.CUT, number=first + MARK)


def test_cut_follows_the_brokers_clock_between_the_daemons_words(broker, fleet, far_end):
    first = START // MARK * MARK
    far_end.now_ms = first + MARK - 200
    far_end.open()
    broker.start()
    far_end.wait_event(kind=kit.CUT, number=first + MARK)


def test_sessions_are_told_with_their_address(up, broker, fleet, devices):
    device = devices(broker, fleet["sensor1"], "sensor1")
    assert device.connect() == 0
    assert up.wait_event(kind=kit.CONNECT, client_id="sensor1")["address"] == "127.0.0.1"
    device.close()
    up.wait_event(kind=kit.DISCONNECT, client_id="sensor1")


def test_take_over_is_told_in_order(up, broker, fleet, devices):
    first, second = (devices(broker, fleet["sensor1"], "sensor1") for _ in range(2))
    assert first.connect() == 0
    assert second.connect() == 0
    first.wait("disconnect")
    assert second.is_live()
    up.flush(1)
    kinds = [e["kind"] for e in up.events if e.get("client_id") == "sensor1"]
    assert kinds == [kit.CONNECT, kit.CONNECT, kit.DISCONNECT]


def test_channel_of_another_account_is_not_trusted(broker, fleet, far_end):
    """S5."""
    broker.options["daemon_uid"] = 4242
    far_end.open()
    broker.start()
    broker.log.wait("no daemon at .*: its socket is not that of uid 4242")


@pytest.mark.parametrize("garbage", [b"", b"\0" * 5, b"TWF1" + b"\xff" * 100])
def test_damaged_datagram_ends_the_connection_and_no_more(up, broker, fleet, devices, garbage):
    device = devices(broker, fleet["sensor1"], "sensor1")
    assert device.connect() == 0
    up.peer.send(garbage)
    up.wait_up(2)
    assert device.is_live("fence/live")


def test_without_room_the_plugin_answers_itself(broker, fleet, devices, far_end):
    """A small queue and no daemon: above three quarters reports are rejected, JSON and CBOR."""
    broker.options["queue_bytes"] = 16384
    broker.start()
    device = devices(broker, fleet["sensor1"], "sensor1")
    assert device.connect() == 0
    assert device.subscribe("$aws/things/sensor1/#") == 1
    for _ in range(8):
        device.publish_acked(REPORT, b"x" * 1000)
    answer = json.loads(device.receive().payload)
    timestamp = answer.pop("timestamp")
    assert timestamp > START
    assert answer == {
        "thingName": "sensor1",
        "status": "REJECTED",
        "statusDetails": {"ErrorCode": "InternalFailure", "ErrorMessage": "Internal error"},
    }
    device.publish_acked("$aws/things/sensor1/defender/metrics/cbor", b"x" * 1000)
    while True:
        message = device.receive()
        if "/cbor/" in message.topic:
            break
    assert message.topic == "$aws/things/sensor1/defender/metrics/cbor/rejected"
    assert message.payload.startswith(b"\xa4\x69thingName\x67sensor1\x66status\x68REJECTED")


def test_flood_of_one_session_leaves_room_for_the_others(broker, fleet, devices, far_end):
    """S11: the daemon is away; one device floods, the other's report still fits."""
    broker.options.update(queue_bytes=1 << 20, session_byte_rate=4096)
    broker.start()
    flooder, quiet = (devices(broker, fleet[name], name) for name in ("sensor1", "sensor2"))
    assert flooder.connect() == 0 and quiet.connect() == 0
    assert flooder.subscribe(REPORT + "/rejected") == 1
    for i in range(300):
        flooder.publish_acked(REPORT, b"f" * 8000)
    answer = json.loads(flooder.receive().payload)
    assert answer["statusDetails"]["ErrorCode"] == "Throttled"
    quiet.publish_acked("$aws/things/sensor2/defender/metrics/json", b"calm")
    far_end.open()
    far_end.wait_event(kind=kit.REPORT, payload=b"calm")
    assert len([e for e in far_end.events if e.get("payload", b"")[:1] == b"f"]) < 20


def test_largest_report_goes_up_and_a_larger_one_is_answered(up, broker, fleet, devices):
    device = devices(broker, fleet["sensor1"], "sensor1")
    assert device.connect() == 0
    assert device.subscribe(REPORT + "/rejected") == 1
    device.publish_acked(REPORT, b"x" * 131073)
    assert len(up.wait_event(kind=kit.REPORT)["payload"]) == 131073
    device.publish_acked(REPORT, b"x" * 200000)
    answer = json.loads(device.receive().payload)
    assert answer["statusDetails"]["ErrorMessage"] == "Report exceeds maximum size"
