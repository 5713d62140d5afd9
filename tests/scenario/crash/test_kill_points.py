"""The daemon dies at each named point (support/crash/kill_points.tbl.h), under load and in the middle of changes, several
times each, most of them while it recovers from the death before. What must hold then is what must hold after any
crash (crash_oracle.py).

THINGWARD_CRASH_ROUNDS (50): so many deaths over all points, but at least five at each. THINGWARD_CRASH_SEED: repeats the
choices.
"""

import collections
import os
import random
import re
import signal
import time

import broker_kit as kit
import crash_rig
import stack

POINTS = re.findall(
    r'^POINT\(\w+, "([^"]+)", (\d+)\)', (kit.ROOT / "tests/support/crash/kill_points.tbl.h").read_text(), re.MULTILINE
)
EACH = max(5, int(os.environ.get("THINGWARD_CRASH_ROUNDS", "50")) // len(POINTS))
SEED = int(os.environ.get("THINGWARD_CRASH_SEED", time.time_ns() % 10**6))
# Checkpoints and new bases of the snapshot come often, so that their points are passed often.
SETTINGS = {
    "clock.mode": "real",
    "report.account_rate": 100000,
    "detect.checkpoint_entries": 1000,
    "snapshot.delta_bytes": 200,
}


def die_at(thingward, name, nth):
    """A life of the daemon that ends at the point."""
    program = kit.build_dir() / "tests" / "killed" / "thingward"
    thingward.spawn_daemon({"KILL_POINT": f"{name}:{nth}"}, program)
    process, log = thingward.daemon, thingward.daemon_log
    stack.wait_until(lambda: process.poll() is not None, lambda: "\n".join([f"{name} is not passed:", *log.lines]))
    assert process.returncode == -signal.SIGKILL, "\n".join([f"{name}: the daemon ended by itself:", *log.lines])


def live_through(thingward, chance):
    deaths = [(name, chance.randint(1, int(most))) for name, most in POINTS for _ in range(EACH)]
    chance.shuffle(deaths)
    with crash_rig.under_load(thingward, chance) as (operator, sender):
        thingward.kill_daemon()
        for name, nth in deaths:
            die_at(thingward, name, nth)
            assert not operator.errors, operator.errors
        thingward.start_daemon()
    return collections.Counter(name for name, _ in deaths), operator, sender


def test_each_point_is_survived(make_thingward):
    print(f"{EACH} deaths at each of {len(POINTS)} points, seed {SEED}")
    thingward = make_thingward(settings=SETTINGS).start()
    counts, operator, sender = live_through(thingward, random.Random(SEED))
    found = crash_rig.check(thingward, sender)
    print({**counts, **operator.counts(), **found})
    assert min(counts[name] for name, _ in POINTS) >= 5
    assert found["accepted"] > 0 and found["events"] > 0
