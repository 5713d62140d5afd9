"""Whatever dies, no accepted report is lost, none is in the log twice, and no alarm is lost or raised twice."""

import random
import threading
import time

import stack

DEVICES, KILLS = 6, 5
BEHAVIOR = {
    "name": "ports",
    "metric": "aws:listening-tcp-ports",
    "criteria": {"comparisonOperator": "in-port-set", "value": {"ports": [22]}},
}


class Sender(threading.Thread):
    """Sends reports one after another, again until accepted, as an agent does; every fourth opens or ends an alarm."""

    def __init__(self, device):
        super().__init__(daemon=True)
        self.device, self.accepted, self.stopping, self.error = device, [], False, None

    def ports(self, n):
        return [22, 23] if n // 4 % 2 else [22]

    def run(self):
        try:
            n = 0
            while not self.stopping:
                self.send_until_accepted(1000 + n, self.ports(n))
                n += 1
        except Exception as error:  # noqa: BLE001: told by the test
            self.error = error

    def send_until_accepted(self, report_id, ports):
        document = stack.document(report_id, tcp_ports=ports)
        while True:
            self.device.send(document)
            end = time.monotonic() + 2
            while time.monotonic() < end:
                reply = self.reply(end)
                if reply and reply.get("reportId") == report_id:
                    if reply["status"] == "ACCEPTED":
                        self.accepted.append(report_id)
                        return
                    break

    def reply(self, end):
        try:
            return self.device.replies.get(timeout=max(0.01, end - time.monotonic()))[1]
        except Exception:  # noqa: BLE001: queue.Empty
            return None


def expected_events(sender):
    """What the accepted reports must have raised: one event a change of state."""
    events, is_open = [], False
    for report_id in sender.accepted:
        is_bad = len(sender.ports(report_id - 1000)) > 1
        if is_bad != is_open:
            events.append("in-alarm" if is_bad else "alarm-cleared")
        is_open = is_bad
    return events


def events_of(thingward, thing):
    rows = []
    for page in thingward.api.get_paginator("list_violation_events").paginate(
        startTime=0, endTime=int(time.time()) + 86400, thingName=thing
    ):
        rows += page["violationEvents"]
    return [row["violationEventType"] for row in reversed(rows)]


def test_killed_daemon_loses_and_doubles_nothing(make_thingward):
    thingward = make_thingward(settings={"clock.mode": "real"}).start()
    thingward.api.create_security_profile(securityProfileName="p", behaviors=[BEHAVIOR])
    thingward.api.attach_security_profile(
        securityProfileName="p", securityProfileTargetArn=f"{stack.ARN}all/registered-things"
    )
    senders = [Sender(thingward.register(f"pump-{i}")) for i in range(DEVICES)]
    for sender in senders:
        assert sender.device.connect() == 0
        sender.start()
    chance = random.Random(7)
    for _ in range(KILLS):
        before = sum(len(s.accepted) for s in senders)
        stack.wait_until(
            lambda: sum(len(s.accepted) for s in senders) > before + chance.randrange(20, 120), "reports"
        )
        thingward.kill_daemon()
        thingward.start_daemon()
    thingward.wait_ready()
    for sender in senders:
        sender.stopping = True
    for sender in senders:
        sender.join(60)
        assert sender.error is None and not sender.is_alive()

    log = [(report.thing, report.id) for report in thingward.reports_in_log()]
    accepted = [(s.device.thing, n) for s in senders for n in s.accepted]
    assert len(accepted) > 100
    assert sorted(log) == sorted(accepted)
    for sender in senders:
        thing, expected = sender.device.thing, expected_events(sender)
        stack.wait_until(lambda: len(events_of(thingward, thing)) >= len(expected), "every event")
        assert events_of(thingward, thing) == expected
    assert thingward.metric("alarms_differing") == 0
