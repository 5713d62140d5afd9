"""What the crash tests share: a fleet with rules, devices that report all the time, and what must hold in the end."""

import concurrent.futures
import contextlib
import os
import random
import subprocess

import crash_oracle
import operator_calls
import stack

DEVICES, INTERVAL_MS = 20, 30

BEHAVIORS = [
    {
        "name": "ports",
        "metric": "aws:listening-tcp-ports",
        "criteria": {"comparisonOperator": "in-port-set", "value": {"ports": [22, 443]}},
    },
    {
        "name": "peers",
        "metric": "aws:num-established-tcp-connections",
        "criteria": {
            "comparisonOperator": "less-than",
            "value": {"count": 4},
            "consecutiveDatapointsToAlarm": 2,
            "consecutiveDatapointsToClear": 3,
        },
    },
    {
        "name": "where",
        "metric": "aws:destination-ip-addresses",
        "criteria": {"comparisonOperator": "in-cidr-set", "value": {"cidrs": ["10.0.0.0/16", "10.1.0.0/16"]}},
    },
    {
        "name": "bytes",
        "metric": "aws:all-bytes-out",
        "criteria": {"comparisonOperator": "less-than", "value": {"count": 250000}, "durationSeconds": 300},
    },
]


class Sender:
    """The devices, as a program of their own (support/crash/sender.c)."""

    def __init__(self, thingward, devices, chance):
        self.home = thingward.home / "devices"
        self.home.mkdir()
        self.replies = self.home / "replies"
        for device in devices:
            (self.home / f"{device.thing}.pem").write_text(device.cert_pem)
            (self.home / f"{device.thing}.key").write_text(device.key_pem)
        with open(self.replies, "w", encoding="utf-8") as replies:
            self.process = subprocess.Popen(
                [
                    *(crash_oracle.tool("crash_sender"), str(thingward.mqtt_port)),
                    *(thingward.dir / "ca" / "server-ca.pem", self.home),
                    *(str(len(devices)), str(INTERVAL_MS), str(chance.randrange(2**32))),
                ],
                stdout=replies,
                env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},  # the client library's own
            )

    def replies_so_far(self):
        return self.replies.stat().st_size

    def drain(self):
        """No new reports; returns when the last is accepted."""
        self.process.terminate()
        assert self.process.wait(60) == 0, "a report stays that nobody accepts"


def make_fleet(thingward):
    thingward.api.create_security_profile(securityProfileName="watch", behaviors=BEHAVIORS)
    thingward.api.attach_security_profile(
        securityProfileName="watch", securityProfileTargetArn=stack.ALL_THINGS
    )
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(thingward.register, [f"dev{i:03}" for i in range(DEVICES)]))


@contextlib.contextmanager
def under_load(thingward, chance):
    """An operator who changes things and devices that report, both at work; in the end all is answered."""
    devices, guest = make_fleet(thingward), thingward.register(operator_calls.GUEST)
    operator = operator_calls.Operator(
        thingward, random.Random(chance.random()), [device.thing for device in devices[:6]], guest
    )
    operator.prepare()
    sender = Sender(thingward, devices, chance)
    try:
        stack.wait_until(lambda: sender.replies_so_far() > 10000, "the first replies")
        operator.start()
        yield operator, sender
        thingward.wait_ready()
        operator.finish()
        sender.drain()
    finally:
        operator.stopping.set()
        sender.process.kill()


def check(thingward, sender):
    accepted, rejected = crash_oracle.accepted_of(sender.replies)
    differing = thingward.metric("alarms_differing")
    assert thingward.stop_daemon() == 0
    in_log = crash_oracle.check_reports(thingward, accepted)
    crash_oracle.check_offset(thingward.dir)
    events, active = crash_oracle.check_alarms(thingward.dir)
    connects, denials = crash_oracle.check_told(thingward.dir)
    assert differing == 0
    thingward.start_daemon().wait_ready()
    crash_oracle.check_api(thingward.api, events, active)
    stack.wait_until(lambda: thingward.sql("select count(*) from session") == [(0,)], "the end of every session")
    return {
        "accepted": len(set(accepted)),
        "accepted more than once": len(accepted) - len(set(accepted)),
        "rejected": dict(rejected),
        "in the log": in_log,
        "events": len(events),
        "alarms open": len(active),
        "sessions begun": connects,
        "kinds of refusal": denials,
    }
