"""What must hold of an installation at rest, whatever happened to it before.

    accepted      every report that a device was told `accepted` is in the log, once
    log           no report is in it twice, its numbers have no holes, nothing in it is damaged
    alarms        the tables of violations are what one uninterrupted evaluator makes of the log, to the letter
    offset        everything is evaluated; every change is in the log
"""

import collections
import contextlib
import json
import sqlite3
import subprocess

import broker_kit as kit

EVENT_COLUMNS = (
    "seq, idx, violation, type, thing, profile, behavior_json, value, criteria, is_suppressed, is_own, at"
)
ACTIVE_COLUMNS = (
    "id, thing, profile, behavior, behavior_json, value, criteria, is_suppressed, is_own, started, last, seq, idx"
)


def tool(name):
    return kit.build_dir() / "tests" / name


def rows(path, text):
    with contextlib.closing(sqlite3.connect(path)) as db:
        return ["\t".join(map(str, row)) for row in db.execute(text)]


def accepted_of(path):
    """(thing, report id) of each `accepted` that the sender saw, and how many replies were `rejected`."""
    accepted, rejected = [], collections.Counter()
    for line in path.read_text().splitlines():
        kind, thing, number, rest = line.split(" ", 3)
        if kind == "accepted":
            accepted.append((thing, int(number)))
        else:
            rejected[rest] += 1
    return accepted, rejected


def replay(directory):
    """Events and open alarms that an evaluator makes of the whole log."""
    reader = subprocess.Popen([tool("logread"), "-b", directory / "log.db"], stdout=subprocess.PIPE)
    done = subprocess.run([tool("crash_replay")], stdin=reader.stdout, capture_output=True, text=True)
    reader.stdout.close()
    assert reader.wait() == 0 and done.returncode == 0, done.stderr
    found = {"event": [], "active": []}
    for line in done.stdout.splitlines():
        kind, row = line.split("\t", 1)
        found[kind].append(row)
    return found["event"], found["active"]


def some(these):
    these = sorted(these)
    return f"{len(these)}: {these[:5]}"


def check_reports(thingward, accepted):
    """The log against what devices were told; logread itself refuses holes and damage."""
    logged = collections.Counter((report.thing, report.id) for report in thingward.reports_in_log())
    lost = set(accepted) - set(logged)
    twice = [report for report, n in logged.items() if n > 1]
    assert not lost, f"accepted and not in the log, {some(lost)}"
    assert not twice, f"more than once in the log, {some(twice)}"
    return len(logged)


def check_alarms(directory):
    """The store against the replay. Returns both lists of the replay."""
    events, active = replay(directory)
    stored = rows(directory / "main.db", f"select {EVENT_COLUMNS} from violation_event order by seq, idx")
    missing, extra = set(events) - set(stored), set(stored) - set(events)
    assert not missing and not extra, f"events missing, {some(missing)}; too many, {some(extra)}"
    assert stored == events
    assert rows(directory / "main.db", f"select {ACTIVE_COLUMNS} from violation order by id") == active
    return events, active


def check_offset(directory):
    head = rows(directory / "log.db", "select head from part")
    assert rows(directory / "main.db", "select off from part_offset") == head
    first, last = rows(directory / "log.db", "select min(seq) from log")[0], head[0]
    assert first == "1", f"the log was cut: it begins at {first} and ends at {last}"
    changes = rows(directory / "main.db", "select max(g) from change")
    assert rows(directory / "log.db", "select last_frame from producer where producer = 'change'") == changes


def milliseconds(when):
    return round(when.timestamp() * 1000)


def of_api(item, *times):
    """One item of a list of the API, as of_row makes it of a row."""
    value = json.dumps(item.get("metricValue"), sort_keys=True)
    behavior = json.dumps(item["behavior"], sort_keys=True)
    names = item["violationId"], item["thingName"], item["securityProfileName"]
    return (*names, behavior, value, *times)


def of_row(violation, thing, profile, behavior, value, *times):
    value = json.dumps(json.loads(value) if value else None, sort_keys=True)
    return (violation, thing, profile, json.dumps(json.loads(behavior), sort_keys=True), value, *times)


def check_api(api, events, active):
    """The lists of the API against the replay."""
    told = []
    for page in api.get_paginator("list_violation_events").paginate(startTime=0, endTime=2**31):
        for item in page["violationEvents"]:
            told.append(of_api(item, item["violationEventType"], milliseconds(item["violationEventTime"])))
    made = [
        of_row(row[2], row[4], row[5], row[6], row[7], row[3], int(row[11]))
        for row in (line.split("\t") for line in events)
    ]
    assert collections.Counter(told) == collections.Counter(made)
    told = []
    for page in api.get_paginator("list_active_violations").paginate():
        for item in page["activeViolations"]:
            start, last = item["violationStartTime"], item["lastViolationTime"]
            behavior = item["behavior"]
            item = {**item, "behavior": behavior, "metricValue": item.get("lastViolationValue")}
            told.append(of_api(item, milliseconds(start), milliseconds(last)))
    made = [
        of_row(row[0], row[1], row[2], row[4], row[5], int(row[9]), int(row[10]))
        for row in (line.split("\t") for line in active)
    ]
    assert sorted(told) == sorted(made)
