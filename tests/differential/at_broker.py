"""A real broker with the plugin against the oracle: certificates connect, publish, subscribe and receive, in MQTT 3.1.1 and 5.

What was decided is seen from outside: by CONNACK and SUBACK, and by who gets a message. An observer that may do everything sees
what is published, and publishes what a device may receive.
"""

import contextlib
import itertools
import json
import queue
import random
import ssl
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import broker_kit as kit
import cases
import fleet as fleets
import oracle
from cryptography import x509
from cryptography.hazmat.primitives import serialization

# What a broker takes as topics and filters, and the plugin does not keep for itself.
SEGMENTS = ["a", "b", "ab", "abc", "A", "1", "", "data", "\u00e9", "\u65e5\u672c", "x y", "a:b", "*", "?", "${"]
UNKNOWN = ("iot:DomainName", "iot:LastWillTopic", "iot:ConnectAttributes")  # what the broker tells differs by its version
QUESTIONS_A_WORLD = 16

# A document beside those by chance, so that most worlds get in and can receive.
ENTRY = json.dumps(
    kit.document(kit.statement("iot:Connect", "client/*"), kit.statement("iot:Subscribe", "topicfilter/#", "topicfilter/round-trip"))
)


class Watched(kit.Device):
    """A device whose session may be ended by any refusal."""

    def _answer(self, kind):
        """The event of this kind, or None when the session ended before."""
        while True:
            event = self.events.get(timeout=kit.DEADLINE)
            if event[0] == kind:
                return event
            if event[0] == "disconnect":
                return None

    def is_let_in(self):
        try:
            return self.connect() == 0
        except (ConnectionError, ssl.SSLError):
            return False

    def try_publish(self, topic, payload, retain=False):
        """Returns when the broker has decided."""
        self.publish(topic, payload, 1, retain)
        return self._answer("puback") is not None

    def try_subscribe(self, topic):
        """Whether the filter was taken, and whether the session lives on."""
        self.client.subscribe(topic, 0)
        answer = self._answer("suback")
        code = answer and answer[1][0]
        return answer is not None and getattr(code, "value", code) < 0x80, answer is not None

    def received(self):
        """The payloads that came so far: what was sent to it before the round trip is there after it."""
        _, is_alive = self.try_subscribe("round-trip")
        assert is_alive
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self.messages.get_nowait().payload)
        return found


class Site:
    """The installation, its fleet, and the observer."""

    def __init__(self, installation, seed):
        (installation.home / "server.pem").write_bytes((installation.dir / "ca" / "server-ca.pem").read_bytes())
        self.broker = SimpleNamespace(dir=installation.home, port=installation.mqtt_port)
        self.fleet = fleets.Fleet(installation, random.Random(seed), members=4)
        self.numbers = itertools.count()
        made = installation.register("observer", policy=kit.ALLOW_ALL)
        key = serialization.load_pem_private_key(made.key_pem.encode(), None)
        self.observer = Watched(self.broker, kit.Cert(key, x509.load_pem_x509_certificate(made.cert_pem.encode())), "observer")
        assert self.observer.connect() == 0 and self.observer.subscribe("#", 1) == 1

    def payload(self):
        return b"%d" % next(self.numbers)

    def is_published(self, payload):
        """Whether the observer got this before what is sent now."""
        end, found = self.payload(), []
        self.observer.publish_acked("end", end)
        while end not in found:
            found.append(self.observer.receive().payload)
        return payload in found

    def close(self):
        self.observer.close()


class Visit:
    """One device in one world: what it tries, and what became of it."""

    def __init__(self, site, member, client_id, is_v5):
        self.site, self.member, self.client_id, self.is_v5 = site, member, client_id, is_v5
        self.device, self.hears = None, False

    def connect(self):
        self.close()
        self.device = Watched(self.site.broker, self.member.cert, self.client_id, v5=self.is_v5)
        if not self.device.is_let_in():
            self.close()
            return False
        self.hears, is_alive = self.device.try_subscribe("#")
        if not is_alive:
            self.close()
        return True

    def close(self):
        if self.device:
            self.device.close()
        self.device, self.hears = None, False

    def publish(self, topic, retain=False):
        payload = self.site.payload()
        if not self.device.try_publish(topic, payload, retain):
            self.connect()
        return self.site.is_published(payload)

    def retain(self, topic):
        return self.publish(topic, True)

    def subscribe(self, topic):
        is_taken, is_alive = self.device.try_subscribe(topic)
        if not is_alive:
            self.connect()
        return is_taken

    def receive(self, topic):
        """None when it cannot hear."""
        if not self.hears:
            return None
        payload = self.site.payload()
        self.site.observer.publish_acked(topic, payload)
        return payload in self.device.received()


# What is tried, and the actions that all must be allowed for it.
TRIALS = {
    "Publish": (Visit.publish, ["Publish"]),
    "RetainPublish": (Visit.retain, ["Publish", "RetainPublish"]),
    "Subscribe": (Visit.subscribe, ["Subscribe"]),
    "Receive": (Visit.receive, ["Receive"]),
}


def is_topic(name):
    """Whether the broker takes this name and the observer's # covers it."""
    return bool(name) and name[0] != "$" and not set("+#\0") & set(name) and len(name.encode()) <= 200 and name.count("/") <= 6


def is_filter(name):
    levels = name.split("/")
    plain = [level for level in levels if level not in ("+", "#")]
    return "#" not in levels[:-1] and is_topic("/".join(["a", *plain])) and name[0] != "$"


def run(installation, count, seed=1):
    """Takes `count` decisions; how many there were of each. AssertionError with the first difference."""
    site, decisions = Site(installation, seed), Counter()
    try:
        while sum(decisions.values()) < count:
            decisions.update(visit_world(site))
    finally:
        site.close()
    return decisions


def visit_world(site):
    """One world's decisions."""
    fleet = site.fleet
    member = fleet.rng.choice(fleet.members)
    client_id = fleet.some_client_id(member)
    about = replace(fleet.about(member, client_id), source_ip="127.0.0.1")
    actions = fleet.rng.sample(list(TRIALS), 2) + (["Connect"] if fleet.rng.random() < 0.3 else [])
    world = fleets.some_world(fleet, about, actions, segments=SEGMENTS, allow_share=0.45, left_out=UNKNOWN)
    placed = fleets.Placed(fleet, member)
    fleet.worlds += 1
    if world.chance(0.85):
        placed.place(f"b{fleet.worlds}.entry", ENTRY, "certificate")
    for i in range(world.rng.randint(4, 7)):
        placed.place(f"b{fleet.worlds}.{i}", cases.some_document(world), placed.some_place())
    visit = Visit(site, member, client_id, world.chance(0.5))
    try:
        yield from decide(visit, placed, world)
    finally:
        visit.close()
        placed.remove()


def decide(visit, placed, world):
    policies = placed.effective(world.first.thing and world.first.thing.name)
    connect = replace(world.first, action="Connect", resource=f"{cases.ARN}client/{visit.client_id}")
    yield checked(visit, placed, policies, [connect], visit.connect())
    for request in some_requests(world, cases.patterns_of(policies)):
        if not visit.device:
            return
        attempt, actions = TRIALS[request.action]
        found = attempt(visit, request.resource[len(cases.ARN) :].partition("/")[2])
        if found is not None:
            yield checked(visit, placed, policies, [replace(request, action=action) for action in actions], found)


def some_requests(world, patterns):
    """Such that a broker can be asked."""
    made = (cases.some_request(world, patterns) for _ in range(QUESTIONS_A_WORLD))
    for request in made:
        name = request.resource[len(cases.ARN) :].partition("/")[2]
        is_fit = is_filter if request.action == "Subscribe" else is_topic
        if request.action in TRIALS and is_fit(name):
            yield request


def checked(visit, placed, policies, requests, is_allowed):
    expected = oracle.authorization_result(policies, requests).decision
    assert (expected == oracle.ALLOWED) == is_allowed, told(visit, placed, requests, expected)
    return expected


def told(visit, placed, requests, expected):
    """The difference, for who looks for its cause."""
    asked = ", ".join(f"{one.action} {one.resource}" for one in requests)
    documents = "".join(f"\n  {name} on {placed.groups[name]}: {text}" for name, text in placed.documents.items())
    return (
        f"{asked}: oracle {expected}, the broker did the other\n  client {visit.client_id!r}, MQTT {5 if visit.is_v5 else '3.1.1'},"
        f" thing {requests[0].thing}\n  certificate {visit.member.facts}{documents}"
    )
