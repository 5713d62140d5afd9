"""A device is put into a quarantine while it attacks by every way there is: from the moment the containment is applied,
nobody hears anything of it, nor it of others; nor after a restart of the broker."""

import contextlib
import json
import queue
import ssl
import threading

import broker_kit as kit
import pytest
import stack
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from test_containment import becomes

JAIL = kit.document(
    kit.statement("iot:Connect", "client/*"),
    kit.statement("iot:Publish", "topic/repair/*"),
    kit.statement("iot:Subscribe", "topicfilter/repair/*"),
)
CLOSED = (ConnectionError, ssl.SSLError, OSError, queue.Empty)


def cert_of(device):
    key = serialization.load_pem_private_key(device.key_pem.encode(), None)
    return kit.Cert(key, x509.load_pem_x509_certificate(device.cert_pem.encode()))


class Place:
    """What kit.Device wants of a broker, and who is there."""

    def __init__(self, thingward, clean, v5):
        (thingward.home / "server.pem").write_bytes((thingward.dir / "ca" / "server-ca.pem").read_bytes())
        self.dir, self.port, self.options = thingward.home, thingward.mqtt_port, {"clean": clean, "v5": v5}
        self.opened = []

    def session(self, cert, client_id, **options):
        self.opened.append(kit.Device(self, cert, client_id, **{**self.options, **options}))
        return self.opened[-1]

    def close(self):
        for session in self.opened:
            session.close()


class Attack:
    """Every way: the session that is open, other client ids, every certificate of the thing, wills, a shared
    subscription. Publishes on attack/WAY; `heard` is what its sessions received."""

    def __init__(self, place, certs):
        self.place, self.certs, self.is_over = place, certs, threading.Event()
        self.flooding = place.session(certs[0], "pump")
        assert self.flooding.connect() == 0
        assert self.flooding.subscribe("$share/all/#") == 1
        assert self.flooding.subscribe("news/#") == 1
        self.flood = threading.Thread(target=self._flood, daemon=True)
        self.flood.start()

    def _flood(self):
        """100 messages a second on the session that is open, for as long as it lives."""
        while not self.is_over.wait(0.01):
            self.flooding.client.publish("attack/flood", b"x", 0)

    def again(self):
        """Comes back with each certificate under several client ids, speaks, and leaves a will."""
        for n, cert in enumerate(self.certs):
            for client in ("pump", "other", f"third-{n}"):
                with contextlib.suppress(*CLOSED):
                    self._once(cert, client)

    def _once(self, cert, client):
        session = self.place.session(cert, client, will=("attack/will", b"x", 1, False))
        if session.connect() != 0:
            return
        session.subscribe("#")
        session.publish("attack/again")
        session.wait("disconnect")
        session.thread.join(kit.DEADLINE)

    def leave_a_will(self):
        """A connection that breaks without a word."""
        with contextlib.suppress(*CLOSED):
            session = self.place.session(self.certs[1], "dying", will=("attack/will", b"x", 1, False))
            if session.connect() == 0:
                session.client._sock_close()
                session.thread.join(kit.DEADLINE)

    def stop(self):
        self.is_over.set()
        self.flood.join(kit.DEADLINE)


def topics_until(watcher, mark):
    """The topics that the watcher heard before this one."""
    heard = []
    while (topic := watcher.receive().topic) != mark:
        heard.append(topic)
    return heard


@pytest.mark.parametrize("clean, v5", [(True, False), (False, False), (True, True)])
def test_nothing_comes_out_of_a_quarantine(thingward, clean, v5):
    api = thingward.api
    first = thingward.register("pump", kit.ALLOW_ALL)
    second = api.create_keys_and_certificate(setAsActive=True)
    api.attach_thing_principal(thingName="pump", principal=second["certificateArn"])
    api.attach_policy(policyName="of-pump", target=second["certificateArn"])
    other = thingward.device("pump", second["certificatePem"], second["keyPair"]["PrivateKey"])
    good = cert_of(thingward.register("watcher", kit.ALLOW_ALL))
    mark = {"attributePayload": {"attributes": {"thingward:quarantine": "true"}}}
    api.create_thing_group(thingGroupName="jail", thingGroupProperties=mark)
    api.create_policy(policyName="jail", policyDocument=json.dumps(JAIL))
    api.attach_policy(policyName="jail", target=f"{stack.ARN}thinggroup/jail")

    with contextlib.closing(Place(thingward, clean, v5)) as place:
        watcher, witness = place.session(good, "watcher", clean=True), place.session(good, "witness", clean=True)
        assert watcher.connect() == witness.connect() == 0
        assert watcher.subscribe("#") == 1
        attack = Attack(place, [cert_of(first), cert_of(other)])
        stack.wait_until(lambda: watcher.receive().topic == "attack/flood", "the flood")

        api.add_thing_to_thing_group(thingName="pump", thingGroupName="jail")
        becomes(thingward, "applied", "verified")
        witness.publish_acked("mark/applied")
        topics_until(watcher, "mark/applied")
        while not attack.flooding.messages.empty():
            attack.flooding.messages.get()

        witness.publish_acked("news/secret", b"not for the attacker")
        attack.again()
        attack.leave_a_will()
        attack.stop()
        witness.publish_acked("mark/after")
        assert set(topics_until(watcher, "mark/after")) == {"news/secret"}
        assert all(s.messages.empty() for s in place.opened if s not in (watcher, witness))

    assert thingward.stop_broker() == 0
    thingward.start_broker()
    with contextlib.closing(Place(thingward, clean, v5)) as place:
        watcher = place.session(good, "watcher", clean=True)
        assert watcher.connect() == 0
        assert watcher.subscribe("#") == 1
        attack.place = place
        attack.again()
        attack.leave_a_will()
        watcher.publish_acked("mark/restarted")
        assert topics_until(watcher, "mark/restarted") == []
