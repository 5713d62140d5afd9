"""Device reports over mutual TLS: what is accepted, what is rejected and with which words, and who reported.

The files of tests/data/reports are what public device software really sends."""

import json
import time

import broker_kit as kit
import cbor2
import pytest
import stack

FILES = sorted((kit.ROOT / "tests" / "data" / "reports").glob("*.*[nr]"))
assert len(FILES) == 10
MALFORMED = {"ErrorCode": "InvalidPayload", "ErrorMessage": "Malformed metrics report"}
TOO_LARGE = {"ErrorCode": "InvalidPayload", "ErrorMessage": "Report exceeds maximum size"}
BAD_THING = {"ErrorCode": "InvalidPayload", "ErrorMessage": "Invalid thing name"}


@pytest.fixture(scope="module", params=["json", "cbor"])
def device(request, shared):
    one = shared.register(f"dut-{request.param}", format=request.param)
    assert one.connect() == 0
    return one


def connected(shared, thing, **options):
    one = shared.register(thing, **options)
    assert one.connect() == 0
    return one


def id_in(report):
    header = report.get("header") or report["hed"]
    return header.get("report_id") or header["rid"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_real_software_sends_is_accepted(shared, path):
    format, payload = path.suffix[1:], path.read_bytes()
    device = connected(shared, path.name.replace(".", "-"), format=format)
    before = time.time()
    device.send(payload)
    topic, reply = device.replies.get(timeout=kit.DEADLINE)
    assert topic == f"{device.topic}/accepted"
    assert before - 3600 < reply.pop("timestamp") / 1000
    assert reply == {
        "thingName": device.thing,
        "reportId": id_in(device.decode(payload)),
        "status": "ACCEPTED",
    }


def header(report_id=1, version="1.0"):
    return {"report_id": report_id, "version": version}


def ports(*numbers):
    return {"listening_tcp_ports": {"ports": [{"port": n} for n in numbers], "total": len(numbers)}}


ODD_BUT_GOOD = {
    "short and long names mixed": {"hed": {"report_id": 2, "v": "1.0"}, "metrics": {"tp": {"pts": [], "total": 0}}},
    "null for absent": {"header": header(3), "metrics": ports(22), "custom_metrics": None},
    "unknown members": {"header": {**header(4), "more": [1]}, "metrics": {"new_block": {}}, "extra": {}},
    "unknown minor version": {"header": header(5, "1.12"), "metrics": {}},
    "integral float as id": {"header": header(1.6e12), "metrics": {}},
    "largest id": {"header": header(2**63 - 1), "metrics": {}},
    "totals without lists": {"header": header(7), "metrics": {"listening_tcp_ports": {"total": 3}}},
    "counters beyond 32 bits": {"header": header(8), "metrics": {"network_stats": {"packets_in": 10013573555}}},
    "custom metric nobody defined": {"header": header(9), "custom_metrics": {"new": [{"number": 1.5}]}},
    "falling id": {"header": header(1), "metrics": {}},
    "address nobody can read": {
        "header": header(10),
        "metrics": {"tcp_connections": {"established_connections": {"connections": [{"remote_addr": "x:y"}]}}},
    },
}


@pytest.mark.parametrize("report", ODD_BUT_GOOD.values(), ids=ODD_BUT_GOOD)
def test_what_the_protocol_allows_is_accepted(device, report):
    device.send(report)
    reply = device.reply()
    assert (reply["status"], reply["reportId"]) == ("ACCEPTED", int(id_in(report)))


# What each report lacks or has too much of; the id comes back where it can be read.
BAD = {
    "no object": ([1, 2], None),
    "no header": ({"metrics": {}}, None),
    "no block": ({"header": header(11)}, 11),
    "id of zero": ({"header": header(0), "metrics": {}}, None),
    "negative id": ({"header": header(-1), "metrics": {}}, None),
    "id with a fraction": ({"header": header(1.5), "metrics": {}}, None),
    "id as text": ({"header": header("12"), "metrics": {}}, None),
    "no version": ({"header": {"report_id": 12}, "metrics": {}}, 12),
    "version 2": ({"header": header(13, "2.0"), "metrics": {}}, 13),
    "both spellings": ({"header": header(14), "hed": {"rid": 14, "v": "1.0"}, "metrics": {}}, 14),
    "port 65536": ({"header": header(15), "metrics": ports(65536)}, 15),
    "negative counter": ({"header": header(16), "metrics": {"network_stats": {"bytes_in": -1}}}, 16),
    "text for a number": ({"header": header(17), "metrics": {"network_stats": {"bytes_in": "1"}}}, 17),
    "custom metric without its list": ({"header": header(18), "custom_metrics": {"m": {"number": 0}}}, 18),
}


@pytest.mark.parametrize("report, report_id", BAD.values(), ids=BAD)
def test_what_the_protocol_forbids_is_rejected(device, report, report_id):
    device.send(report)
    topic, reply = device.replies.get(timeout=kit.DEADLINE)
    assert topic == f"{device.topic}/rejected"
    assert reply.pop("timestamp") > 0
    assert reply == {
        "thingName": device.thing,
        "status": "REJECTED",
        "statusDetails": MALFORMED,
        **({"reportId": report_id} if report_id else {}),
    }


GOOD = {"header": header(1), "metrics": {}}
BAD_BYTES = {
    "json": {
        "cut short": json.dumps(GOOD).encode()[:-1],
        "more behind it": json.dumps(GOOD).encode() + b"{}",
        "a name twice": b'{"header":{"report_id":1,"report_id":2,"version":"1.0"},"metrics":{}}',
        "nested too deep": json.dumps({**GOOD, "x": "[]"}).replace('"[]"', "[" * 17 + "]" * 17).encode(),
        "the other format": cbor2.dumps(GOOD),
        "nothing": b"",
    },
    "cbor": {
        "cut short": cbor2.dumps(GOOD)[:-1],
        "more behind it": cbor2.dumps(GOOD) + b"\xa0",
        "a name twice": b"\xa2" + 2 * (cbor2.dumps("metrics") + b"\xa0"),
        "nested too deep": b"\xa1\x61x" + b"\x81" * 17 + b"\x00",
        "the other format": json.dumps(GOOD).encode(),
        "nothing": b"",
    },
}


@pytest.mark.parametrize("case", BAD_BYTES["json"])
@pytest.mark.parametrize("format", BAD_BYTES)
def test_bytes_that_are_no_report_are_rejected_in_the_topics_format(shared, format, case):
    device = sender(shared, format)
    device.send(BAD_BYTES[format][case])
    assert device.reply()["statusDetails"] == MALFORMED


def sender(shared, format):
    """One device a format for tests that do not look at the thing."""
    known = {device.thing: device for device in shared.devices}
    return known.get(f"sender-{format}") or connected(shared, f"sender-{format}", format=format)


@pytest.mark.parametrize("format", ["json", "cbor"])
def test_size_has_a_limit(shared, format):
    device = sender(shared, format)
    report = {"header": header(20), "metrics": {}, "pad": ""}
    room = 131072 - len(device.encode({**report, "pad": "x" * 100000})) + 100000
    device.send({**report, "pad": "x" * room})
    assert device.reply()["status"] == "ACCEPTED"
    device.send({**report, "pad": "x" * (room + 1)})
    assert device.reply()["statusDetails"] == TOO_LARGE


ANY_THING = kit.document(kit.statement("iot:*", "*"))


def test_thing_names_have_a_limit(shared):
    gateway = shared.register("gateway-long", policy=ANY_THING)
    gateway.topic = f"$aws/things/{'t' * 129}/defender/metrics/json"
    assert gateway.connect() == 0
    assert gateway.report(tcp_ports=[])["statusDetails"] == BAD_THING


def test_who_reported_is_kept_and_marked(shared):
    """S10: a gateway may report for another thing where its policy allows; the report says that it did."""
    shared.api.create_security_profile(
        securityProfileName="who",
        behaviors=[
            {
                "name": "no-telnet",
                "metric": "aws:listening-tcp-ports",
                "criteria": {"comparisonOperator": "not-in-port-set", "value": {"ports": [23]}},
            }
        ],
    )
    shared.api.attach_security_profile(
        securityProfileName="who", securityProfileTargetArn=stack.ALL_THINGS
    )
    pump, gateway = connected(shared, "pump-who"), shared.register("gateway-who", policy=ANY_THING)
    gateway.topic = pump.topic
    assert gateway.connect() == 0
    assert gateway.report(report_id=101, tcp_ports=[23])["thingName"] == "pump-who"
    assert pump.report(report_id=102, tcp_ports=[22])["status"] == "ACCEPTED"
    assert pump.report(report_id=103, tcp_ports=[23])["status"] == "ACCEPTED"
    shared.settle()

    logged = [report for report in shared.reports_in_log() if report.thing == "pump-who"]
    assert [report[1:] for report in logged] == [
        (101, gateway.certificate_id, False),
        (102, pump.certificate_id, True),
        (103, pump.certificate_id, True),
    ]
    events = shared.sql("select type, is_own from violation_event where thing = 'pump-who' order by seq")
    assert events == [("in-alarm", 0), ("alarm-cleared", 1), ("in-alarm", 1)]


def test_reports_of_things_that_are_not_registered_are_taken(shared):
    gateway = shared.register("gateway-new", policy=ANY_THING)
    gateway.topic = "$aws/things/nobody-knows-it/defender/metrics/json"
    assert gateway.connect() == 0
    assert gateway.report(tcp_ports=[22])["thingName"] == "nobody-knows-it"


def test_policy_decides_for_whom_a_device_may_report(shared):
    pump, other = connected(shared, "pump-own"), connected(shared, "pump-other")
    pump.topic = other.topic
    pump.send(stack.document(1, tcp_ports=[]))
    pump.wait_closed()
    assert other.replies.empty()
