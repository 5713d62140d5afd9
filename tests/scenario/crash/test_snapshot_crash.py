"""Daemon and broker die at any moment while an operator changes who may connect, and the snapshot gets new bases all the
time. What the API answered is what the broker enforces: the one that goes on, the one that starts while no daemon is
there, and with the daemon back.

THINGWARD_CRASH_ROUNDS (50): a third of them. THINGWARD_CRASH_SEED: repeats the choices.
"""

import os
import random
import socket
import ssl
import threading
import time

import botocore.exceptions
import stack

ROUNDS = max(1, int(os.environ.get("THINGWARD_CRASH_ROUNDS", "50")) // 3)
SEED = int(os.environ.get("THINGWARD_CRASH_SEED", time.time_ns() % 10**6))
DEVICES = 3
LIFE_S = 0.5  # the longest that an operator works before somebody dies
SETTINGS = {"clock.mode": "real", "snapshot.delta_bytes": 200}
CALL_FAILED = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)


class Target:
    """A device, and what the API answered of it; None: a call of which nobody knows what became of it."""

    def __init__(self, device):
        self.device, self.tls = device, device.tls_context(device.cert_pem, device.key_pem)
        self.state = {"active": True, "attached": True, "free": True}

    def may_connect(self):
        return None if None in self.state.values() else all(self.state.values())

    def change(self, api, part, value):
        self.state[part] = None
        getattr(self, part)(api, value)
        self.state[part] = value

    def active(self, api, value):
        status = "ACTIVE" if value else "INACTIVE"
        api.update_certificate(certificateId=self.device.certificate_id, newStatus=status)

    def attached(self, api, value):
        call = api.attach_policy if value else api.detach_policy
        call(policyName=f"of-{self.device.thing}", target=self.device.certificate_arn)

    def free(self, api, value):
        call = api.remove_thing_from_thing_group if value else api.add_thing_to_thing_group
        call(thingName=self.device.thing, thingGroupName="ward")

    def learn(self, api):
        """What became of the last call."""
        thing, arn = self.device.thing, self.device.certificate_arn
        groups = api.list_thing_groups_for_thing(thingName=thing)["thingGroups"]
        certificate = api.describe_certificate(certificateId=self.device.certificate_id)
        self.state = {
            "active": certificate["certificateDescription"]["status"] == "ACTIVE",
            "attached": bool(api.list_attached_policies(target=arn)["policies"]),
            "free": not groups,
        }

    def connects(self):
        """True: CONNACK 0; False: any other, or the end of the connection."""
        client_id = self.device.thing.encode()
        rest = b"\0\4MQTT\4\2\0\x3c" + len(client_id).to_bytes(2, "big") + client_id
        try:
            with socket.create_connection(("localhost", self.device.stack.mqtt_port), timeout=stack.DEADLINE) as raw:
                with self.tls.wrap_socket(raw, server_hostname="localhost") as connection:
                    connection.sendall(bytes([0x10, len(rest)]) + rest)
                    return connection.recv(4)[3:] == b"\0"
        except (ssl.SSLError, ConnectionError):
            return False

    def check(self):
        expected = self.may_connect()
        if expected is not None:
            stack.wait_until(
                lambda: self.connects() == expected, lambda: f"{self.device.thing} is {self.state}"
            )


class Operator(threading.Thread):
    """Calls one after the other, until one fails."""

    def __init__(self, api, targets, chance):
        super().__init__()
        self.api, self.targets, self.chance, self.calls = api, targets, chance, 0

    def run(self):
        try:
            while True:
                target = self.chance.choice(self.targets)
                part = self.chance.choice(list(target.state))
                target.change(self.api, part, not target.state[part])
                self.calls += 1
        except CALL_FAILED:
            return


def one_round(thingward, targets, chance):
    """How many calls were answered."""
    operator = Operator(thingward.api, targets, random.Random(chance.random()))
    operator.start()
    threading.Event().wait(chance.uniform(0, LIFE_S))
    is_broker_first, is_broker = chance.random() < 0.3, chance.random() < 0.7
    if is_broker and is_broker_first:
        thingward.broker.kill()
    thingward.kill_daemon()
    operator.join()
    if is_broker:
        thingward.broker.kill()
        thingward.broker.wait()
        thingward.start_broker()
    for target in targets:
        target.check()
    thingward.start_daemon().wait_ready()
    for target in targets:
        target.learn(thingward.api)
        target.check()
    return operator.calls


def test_what_was_answered_is_enforced(make_thingward):
    print(f"rounds {ROUNDS}, seed {SEED}")
    chance = random.Random(SEED)
    thingward = make_thingward(settings=SETTINGS).start()
    thingward.api.create_thing_group(
        thingGroupName="ward",
        thingGroupProperties={"attributePayload": {"attributes": {"thingward:quarantine": "true"}}},
    )
    targets = [Target(thingward.register(f"dev{i}")) for i in range(DEVICES)]
    calls = sum(one_round(thingward, targets, chance) for _ in range(ROUNDS))
    print(f"calls answered: {calls}")
    assert calls > ROUNDS
