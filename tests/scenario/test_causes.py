"""Every refusal has its cause and its rule: a table of what a client does wrong, and what `why-denied` says of it."""

import contextlib
import json
import ssl
from types import SimpleNamespace

import broker_kit as kit
import pytest
import stack
from test_broker_policy import cert_of, pem_of

ANYONE = kit.statement("iot:Connect", "*")
ALL = kit.statement("iot:*", "*")


def deny(action, resource="*"):
    return kit.statement(action, resource, effect="Deny")


class Client:
    """A thing of its own with a policy, and what it tries."""

    def __init__(self, world, name, *statements, client_id=None, status=None, **options):
        made = world.thingward.register(name, policy=kit.document(*(statements or (ALL,))))
        self.certificate = made.certificate_arn
        if status:
            world.thingward.api.update_certificate(certificateId=made.certificate_id, newStatus=status)
        self.device = world.device(cert_of(made), name if client_id is None else client_id, **options)

    def connect(self):
        with contextlib.suppress(ConnectionError, ssl.SSLError, OSError):
            self.device.connect()
        return self

    def publish(self, topic, **options):
        self.connect().device.publish(topic, **options)
        self.device.wait("disconnect")
        return self

    def subscribe(self, topic):
        assert self.connect().device.subscribe(topic) >= 0x80
        return self

    def receive(self, topic):
        """It may subscribe, not receive."""
        assert self.connect().device.subscribe(topic) == 1
        self.device.publish_acked(topic)
        return self

    def die(self):
        """The connection breaks: its will is due."""
        self.connect().device.client._sock.close()
        return self


class World:
    def __init__(self, thingward):
        self.thingward, self.open = thingward, contextlib.ExitStack()
        self.broker = SimpleNamespace(dir=thingward.home, port=thingward.mqtt_port)
        (thingward.home / "server.pem").write_bytes((thingward.dir / "ca" / "server-ca.pem").read_bytes())

    def device(self, cert, client_id, **options):
        return self.open.enter_context(contextlib.closing(kit.Device(self.broker, cert, client_id, **options)))

    def client(self, *args, **options):
        return Client(self, *args, **options)

    def stranger(self, days=(-1, 365), is_registered=False, status="ACTIVE"):
        """A certificate of its own authority."""
        cert = kit.make_cert("stranger", days=days)
        if is_registered:
            api = self.thingward.api
            made = api.register_certificate_without_ca(certificatePem=pem_of(cert), status=status)
            api.attach_policy(policyName="everything", target=made["certificateArn"])
        device = self.device(cert, "stranger")
        with contextlib.suppress(ConnectionError, ssl.SSLError, OSError):
            device.connect()
        return SimpleNamespace(certificate=cert.fingerprint)

    def quarantined(self, name):
        client = self.client(name)
        api = self.thingward.api
        api.add_thing_to_thing_group(thingName=name, thingGroupName="quarantine")
        return client


@pytest.fixture(scope="module")
def world():
    thingward = stack.Stack().start()
    made = World(thingward)
    everything = json.dumps(kit.document(ALL))
    thingward.api.create_policy(policyName="everything", policyDocument=everything)
    attributes = {"attributePayload": {"attributes": {"thingward:quarantine": "true"}}}
    thingward.api.create_thing_group(thingGroupName="quarantine", thingGroupProperties=attributes)
    thingward.api.create_policy(policyName="repair", policyDocument=json.dumps(kit.document(ANYONE)))
    thingward.api.attach_policy(policyName="repair", target=f"{stack.ARN}thinggroup/quarantine")
    try:
        yield made
    finally:
        made.open.close()
        thingward.remove()


THING = stack.THING
CONNECT, PUBLISH, SUBSCRIBE, RECEIVE = "iot:Connect", "iot:Publish", "iot:Subscribe", "iot:Receive"
LONG = "x" * 300
REPORTS = "$aws/things/+/defender/metrics/json"
REPLY = "$aws/things/r/defender/metrics/json/accepted"

# cause, action, the rule (of the client's own policy: statement; or the policy's name), what is done.
CAUSES = [
    ("certificate-unknown", "tls", None, lambda w: w.stranger()),
    ("certificate-inactive", "tls", None, lambda w: w.client("inactive", status="INACTIVE").connect()),
    ("certificate-revoked", "tls", None, lambda w: w.client("revoked", status="REVOKED").connect()),
    ("certificate-expired", "tls", None, lambda w: w.stranger(days=(-3, -1), is_registered=True)),
    ("certificate-not-yet-valid", "tls", None, lambda w: w.stranger(days=(1, 3), is_registered=True)),
    ("client-id-too-long", CONNECT, None, lambda w: w.client("long-id", client_id="x" * 129).connect()),
    ("implicit-deny", CONNECT, None, lambda w: w.client("c1", kit.statement(PUBLISH, "*")).connect()),
    ("implicit-deny", CONNECT, None, lambda w: w.client("c2", kit.statement(CONNECT, "client/other")).connect()),
    ("implicit-deny", PUBLISH, None, lambda w: w.client("c3", ANYONE).publish("a/b")),
    ("implicit-deny", SUBSCRIBE, None, lambda w: w.client("c4", ANYONE).subscribe("a/b")),
    ("implicit-deny", SUBSCRIBE, None, lambda w: w.client("c5", ANYONE).subscribe("#")),
    (
        *("implicit-deny", RECEIVE, None),
        lambda w: w.client("c6", ANYONE, kit.statement(SUBSCRIBE, "*"), kit.statement(PUBLISH, "*")).receive("c6"),
    ),
    ("explicit-deny", CONNECT, 2, lambda w: w.client("d1", ALL, deny(CONNECT)).connect()),
    ("explicit-deny", CONNECT, 1, lambda w: w.client("d2", deny(CONNECT, "client/d*"), ALL).connect()),
    ("explicit-deny", PUBLISH, 2, lambda w: w.client("d3", ALL, deny(PUBLISH, "topic/a/*")).publish("a/b")),
    ("explicit-deny", SUBSCRIBE, 2, lambda w: w.client("d4", ALL, deny(SUBSCRIBE, "topicfilter/a/*")).subscribe("a/+")),
    ("explicit-deny", RECEIVE, 2, lambda w: w.client("d5", ALL, deny(RECEIVE)).receive("d5")),
    ("explicit-deny", PUBLISH, 3, lambda w: w.client("d6", ALL, ANYONE, deny("iot:Pub*")).publish("a/b")),
    (
        *("missing-variable", PUBLISH, None),
        lambda w: w.client(
            "m1", ANYONE, kit.statement(PUBLISH, f"topic/{THING}/x"), client_id="not-the-thing"
        ).publish("m1/x"),
    ),
    ("quarantined", PUBLISH, None, lambda w: w.quarantined("q1").publish("a/b")),
    ("quarantined", SUBSCRIBE, None, lambda w: w.quarantined("q2").subscribe("a/b")),
    ("topic-too-long", PUBLISH, None, lambda w: w.client("t1").publish(LONG)),
    ("topic-too-long", SUBSCRIBE, None, lambda w: w.client("t2").subscribe(LONG)),
    ("reserved-reply", PUBLISH, None, lambda w: w.client("r1").publish(REPLY)),
    ("reserved-events", PUBLISH, None, lambda w: w.client("r2").publish("$aws/events/presence/connected/r2")),
    ("reserved-reports", SUBSCRIBE, None, lambda w: w.client("r3").subscribe(REPORTS)),
    ("shared-reserved", SUBSCRIBE, None, lambda w: w.client("r4").subscribe("$share/g/$aws/things/r4/x")),
    (
        *("will-report", PUBLISH, None),
        lambda w: w.client("w1", will=("$aws/things/w1/defender/metrics/json", b"{}", 1, False)).die(),
    ),
    (
        *("explicit-deny", PUBLISH, 2),
        lambda w: w.client("w2", ALL, deny(PUBLISH, "topic/last/*"), will=("last/w2", b"x", 1, False)).die(),
    ),
    ("implicit-deny", PUBLISH, None, lambda w: w.client("w3", ANYONE, will=("last/w3", b"x", 1, False)).die()),
]


def rule_of(row):
    return row.get("policy"), row.get("version"), row.get("statement")


@pytest.mark.parametrize(
    ("cause", "action", "statement", "act"),
    CAUSES,
    ids=[f"{i}-{cause}-{action}" for i, (cause, action, *_) in enumerate(CAUSES)],
)
def test_every_refusal_has_its_cause_and_rule(world, cause, action, statement, act):
    done = act(world)

    def find():
        world.thingward.settle()
        found = world.thingward.command(
            *("why-denied", "--json", "--certificate", done.certificate, "--data-dir", world.thingward.dir),
            check=False,
        )
        rows = json.loads(found.stdout) if found.returncode == 0 else []
        find.seen = [(row["cause"], row["action"], *rule_of(row)) for row in rows]
        return [row for row in rows if (row["cause"], row["action"]) == (cause, action)]

    (row,) = stack.wait_until(find, lambda: f"{cause} of {action}; found: {find.seen}")
    assert row["address"] == "127.0.0.1" and row["cure"] and not row["observed"]
    if statement:
        assert rule_of(row) == (f"of-{done.device.client._client_id.decode()}", 1, statement)


def test_the_table_is_as_long_as_it_should_be():
    assert len(CAUSES) >= 30
