"""Alarms from report to list: each device-side metric, counting, what ends an alarm, filters and pages.

The clock is manual. Each test has a thing in a group of its own and a profile on that group, all of one name."""

import itertools

import botocore.exceptions
import broker_kit as kit
import pytest
import stack

DAY = 24 * 3600
NAMES = itertools.count(1)
NO_TELNET = {
    "name": "no-telnet",
    "metric": "aws:listening-tcp-ports",
    "criteria": {"comparisonOperator": "not-in-port-set", "value": {"ports": [23]}},
}


def behavior(metric, operator, value, name="b", **criteria):
    return {
        "name": name,
        "metric": metric,
        "criteria": {"comparisonOperator": operator, "value": value, **criteria},
    }


class Watched:
    """A device under one profile."""

    def __init__(self, shared, behaviors, prefix="pump"):
        self.stack, self.api = shared, shared.api
        self.name = f"{prefix}-{next(NAMES)}"
        self.device = shared.register(self.name)
        self.group = self.api.create_thing_group(thingGroupName=self.name)["thingGroupArn"]
        self.api.add_thing_to_thing_group(thingGroupName=self.name, thingName=self.name)
        self.api.create_security_profile(securityProfileName=self.name, behaviors=behaviors)
        self.attach()
        assert self.device.connect() == 0

    def attach(self):
        self.api.attach_security_profile(
            securityProfileName=self.name, securityProfileTargetArn=self.group
        )

    def report(self, **parts):
        """Five minutes pass, a report is sent and evaluated."""
        self.stack.advance(300)
        assert self.device.report(**parts)["status"] == "ACCEPTED"
        self.stack.settle()

    def active(self):
        return self.api.list_active_violations(thingName=self.name)["activeViolations"]

    def events(self):
        """All of them, oldest first."""
        end = self.stack.settle() // 1000 + 1
        pages = self.api.get_paginator("list_violation_events").paginate(
            startTime=0, endTime=end, thingName=self.name
        )
        return [event for page in pages for event in page["violationEvents"]][::-1]

    def types(self):
        return [event["violationEventType"] for event in self.events()]


@pytest.fixture
def watch(shared):
    return lambda *behaviors, **options: Watched(shared, list(behaviors), **options)


def counter(name, metric):
    less = behavior(metric, "less-than", {"count": 1000}, durationSeconds=300)
    return less, {"counters": {name: 1000}}, {"count": 1000}, {"counters": {name: 999}}, {"count": 999}


def list_of(part, metric, operator, limit, bad, good):
    (kind,) = limit
    return behavior(metric, operator, limit), {part: bad}, {kind: bad}, {part: good}, {kind: good}


# What is normal, a report that is not and the value shown, one that is and the value shown.
METRICS = [
    counter("bytes_out", "aws:all-bytes-out"),
    counter("bytes_in", "aws:all-bytes-in"),
    counter("packets_out", "aws:all-packets-out"),
    counter("packets_in", "aws:all-packets-in"),
    (
        behavior("aws:num-listening-tcp-ports", "less-than-equals", {"count": 1}),
        *({"tcp_ports": [1, 2]}, {"count": 2}, {"tcp_ports": [1]}, {"count": 1}),
    ),
    (
        behavior("aws:num-listening-udp-ports", "greater-than", {"count": 0}),
        *({"udp_ports": []}, {"count": 0}, {"udp_ports": [53]}, {"count": 1}),
    ),
    (
        behavior("aws:num-established-tcp-connections", "greater-than-equals", {"count": 2}),
        *({"peers": ["192.0.2.1:1"]}, {"count": 1}, {"peers": ["192.0.2.1:1", "192.0.2.1:2"]}, {"count": 2}),
    ),
    list_of("tcp_ports", "aws:listening-tcp-ports", "in-port-set", {"ports": [22, 80]}, [22, 23], [80]),
    list_of("udp_ports", "aws:listening-udp-ports", "not-in-port-set", {"ports": [53]}, [53], []),
    (
        behavior("aws:destination-ip-addresses", "in-cidr-set", {"cidrs": ["192.0.2.0/24", "2001:db8::/32"]}),
        {"peers": ["192.0.2.7:443", "[2001:db9::1]:443"]},
        {"cidrs": ["192.0.2.7", "2001:db9::1"]},
        {"peers": ["192.0.2.7:1", "[2001:db8::5]:443"]},
        {"cidrs": ["192.0.2.7", "2001:db8::5"]},
    ),
]


@pytest.mark.parametrize(
    "normal, bad, bad_value, good, good_value", METRICS, ids=[row[0]["metric"] for row in METRICS]
)
def test_metric(watch, normal, bad, bad_value, good, good_value):
    watched = watch(normal)
    watched.report(**good)
    assert watched.active() == []
    watched.report(**bad)
    (violation,) = watched.active()
    assert violation["behavior"] == normal
    assert violation["lastViolationValue"] == bad_value
    watched.report(**good)
    assert watched.active() == []
    raised, cleared = watched.events()
    assert (raised["violationEventType"], raised["metricValue"]) == ("in-alarm", bad_value)
    assert (cleared["violationEventType"], cleared["metricValue"]) == ("alarm-cleared", good_value)
    assert raised["violationId"] == cleared["violationId"] == violation["violationId"]
    assert (cleared["violationEventTime"] - raised["violationEventTime"]).total_seconds() == 300


GOOD, BAD = {"tcp_ports": [22]}, {"tcp_ports": [22, 23]}


def test_consecutive_datapoints_count(watch):
    counted = {**NO_TELNET, "criteria": {**NO_TELNET["criteria"], "consecutiveDatapointsToAlarm": 3}}
    counted["criteria"]["consecutiveDatapointsToClear"] = 2
    watched = watch(counted)
    story = [(BAD, 0), (BAD, 0), (GOOD, 0), (BAD, 0), (BAD, 0), (BAD, 1), (GOOD, 1), (BAD, 1), (GOOD, 1), (GOOD, 0)]
    for report, n_active in story:
        watched.report(**report)
        assert len(watched.active()) == n_active
    assert watched.types() == ["in-alarm", "alarm-cleared"]


def test_a_running_violation_moves_without_events(watch):
    watched = watch(NO_TELNET)
    watched.report(tcp_ports=[23])
    (first,) = watched.active()
    watched.report(tcp_ports=[23, 24])
    (second,) = watched.active()
    assert second["violationId"] == first["violationId"]
    assert second["violationStartTime"] == first["violationStartTime"]
    assert second["lastViolationTime"] > first["lastViolationTime"]
    assert second["lastViolationValue"] == {"ports": [23, 24]}
    assert watched.types() == ["in-alarm"]


def test_a_report_without_the_metric_says_nothing(watch):
    watched = watch(NO_TELNET)
    watched.report(**BAD)
    watched.report(udp_ports=[])
    assert len(watched.active()) == 1
    watched.report(tcp_ports=[])
    assert watched.active() == []


def test_counters_are_summed_over_the_duration(watch):
    watched = watch(behavior("aws:all-bytes-out", "less-than", {"count": 1000}, durationSeconds=900))
    for sent, n_active in ((400, 0), (400, 0), (400, 1), (100, 0)):
        watched.report(counters={"bytes_out": sent})
        assert len(watched.active()) == n_active
    values = [event["metricValue"]["count"] for event in watched.events()]
    assert values == [1200, 900]


def test_behaviors_of_one_report_alarm_each_for_itself(watch):
    watched = watch(NO_TELNET, behavior("aws:num-listening-tcp-ports", "less-than", {"count": 3}, name="few"))
    watched.report(tcp_ports=[1, 2, 23])
    assert {v["behavior"]["name"] for v in watched.active()} == {"no-telnet", "few"}
    watched.report(tcp_ports=[23])
    assert [v["behavior"]["name"] for v in watched.active()] == ["no-telnet"]


# ---- What ends an alarm besides a good report ----


def detach(watched):
    watched.api.detach_security_profile(
        securityProfileName=watched.name, securityProfileTargetArn=watched.group
    )


def delete_profile(watched):
    watched.api.delete_security_profile(securityProfileName=watched.name)


def leave_group(watched):
    watched.api.remove_thing_from_thing_group(thingGroupName=watched.name, thingName=watched.name)


def delete_group(watched):
    watched.api.delete_thing_group(thingGroupName=watched.name)


def delete_thing(watched):
    watched.api.detach_thing_principal(thingName=watched.name, principal=watched.device.certificate_arn)
    watched.api.delete_thing(thingName=watched.name)


def delete_behaviors(watched):
    watched.api.update_security_profile(securityProfileName=watched.name, deleteBehaviors=True)


def replace(watched, **members):
    watched.api.update_security_profile(
        securityProfileName=watched.name, behaviors=[{**NO_TELNET, **members}]
    )


def change_metric(watched):
    replace(watched, metric="aws:listening-udp-ports")


@pytest.mark.parametrize(
    "end", [detach, delete_profile, leave_group, delete_group, delete_thing, delete_behaviors, change_metric]
)
def test_alarm_is_invalidated(watch, end):
    watched = watch(NO_TELNET)
    watched.report(**BAD)
    end(watched)
    watched.stack.settle()
    assert watched.active() == []
    raised, ended = watched.events()
    assert ended["violationEventType"] == "alarm-invalidated"
    assert ended["violationId"] == raised["violationId"]
    assert ended["behavior"] == NO_TELNET
    assert "metricValue" not in ended


def test_silence_of_two_days_invalidates(watch):
    watched = watch(NO_TELNET)
    watched.report(**BAD)
    watched.stack.advance(2 * DAY - 600)
    assert len(watched.active()) == 1
    watched.stack.advance(1200)
    assert watched.active() == []
    assert watched.types() == ["in-alarm", "alarm-invalidated"]


def test_changed_limits_keep_the_alarm(watch):
    watched = watch(NO_TELNET)
    watched.report(**BAD)
    (before,) = watched.active()
    replace(watched, criteria={"comparisonOperator": "not-in-port-set", "value": {"ports": [24]}})
    watched.stack.settle()
    (after,) = watched.active()
    assert after["violationId"] == before["violationId"]
    watched.report(**BAD)
    assert watched.types() == ["in-alarm", "alarm-cleared"]


def test_changed_limits_begin_to_count_anew(watch):
    counted = {**NO_TELNET["criteria"], "consecutiveDatapointsToAlarm": 2}
    watched = watch({**NO_TELNET, "criteria": counted})
    watched.report(**BAD)
    replace(watched, criteria={**counted, "value": {"ports": [23, 24]}})
    watched.report(**BAD)
    assert watched.active() == []
    watched.report(**BAD)
    assert len(watched.active()) == 1


def test_a_profile_reached_twice_is_judged_once(watch):
    watched = watch(NO_TELNET)
    watched.api.create_thing_group(thingGroupName=f"{watched.name}-2")
    watched.api.add_thing_to_thing_group(thingGroupName=f"{watched.name}-2", thingName=watched.name)
    watched.api.attach_security_profile(
        securityProfileName=watched.name,
        securityProfileTargetArn=f"{stack.ARN}thinggroup/{watched.name}-2",
    )
    watched.report(**BAD)
    assert len(watched.active()) == 1
    detach(watched)
    watched.stack.settle()
    assert len(watched.active()) == 1


def test_profile_of_a_parent_group_rules_things_below(watch):
    watched = watch(NO_TELNET)
    below = f"{watched.name}-below"
    watched.api.create_thing_group(thingGroupName=below, parentGroupName=watched.name)
    leave_group(watched)
    watched.api.add_thing_to_thing_group(thingGroupName=below, thingName=watched.name)
    watched.report(**BAD)
    assert len(watched.active()) == 1


def test_devices_outside_the_registry_have_profiles_too(shared):
    api = shared.api
    api.create_security_profile(securityProfileName="strangers", behaviors=[NO_TELNET])
    api.attach_security_profile(
        securityProfileName="strangers", securityProfileTargetArn=f"{stack.ARN}all/unregistered-things"
    )
    member, gateway = shared.register("member"), shared.register("gateway", policy=kit.ALLOW_ALL)
    gateway.topic = "$aws/things/stranger/defender/metrics/json"
    for device in (member, gateway):
        assert device.connect() == 0
        assert device.report(tcp_ports=[23])["status"] == "ACCEPTED"
    shared.settle()
    found = api.list_active_violations(securityProfileName="strangers")["activeViolations"]
    assert [violation["thingName"] for violation in found] == ["stranger"]


def test_registering_makes_another_identity(make_thingward):
    """The stranger's alarm runs out by silence; the registered thing has alarms of its own."""
    thingward = make_thingward().start()
    api = thingward.api
    api.create_security_profile(securityProfileName="all", behaviors=[NO_TELNET])
    api.attach_security_profile(
        securityProfileName="all", securityProfileTargetArn=f"{stack.ARN}all/things"
    )
    gateway = thingward.register("gateway", policy=kit.ALLOW_ALL)
    gateway.topic = "$aws/things/newcomer/defender/metrics/json"
    assert gateway.connect() == 0

    def alarms_after_report():
        assert gateway.report(**BAD)["status"] == "ACCEPTED"
        thingward.settle()
        return [v["violationId"] for v in api.list_active_violations()["activeViolations"]]

    (of_stranger,) = alarms_after_report()
    api.create_thing(thingName="newcomer")
    (of_thing,) = set(alarms_after_report()) - {of_stranger}
    thingward.advance(2 * DAY - 600)
    assert set(alarms_after_report()) == {of_stranger, of_thing}
    thingward.advance(1200)
    assert alarms_after_report() == [of_thing]


# ---- Lists ----


@pytest.fixture(scope="module")
def listed(shared):
    """Five alarms of one device, newest first; the second is suppressed, the third verified."""
    criteria = NO_TELNET["criteria"]
    behaviors = [{**NO_TELNET, "name": f"b{i}", "suppressAlerts": i == 1} for i in range(5)]
    for i, one in enumerate(behaviors):
        one["criteria"] = {**criteria, "consecutiveDatapointsToAlarm": 5 - i}
    watched = Watched(shared, behaviors, prefix="listed")
    for _ in behaviors:
        watched.report(**BAD)
    by_name = {v["behavior"]["name"]: v["violationId"] for v in watched.active()}
    watched.api.put_verification_state_on_violation(
        violationId=by_name["b2"], verificationState="FALSE_POSITIVE", verificationStateDescription="a test"
    )
    return watched


ALL = ["b0", "b1", "b2", "b3", "b4"]
FILTERS = [
    ({}, ALL),
    ({"listSuppressedAlerts": True}, ["b1"]),
    ({"listSuppressedAlerts": False}, ["b0", "b2", "b3", "b4"]),
    ({"verificationState": "FALSE_POSITIVE"}, ["b2"]),
    ({"verificationState": "UNKNOWN"}, ["b0", "b1", "b3", "b4"]),
    ({"behaviorCriteriaType": "STATIC"}, ALL),
    ({"behaviorCriteriaType": "MACHINE_LEARNING"}, []),
    ({"listSuppressedAlerts": False, "verificationState": "FALSE_POSITIVE"}, ["b2"]),
    ({"listSuppressedAlerts": True, "verificationState": "FALSE_POSITIVE"}, []),
]


@pytest.mark.parametrize("by", ["thingName", "securityProfileName"])
@pytest.mark.parametrize("filter_, names", FILTERS, ids=lambda x: "+".join(x) or "none")
def test_filters(listed, filter_, names, by):
    filter_ = {by: listed.name, **filter_}
    active = listed.api.list_active_violations(**filter_)["activeViolations"]
    assert [v["behavior"]["name"] for v in active] == names
    now = listed.stack.settle() // 1000
    events = listed.api.list_violation_events(startTime=0, endTime=now + 1, **filter_)["violationEvents"]
    assert [v["behavior"]["name"] for v in events] == names


def test_verification_shows_on_violation_and_event(listed):
    (violation,) = listed.api.list_active_violations(
        thingName=listed.name, verificationState="FALSE_POSITIVE"
    )["activeViolations"]
    assert violation["verificationStateDescription"] == "a test"


@pytest.mark.parametrize("size", [1, 2, 5])
def test_pages(listed, size):
    now = listed.stack.settle() // 1000
    for operation, key, range_ in (
        ("list_active_violations", "activeViolations", {}),
        ("list_violation_events", "violationEvents", {"startTime": 0, "endTime": now + 1}),
    ):
        pages = list(
            listed.api.get_paginator(operation).paginate(
                thingName=listed.name, PaginationConfig={"PageSize": size}, **range_
            )
        )
        assert [v["behavior"]["name"] for page in pages for v in page[key]] == ALL
        assert all(len(page[key]) <= size for page in pages)


def test_events_are_found_by_time(listed):
    times = [event["violationEventTime"] for event in listed.events()]
    one = listed.api.list_violation_events(
        startTime=times[1], endTime=times[3], thingName=listed.name
    )["violationEvents"]
    assert [v["behavior"]["name"] for v in one] == ["b2", "b3"]


BAD_LISTS = [
    ({"nextToken": "garbage"}, "InvalidRequestException"),
    ({"maxResults": 251}, "InvalidRequestException"),
    ({"securityProfileName": "nobody-made-it"}, "ResourceNotFoundException"),
    ({"verificationState": "MAYBE"}, "InvalidRequestException"),
]


@pytest.mark.parametrize("filter_, code", BAD_LISTS, ids=[*"token size profile state".split()])
def test_bad_filters_are_refused(listed, filter_, code):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        listed.api.list_active_violations(**filter_)
    assert caught.value.response["Error"]["Code"] == code


def test_a_pages_token_serves_its_own_list_only(listed):
    token = listed.api.list_active_violations(thingName=listed.name, maxResults=1)["nextToken"]
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        listed.api.list_active_violations(maxResults=1, nextToken=token)
    assert caught.value.response["Error"]["Code"] == "InvalidRequestException"
