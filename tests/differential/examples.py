"""The 23 worked examples of spec/registry-and-policies.md section 12, a row for each request."""

from oracle import ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY, Request, Thing

ARN = "arn:aws:iot:us-east-1:123456789012:"
TN = "${iot:Connection.Thing.ThingName}"
SITE = "${iot:Connection.Thing.Attributes[site]}"
PREFIX = {"Connect": "client", "Subscribe": "topicfilter", "UpdateThingShadow": "thing"}


def statement(effect, action, resource, condition=None, negated=False):
    """Resources without the prefix; condition: (operator, key, values)."""
    one = {
        "Effect": effect,
        "Action": f"iot:{action}",
        "NotResource" if negated else "Resource": resource if resource == "*" else ARN + resource,
    }
    if condition:
        operator, key, values = condition
        one["Condition"] = {operator: {key: values}}
    return one


def a(action, name, **more):
    """Device A: client id and thing sensor1, attached."""
    return request(action, name, **{"client_id": "sensor1", "thing": Thing("sensor1"), **more})


def b(action, name, **more):
    """Device B: client id x9, not attached."""
    return request(action, name, **{"client_id": "x9", **more})


def request(action, name, **more):
    return Request(action, f"{ARN}{PREFIX.get(action, 'topic')}/{name}", **more)


OF_ITS_NAME = [statement("Allow", "Connect", f"client/{TN}")]
ATTACHED = [statement("Allow", "Connect", "*", ("Bool", "iot:Connection.Thing.IsAttached", "true"))]
BUILDING = [
    statement("Allow", "Subscribe", "topicfilter/building/*"),
    statement("Deny", "Subscribe", "topicfilter/building/control_room/#"),
]
BUILDING_STAR = [
    statement("Allow", "Subscribe", "topicfilter/building/*"),
    statement("Deny", "Subscribe", "topicfilter/building/control_room/*"),
    statement("Allow", "Receive", "topic/building/*"),
]
BUILDING_RECEIVE = [*BUILDING_STAR, statement("Deny", "Receive", "topic/building/control_room/*")]
PLUS = [statement("Allow", "Subscribe", "topicfilter/some/+/topic")]
STAR = [statement("Allow", "Subscribe", "topicfilter/some/*/topic")]
THREE = [statement("Allow", "Subscribe", "topicfilter/some/sensor???/topic")]
BY_CLIENT = [
    statement("Allow", "Publish", "topic/${iot:ClientId}/*"),
    statement("Deny", "Publish", "topic/${iot:ClientId}/bar"),
]
HOLE = [statement("Allow", "Subscribe", "topicfilter/my/${iot:ClientId}/topic")]
LITERAL = [statement("Allow", "Publish", "topic/my/${iot:ClientId}/t")]
NOT_RESTRICTED = [statement("Allow", "Receive", "topic/a/restricted/*", negated=True)]
ONLY_WILL = [
    statement("Allow", "Connect", "*", ("ForAllValues:StringEquals", "iot:ConnectAttributes", ["LastWill"]))
]
NEVER_PERSISTENT = [
    statement("Allow", "Connect", "*"),
    statement("Deny", "Connect", "*", ("ForAnyValue:StringEquals", "iot:ConnectAttributes", ["PersistentConnect"])),
]
ORGANIZATIONS = [
    statement(
        "Allow",
        "Publish",
        f"topic/my/topic/{TN}",
        (
            "ForAllValues:StringEquals",
            "iot:Certificate.Subject.Organization.List",
            ["Example Corp", "AnyCompany"],
        ),
    )
]
BY_SITE = [statement("Allow", "Publish", f"topic/{SITE}/*")]
PRIVATE_NET = [statement("Allow", "Connect", "client/*", ("IpAddress", "aws:SourceIp", "10.0.0.0/8"))]
GROUP_DENIES = [statement("Allow", "*", "*"), statement("Deny", "Publish", "topic/$aws/*")]
CFG = [statement("Allow", "Publish", "topic/cfg")]
SHADOW = [statement("Allow", "UpdateThingShadow", "thing/MyThing*")]


def organizations(*names):
    return {"certificate_id": "0" * 64, "certificate": {"Subject.Organization": list(names)}}


# Number, statements, request, decision, names that are missing.
EXAMPLES = [
    (1, OF_ITS_NAME, a("Connect", "sensor1"), ALLOWED, []),
    (2, OF_ITS_NAME, b("Connect", "x9"), IMPLICIT_DENY, ["iot:Connection.Thing.ThingName"]),
    (3, ATTACHED, b("Connect", "x9"), IMPLICIT_DENY, []),
    (4, BUILDING, a("Subscribe", "building/control_room/data1"), ALLOWED, []),
    (5, BUILDING, a("Subscribe", "building/control_room/#"), EXPLICIT_DENY, []),
    (6, BUILDING_STAR, a("Subscribe", "building/#"), ALLOWED, []),
    (6, BUILDING_STAR, a("Receive", "building/control_room/data1"), ALLOWED, []),
    (7, BUILDING_RECEIVE, a("Receive", "building/control_room/data1"), EXPLICIT_DENY, []),
    (8, PLUS, a("Subscribe", "some/+/topic"), ALLOWED, []),
    (8, PLUS, a("Subscribe", "some/abc/topic"), IMPLICIT_DENY, []),
    (9, STAR, a("Subscribe", "some/a/b/topic"), ALLOWED, []),
    (10, THREE, a("Subscribe", "some/sensor123/topic"), ALLOWED, []),
    (10, THREE, a("Subscribe", "some/sensor12/topic"), IMPLICIT_DENY, []),
    (11, BY_CLIENT, a("Publish", "sensor1/foo/x"), ALLOWED, []),
    (11, BY_CLIENT, a("Publish", "sensor1/bar"), EXPLICIT_DENY, []),
    (11, BY_CLIENT, a("Publish", "sensor2/foo"), IMPLICIT_DENY, []),
    (12, HOLE, b("Subscribe", "my/+/topic", client_id="+"), ALLOWED, []),
    (13, LITERAL, b("Publish", "my/abc/t", client_id="*"), IMPLICIT_DENY, []),
    (14, NOT_RESTRICTED, a("Receive", "a/ok"), ALLOWED, []),
    (14, NOT_RESTRICTED, a("Receive", "a/restricted/x"), IMPLICIT_DENY, []),
    (15, ONLY_WILL, a("Connect", "sensor1", connect_attributes=[]), ALLOWED, []),
    (15, ONLY_WILL, a("Connect", "sensor1", connect_attributes=["LastWill"]), ALLOWED, []),
    (15, ONLY_WILL, a("Connect", "sensor1", connect_attributes=["PersistentConnect"]), IMPLICIT_DENY, []),
    (16, NEVER_PERSISTENT, a("Connect", "sensor1", connect_attributes=["PersistentConnect"]), EXPLICIT_DENY, []),
    (16, NEVER_PERSISTENT, a("Connect", "sensor1", connect_attributes=[]), ALLOWED, []),
    (17, ORGANIZATIONS, a("Publish", "my/topic/sensor1", **organizations("AnyCompany")), ALLOWED, []),
    (17, ORGANIZATIONS, a("Publish", "my/topic/sensor1", **organizations("Example Corp", "Evil")), IMPLICIT_DENY, []),
    (18, BY_SITE, a("Publish", "berlin/t", thing=Thing("sensor1", attributes={"site": "berlin"})), ALLOWED, []),
    (18, BY_SITE, a("Publish", "berlin/t"), IMPLICIT_DENY, ["iot:Connection.Thing.Attributes[site]"]),
    (19, PRIVATE_NET, a("Connect", "sensor1", source_ip="10.1.2.3"), ALLOWED, []),
    (19, PRIVATE_NET, a("Connect", "sensor1"), IMPLICIT_DENY, []),
    (20, GROUP_DENIES, a("Publish", "$aws/things/sensor1/shadow/update"), EXPLICIT_DENY, []),
    (21, CFG, a("Publish", "cfg"), ALLOWED, []),
    (21, CFG, a("RetainPublish", "cfg"), IMPLICIT_DENY, []),
    (22, SHADOW, a("UpdateThingShadow", "MyThing7"), ALLOWED, []),
    (23, [], a("Publish", "anything"), IMPLICIT_DENY, []),
]
