"""Every cause of a refusal, by table: what a client does to the real broker, and what is told of it.

Each row runs twice, on a broker that enforces and on one that observes, from an address of its own; so what was told of a row is
what was told of its address. Everything is done first, then the ledger, the log and TestAuthorization are asked row by row.
"""

import contextlib
import functools
import json
import re
import shutil
import socket
import ssl
import struct
import subprocess
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import broker_kit as kit
import pytest
import stack
from test_broker_policy import cert_of, pem_of

FILTER = Path(__file__).parents[2] / "packaging" / "fail2ban" / "filter.d" / "thingward.conf"

CONNECT = kit.statement("iot:Connect", "*")
PUBLISH = kit.statement("iot:Publish", "*")
SUBSCRIBE = kit.statement("iot:Subscribe", "*")
ALL = kit.statement("iot:*", "*")
PERSISTENT_ONLY = {"Condition": {"ForAllValues:StringEquals": {"iot:ConnectAttributes": ["PersistentConnect"]}}}
THING = "iot:Connection.Thing.ThingName"
SITE = "iot:Connection.Thing.Attributes[site]"
NEVER = object()


def deny(action, *resources):
    return kit.statement(action, *resources, effect="Deny")


@dataclass
class Row:
    """What the device may and what it does; then what is told: the cause, and the statement of its policy, from 1."""

    cause: str
    action: str
    act: object
    resource: str = None
    grants: list = field(default_factory=lambda: [ALL])
    statement: int = None
    missing: str = None
    status: str = "ACTIVE"
    quarantined: bool = False
    # Where we observe: as which action it is told (a certificate is judged at CONNECT then), NEVER: it cannot be;
    # whether it is refused all the same.
    observed_action: object = None
    is_always_refused: bool = False
    is_only_observed: bool = False

    @property
    def name(self):
        return f"{self.cause} {self.action} {self.act.__name__}"

    def action_of(self, world):
        return self.observed_action or self.action if world.is_observed else self.action

    def is_asked_of(self, world):
        return self.observed_action is not NEVER if world.is_observed else not self.is_only_observed

    @property
    def is_policys(self):
        return self.cause in ("implicit-deny", "explicit-deny", "missing-variable", "quarantined")


# ---- What clients do; each takes its scene ----


def connects(scene, **options):
    """Where it is enforced it does not come in."""
    device = scene.device(**options)
    try:
        code = device.connect()
    except (ConnectionError, ssl.SSLError, OSError):
        code = 5
    assert (code == 0) == scene.is_let_in


def connects_as(client_id):
    def connects_so(scene):
        scene.client_id = client_id
        connects(scene)

    return connects_so


def connects_and_goes(scene):
    """Before it is judged anew."""
    connects(scene)
    scene.world.open.close()


def connects_as_a_stranger(scene):
    scene.cert = scene.world.strangers.device("stranger")
    connects(scene)


def connects_with_a_foreign_chain(scene):
    scene.cert = kit.make_cert("foreign")
    connects(scene)


def connects_outside_of_its_time(*days):
    def connects_then(scene):
        scene.cert = kit.make_cert("clock", days=days)
        scene.world.admit(scene.cert)
        connects(scene)

    return connects_then


def connects_plainly(scene):
    scene.cert, scene.port = None, scene.world.plain_port
    connects(scene, transport="tcp")


def connects_by_websocket(scene):
    scene.cert, scene.port = None, scene.world.websocket_port
    connects(scene, transport="websockets")


def names_a_wrong_password(scene):
    scene.cert, scene.port = None, scene.world.plain_port
    connects(scene, transport="tcp", username="nobody")


def names_a_method(scene):
    method = b"\x15" + struct.pack(">H", 5) + b"SCRAM"
    body = b"\x00\x04MQTT\x05\x02\x00\x3c" + bytes([len(method)]) + method + b"\x00\x03me5"
    with scene.socket(scene.world.plain_port) as s:
        s.sendall(bytes([0x10, len(body)]) + body)
        assert s.recv(5)[0] == 0x20


def speaks_no_tls(scene):
    with scene.socket(scene.port) as s, contextlib.suppress(OSError):
        s.sendall(b"GET / HTTP/1.1\r\n\r\n")
        s.recv(100)


def comes_by_identity(scene):
    scene.port = scene.world.identity_port
    device = scene.device()
    assert device.connect() == 0
    assert device.subscribe("a") == 0x80


def subscribes(topic):
    def subscribes_to_it(scene):
        assert scene.connected().subscribe(topic) == (1 if scene.is_let_in else 0x80)

    return subscribes_to_it


def publishes(topic, retain=False):
    def publishes_it(scene):
        device = scene.connected()
        device.publish(topic, retain=retain)
        device.wait("puback" if scene.is_let_in else "disconnect")

    return publishes_it


def receives(scene):
    device, topic = scene.connected(), f"to/{scene.thing}"
    assert device.subscribe(topic) == 1
    device.publish_acked(topic)
    if scene.is_let_in:
        device.receive()


def leaves_a_will(topic):
    def leaves_it(scene):
        device = scene.device(will=(topic, b"bye", 1))
        assert device.connect() == 0
        device.client._sock.shutdown(socket.SHUT_RDWR)

    return leaves_it


def reports_too_much(scene):
    device = scene.connected()
    for _ in range(20):
        device.publish_acked(REPORT, b"{}")


REPORT = "$aws/things/sensor1/defender/metrics/json"
LONG, DEEP = "t" * 257, "1/2/3/4/5/6/7/8/9"
AT_CONNECT = {"observed_action": "iot:Connect"}
IN_QUARANTINE = {"grants": [CONNECT], "quarantined": True}
ROWS = [
    Row("certificate-unknown", "tls", connects_as_a_stranger, **AT_CONNECT),
    Row("certificate-inactive", "tls", connects, status="INACTIVE", **AT_CONNECT),
    Row("certificate-revoked", "tls", connects, status="REVOKED", **AT_CONNECT),
    # Where we observe, OpenSSL's own check ends these: as below.
    Row("certificate-not-yet-valid", "tls", connects_outside_of_its_time(1, 3), observed_action=NEVER),
    Row("certificate-expired", "tls", connects_outside_of_its_time(-3, -1), observed_action=NEVER),
    Row("chain-not-trusted", "tls", connects_with_a_foreign_chain, is_only_observed=True, is_always_refused=True),
    Row("tls-failed", "tls", speaks_no_tls, is_always_refused=True),
    Row("no-certificate", "iot:Connect", connects_plainly),
    Row("websocket", "iot:Connect", connects_by_websocket),
    Row("auth-method", "iot:Connect", names_a_method, observed_action=NEVER),
    Row("broker-refused", "iot:Connect", names_a_wrong_password, is_only_observed=True, is_always_refused=True),
    Row("identity-as-username", "iot:Connect", comes_by_identity, observed_action=NEVER),
    Row("client-id-too-long", "iot:Connect", connects_as("c" * 129), "c" * 129),
    Row("implicit-deny", "iot:Connect", connects, grants=[PUBLISH]),
    Row("implicit-deny", "iot:Connect", connects, grants=[kit.statement("iot:Connect", "client/other")]),
    Row("explicit-deny", "iot:Connect", connects, grants=[ALL, deny("iot:Connect", "client/*")], statement=2),
    Row(
        *("missing-variable", "iot:Connect", connects_as("other"), "other"),
        *([PUBLISH, kit.statement("iot:Connect", f"client/${{{THING}}}")], 2, THING),
    ),
    Row("quarantined", "iot:Connect", connects, grants=[PUBLISH], quarantined=True),
    Row("implicit-deny", "iot:Publish", publishes("a/b"), "a/b", [CONNECT]),
    Row("explicit-deny", "iot:Publish", publishes("a/b"), "a/b", [ALL, deny("iot:Publish", "topic/a/*")], 2),
    Row("explicit-deny", "iot:Publish", publishes("a/b"), "a/b", [ALL, CONNECT, deny("iot:Pub*", "*")], 3),
    Row(
        *("missing-variable", "iot:Publish", publishes("a/x"), "a/x"),
        *([CONNECT, kit.statement("iot:Publish", f"topic/${{{SITE}}}/x")], 2, SITE),
    ),
    Row("quarantined", "iot:Publish", publishes("a/b"), "a/b", **IN_QUARANTINE),
    Row("implicit-deny", "iot:RetainPublish", publishes("a/b", True), "a/b", [CONNECT, PUBLISH]),
    Row("topic-too-long", "iot:Publish", publishes(LONG), LONG),
    Row("reserved-reply", "iot:Publish", publishes(f"{REPORT}/accepted"), f"{REPORT}/accepted"),
    Row("reserved-events", "iot:Publish", publishes("$aws/events/x"), "$aws/events/x"),
    Row("report-share", "iot:Publish", reports_too_much, REPORT, is_always_refused=True),
    Row("will-report", "iot:Publish", leaves_a_will(REPORT), REPORT),
    Row("will-not-allowed", "iot:Connect", leaves_a_will("w"), "w", [PUBLISH, CONNECT | PERSISTENT_ONLY], 2),
    Row("implicit-deny", "iot:Publish", leaves_a_will("w"), "w", [CONNECT]),
    Row("explicit-deny", "iot:Publish", leaves_a_will("w"), "w", [ALL, deny("iot:Publish", "topic/w")], 2),
    Row("implicit-deny", "iot:Subscribe", subscribes("quiet/#"), "quiet/#", [CONNECT]),
    Row("explicit-deny", "iot:Subscribe", subscribes("a"), "a", [ALL, deny("iot:Subscribe", "topicfilter/a")], 2),
    Row("quarantined", "iot:Subscribe", subscribes("a"), "a", **IN_QUARANTINE),
    Row("topic-too-long", "iot:Subscribe", subscribes(DEEP), DEEP),
    Row("reserved-reports", "iot:Subscribe", subscribes(REPORT), REPORT),
    Row("shared-reserved", "iot:Subscribe", subscribes("$share/g/$aws/#"), "$share/g/$aws/#"),
    Row("implicit-deny", "iot:Receive", receives, grants=[CONNECT, PUBLISH, SUBSCRIBE]),
    Row("explicit-deny", "iot:Receive", receives, grants=[ALL, deny("iot:Receive", "topic/to/*")], statement=2),
    Row("no-snapshot", "tls", connects_and_goes, **AT_CONNECT),
]
# Before there is a snapshot nobody can be registered: it goes first.
NO_SNAPSHOT = ROWS[-1]

# The broker gives an empty client id a name, and ends the connection for control characters and bad UTF-8; the API gives no
# certificate the one status, and nobody so many policies; only the daemon has the doorbell's token (all of these:
# broker/test_rare_causes.py); no memory, a certificate that TLS took and nobody can hash, a session that is
# being ended though new rules allow it (tests/unit/mosquitto).
NOT_BY_CLIENTS = {"none", "no-client-id", "client-id-control", "topic-control", "certificate-pending", "too-many-policies"}
NOT_BY_CLIENTS |= {"doorbell-only", "no-memory", "certificate-unreadable", "session-cut"}


def test_the_table_is_whole():
    assert len(ROWS) >= 30
    assert set(kit.CAUSE_WORDS) - {row.cause for row in ROWS} == NOT_BY_CLIENTS


# What a client says that would be somebody else, or act on who reads it: quotes, marks that turn the direction of writing.
HOSTILE = 'x" from 198.51.100.1, \\ \u202edenied\u2066\u2028 cause=x'


def connects_with_hostile_words(scene):
    scene.client_id = HOSTILE
    connects(scene)


def publishes_hostile_words(scene):
    publishes(HOSTILE)(scene)


def comes_plainly_with_hostile_words(scene):
    scene.client_id = HOSTILE
    scene.cert, scene.port = None, scene.world.plain_port
    connects(scene, transport="tcp", username=HOSTILE)


def shows_a_hostile_issuer(scene):
    scene.cert = kit.make_cert(HOSTILE + "\n\x1b[31m")
    connects(scene)


HOSTILES = [
    Row("implicit-deny", "iot:Connect", connects_with_hostile_words, HOSTILE, [PUBLISH]),
    Row("implicit-deny", "iot:Publish", publishes_hostile_words, HOSTILE, [CONNECT]),
    Row("no-certificate", "iot:Connect", comes_plainly_with_hostile_words, HOSTILE, observed_action=NEVER),
    Row("certificate-unknown", "tls", shows_a_hostile_issuer, observed_action=NEVER),
]
ROWS += HOSTILES


# ---- Where they do it ----


class Strangers:
    """An authority whose certificates the broker's own check takes, and the registry does not know."""

    def __init__(self, directory):
        self.ca = kit.make_cert("Strangers", is_ca=True)
        directory.mkdir(mode=0o755)
        self.ca.save(directory, "ca")
        subprocess.run(["openssl", "rehash", directory], check=True, capture_output=True)
        (directory / "ca.key").unlink()

    def device(self, name, **options):
        return kit.make_cert(name, self.ca, **options)


class World:
    """An installation whose broker has every kind of listener."""

    def __init__(self, is_observed):
        self.is_observed = is_observed
        self.stack, self.open = stack.Stack({"denial.log": "true"}).init(), contextlib.ExitStack()
        self.home, self.port = self.stack.home, self.stack.mqtt_port
        self.plain_port, self.websocket_port, self.identity_port = (kit.free_port() for _ in range(3))
        self.strangers = Strangers(self.home / "capath")
        (self.home / "server.pem").write_bytes((self.stack.dir / "ca" / "server-ca.pem").read_bytes())
        self.configure(self.stack.dir / "mosquitto.conf")
        self.scenes = [Scene(self, i, row) for i, row in enumerate(ROWS) if row.is_asked_of(self)]

    def configure(self, conf):
        text = conf.read_text()
        keys = re.findall(r"^(?:certfile|keyfile|cafile) .*$", text, re.MULTILINE)
        options = ["plugin_opt_session_byte_rate 100"]
        if self.is_observed:
            options += ["plugin_opt_mode observe", f"password_file {self.passwords()}"]
            text = text.replace("allow_anonymous false", "allow_anonymous true")
        more = [f"capath {self.home / 'capath'}"]
        more += [f"listener {self.plain_port} 127.0.0.1"]
        more += [f"listener {self.websocket_port} 127.0.0.1", "protocol websockets"]
        more += [f"listener {self.identity_port} 127.0.0.1", *keys]
        more += ["require_certificate true", "use_identity_as_username true", ""]
        lines = "\n".join(["plugin_opt_broker main", *options])
        conf.write_text(text.replace("plugin_opt_broker main", lines) + "\n".join(more))

    def passwords(self):
        path = self.home / "passwords"
        path.touch()
        subprocess.run(["mosquitto_passwd", "-b", path, "ann", "x"], check=True, capture_output=True)
        path.chmod(0o644)
        return path

    def start(self):
        """What is refused for want of a snapshot is refused before the daemon has been there."""
        (self.stack.dir / "broker" / "snapshot").unlink()
        self.stack.start_broker()
        for scene in self.scenes:
            if scene.row is NO_SNAPSHOT:
                scene.play()
        self.stack.start_daemon().wait_ready()
        self.api = self.stack.api
        self.make_policy("everything", ALL)
        return self

    def play(self):
        for scene in self.scenes:
            if scene.row is not NO_SNAPSHOT:
                scene.play()
        with contextlib.suppress(AssertionError):  # whose row is missing fails by itself
            stack.wait_until(lambda: self.ask() >= {scene.address for scene in self.scenes}, "all rows")
        return self

    def ask(self):
        """Takes what is told by now; the addresses that it speaks of."""
        self.stack.settle()
        words = ("why-denied", "--data-dir", self.stack.dir)
        self.rows = json.loads(self.stack.command(*words, "--json", check=False).stdout or "[]")
        self.words = self.stack.command(*words, check=False).stdout.splitlines()
        observed = json.loads(self.stack.command("would-refuse", "--json", *words[1:]))["devices"]
        self.would_refuse = [reason for device in observed for reason in device["reasons"]]
        self.lines = [line for line in self.stack.daemon_log.lines if "denial: " in line]
        return {row["address"] for row in self.rows}

    def close(self):
        self.open.close()
        self.stack.remove()

    # ---- The registry ----

    def make_policy(self, name, *statements):
        self.api.create_policy(policyName=name, policyDocument=json.dumps(kit.document(*statements)))

    def admit(self, cert):
        made = self.api.register_certificate_without_ca(certificatePem=pem_of(cert), status="ACTIVE")
        self.api.attach_policy(policyName="everything", target=made["certificateArn"])

    def quarantine(self, thing, statements):
        properties = {"attributePayload": {"attributes": {"thingward:quarantine": "true"}}}
        made = self.api.create_thing_group(
            thingGroupName=f"quarantine-{thing}", thingGroupProperties=properties
        )
        self.make_policy(f"for-{thing}", *statements)
        self.api.attach_policy(policyName=f"for-{thing}", target=made["thingGroupArn"])
        self.api.add_thing_to_thing_group(thingName=thing, thingGroupName=f"quarantine-{thing}")


class Scene:
    """One row in one world: a thing with a certificate and a policy, or a stranger."""

    def __init__(self, world, place, row):
        self.world, self.row, self.error = world, row, None
        self.thing = self.client_id = f"row-{place}"
        self.address, self.port = f"127.0.1.{place + 1}", world.port
        self.arn = self.cert = None

    @property
    def is_let_in(self):
        return self.world.is_observed and not self.row.is_always_refused

    def play(self):
        """An error is the row's own, and shown by its test."""
        try:
            self.enter()
            self.row.act(self)
        except Exception as error:
            self.error = error

    def enter(self):
        if self.row is NO_SNAPSHOT:
            self.cert = self.world.strangers.device(self.thing)
            return
        grants = [ALL] if self.row.quarantined else self.row.grants
        made = self.world.stack.register(self.thing, policy=kit.document(*grants))
        self.arn, self.cert = made.certificate_arn, cert_of(made)
        if self.row.status != "ACTIVE":
            self.world.api.update_certificate(certificateId=made.certificate_id, newStatus=self.row.status)
        if self.row.quarantined:
            self.world.quarantine(self.thing, self.row.grants)

    def device(self, **options):
        broker = SimpleNamespace(dir=self.world.home, port=self.port)
        device = kit.Device(broker, self.cert, self.client_id, **options)
        device.client.connect = functools.partial(device.client.connect, bind_address=self.address)
        return self.world.open.enter_context(contextlib.closing(device))

    def connected(self):
        device = self.device()
        assert device.connect() == 0
        return device

    def socket(self, port):
        return socket.create_connection(
            ("127.0.0.1", port), timeout=kit.DEADLINE, source_address=(self.address, 0)
        )

    # ---- What is told of it ----

    @property
    def told(self):
        return [row for row in self.world.rows if row["address"] == self.address]

    @property
    def words(self):
        """The three lines for people."""
        (place,) = [i for i, line in enumerate(self.world.words) if f" from {self.address}," in line]
        return "\n".join(self.world.words[place : place + 3])


# ---- What is told ----

CASES = [
    pytest.param(mode, row, id=f"{mode} {i} {row.name}")
    for mode in ("enforce", "observe")
    for i, row in enumerate(ROWS)
    if row.is_asked_of(SimpleNamespace(is_observed=mode == "observe"))
]


@pytest.fixture(scope="module")
def worlds():
    """Each of the two, when it is asked for."""
    with contextlib.ExitStack() as made:

        @functools.lru_cache
        def get(mode):
            return made.enter_context(contextlib.closing(World(mode == "observe"))).start().play()

        yield get


@pytest.fixture
def world(worlds, mode):
    return worlds(mode)


@pytest.fixture
def scene(world, row):
    (found,) = [scene for scene in world.scenes if scene.row is row]
    if found.error:
        raise found.error
    return found


def rule_of(told):
    return told.get("policy"), told.get("version"), told.get("statement")


@pytest.mark.parametrize(("mode", "row"), CASES)
def test_cause(world, row, scene):
    (told,) = scene.told
    action, is_observed = row.action_of(world), world.is_observed and not row.is_always_refused
    rule = (f"of-{scene.thing}", 1, row.statement) if row.statement else (None, None, None)
    assert (told["cause"], told["action"], told["observed"]) == (row.cause, action, is_observed)
    assert rule_of(told) == rule
    assert (told in world.would_refuse) == is_observed
    assert row.resource in (None, told["resource"])
    if action != "tls":
        assert told.get("missing") == row.missing
    assert told["count"] == 1 or row.cause == "report-share"
    assert row.is_always_refused or row.cause in CAUSES_WITHOUT_CERTIFICATE or told["certificate"]
    in_words(scene, told)
    in_the_log(scene, told)


CAUSES_WITHOUT_CERTIFICATE = {"no-certificate", "websocket", "auth-method"}


def in_words(scene, told):
    """`thingward why-denied` for people."""
    text = scene.words
    assert f"{told['count']}x since " in text
    if scene.row not in HOSTILES:
        assert told["why"] in text and f"cure: {told['cure']}" in text
    assert ("would be refused: " in text) == told["observed"]
    if "policy" in told:
        assert f'policy "{told["policy"]}" version 1, statement {told["statement"]}' in text


def in_the_log(scene, told):
    """One line for what was told at once; its counts come to the ledger's."""
    head = f"denial: {'would-deny' if told['observed'] else 'denied'} {scene.address} "
    lines = [line.split(head)[1] for line in scene.world.lines if head in line]
    form = re.compile(rf"cause={told['cause']} action={told['action']} count=(\d+) certificate=(\S+) client=\"")
    found = [form.match(line) for line in lines]
    assert found and all(found)
    assert sum(int(match[1]) for match in found) == told["count"]
    assert {match[2] for match in found} == {told["certificate"] or "-"}


HOSTILE_CASES = [case for case in CASES if case.values[1] in HOSTILES]
QUOTED = r'"[^"\\]*(\\x[0-9a-f]{2}[^"\\]*)*"'
WORDS = re.compile(
    rf"\S+  \d+x since \S+  (would be refused: )?\S+( on {QUOTED})?( by client {QUOTED})?( of user {QUOTED})?"
    r" from 127\.0\.1\.\d+,( certificate [0-9a-f]{64},)? broker main"
)
LINE = re.compile(
    rf"<5>denial: (would-deny|denied) 127\.0\.1\.\d+ cause=\S+ action=\S+ count=\d+ certificate=\S+ client={QUOTED}"
    rf" user={QUOTED} resource={QUOTED} policy={QUOTED}( version=1 statement=\d+)? missing={QUOTED} broker=\"main\""
)


@pytest.mark.parametrize(("mode", "row"), HOSTILE_CASES)
def test_hostile_words_are_inert(world, row, scene):
    """S23: they end no quote and no line, begin nothing on a terminal, and stand whole in JSON."""
    (told,) = scene.told
    first, why, cure = scene.words.splitlines()
    assert WORDS.fullmatch(first) and why.startswith("    why:  ") and cure.startswith("    cure: ")
    for line in (first, why, cure):
        assert not [c for c in line if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Co", "Cs")]
    lines = [line for line in world.lines if f" {scene.address} " in line]
    assert lines and all(line.isascii() and line.isprintable() and LINE.fullmatch(line) for line in lines)
    assert row.action == "tls" or HOSTILE in (told["client"], told["resource"])
    assert told["user"] in ("", HOSTILE)


AUTHORIZED = {
    "iot:Connect": ("CONNECT", "client"),
    "iot:Publish": ("PUBLISH", "topic"),
    "iot:Subscribe": ("SUBSCRIBE", "topicfilter"),
    "iot:Receive": ("RECEIVE", "topic"),
}
POLICYS = [case for case in CASES if case.values[1].is_policys and case.values[1].action in AUTHORIZED]


@pytest.mark.parametrize(("mode", "row"), POLICYS)
def test_authorization_says_the_same(world, row, scene):
    (told,) = scene.told
    kind, type_ = AUTHORIZED[row.action]
    asked = {"actionType": kind, "resources": [f"{stack.ARN}{type_}/{told['resource']}"]}
    (result,) = world.api.test_authorization(
        principal=scene.arn, clientId=scene.client_id, authInfos=[asked]
    )["authResults"]
    is_explicit = row.cause == "explicit-deny"
    assert result["authDecision"] == ("EXPLICIT_DENY" if is_explicit else "IMPLICIT_DENY")
    denied = [policy["policyName"] for policy in result["denied"]["explicitDeny"]["policies"]]
    assert denied == ([told["policy"]] if is_explicit else [])
    assert is_explicit or result["allowed"]["policies"] == []
    assert not row.missing or row.missing in result["missingContextValues"]


@pytest.mark.parametrize("mode", ["enforce", "observe"])
def test_fail2ban_finds_each_line_of_a_refusal(world):
    if not shutil.which("fail2ban-regex"):
        pytest.skip("fail2ban is not installed")
    log = world.home / "denials.log"
    log.write_text("\n".join(world.lines) + "\n")
    done = subprocess.run(["fail2ban-regex", log, FILTER], capture_output=True, text=True, check=True)
    n, refused = len(world.lines), sum("denial: denied " in line for line in world.lines)
    assert n >= len(world.scenes) and (refused == n) == (not world.is_observed)
    assert f"{n} lines, 0 ignored, {refused} matched, {n - refused} missed" in done.stdout
