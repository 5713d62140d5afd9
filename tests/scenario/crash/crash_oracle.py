"""What must hold of an installation at rest, whatever happened to it before.

    accepted      every report that a device was told `accepted` is in the log, once
    log           no report is in it twice, its numbers have no holes, nothing in it is damaged
    alarms        the tables of violations are what one uninterrupted evaluator makes of the log, to the letter
    sessions      the open sessions and the refusals of the tables are what the log's events come to
    offset        everything is evaluated; every change is in the log
"""

import collections
import contextlib
import json
import re
import sqlite3
import subprocess
from pathlib import Path

import broker_kit as kit

EVENT_COLUMNS = (
    "seq, idx, violation, type, thing, profile, behavior_json, value, criteria, is_suppressed, is_own, at"
)
ACTIVE_COLUMNS = (
    "id, thing, profile, behavior, behavior_json, value, criteria, is_suppressed, is_own, started, last, seq, idx"
)


SOURCE = Path(__file__).resolve().parents[3] / "src"
HOUR_MS = 3600 * 1000
SESSION_COLUMNS = (
    "broker, number, certificate, client_id, username, thing, address, port, flags, keep_alive, connected"
)
DENIAL_COLUMNS = (
    "hour, broker, certificate, client_id, username, address, action, cause, is_observed, resource, policy, "
    "version, statement, missing, times, first_at, last_at"
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


class Told:
    """What brokers told, as the log holds it: which sessions are open, and what was refused."""

    HELLO, EVENT, REFUSED, CONNECT, DISCONNECT = "8", "7", "5", "6", "7"

    def __init__(self, lines):
        self.runs, self.sessions, self.denials, self.connects = {}, {}, {}, 0
        self.causes = self.words("event/cause.tbl.h", r'CAUSE\(\w+,\s*"([a-z-]+)"')
        self.actions = self.words("policy/action.tbl.h", r'ACTION\(\w+, "([\w:]+)"\)')
        for line in lines:
            _seq, kind, at, broker, *members = line.split("\t")
            take = self.take_hello if kind == self.HELLO else self.take_event
            take(int(at), bytes.fromhex(broker).decode(), members)

    @staticmethod
    def words(table, row):
        return re.findall(row, (SOURCE / table).read_text())

    @staticmethod
    def text(digits):
        return bytes.fromhex(digits).decode()

    @staticmethod
    def certificate(digits):
        return digits if int(digits, 16) else ""

    def take_hello(self, _at, broker, members):
        if self.runs.get(broker) != members[0]:
            self.sessions = {key: row for key, row in self.sessions.items() if key[0] != broker}
        self.runs[broker] = members[0]

    def take_event(self, at, broker, members):
        if members[0] not in (self.REFUSED, self.CONNECT, self.DISCONNECT):
            return
        kind, number, fingerprint, *texts = members
        client, address, user = map(self.text, texts[:3])
        port, rest = texts[3], texts[4:]
        who = (self.certificate(fingerprint), client, user)
        if kind == self.CONNECT:
            thing, connected, keep_alive, flags = self.text(rest[0]), *rest[1:4]
            row = (broker, number, *who, thing, address, port, flags, keep_alive, connected)
            self.sessions[broker, number] = "\t".join(row)
            self.connects += 1
        elif kind == self.DISCONNECT:
            self.sessions.pop((broker, number), None)
        else:
            self.refuse((at // HOUR_MS, broker, *who, address), rest)

    def refuse(self, who, rest):
        action, cause, is_observed, resource, policy, version, statement, missing, *numbers = rest
        action = "tls" if action == "255" else self.actions[int(action)]
        statement = -1 if int(statement) == 2**32 - 1 else int(statement)
        asked = (action, self.causes[int(cause)], is_observed, self.text(resource), self.text(policy))
        key = (*who, *asked, version, statement, self.text(missing))
        times, first, last = map(int, numbers)
        before = self.denials.get(key, (0, first, last))
        self.denials[key] = (before[0] + times, min(before[1], first), max(before[2], last))

    def denial_rows(self):
        return sorted("\t".join(map(str, (*key, *sums))) for key, sums in self.denials.items())


def check_told(directory):
    """Sessions and denials of the store against the log's events. How many sessions began, how many kinds of
    refusal there were."""
    done = subprocess.run([tool("logread"), "-e", directory / "log.db"], capture_output=True, text=True, check=True)
    told = Told(done.stdout.splitlines())
    stored = sorted(rows(directory / "main.db", f"select {SESSION_COLUMNS} from session"))
    expected = sorted(told.sessions.values())
    assert stored == expected, f"sessions differ, {some(set(stored) ^ set(expected))}"
    stored = sorted(rows(directory / "main.db", f"select {DENIAL_COLUMNS} from denial"))
    expected = told.denial_rows()
    assert stored == expected, f"denials differ, {some(set(stored) ^ set(expected))}"
    return told.connects, len(expected)


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
