"""Audits from configuration to findings: the three checks, cancelling, a cut-off task, lists, and what is refused."""

import datetime
import json
import sqlite3

import botocore.exceptions
import broker_kit as kit
import clients
import pytest
import stack
from cryptography.hazmat.primitives import serialization

ROLE = "arn:aws:iam::123456789012:role/audit"
EXPIRING, BROAD, LOGGING = CHECKS = [
    "DEVICE_CERTIFICATE_EXPIRING_CHECK",
    "IOT_POLICY_OVERLY_PERMISSIVE_CHECK",
    "LOGGING_DISABLED_CHECK",
]
DAY = datetime.timedelta(days=1)


def refused(call, **members):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**members)
    return caught.value.response["Error"]["Code"]


def enable(api, *checks):
    api.update_account_audit_configuration(
        roleArn=ROLE, auditCheckConfigurations={check: {"enabled": True} for check in checks}
    )


def finished(api, task):
    """The task's description when it has ended."""

    def ended():
        shown = api.describe_audit_task(taskId=task)
        return shown if shown["taskStatus"] != "IN_PROGRESS" else None

    return stack.wait_until(ended, "the audit's end")


def audited(api, *checks):
    """Runs an audit; its id and description."""
    task = api.start_on_demand_audit_task(targetCheckNames=list(checks))["taskId"]
    return task, finished(api, task)


def findings(api, task, **filter_):
    return api.list_audit_findings(taskId=task, **filter_)["findings"]


def register(api, days, status="ACTIVE"):
    """A certificate that ends in so many days; its id."""
    pem = kit.make_cert("aging", days=(-1, days)).cert.public_bytes(serialization.Encoding.PEM)
    return api.register_certificate_without_ca(certificatePem=pem.decode(), status=status)["certificateId"]


def policy(api, name, *statements):
    api.create_policy(policyName=name, policyDocument=json.dumps(kit.document(*statements)))


@pytest.fixture(scope="module")
def api(shared):
    """An account with something wrong for each check, and a like thing that is right."""
    api = shared.api
    enable(api, *CHECKS)
    policy(api, "broad", kit.statement("iot:*", "*"))
    policy(api, "narrow", kit.statement("iot:Connect", "client/${iot:Connection.Thing.ThingName}"))
    return api


def test_broad_policies_are_found(api):
    task, shown = audited(api, BROAD)
    assert shown["auditDetails"][BROAD] == {
        "checkRunStatus": "COMPLETED_NON_COMPLIANT",
        "checkCompliant": False,
        "totalResourcesCount": 2,
        "nonCompliantResourcesCount": 1,
        "suppressedNonCompliantResourcesCount": 0,
    }
    (finding,) = findings(api, task)
    assert (finding["checkName"], finding["severity"]) == (BROAD, "CRITICAL")
    assert finding["reasonForNonComplianceCode"] == "ALLOWS_BROAD_ACCESS_TO_IOT_DATA_PLANE_ACTIONS"
    assert finding["nonCompliantResource"]["resourceType"] == "IOT_POLICY"
    assert not finding["isSuppressed"]


def test_only_the_default_version_counts(api):
    policy(api, "mended", kit.statement("iot:*", "*"))
    api.create_policy_version(
        policyName="mended",
        policyDocument=json.dumps(kit.document(kit.statement("iot:Publish", "topic/a"))),
        setAsDefault=True,
    )
    task, _ = audited(api, BROAD)
    names = [
        f["nonCompliantResource"]["resourceIdentifier"]["policyVersionIdentifier"]["policyName"]
        for f in findings(api, task)
    ]
    assert names == ["broad"]


def test_expiring_certificates_are_found(api):
    ids = {days: register(api, days) for days in (1, 29, 31, 4000)}
    register(api, 1, status="INACTIVE")
    task, _ = audited(api, EXPIRING)
    found = {
        f["nonCompliantResource"]["resourceIdentifier"]["deviceCertificateId"]: f
        for f in findings(api, task)
    }
    assert set(found) == {ids[1], ids[29]}
    codes = {finding["reasonForNonComplianceCode"] for finding in found.values()}
    assert codes == {"CERTIFICATE_APPROACHING_EXPIRATION"}


def test_threshold_is_configured(api, shared, node):
    """By JavaScript: Debian's boto3 is older than the member `configuration`."""
    late = register(api, 45)
    javascript = clients.JavaScript(shared, node)
    for days, is_found in (("60", True), ("30", False)):
        configuration = {"CERT_EXPIRATION_THRESHOLD_IN_DAYS": days}
        checks = {EXPIRING: {"enabled": True, "configuration": configuration}}
        javascript.call("UpdateAccountAuditConfiguration", auditCheckConfigurations=checks)
        shown = javascript.call("DescribeAccountAuditConfiguration")["auditCheckConfigurations"]
        assert shown[EXPIRING] == checks[EXPIRING]
        task, _ = audited(api, EXPIRING)
        assert (late in str(findings(api, task))) == is_found
    for days in ("29", "3653", "many"):
        checks[EXPIRING]["configuration"] = {"CERT_EXPIRATION_THRESHOLD_IN_DAYS": days}
        with javascript.refused("InvalidRequestException", 400):
            javascript.call("UpdateAccountAuditConfiguration", auditCheckConfigurations=checks)
    javascript.close()


def test_logging_that_is_off_is_found(api):
    task, _ = audited(api, LOGGING)
    (finding,) = findings(api, task)
    assert finding["nonCompliantResource"]["resourceIdentifier"] == {"account": "123456789012"}
    api.set_v2_logging_options(roleArn=ROLE, defaultLogLevel="INFO")
    _, shown = audited(api, LOGGING)
    assert shown["auditDetails"][LOGGING]["checkRunStatus"] == "COMPLETED_COMPLIANT"


def test_statistics_add_up(api):
    _, shown = audited(api, *CHECKS)
    assert shown["taskStatus"] == "COMPLETED"
    assert shown["taskType"] == "ON_DEMAND_AUDIT_TASK"
    counts = dict(shown["taskStatistics"])
    assert counts.pop("totalChecks") == sum(counts.values()) == 3


def test_time_passes_for_certificates(make_thingward):
    thingward = make_thingward().start()
    api = thingward.api
    enable(api, EXPIRING)
    ids = {days: register(api, days) for days in (1, 31, 40)}
    thingward.advance(2 * 86400)
    task, _ = audited(api, EXPIRING)
    found = {
        f["nonCompliantResource"]["resourceIdentifier"]["deviceCertificateId"]: f["reasonForNonComplianceCode"]
        for f in findings(api, task)
    }
    assert found == {
        ids[1]: "CERTIFICATE_PAST_EXPIRATION",
        ids[31]: "CERTIFICATE_APPROACHING_EXPIRATION",
    }


# ---- Lists ----


def test_findings_in_pages(api):
    for i in range(5):
        policy(api, f"broad-{i}", kit.statement("iot:Publish", "*"))
    task, _ = audited(api, BROAD)
    whole = findings(api, task)
    pages = list(
        api.get_paginator("list_audit_findings").paginate(taskId=task, PaginationConfig={"PageSize": 2})
    )
    assert [len(page["findings"]) for page in pages] == [2, 2, 2]
    assert [f for page in pages for f in page["findings"]] == whole
    one = findings(
        api,
        task,
        checkName=BROAD,
        resourceIdentifier={"policyVersionIdentifier": {"policyName": "broad-3", "policyVersionId": "1"}},
    )
    assert len(one) == 1
    assert findings(api, task, listSuppressedFindings=True) == []


def test_findings_by_time_and_check(api):
    task, shown = audited(api, *CHECKS)
    start = shown["taskStartTime"]
    found = api.list_audit_findings(startTime=start - DAY, endTime=start + DAY, checkName=BROAD)["findings"]
    assert {f["checkName"] for f in found} == {BROAD}
    assert task in {f["taskId"] for f in found}


def test_tasks_in_pages_newest_first(api):
    tasks = [audited(api, LOGGING)[0] for _ in range(3)]
    start = api.describe_audit_task(taskId=tasks[0])["taskStartTime"]
    pages = api.get_paginator("list_audit_tasks").paginate(
        startTime=start - DAY, endTime=start + DAY, PaginationConfig={"PageSize": 1}
    )
    listed = [task["taskId"] for page in pages for task in page["tasks"]]
    assert set(listed) >= set(tasks) and len(listed) == len(set(listed))
    range_ = {"startTime": start - DAY, "endTime": start + DAY}
    assert api.list_audit_tasks(taskStatus="CANCELED", **range_)["tasks"] == []
    assert api.list_audit_tasks(taskType="SCHEDULED_AUDIT_TASK", **range_)["tasks"] == []
    assert api.list_audit_tasks(startTime=start + DAY, endTime=start + 2 * DAY)["tasks"] == []


# ---- What is refused ----


def test_what_is_refused(api):
    assert refused(api.start_on_demand_audit_task, targetCheckNames=[]) == "InvalidRequestException"
    for check in ("CONFLICTING_CLIENT_IDS_CHECK", "NO_SUCH_CHECK"):
        assert refused(api.start_on_demand_audit_task, targetCheckNames=[check]) == "InvalidRequestException"
        with pytest.raises(api.exceptions.InvalidRequestException):
            enable(api, check)
    for call in (api.describe_audit_task, api.cancel_audit_task):
        assert refused(call, taskId="0" * 32) == "ResourceNotFoundException"
    assert refused(api.list_audit_findings) == "InvalidRequestException"
    task, _ = audited(api, LOGGING)
    assert refused(api.list_audit_findings, taskId=task, startTime=0, endTime=1) == "InvalidRequestException"
    assert refused(api.cancel_audit_task, taskId=task) == "InvalidRequestException"


def test_first_configuration_needs_role_and_check(make_thingward):
    thingward = make_thingward().start()
    api = thingward.api
    one = {LOGGING: {"enabled": True}}
    assert refused(api.start_on_demand_audit_task, targetCheckNames=[LOGGING]) == "InvalidRequestException"
    for members in ({"roleArn": ROLE}, {"auditCheckConfigurations": one}):
        assert refused(api.update_account_audit_configuration, **members) == "InvalidRequestException"
    enable(api, LOGGING)
    api.update_account_audit_configuration(auditCheckConfigurations={LOGGING: {"enabled": False}})
    assert refused(api.start_on_demand_audit_task, targetCheckNames=[LOGGING]) == "InvalidRequestException"


# ---- Long tasks ----

MANY = 20000
CERTIFICATES = """
    insert into certificate
    with recursive n(i) as (select 1 union all select i + 1 from n where i < ?)
    select printf('%064x', i), 'ACTIVE', '', 'DEFAULT', '', '', '', '', '', 'EC', 256, 0, 0, 1, 0, 0, 1, '' from n
"""


@pytest.fixture
def long_task(make_thingward):
    """An installation whose audit of certificates takes many slices, each of them expired."""
    thingward = make_thingward().start()
    enable(thingward.api, EXPIRING, BROAD)
    thingward.stop_daemon()
    with sqlite3.connect(thingward.dir / "main.db") as db:
        db.execute(CERTIFICATES, [MANY])
    db.close()
    thingward.start_daemon().wait_ready()
    task = thingward.api.start_on_demand_audit_task(targetCheckNames=[EXPIRING, BROAD])["taskId"]
    return thingward, task


def test_cancelled_task_ends_and_keeps_what_it_found(long_task):
    thingward, task = long_task
    thingward.api.cancel_audit_task(taskId=task)
    shown = finished(thingward.api, task)
    assert shown["taskStatus"] == "CANCELED"
    assert shown["taskStatistics"]["canceledChecks"] > 0
    assert shown["auditDetails"][EXPIRING]["checkRunStatus"] == "CANCELED"
    assert refused(thingward.api.cancel_audit_task, taskId=task) == "InvalidRequestException"


def test_task_that_was_cut_off_goes_on(long_task):
    thingward, task = long_task
    thingward.kill_daemon()
    assert thingward.sql("select status from audit_task") == [("IN_PROGRESS",)]
    thingward.start_daemon().wait_ready()
    shown = finished(thingward.api, task)
    assert shown["taskStatus"] == "COMPLETED"
    details = shown["auditDetails"][EXPIRING]
    assert details["totalResourcesCount"] == details["nonCompliantResourcesCount"] == MANY
    ((n, n_resources),) = thingward.sql(
        f"select count(*), count(distinct identifier) from audit_finding where task = '{task}'"
    )
    assert n == n_resources == MANY
