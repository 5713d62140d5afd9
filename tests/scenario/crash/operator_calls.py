"""Somebody who changes things all the time, one API call after another, and remembers what was answered 200.

What was answered must be there after every crash. A call whose answer did not come may have been done or not: what is
then found counts from there on. A certificate's state is also tried at the broker, with and without the daemon: it must
know it by the time of the answer.
"""

import contextlib
import itertools
import socket
import ssl
import struct
import threading
import time

import stack
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, HTTPClientError

GROUP, PROFILE, GUEST = "crash-group", "strict", "guest"
PAUSE = 0.02
FILE_DEADLINE = 10  # the broker may just be dead, too
AWAY = (ConnectionClosedError, EndpointConnectionError, HTTPClientError)


def ports_behavior(ports):
    return {
        "name": "ports",
        "metric": "aws:listening-tcp-ports",
        "criteria": {"comparisonOperator": "in-port-set", "value": {"ports": ports}},
    }


class Operator(threading.Thread):
    """things: names that it may put into the group. guest: a device of its own, whose certificate it switches."""

    def __init__(self, thingward, chance, things, guest):
        super().__init__(daemon=True)
        self.thingward, self.chance, self.guest = thingward, chance, guest
        self.things = things
        self.context = guest.tls_context(guest.cert_pem, guest.key_pem)
        self.stopping, self.errors = threading.Event(), []
        self.calls = self.unknown = self.looks = self.tries = self.late = 0
        self.serial = itertools.count()
        self.api = thingward.client()
        self.told = {}  # (kind, name) -> what was answered 200
        self.changes = {
            "profile": self.change_profile,
            "attached": self.change_attached,
            "member": self.change_member,
            "certificate": self.change_certificate,
            "thing": self.change_thing,
            "verification": self.change_verification,
        }

    def prepare(self):
        self.api.create_thing_group(thingGroupName=GROUP)
        self.api.create_security_profile(securityProfileName=PROFILE, behaviors=[ports_behavior([22])])
        self.told = {
            ("profile", PROFILE): (1, (22,)),
            ("attached", self.group_arn): False,
            ("certificate", GUEST): "ACTIVE",
            **{("member", thing): False for thing in self.things},
        }

    @property
    def group_arn(self):
        return f"{stack.ARN}thinggroup/{GROUP}"

    # ---- Changes: the key, what it is afterwards, and the call ----

    def change_profile(self):
        key = ("profile", PROFILE)
        ports = (22, 443) if self.chance.random() < 0.5 else (22, self.chance.randrange(1000, 2000))
        return key, (self.told[key][0] + 1, ports), lambda: self.api.update_security_profile(
            securityProfileName=PROFILE, behaviors=[ports_behavior(list(ports))]
        )

    def change_attached(self):
        key = ("attached", self.group_arn)
        call = self.api.detach_security_profile if self.told[key] else self.api.attach_security_profile
        return key, not self.told[key], lambda: call(
            securityProfileName=PROFILE, securityProfileTargetArn=self.group_arn
        )

    def change_member(self):
        key = ("member", self.chance.choice(self.things))
        is_in = self.told[key]
        call = self.api.remove_thing_from_thing_group if is_in else self.api.add_thing_to_thing_group
        return key, not is_in, lambda: call(thingName=key[1], thingGroupName=GROUP)

    def change_certificate(self):
        key = ("certificate", GUEST)
        status = "INACTIVE" if self.told[key] == "ACTIVE" else "ACTIVE"
        return key, status, lambda: self.api.update_certificate(
            certificateId=self.guest.certificate_id, newStatus=status
        )

    def change_thing(self):
        there = [key for key, is_there in self.told.items() if key[0] == "thing" and is_there]
        if len(there) > 20:
            key = self.chance.choice(there)
            return key, None, lambda: self.api.delete_thing(thingName=key[1])
        key = ("thing", f"extra-{next(self.serial)}")
        return key, True, lambda: self.api.create_thing(thingName=key[1])

    def change_verification(self):
        rows = self.thingward.sql("select violation from violation_event order by at desc limit 1")
        if not rows:
            return self.change_thing()
        key = ("verification", rows[0][0])
        state = self.chance.choice(["TRUE_POSITIVE", "FALSE_POSITIVE", "BENIGN_POSITIVE"])
        return key, state, lambda: self.api.put_verification_state_on_violation(
            violationId=key[1], verificationState=state
        )

    # ---- What is there ----

    def look(self, key):
        kind, name = key
        return getattr(self, f"look_{kind}")(name)

    def look_profile(self, name):
        found = self.api.describe_security_profile(securityProfileName=name)
        return found["version"], tuple(found["behaviors"][0]["criteria"]["value"]["ports"])

    def look_attached(self, target):
        found = self.api.list_targets_for_security_profile(securityProfileName=PROFILE)
        return target in [one["arn"] for one in found["securityProfileTargets"]]

    def look_member(self, thing):
        found = self.api.list_thing_groups_for_thing(thingName=thing)
        return GROUP in [one["groupName"] for one in found["thingGroups"]]

    def look_certificate(self, _name):
        found = self.api.describe_certificate(certificateId=self.guest.certificate_id)
        return found["certificateDescription"]["status"]

    def look_thing(self, name):
        """True, or None: never there or gone."""
        try:
            return bool(self.api.describe_thing(thingName=name))
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ResourceNotFoundException", error
            return None

    def look_verification(self, violation):
        rows = self.thingward.sql(f"select state from verification where violation = '{violation}'")
        return rows[0][0] if rows else None

    def compare(self, keys):
        for key in keys:
            found = self.look(key)
            self.looks += 1
            if found != self.told[key]:
                self.errors.append(f"{key}: answered {self.told[key]}, found {found}")

    # ---- The broker's view of the guest ----

    def may_connect(self):
        """Whether the broker takes the guest; None when it is away."""
        try:
            with socket.create_connection(("127.0.0.1", self.thingward.mqtt_port), 10) as plain:
                with self.context.wrap_socket(plain, server_hostname="localhost") as tls:
                    name = GUEST.encode()
                    body = b"\0\4MQTT\4\2\0\0" + struct.pack(">H", len(name)) + name
                    tls.sendall(bytes([0x10, len(body)]) + body)
                    return tls.recv(4) == b"\x20\x02\0\0"
        except ssl.SSLError:
            return False
        except OSError:
            return None

    def try_guest(self):
        """A plugin that has the daemon knows at once; one that just lost it looks at the file every second."""
        told = self.told["certificate", GUEST]
        end = time.monotonic() + FILE_DEADLINE
        while self.may_connect() != (told == "ACTIVE"):
            if time.monotonic() > end:
                self.errors.append(f"the certificate was told {told}, and the broker does not know")
                return
            self.late += 1
            self.stopping.wait(PAUSE)
        self.tries += 1

    # ---- The day's work ----

    def work(self):
        kind = self.chance.choice(list(self.changes))
        key, after, call = self.changes[kind]()
        try:
            call()
            self.told[key] = after
            self.calls += 1
        except AWAY:
            self.unknown += 1
            self.find_out(key, after)
        if kind == "certificate":
            self.try_guest()

    def find_out(self, key, after):
        """After a crash: what became of the call under way, and whether all else is as it was told."""
        before = self.told.get(key)
        while not self.stopping.is_set():
            self.wait_back()
            with contextlib.suppress(*AWAY):
                self.told[key] = self.look(key)
                if self.told[key] not in (before, after):
                    self.errors.append(f"{key}: {before} or {after}, found {self.told[key]}")
                self.compare(self.told)
                return

    def wait_back(self):
        while not self.stopping.is_set():
            with contextlib.suppress(OSError):
                if self.thingward.get("/readyz")[0] == 200:
                    return
            self.stopping.wait(PAUSE)

    def run(self):
        try:
            while not self.stopping.wait(PAUSE):
                self.work()
        except Exception as error:  # noqa: BLE001: told by the test
            if not self.stopping.is_set():
                self.errors.append(repr(error))

    def finish(self):
        """Ends the day and looks at everything once more."""
        self.stopping.set()
        self.join(stack.DEADLINE)
        assert not self.is_alive() and not self.errors, self.errors
        self.compare(self.told)
        assert not self.errors, self.errors

    def counts(self):
        return {
            "calls": self.calls,
            "calls without answer": self.unknown,
            "looks": self.looks,
            "connects of the guest": self.tries,
        }
