"""The daemon dies at any moment, under load and in the middle of changes; the broker now and then.

Nothing that was answered is lost, nothing is there twice, no alarm is missing or raised twice (crash_oracle.py).
THINGWARD_CRASH_ROUNDS: deaths, 50 unless told. THINGWARD_CRASH_SEED: repeats the choices, though not the machine's
timing. THINGWARD_CRASH_KEEP: a folder that gets the data of a failed run.
"""

import concurrent.futures
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import broker_kit as kit
import operator_calls
import crash_oracle
import stack

ROUNDS = int(os.environ.get("THINGWARD_CRASH_ROUNDS", "50"))
SEED = int(os.environ.get("THINGWARD_CRASH_SEED", time.time_ns() % 10**6))
DEVICES, INTERVAL_MS = 20, 30
UP_S = 0.9  # the longest life of a daemon that is ready
SETTINGS = {"clock.mode": "real", "report.account_rate": 100000, "detect.checkpoint_entries": 5000}

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


class Chaos:
    """Deaths and stops, each counted. Whatever ends by itself is a failure."""

    def __init__(self, thingward, chance):
        self.thingward, self.chance = thingward, chance
        self.counts = dict.fromkeys(("killed", "killed at start", "stopped", "broker killed"), 0)

    def wait(self, longest):
        threading.Event().wait(self.chance.uniform(0, longest))

    def kill_daemon(self, what):
        process, log = self.thingward.daemon, self.thingward.daemon_log
        assert process.poll() is None, "\n".join(["the daemon ended:", *log.lines])
        self.thingward.kill_daemon()
        self.counts[what] += 1

    def kill_broker(self):
        process, log = self.thingward.broker, self.thingward.broker_log
        assert process.poll() is None, "\n".join(["the broker ended:", *log.lines])
        process.kill()
        process.wait()
        self.counts["broker killed"] += 1

    def kill_at_start(self):
        """Recovery itself is cut off, often several times in a row."""
        while self.chance.random() < 0.5:
            self.thingward.spawn_daemon()
            self.wait(0.5)
            self.kill_daemon("killed at start")

    def stop_a_while(self):
        self.thingward.daemon.send_signal(signal.SIGSTOP)
        self.wait(1.5)
        self.thingward.daemon.send_signal(signal.SIGCONT)
        self.counts["stopped"] += 1

    def round(self):
        kind = self.chance.random()
        is_broker, is_stop, is_start = kind < 0.08, 0.08 <= kind < 0.16, kind > 0.85
        if self.chance.random() < 0.8:
            self.thingward.wait_ready()  # the broker is there: load comes at once
        self.wait(UP_S)
        if is_stop:
            self.stop_a_while()
            self.wait(UP_S)
        if is_broker:
            self.kill_broker()
            self.wait(0.2)
        self.kill_daemon("killed")
        if is_broker:
            self.thingward.start_broker()
        if is_start:
            self.kill_at_start()
        self.thingward.start_daemon()


def make_fleet(thingward):
    thingward.api.create_security_profile(securityProfileName="watch", behaviors=BEHAVIORS)
    thingward.api.attach_security_profile(
        securityProfileName="watch", securityProfileTargetArn=stack.ALL_THINGS
    )
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(thingward.register, [f"dev{i:03}" for i in range(DEVICES)]))


def live_through(thingward, chance):
    """The rounds; what they were, and what the devices were told."""
    devices, guest = make_fleet(thingward), thingward.register(operator_calls.GUEST)
    operator = operator_calls.Operator(
        thingward, random.Random(chance.random()), [device.thing for device in devices[:6]], guest
    )
    operator.prepare()
    sender = Sender(thingward, devices, chance)
    chaos = Chaos(thingward, chance)
    try:
        stack.wait_until(lambda: sender.replies_so_far() > 10000, "the first replies")
        operator.start()
        for _ in range(ROUNDS):
            chaos.round()
            assert not operator.errors, operator.errors
        thingward.wait_ready()
        operator.finish()
        sender.drain()
    finally:
        operator.stopping.set()
        sender.process.kill()
    return chaos, operator, sender


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


def keep(thingward):
    folder = os.environ.get("THINGWARD_CRASH_KEEP")
    if folder:
        shutil.copytree(
            thingward.home,
            Path(folder) / f"seed-{SEED}",
            ignore=lambda path, names: [name for name in names if Path(path, name).is_socket()],
        )


def test_nothing_answered_is_lost_or_doubled(make_thingward):
    print(f"rounds {ROUNDS}, seed {SEED}, build {kit.build_dir()}")
    thingward = make_thingward(settings=SETTINGS).start()
    try:
        chaos, operator, sender = live_through(thingward, random.Random(SEED))
        found = check(thingward, sender)
    except BaseException:
        keep(thingward)
        raise
    print({**chaos.counts, **operator.counts(), **found})
    assert found["accepted"] > 20 * ROUNDS
    assert found["events"] > ROUNDS
    assert found["sessions begun"] > 0
