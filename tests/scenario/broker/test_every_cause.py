"""Every cause of a refusal, by table: what a client does, and what is told of it: cause, action, resource and rule."""

import contextlib
import socket
import struct
import subprocess
import time
from dataclasses import dataclass, field

import broker_kit as kit
import pytest

ACTIONS = ["iot:Connect", "iot:Publish", "iot:Subscribe", "iot:Receive", "iot:RetainPublish"]
TLS = 255
REPORT = "$aws/things/sensor1/defender/metrics/json"
NOW = int(time.time())

CONNECT = kit.statement("iot:Connect", "*")
PUBLISH = kit.statement("iot:Publish", "*")
SUBSCRIBE = kit.statement("iot:Subscribe", "*")
ALL = kit.statement("iot:*", "*")
UNKNOWN_VARIABLE = "topic/${iot:Connection.Thing.Attributes[site]}/x"


def deny(action, *resources):
    return kit.statement(action, *resources, effect="Deny")


@dataclass
class Row:
    """What the device may, what it does; then what is told, and by which rule: (policy, statement), or None."""

    cause: str
    action: object
    act: object
    resource: str = None
    grants: list = field(default_factory=lambda: [ALL])
    rule: tuple = None
    missing: str = None
    mode: str = "enforce"
    cert: dict = field(default_factory=dict)
    things: tuple = ("sensor1",)
    extra: object = None
    options: dict = field(default_factory=dict)
    quarantined: bool = False
    has_snapshot: bool = True

    @property
    def name(self):
        return f"{self.cause} {self.action} {getattr(self.act, '__name__', '')}"


# ---- What clients do; each takes the scene ----


def connects(scene):
    with contextlib.suppress(OSError):
        scene.device("sensor1").connect()


def connects_as(client_id):
    def act(scene):
        scene.device(client_id).connect()

    return act


def connects_plainly(scene):
    scene.devices(scene.broker, None, "sensor1", transport="tcp", username="bob").connect(scene.port)


def connects_by_websocket(scene):
    scene.devices(scene.broker, None, "sensor1", transport="websockets").connect(scene.port)


def connects_with_a_method(scene):
    method = b"\x15" + struct.pack(">H", 5) + b"SCRAM"
    body = b"\x00\x04MQTT\x05\x02\x00\x3c" + bytes([len(method)]) + method + b"\x00\x03me5"
    with socket.create_connection(("127.0.0.1", scene.port)) as s:
        s.sendall(bytes([0x10, len(body)]) + body)
        s.recv(5)


def speaks_no_tls(scene):
    with socket.create_connection(("127.0.0.1", scene.broker.port)) as s:
        s.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with contextlib.suppress(OSError):
            s.recv(100)


def subscribes(topic):
    def act(scene):
        device = scene.connected()
        assert device.subscribe(topic) == 0x80

    return act


def publishes(topic, retain=False):
    def act(scene):
        device = scene.connected()
        device.publish(topic, retain=retain)
        device.wait("disconnect")

    return act


def receives(topic):
    def act(scene):
        device = scene.connected()
        assert device.subscribe("#") == 1
        device.publish_acked(topic)

    return act


def leaves_a_will(topic):
    def act(scene):
        device = scene.device("sensor1", will=(topic, b"bye", 1))
        assert device.connect() == 0
        device.client._sock_close()

    return act


def reports_too_much(scene):
    device = scene.connected()
    for _ in range(20):
        device.publish_acked(REPORT, b"{}")


def rings_and_talks(scene):
    user, password = b"thingward-doorbell", kit.TOKEN.encode()
    body = b"\x00\x04MQTT\x04\xc2\x00\x00" + b"".join(
        struct.pack(">H", len(x)) + x for x in (b"doorbell", user, password)
    )
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(scene.broker.doorbell))
        s.sendall(bytes([0x10, len(body)]) + body)
        assert s.recv(4)[3] == 0
        s.sendall(b"\x30\x05\x00\x03a/b")
        s.recv(1)


def comes_by_identity(scene):
    device = scene.device("sensor1")
    assert device.connect(scene.port) == 0
    assert device.subscribe("a") == 0x80


# ---- Listeners ----


def plain(scene):
    scene.port = kit.free_port()
    return f"listener {scene.port} 127.0.0.1"


def with_passwords(scene):
    path = scene.broker.dir / "passwords"
    path.touch()
    subprocess.run(["mosquitto_passwd", "-b", path, "ann", "x"], check=True, capture_output=True)
    path.chmod(0o644)
    return plain(scene) + f"\npassword_file {path}"


def websockets(scene):
    return plain(scene) + "\nprotocol websockets"


def by_identity(scene):
    here = scene.broker.dir
    return "\n".join(
        [plain(scene), f"capath {here}/capath", f"certfile {here}/server.pem", f"keyfile {here}/server.key"]
        + ["require_certificate true", "use_identity_as_username true"]
    )


IN_QUARANTINE = {"grants": [CONNECT], "quarantined": True}
ROWS = [
    Row("no-snapshot", TLS, connects, has_snapshot=False),
    Row("certificate-unknown", TLS, connects, cert=None),
    Row("certificate-inactive", TLS, connects, cert={"status": "INACTIVE"}),
    Row("certificate-revoked", TLS, connects, cert={"status": "REVOKED"}),
    Row("certificate-pending", TLS, connects, cert={"status": "PENDING_ACTIVATION"}),
    Row("certificate-not-yet-valid", TLS, connects, cert={"not_before": NOW + 90000}),
    Row("certificate-expired", TLS, connects, cert={"not_after": NOW - 90000}),
    Row("chain-not-trusted", TLS, connects, mode="observe"),
    Row("tls-failed", TLS, speaks_no_tls),
    Row("no-certificate", "iot:Connect", connects_plainly, extra=plain),
    Row("websocket", "iot:Connect", connects_by_websocket, extra=websockets),
    Row("auth-method", "iot:Connect", connects_with_a_method, extra=plain),
    Row("broker-refused", "iot:Connect", connects_plainly, extra=with_passwords, mode="observe"),
    Row("identity-as-username", "iot:Connect", comes_by_identity, extra=by_identity),
    Row("client-id-too-long", "iot:Connect", connects_as("c" * 129), resource="c" * 129),
    Row("too-many-policies", "iot:Connect", connects, grants=[[CONNECT]] * 257),
    Row("implicit-deny", "iot:Connect", connects, "sensor1", [PUBLISH]),
    Row("explicit-deny", "iot:Connect", connects, "sensor1", [ALL, deny("iot:Connect", "client/sensor1")], ("p0", 1)),
    Row(
        *("missing-variable", "iot:Connect", connects_as("other"), "other"),
        *([kit.statement("iot:Connect", "client/${iot:Connection.Thing.ThingName}")], ("p0", 0)),
        missing="iot:Connection.Thing.ThingName",
    ),
    Row("quarantined", "iot:Connect", connects, "sensor1", [PUBLISH], quarantined=True),
    Row("implicit-deny", "iot:Publish", publishes("a/b"), "a/b", [CONNECT]),
    Row("explicit-deny", "iot:Publish", publishes("a/b"), "a/b", [ALL, deny("iot:Publish", "topic/a/*")], ("p0", 1)),
    Row(
        *("missing-variable", "iot:Publish", publishes("a/x"), "a/x"),
        *([CONNECT, kit.statement("iot:Publish", UNKNOWN_VARIABLE)], ("p0", 1)),
        missing="iot:Connection.Thing.Attributes[site]",
    ),
    Row("quarantined", "iot:Publish", publishes("a/b"), "a/b", **IN_QUARANTINE),
    Row("implicit-deny", "iot:RetainPublish", publishes("a/b", True), "a/b", [CONNECT, PUBLISH]),
    Row("topic-too-long", "iot:Publish", publishes("t" * 257), "t" * 257),
    Row("reserved-reply", "iot:Publish", publishes(REPORT + "/accepted"), REPORT + "/accepted"),
    Row("reserved-events", "iot:Publish", publishes("$aws/events/x"), "$aws/events/x"),
    Row("report-share", "iot:Publish", reports_too_much, REPORT, options={"session_byte_rate": 100}),
    Row("will-report", "iot:Publish", leaves_a_will(REPORT), REPORT),
    Row(
        *("will-not-allowed", "iot:Connect", leaves_a_will("w"), "w"),
        [
            PUBLISH,
            CONNECT | {"Condition": {"ForAllValues:StringEquals": {"iot:ConnectAttributes": ["PersistentConnect"]}}},
        ],
    ),
    Row("implicit-deny", "iot:Publish", leaves_a_will("w"), "w", [CONNECT]),
    Row("doorbell-only", "iot:Publish", rings_and_talks, "a/b"),
    Row("implicit-deny", "iot:Subscribe", subscribes("a/#"), "a/#", [CONNECT]),
    Row("explicit-deny", "iot:Subscribe", subscribes("a"), "a", [ALL, deny("iot:Subscribe", "topicfilter/a")], ("p0", 1)),
    Row("quarantined", "iot:Subscribe", subscribes("a"), "a", **IN_QUARANTINE),
    Row("topic-too-long", "iot:Subscribe", subscribes("1/2/3/4/5/6/7/8/9"), "1/2/3/4/5/6/7/8/9"),
    Row("reserved-reports", "iot:Subscribe", subscribes(REPORT), REPORT),
    Row("shared-reserved", "iot:Subscribe", subscribes("$share/g/$aws/#"), "$share/g/$aws/#"),
    Row("implicit-deny", "iot:Receive", receives("a"), "a", [CONNECT, PUBLISH, SUBSCRIBE]),
    Row("explicit-deny", "iot:Receive", receives("a"), "a", [ALL, deny("iot:Receive", "topic/a")], ("p0", 1)),
]


class Scene:
    """A broker with one device as the row says, and the far end of its channel."""

    def __init__(self, row, broker, far_end, ca, devices):
        self.broker, self.devices, self.port = broker, devices, None
        self.cert = kit.make_cert("sensor1", ca)
        broker.options.update({"mode": row.mode, **row.options})
        if row.extra:
            broker.extra = row.extra(self)
        self.register(row)
        if row.has_snapshot:
            broker.fleet.write()
        far_end.open()
        broker.start()
        far_end.wait_up()

    def register(self, row):
        fleet = self.broker.fleet
        lists = row.grants if isinstance(row.grants[0], list) else [row.grants]
        for i, statements in enumerate(lists):
            fleet.policies[f"p{i}"] = kit.document(*statements)
        names = [f"p{i}" for i in range(len(lists))]
        if row.quarantined:
            fleet.groups["locked"] = {"quarantine": True, "policies": names}
            fleet.things["sensor1"] = ["locked"]
        if row.cert is not None:
            fleet.add(self.cert, things=row.things, policies=names)
            fleet.certs[self.cert.fingerprint].update(row.cert)

    def device(self, client_id, **options):
        return self.devices(self.broker, self.cert, client_id, **options)

    def connected(self):
        device = self.device("sensor1")
        assert device.connect() == 0
        return device


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_cause(row, broker, far_end, ca, devices):
    scene = Scene(row, broker, far_end, ca, devices)
    row.act(scene)
    event = far_end.wait_event(kind=kit.REFUSED, cause=row.cause)
    assert event["action"] == (TLS if row.action == TLS else ACTIONS.index(row.action))
    assert event["address"].removeprefix("::ffff:") == (
        str(broker.doorbell) if row.cause == "doorbell-only" else "127.0.0.1"
    )
    if row.resource:
        assert event["resource"] == row.resource
    if row.rule:
        assert (event["policy"], event["statement"]) == row.rule
        assert event["version"] > 0
    assert row.missing in (None, event["missing"])
    assert not event["is_observed"]


# A client cannot bring these about: the broker gives an empty client id a name and ends the connection for control
# characters and bad UTF-8 (below); the others need a machine without memory, a certificate that TLS took and nobody can
# hash, or the daemon's order (test_passage.py).
NOT_BY_CLIENTS = {"none", "no-client-id", "client-id-control", "topic-control", "no-memory", "certificate-unreadable"}
NOT_BY_CLIENTS |= {"session-cut"}


def test_no_cause_is_left_out():
    assert set(kit.CAUSE_WORDS) - {row.cause for row in ROWS} == NOT_BY_CLIENTS


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
