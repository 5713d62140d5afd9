"""Does anything get through at all?"""

import stack

PROFILE = "only-ssh"
BEHAVIOR = {
    "name": "ports",
    "metric": "aws:listening-tcp-ports",
    "criteria": {"comparisonOperator": "in-port-set", "value": {"ports": [22]}},
}


def active(thingward):
    return thingward.api.list_active_violations()["activeViolations"]


def test_from_registration_to_alarm_and_back(thingward):
    api = thingward.api
    pump = thingward.register("pump-1")
    api.create_security_profile(securityProfileName=PROFILE, behaviors=[BEHAVIOR])
    api.attach_security_profile(
        securityProfileName=PROFILE, securityProfileTargetArn=stack.ALL_THINGS
    )
    assert pump.connect() == 0

    reply = pump.report(tcp_ports=[22])
    assert reply["status"] == "ACCEPTED"
    assert (reply["thingName"], reply["reportId"]) == ("pump-1", pump.report_id)
    thingward.settle()
    assert active(thingward) == []

    assert pump.report(tcp_ports=[22, 23])["status"] == "ACCEPTED"
    thingward.settle()
    (violation,) = active(thingward)
    assert violation["thingName"] == "pump-1"
    assert violation["securityProfileName"] == PROFILE
    assert violation["behavior"] == BEHAVIOR
    assert violation["lastViolationValue"] == {"ports": [22, 23]}

    assert pump.report(tcp_ports=[22])["status"] == "ACCEPTED"
    thingward.settle()
    assert active(thingward) == []


def test_malformed_reports_are_answered_with_the_reason(thingward):
    pump = thingward.register("pump-1")
    assert pump.connect() == 0
    pump.send(b'{"header": ')
    reply = pump.reply()
    assert reply["status"] == "REJECTED"
    assert reply["statusDetails"] == {
        "ErrorCode": "InvalidPayload",
        "ErrorMessage": "Malformed metrics report",
    }


def test_a_repeated_report_is_answered_again_and_counted_once(thingward):
    pump = thingward.register("pump-1")
    assert pump.connect() == 0
    assert pump.report(report_id=7, tcp_ports=[])["status"] == "ACCEPTED"
    assert pump.report(report_id=7, tcp_ports=[])["status"] == "ACCEPTED"
    assert thingward.metric("reports_accepted") == 1
    assert thingward.metric("reports_repeated") == 1


def test_reports_that_come_too_soon_are_throttled(make_thingward):
    thingward = make_thingward(settings={"report.min_interval_seconds": 300}).start()
    pump = thingward.register("pump-1")
    assert pump.connect() == 0
    assert pump.report(tcp_ports=[])["status"] == "ACCEPTED"
    thingward.advance(289)
    assert pump.report(tcp_ports=[])["statusDetails"]["ErrorCode"] == "Throttled"
    thingward.advance(1)
    assert pump.report(tcp_ports=[])["status"] == "ACCEPTED"


def test_a_deactivated_certificate_loses_its_session(thingward):
    pump = thingward.register("pump-1")
    assert pump.connect() == 0
    thingward.api.update_certificate(certificateId=pump.certificate_id, newStatus="INACTIVE")
    pump.wait_closed()


def test_the_clock_moves_by_command(thingward):
    before = thingward.settle()
    assert int(thingward.command("clock", "advance", 300, "--data-dir", thingward.dir)) == before + 300000
    assert thingward.settle() == before + 300000
