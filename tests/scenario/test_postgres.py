"""The same job on PostgreSQL: register, report, alarm, audit, and a restart in between."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import broker_kit as kit
import pg
import pytest
import stack

NO_TELNET = {
    "name": "no-telnet",
    "metric": "aws:listening-tcp-ports",
    "criteria": {"comparisonOperator": "not-in-port-set", "value": {"ports": [23]}},
}
CHECK = "IOT_POLICY_OVERLY_PERMISSIVE_CHECK"


@pytest.fixture(scope="module")
def server():
    with pg.Postgres() as one:
        yield one


@pytest.fixture
def on_postgres(server, make_thingward):
    url = server.database()
    thingward = make_thingward(settings={"store.url": url})
    thingward.url = url
    return thingward.start()


def active(thingward):
    return [v["thingName"] for v in thingward.api.list_active_violations()["activeViolations"]]


def test_from_registration_to_alarm_and_back(on_postgres):
    api = on_postgres.api
    pump = on_postgres.register("pump-1")
    api.create_security_profile(securityProfileName="p", behaviors=[NO_TELNET])
    api.attach_security_profile(securityProfileName="p", securityProfileTargetArn=stack.ALL_THINGS)
    assert pump.connect() == 0
    assert pump.report(tcp_ports=[22])["status"] == "ACCEPTED"
    assert pump.report(report_id=7, tcp_ports=[22, 23])["status"] == "ACCEPTED"
    assert pump.report(report_id=7, tcp_ports=[22, 23])["status"] == "ACCEPTED"
    on_postgres.settle()
    assert active(on_postgres) == ["pump-1"]

    on_postgres.kill_daemon()
    on_postgres.start_daemon().wait_ready()
    assert active(on_postgres) == ["pump-1"]
    assert pump.report(tcp_ports=[22])["status"] == "ACCEPTED"
    on_postgres.settle()
    assert active(on_postgres) == []
    end = on_postgres.settle() // 1000 + 1
    events = api.list_violation_events(startTime=0, endTime=end)["violationEvents"]
    assert sorted(event["violationEventType"] for event in events) == ["alarm-cleared", "in-alarm"]
    assert on_postgres.metric("alarms_differing") == 0
    api.update_certificate(certificateId=pump.certificate_id, newStatus="INACTIVE")
    pump.wait_closed()


def test_audit(on_postgres):
    api = on_postgres.api
    api.update_account_audit_configuration(
        roleArn="arn:aws:iam::123456789012:role/audit", auditCheckConfigurations={CHECK: {"enabled": True}}
    )
    for i in range(30):
        api.create_policy(policyName=f"broad-{i}", policyDocument=json.dumps(kit.ALLOW_ALL))
    task = api.start_on_demand_audit_task(targetCheckNames=[CHECK])["taskId"]
    stack.wait_until(lambda: api.describe_audit_task(taskId=task)["taskStatus"] == "COMPLETED", "its end")
    pages = api.get_paginator("list_audit_findings").paginate(
        taskId=task, PaginationConfig={"PageSize": 7}
    )
    sizes = [len(page["findings"]) for page in pages]
    assert sizes == [7, 7, 7, 7, 2]


def test_a_dump_reveals_no_secret(server, on_postgres):
    """S24."""
    _, secret = on_postgres.create_key("viewer")
    pump = on_postgres.register("pump-2")
    dump = server.dump(on_postgres.url)
    assert stack.KEY_ID in dump
    for hidden in (stack.SECRET, secret, pump.key_pem.splitlines()[2]):
        assert hidden not in dump


def test_a_server_that_goes_away_costs_no_report(server, on_postgres):
    """The daemon ends rather than answer what is not durable; the plugin keeps the report for the next one."""
    pump = on_postgres.register("pump-3")
    assert pump.connect() == 0
    assert pump.report(tcp_ports=[])["status"] == "ACCEPTED"
    server.stop()
    pump.send(stack.document(9, tcp_ports=[]))
    assert on_postgres.daemon.wait(60) == 1
    on_postgres.daemon_log.wait("ingest: appending to the log: |evaluate: committing entries ")
    server.start()
    on_postgres.start_daemon().wait_ready()
    assert pump.reply()["reportId"] == 9


A_TEST = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import pg
server = pg.Postgres().__enter__()
print(server.dir, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_test_leaves_no_server():
    killed = subprocess.run(
        [sys.executable, "-c", A_TEST, Path(pg.__file__).parent], stdout=subprocess.PIPE, text=True
    )
    directory = Path(killed.stdout.strip())
    assert killed.returncode == -signal.SIGKILL and directory.is_absolute()
    stack.wait_until(lambda: not directory.exists(), f"the end of the server in {directory}")
