"""The daemon dies at any moment, under load and in the middle of changes; the broker now and then.

Nothing that was answered is lost, nothing is there twice, no alarm is missing or raised twice (crash_oracle.py).
THINGWARD_CRASH_ROUNDS: deaths, 50 unless told. THINGWARD_CRASH_SEED: repeats the choices, though not the machine's
timing. THINGWARD_CRASH_KEEP: a folder that gets the data of a failed run.
"""

import os
import random
import shutil
import signal
import threading
import time
from pathlib import Path

import broker_kit as kit
import crash_rig
import stack

ROUNDS = int(os.environ.get("THINGWARD_CRASH_ROUNDS", "50"))
SEED = int(os.environ.get("THINGWARD_CRASH_SEED", time.time_ns() % 10**6))
UP_S = 0.9  # the longest life of a daemon that is ready
SETTINGS = {"clock.mode": "real", "report.account_rate": 100000, "detect.checkpoint_entries": 5000}


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


def live_through(thingward, chance):
    """The rounds; what they were, and what the devices were told."""
    chaos = Chaos(thingward, chance)
    with crash_rig.under_load(thingward, chance) as (operator, sender):
        for _ in range(ROUNDS):
            chaos.round()
            assert not operator.errors, operator.errors
    return chaos, operator, sender


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
        found = crash_rig.check(thingward, sender)
    except BaseException:
        keep(thingward)
        raise
    print({**chaos.counts, **operator.counts(), **found})
    assert found["accepted"] > 20 * ROUNDS
    assert found["events"] > ROUNDS
    assert found["sessions begun"] > 0
