"""What happens while broker or daemon is away holds when it is back (more in test_restart.py)."""

import json

import broker_kit as kit
import pytest
import stack

NO_TELNET = {
    "name": "no-telnet",
    "metric": "aws:listening-tcp-ports",
    "criteria": {"comparisonOperator": "not-in-port-set", "value": {"ports": [23]}},
}


@pytest.fixture
def watched(thingward):
    thingward.api.create_security_profile(securityProfileName="p", behaviors=[NO_TELNET])
    thingward.api.attach_security_profile(
        securityProfileName="p", securityProfileTargetArn=stack.ALL_THINGS
    )
    return thingward


def active(thingward):
    return [v["thingName"] for v in thingward.api.list_active_violations()["activeViolations"]]


def test_broker_decides_without_the_daemon(watched):
    known, late = watched.register("known"), watched.register("late")
    assert known.connect() == 0
    watched.kill_daemon()
    assert late.connect() == 0
    known.send(stack.document(5, tcp_ports=[23]))
    late.send(stack.document(6, tcp_ports=[23]))
    watched.start_daemon().wait_ready()
    assert known.reply()["reportId"] == 5
    assert late.reply()["reportId"] == 6
    watched.settle()
    assert sorted(active(watched)) == ["known", "late"]


def test_changes_made_while_the_broker_was_away_hold_when_it_is_back(watched):
    pump, other = watched.register("pump"), watched.register("other")
    assert pump.connect() == 0
    assert pump.report(tcp_ports=[23])["status"] == "ACCEPTED"
    watched.settle()
    pump.close()
    watched.stop_broker()
    watched.api.update_certificate(certificateId=other.certificate_id, newStatus="INACTIVE")
    third = watched.register("third")
    assert active(watched) == ["pump"]
    watched.start_broker().wait_ready()
    for device in (third, pump):
        assert device.connect() == 0
        assert device.report(tcp_ports=[22])["status"] == "ACCEPTED"
    watched.settle()
    assert active(watched) == []
    other.connect_refused()


def test_both_start_in_either_order(make_thingward):
    thingward = make_thingward().init().start_daemon()
    assert thingward.get("/readyz")[0] == 503
    assert thingward.get("/readyz?without=broker")[0] == 200
    pump = thingward.register("early")
    thingward.start_broker().wait_ready()
    assert pump.connect() == 0
    assert pump.report(tcp_ports=[])["status"] == "ACCEPTED"


def test_everything_is_there_after_a_restart_of_both(watched):
    pump = watched.register("pump")
    assert pump.connect() == 0
    assert pump.report(report_id=7, tcp_ports=[23])["status"] == "ACCEPTED"
    watched.settle()
    pump.close()
    assert watched.stop_daemon() == 0
    assert watched.stop_broker() == 0
    now = watched.start_broker().start_daemon().wait_ready().settle()
    again = watched.device("pump", pump.cert_pem, pump.key_pem, pump.certificate_arn)
    assert again.connect() == 0
    assert active(watched) == ["pump"]
    assert again.report(report_id=7, tcp_ports=[22])["status"] == "ACCEPTED"
    watched.settle()
    assert active(watched) == ["pump"], "report 7 was repeated: its data counts once"
    assert again.report(report_id=8, tcp_ports=[22])["status"] == "ACCEPTED"
    assert watched.settle() == now
    assert active(watched) == []


def test_policies_reach_a_broker_that_comes_late(watched):
    """The snapshot that the broker finds at its start holds what was changed before."""
    pump = watched.register("pump")
    watched.stop_broker()
    watched.api.create_policy_version(
        policyName="of-pump",
        policyDocument=json.dumps(kit.document(kit.statement("iot:Publish", "*"))),
        setAsDefault=True,
    )
    watched.start_broker().wait_ready()
    assert pump.connect() == 5
