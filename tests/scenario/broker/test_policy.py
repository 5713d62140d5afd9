"""What a session may do, and the reserved topics (S9)."""

import broker_kit as kit
import pytest

SUBACK_REFUSED = {False: 0x80, True: 135}
REPORT = "$aws/things/sensor1/defender/metrics/json"


@pytest.fixture
def start(broker, ca, devices):
    """Starts the broker with one device of the given policy, and connects it."""

    def run(*statements, client_id="sensor1", **kwargs):
        cert = kit.make_cert("sensor1", ca)
        broker.fleet.policies["p"] = kit.document(kit.statement("iot:Connect", "*"), *statements)
        broker.fleet.add(cert, things=["sensor1"], policies=["p"])
        broker.fleet.write()
        broker.start()
        device = devices(broker, cert, client_id, **kwargs)
        assert device.connect() == 0
        device.cert = cert
        return device

    return run


@pytest.mark.parametrize("v5", [False, True])
def test_publish_that_policy_denies_closes_the_connection(start, broker, v5):
    device = start(kit.statement("iot:Publish", "topic/${iot:ClientId}/*"), v5=v5)
    device.publish_acked("sensor1/ok")
    device.publish("sensor2/no")
    device.wait("disconnect")
    broker.log.wait('refused iot:Publish of client "sensor1" .* on "sensor2/no"')


def test_retained_publish_needs_its_own_action(start, broker):
    device = start(kit.statement("iot:Publish", "topic/cfg"))
    device.publish_acked("cfg")
    device.publish("cfg", retain=True)
    device.wait("disconnect")
    broker.log.wait("refused iot:RetainPublish")


@pytest.mark.parametrize("v5", [False, True])
def test_subscribe_is_refused_for_that_filter_only(start, v5):
    device = start(
        kit.statement("iot:Publish", "*"),
        kit.statement("iot:Subscribe", "topicfilter/some/+/topic"),
        kit.statement("iot:Receive", "*"),
        v5=v5,
    )
    assert device.subscribe("some/abc/topic") == SUBACK_REFUSED[v5]
    assert device.subscribe("some/+/topic") == 1
    device.publish_acked("some/abc/topic", b"1")
    assert device.receive().payload == b"1"


def test_receive_is_decided_on_each_concrete_topic(start):
    device = start(
        kit.statement(["iot:Publish", "iot:Subscribe"], "*"),
        kit.statement("iot:Receive", "topic/building/*"),
        kit.statement("iot:Receive", "topic/building/control_room/*", effect="Deny"),
    )
    assert device.subscribe("building/#") == 1
    device.publish_acked("building/control_room/data1", b"secret")
    device.publish_acked("building/hall", b"open")
    assert device.receive().payload == b"open"


def test_denied_will_is_not_published(start, broker, devices):
    """S6: a will is a publish; it is judged after its session's end."""
    watcher = start(kit.statement("iot:*", "*"), client_id="watcher")
    assert watcher.subscribe("will/#") == 1
    mute, cert = kit.make_cert("mute"), watcher.cert
    broker.fleet.policies["mute"] = kit.document(
        kit.statement(["iot:Connect"], "*"), kit.statement("iot:Publish", "topic/will/allowed")
    )
    broker.fleet.add(mute, policies=["mute"])
    broker.fleet.write()
    broker.log.wait("generation 2 is in force")
    for topic in ("will/denied", "will/allowed"):
        device = devices(broker, mute, topic.replace("/", "-"), will=(topic, b"bye", 1))
        assert device.connect() == 0
        device.client._sock_close()
    assert watcher.receive().topic == "will/allowed"
    assert cert.fingerprint != mute.fingerprint


@pytest.mark.parametrize(
    "topic",
    [
        REPORT + "/accepted",
        REPORT + "/rejected",
        "$aws/things/sensor1/defender/metrics/cbor/accepted",
        "$aws/events/presence/connected/sensor1",
    ],
)
def test_only_the_service_publishes_on_its_topics(start, broker, topic):
    device = start(kit.statement("iot:*", "*"))
    device.publish(topic)
    device.wait("disconnect")
    broker.log.wait("refused iot:Publish .*only the daemon publishes")


@pytest.mark.parametrize(
    "filter_, is_refused",
    [
        (REPORT, True),
        ("$aws/things/+/defender/metrics/json", True),
        ("$aws/things/sensor1/defender/metrics/+", True),
        ("$share/g/" + REPORT, True),
        (REPORT + "/accepted", False),
        (REPORT + "/+", False),
        ("$aws/#", False),
    ],
)
def test_reports_cannot_be_subscribed_to(start, filter_, is_refused):
    device = start(kit.statement("iot:*", "*"))
    assert device.subscribe(filter_) == (0x80 if is_refused else 1)


def test_reports_reach_no_other_client(start):
    device = start(kit.statement("iot:*", "*"))
    assert device.subscribe("$aws/#") == 1
    assert device.subscribe("fence") == 1
    device.publish_acked(REPORT, b"{}")
    device.publish_acked("fence", b"after")
    assert device.receive().topic == "fence"


def test_reports_withheld_are_not_told_as_refused(start, broker, far_end):
    """AWS's own agents subscribe to .../defender/#, which their own reports match."""
    far_end.open()
    device = start(kit.statement("iot:*", "*"))
    far_end.wait_up()
    assert device.subscribe("$aws/things/sensor1/defender/#") == 1
    device.publish_acked(REPORT, b"{}")
    far_end.flush(1)
    assert not [e for e in far_end.events if e["kind"] == kit.REFUSED]


def test_retained_reports_are_not_kept(start, broker):
    broker.extra = f"persistence true\npersistence_location {broker.run_dir}/"
    device = start(kit.statement("iot:*", "*"))
    device.publish_acked(REPORT, b"report-kept", retain=True)
    device.publish_acked("ordinary", b"ordinary-kept", retain=True)
    broker.stop()
    saved = (broker.run_dir / "mosquitto.db").read_bytes()
    assert b"ordinary-kept" in saved
    assert b"report-kept" not in saved


def test_will_on_a_report_topic_is_not_kept(start, broker, devices):
    """S9: a will is told to no plugin, so a retained one would stay as it is."""
    broker.extra = f"persistence true\npersistence_location {broker.run_dir}/"
    first = start(kit.statement("iot:*", "*"))
    for topic, words in ((REPORT, b"report-kept"), ("ordinary", b"ordinary-kept")):
        device = devices(broker, first.cert, "leaving", will=(topic, words, 1, True))
        assert device.connect() == 0
        device.client._sock_close()
        if topic == REPORT:
            broker.log.wait("a will cannot be a report")
    assert first.subscribe("ordinary") == 1
    assert first.receive().payload == b"ordinary-kept"
    broker.stop()
    saved = (broker.run_dir / "mosquitto.db").read_bytes()
    assert b"ordinary-kept" in saved
    assert b"report-kept" not in saved


def test_topics_over_the_quota_are_refused(start):
    """S8."""
    device = start(kit.statement("iot:*", "*"))
    assert device.subscribe("t" * 256) == 1
    assert device.subscribe("t" * 257) == 0x80
    device.publish("t" * 257)
    device.wait("disconnect")


def test_changed_policy_rules_a_live_session(start, broker):
    device = start(kit.statement("iot:*", "*"))
    device.publish_acked("a")
    broker.fleet.policies["p"] = kit.document(kit.statement("iot:Connect", "*"))
    broker.fleet.write()
    broker.log.wait("generation 2 is in force")
    device.publish("a")
    device.wait("disconnect")
