"""A device is contained while it attacks by every way there is. From the moment the containment is applied nobody hears
anything of it, nor it of others; nor after a restart of the broker; and the containment is verified.

Each test is one kind of session (clean or persistent, MQTT 3.1.1 or 5), with a device for each action at once. What the
broker took before or after `applied` is told twice: by marks between the messages that an auditor hears, and by the
broker's own log, which has one order of everything it takes, sends and applies."""

import contextlib
import itertools
import json
import os
import pwd
import re
import shutil
import threading
from collections import namedtuple

import broker_kit as kit
import pytest
import raw_http
import raw_mqtt
import stack
from cryptography import x509
from cryptography.hazmat.primitives import serialization

LATE_S = 2  # after which a delayed will is due
DOOR = kit.document(kit.statement(["iot:Connect", "iot:Subscribe"], "*"))
VOICE = kit.document(kit.statement(["iot:Publish", "iot:RetainPublish", "iot:Receive"], "*"))
JAIL = kit.document(
    kit.statement("iot:Connect", "client/*"),
    kit.statement("iot:Publish", "topic/repair/*"),
    kit.statement("iot:Subscribe", "topicfilter/*"),
    kit.statement("iot:Receive", "topic/repair/*"),
)


def cert_of(made):
    key = serialization.load_pem_private_key(made["keyPair"]["PrivateKey"].encode(), None)
    return kit.Cert(key, x509.load_pem_x509_certificate(made["certificatePem"].encode()))


class Stage:
    """One installation for all: its broker keeps sessions over restarts, has a listener without TLS beside the other
    one, and logs everything."""

    def __init__(self):
        self.thingward = stack.Stack().init()
        self.plain_port = kit.free_port()
        self.kept = self.thingward.home / "kept"
        self.kept.mkdir()
        if os.getuid() == 0:
            shutil.chown(self.kept, pwd.getpwnam("mosquitto").pw_name)
        conf = self.thingward.dir / "mosquitto.conf"
        own = conf.read_text().replace("persistence false", f"persistence true\npersistence_location {self.kept}/")
        conf.write_text(f"{own}\nlog_type all\ncheck_retain_source true\nmax_queued_messages 0\nlistener {self.plain_port} 127.0.0.1\n")
        self.thingward.start_broker().start_daemon().wait_ready()
        (self.thingward.home / "server.pem").write_bytes(
            (self.thingward.dir / "ca" / "server-ca.pem").read_bytes()
        )
        self.dir, self.port, self.api = self.thingward.home, self.thingward.mqtt_port, self.thingward.api
        self.api.create_policy(policyName="door", policyDocument=json.dumps(DOOR))
        self.api.create_policy(policyName="voice", policyDocument=json.dumps(VOICE))
        self.api.create_policy(policyName="jail", policyDocument=json.dumps(JAIL))
        mark = {"attributePayload": {"attributes": {"thingward:quarantine": "true"}}}
        self.api.create_thing_group(thingGroupName="jail", thingGroupProperties=mark)
        self.api.attach_policy(policyName="jail", target=f"{stack.ARN}thinggroup/jail")

    def certificate(self, thing):
        made = self.api.create_keys_and_certificate(setAsActive=True)
        self.api.attach_thing_principal(thingName=thing, principal=made["certificateArn"])
        for policy in ("door", "voice"):
            self.api.attach_policy(policyName=policy, target=made["certificateArn"])
        return made

    def newest(self):
        """The number of the containment that was asked for last."""
        found = self.ask("/thingward/containments?maxResults=1")["containments"]
        return int(found[0]["containmentId"]) if found else 0

    def containment(self, number):
        return self.ask(f"/thingward/containments/{number}")

    def ask(self, path):
        answer = raw_http.ask(self.thingward, "GET", path)
        assert answer.status == 200, answer
        return json.loads(answer.body)

    def restart_broker(self):
        assert self.thingward.stop_broker() == 0
        self.thingward.start_broker()


@pytest.fixture(scope="module")
def stage():
    one = Stage()
    yield one
    one.thingward.remove()


# ---- The attacker ----


class Attacker:
    """Has a device's two certificates, and speaks by every way that they give it. All its client ids, and the topics it
    publishes on, begin with its name."""

    def __init__(self, stage, action, clean, version):
        self.stage, self.version, self.clean, self.action = stage, version, clean, ACTIONS[action]
        self.name = name = f"{action}-{'clean' if clean else 'persistent'}{version}"
        stage.api.create_thing(thingName=name)
        self.made = [stage.certificate(name) for _ in range(2)]
        self.certs = [cert_of(made) for made in self.made]
        self.tls = [kit.client_context(stage, cert) for cert in self.certs]
        self.arns = [made["certificateArn"] for made in self.made]
        self.ids = [made["certificateId"] for made in self.made]
        self.is_over = threading.Event()
        self.taken = []  # the numbers of the flood that the broker acknowledged
        self.plain_answers = set()  # to the CONNECTs without TLS

    def session(self, client, cert=0, **options):
        """A session of its kind; each leaves a will."""
        client = f"{self.name}-{client}" if client else self.name
        will = (f"{self.name}/will/{client}", b"x", 1, False)
        options = {"version": self.version, "clean": self.clean, "will": will, **options}
        session = raw_mqtt.RawClient(self.stage.port, client, tls=self.tls[cert], **options)
        session.connect()
        return session

    def begin(self):
        """What it does while nobody suspects it."""
        self.open, self.idle, self.rival = self.session(""), self.session("idle"), self.session("rival", 1)
        self.open.publish(f"{self.name}/kept", b"x", 1, True)
        self._say_half()
        self.sleeper = self.session("sleeper", clean=False)
        for listening, topic in ((self.open, f"$share/{self.name}/#"), (self.open, "news/#"), (self.sleeper, "news/#")):
            listening.subscribe(topic, 1)
            listening.settle()
        self.sleeper.disconnect()
        if self.version == 5 and not self.clean:
            self.session("late", will_delay_s=LATE_S).drop()
        self.flood = threading.Thread(target=self._flood, daemon=True)
        self.flood.start()

    def _say_half(self):
        half = self.session("half")
        half.is_holding = True
        self.held_back = half.publish(f"{self.name}/half", b"x", 2)
        half.settle()
        half.drop()

    def _say_the_rest(self):
        half = self.session("half")
        half.release(self.held_back)
        half.settle()
        half.drop()

    def _flood(self):
        """100 messages a second; when it is cut off it comes back with its other certificate and another client id."""
        ways = itertools.cycle([(1, "flood-1"), (0, "flood-0"), (1, ""), (0, "")])
        session, numbers = self.open, itertools.count()
        while not self.is_over.is_set():
            while session.socket and not self.is_over.wait(0.01):
                self._publish_acked(session, next(numbers))
            self.is_over.wait(0.1)
            cert, client = next(ways)
            session = self.session(client, cert)

    def _publish_acked(self, session, number):
        session.publish(f"{self.name}/flood/{number}", b"x", 1)
        while session.socket:
            if session.read() == raw_mqtt.PUBACK:
                self.taken.append(number)
                return

    def again(self):
        """Every way once more."""
        for cert, client in itertools.product((0, 1), ("", "other", "rival")):
            self._speak(self.session(client, cert))
        self.idle.drop()
        back = self.session("sleeper", clean=False)
        back.settle()
        back.drop()
        self._say_the_rest()
        self._without_tls()
        self.left_open = self.session("left-open")

    def _speak(self, session):
        for topic in ("#", f"$share/{self.name}/#", "$share/all/news/+", "+/+", "news/#"):
            session.subscribe(topic, 1)
        for qos, retain in ((0, False), (1, True), (2, False)):
            session.publish(f"{self.name}/again/{qos}", b"x", qos, retain)
            session.settle()
        session.drop()

    def _without_tls(self):
        """The listener that asks for no certificate, under the names by which the plugin knows the device."""
        for username in (None, self.certs[0].fingerprint):
            will = (f"{self.name}/will/plain", b"x", 1, False)
            plain = raw_mqtt.RawClient(
                self.stage.plain_port, self.name, self.version, username, username, will, self.clean
            )
            plain.connect()
            self.plain_answers.add(plain.packets[0])
            self._speak(plain)

    def stop(self):
        self.is_over.set()
        self.flood.join(kit.DEADLINE)


# ---- What is done to it ----


def set_status(status):
    def act(attacker):
        for certificate in attacker.ids:
            attacker.stage.api.update_certificate(certificateId=certificate, newStatus=status)

    return act


def delete(attacker):
    api = attacker.stage.api
    set_status("INACTIVE")(attacker)
    for arn, certificate in zip(attacker.arns, attacker.ids):
        api.detach_thing_principal(thingName=attacker.name, principal=arn)
        api.delete_certificate(certificateId=certificate, forceDelete=True)


def detach(attacker):
    for arn in attacker.arns:
        attacker.stage.api.detach_policy(policyName="voice", target=arn)


def quarantine(attacker):
    attacker.stage.api.add_thing_to_thing_group(thingName=attacker.name, thingGroupName="jail")


# What is done, whether the device may connect to a session that it kept, and what the evidence of the containments says, by their kind.
Action = namedtuple("Action", "act may_return evidence")
ACTIONS = {
    "inactive": Action(set_status("INACTIVE"), False, {"certificate-deactivated": "was refused: certificate-inactive"}),
    "revoked": Action(set_status("REVOKED"), False, {"certificate-deactivated": "was refused: certificate-revoked"}),
    "deleted": Action(
        delete,
        False,
        {
            "certificate-deactivated": "a connect from 127.0.0.1 was refused: certificate-",
            "certificate-deleted": "a connect from 127.0.0.1 was refused: certificate-",
        },
    ),
    "detached": Action(detach, True, {"policy-detached": "the snapshot denies what was granted before"}),
    "quarantined": Action(quarantine, True, {"thing-quarantined": "every client id by the quarantine's policies alone"}),
}


# ---- Who watches ----


class Auditor:
    """Hears everything, in the broker's order."""

    def __init__(self, stage):
        stage.api.create_thing(thingName="auditor")
        self.cert = cert_of(stage.certificate("auditor"))
        self.stage = stage

    @contextlib.contextmanager
    def on_duty(self):
        self.ear, self.mouth = (kit.Device(self.stage, self.cert, f"auditor-{name}") for name in ("ear", "mouth"))
        try:
            assert self.ear.connect() == self.mouth.connect() == 0
            assert self.ear.subscribe("#", 0) == 0
            yield self
        finally:
            self.ear.close()
            self.mouth.close()

    def session(self, client, **options):
        tls = kit.client_context(self.stage, self.cert)
        return raw_mqtt.RawClient(self.stage.port, f"auditor-{client}", tls=tls, **options)

    def kept(self):
        """The topics of retained messages that a new subscription gets."""
        late = self.session("late-comer")
        late.connect()
        late.subscribe("+/kept", 1)
        late.settle()
        late.disconnect()
        return late.topics()

    def until(self, topic):
        """The topics that were heard before this one."""
        heard = []
        while (next_topic := self.ear.receive().topic) != topic:
            heard.append(next_topic)
        return heard

    def mark(self, name):
        self.mouth.publish_acked(f"mark/{name}")
        return self.until(f"mark/{name}")

    def open_archive(self):
        """Whatever is published from now on is kept for a session that is away."""
        archive = self.session("archive", clean=False)
        archive.connect()
        archive.subscribe("#", 1)
        archive.settle()
        archive.disconnect()

    def read_archive(self):
        """The topics of what was kept; then there is no archive any more."""
        archive = self.session("archive", clean=False)
        archive.connect()
        archive.settle()
        archive.disconnect()
        self.session("archive").connect()
        return archive.topics()

    def wait_late_will(self):
        """When a will that was left later is there, those that were left before have been due."""
        will = ("mark/late", b"x", 1, False)
        late = self.session("late", version=5, clean=False, will=will, will_delay_s=LATE_S)
        late.connect()
        late.drop()
        return self.until("mark/late")


@pytest.fixture(scope="module")
def auditor(stage):
    return Auditor(stage)


def numbers_of(name, topics):
    """Of the device's flood, in order."""
    return [int(topic.rsplit("/", 1)[1]) for topic in topics if topic.startswith(f"{name}/flood/")]


def of_devices(attackers, topics):
    return [topic for topic in topics if topic.split("/")[0] in {a.name for a in attackers}]


def check_floods(attackers, heard):
    """Whatever the broker acknowledged until now was taken before, and heard."""
    for attacker in attackers:
        assert set(attacker.taken) <= set(numbers_of(attacker.name, heard))


def halves(attackers):
    """What the broker had before: messages whose second half comes in a session that was kept (docs/containment.md)."""
    return [f"{a.name}/half" for a in attackers if a.action.may_return and not a.clean]


def check_log(stage, attacker, numbers):
    """Nothing of it and nothing to it was sent since every session stood by the rules that contain it."""
    generation = max(stage.containment(n)["containment"]["generation"] for n in numbers)
    lines = iter(stage.thingward.broker_log.lines[:])
    applied = (re.search(r"every session stands by generation (\d+)$", line) for line in lines)
    assert next(m for m in applied if m and int(m[1]) >= generation)
    sent = re.compile(rf"Sending PUBLISH to (\S+ .*, '{attacker.name}/(?!half)|{attacker.name}[ -])")
    assert [line for line in lines if sent.search(line)] == []


def contain(stage, attackers):
    """Does to each what its name says. The numbers of the containments that this began, by attacker."""
    begun = {}
    for attacker in attackers:
        first = stage.newest() + 1
        attacker.action.act(attacker)
        begun[attacker] = range(first, stage.newest() + 1)
    return begun


def become(stage, begun, *states):
    """Waits until all are in one of these states."""
    numbers = list(itertools.chain(*begun.values()))

    def others():
        found = [stage.containment(n) for n in numbers]
        return [one for one in found if one["containment"]["state"] not in states]

    stack.wait_until(lambda: not others(), others)


def check_evidence(stage, attacker, numbers):
    """Every containment that its action began is verified, in two steps, with the words that belong to it."""
    found = {}
    for whole in (stage.containment(n) for n in numbers):
        applied, verified = whole["evidence"]
        assert (applied["state"], verified["state"]) == ("applied", "verified")
        assert [one["broker"] for one in whole["brokers"]] == ["main"]
        found.setdefault(whole["containment"]["kind"], []).append(verified["text"])
    for kind, words in attacker.action.evidence.items():
        assert found[kind] and all(words in text for text in found[kind]), (kind, found)


@pytest.mark.parametrize("version", [4, 5], ids=["v311", "v5"])
@pytest.mark.parametrize("clean", [True, False], ids=["clean", "persistent"])
def test_nothing_comes_of_a_contained_device(stage, auditor, clean, version):
    attackers = [Attacker(stage, action, clean, version) for action in ACTIONS]
    with auditor.on_duty():
        for attacker in attackers:
            attacker.begin()
        auditor.mouth.publish_acked("news/queued", b"for who sleeps")
        stack.wait_until(lambda: all(len(a.taken) > 10 for a in attackers), "the floods")

        begun = contain(stage, attackers)
        become(stage, begun, "applied", "verified")
        check_floods(attackers, auditor.mark("applied"))
        auditor.open_archive()
        auditor.mouth.publish_acked("news/secret", b"not for the attacker")
        for attacker in attackers:
            attacker.again()
        become(stage, begun, "verified")
        assert of_devices(attackers, auditor.kept()) == []
        late = auditor.wait_late_will() if version == 5 and not clean else []
        assert late + auditor.mark("after") == ["news/secret", *halves(attackers)]
        for attacker in attackers:
            check_evidence(stage, attacker, begun[attacker])
            check_log(stage, attacker, begun[attacker])

    stage.restart_broker()
    with auditor.on_duty():
        for attacker in attackers:
            attacker.again()
            attacker.stop()
        assert auditor.mark("restarted") == []
        assert of_devices(attackers, auditor.read_archive()) == halves(attackers)
        assert of_devices(attackers, auditor.kept()) == []
        assert not any(attacker.plain_answers - {"connack 0 0005", "connack 0 008700"} for attacker in attackers)
        become(stage, begun, "verified")
    for attacker in attackers:
        check_log(stage, attacker, begun[attacker])
