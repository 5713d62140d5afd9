"""Every operation of this version, called by boto3, by the AWS CLI and by AWS's SDK for JavaScript, as they come.

Each client has an installation of its own; what is asserted is the same for all."""

import json
import re
import time

import broker_kit as kit
import clients
import pytest
import stack
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ARN, ROLE = stack.ARN, "arn:aws:iam::123456789012:role/thingward"
HEX64 = re.compile(r"[0-9a-f]{64}$")
BEHAVIOR = {
    "name": "ports",
    "metric": "aws:listening-tcp-ports",
    "criteria": {
        "comparisonOperator": "in-port-set",
        "value": {"ports": [22]},
        "consecutiveDatapointsToAlarm": 1,
    },
}


@pytest.fixture(scope="module", params=["boto3", "cli", "javascript"])
def client(request):
    installation = stack.Stack()
    one = None
    try:
        installation.start()
        if request.param == "boto3":
            one = clients.Boto3(installation)
        elif request.param == "cli":
            one = clients.AwsCli(installation)
        else:
            one = clients.JavaScript(installation, request.getfixturevalue("node"))
        yield one
    finally:
        if one:
            one.close()
        installation.remove()


@pytest.fixture
def call(client):
    return client.call


def handlers():
    """The operations of this version that AWS has too: the clients know no others."""
    table = (kit.ROOT / "src" / "api" / "handlers.tbl.h").read_text()
    ours = json.loads((kit.ROOT / "model" / "operations" / "containment.json").read_text())
    return set(re.findall(r"^(?:PREPARED_)?HANDLER\((\w+)\)", table, re.MULTILINE)) - set(ours)


def make_certificate(call, **members):
    return call("CreateKeysAndCertificate", **members)


def csr():
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "asked for")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


def test_endpoint(client, call):
    assert call("DescribeEndpoint", endpointType="iot:Data-ATS") == {"endpointAddress": "localhost"}
    with client.refused("InvalidRequestException", 400):
        call("DescribeEndpoint", endpointType="iot:Tea")


def test_things(client, call):
    made = call("CreateThing", thingName="t1", attributePayload={"attributes": {"site": "north"}})
    assert made["thingArn"] == f"{ARN}thing/t1"
    assert call("CreateThing", thingName="t1", attributePayload={"attributes": {"site": "north"}}) == made
    with client.refused("ResourceAlreadyExistsException", 409):
        call("CreateThing", thingName="t1")
    call("UpdateThing", thingName="t1", attributePayload={"attributes": {"model": "x1"}, "merge": True})
    with client.refused("VersionConflictException", 409):
        call("UpdateThing", thingName="t1", expectedVersion=1)
    shown = call("DescribeThing", thingName="t1")
    assert shown == {
        **made,
        "defaultClientId": "t1",
        "attributes": {"site": "north", "model": "x1"},
        "version": 2,
    }
    call("CreateThing", thingName="t2")
    things = call("ListThings", attributeName="site", attributeValue="north")["things"]
    assert [thing["thingName"] for thing in things] == ["t1"]
    call("DeleteThing", thingName="t1")
    call("DeleteThing", thingName="t1")
    with client.refused("ResourceNotFoundException", 404):
        call("DescribeThing", thingName="t1")


def test_groups(client, call):
    call("CreateThing", thingName="member")
    top = call("CreateThingGroup", thingGroupName="top")
    assert top["thingGroupArn"] == f"{ARN}thinggroup/top"
    call(
        "CreateThingGroup",
        thingGroupName="below",
        parentGroupName="top",
        thingGroupProperties={"thingGroupDescription": "the lower ones"},
    )
    call("CreateThingGroup", thingGroupName="beside")
    call("AddThingToThingGroup", thingGroupName="below", thingName="member")
    inside = call("ListThingsInThingGroup", thingGroupName="top", recursive=True)
    assert inside["things"] == ["member"]
    assert call("ListThingsInThingGroup", thingGroupName="top")["things"] == []
    call(
        "UpdateThingGroupsForThing",
        thingName="member",
        thingGroupsToAdd=["beside"],
        thingGroupsToRemove=["below"],
    )
    groups = call("ListThingGroupsForThing", thingName="member")["thingGroups"]
    assert groups == [{"groupName": "beside", "groupArn": f"{ARN}thinggroup/beside"}]
    call("RemoveThingFromThingGroup", thingGroupName="beside", thingName="member")
    assert call("ListThingGroupsForThing", thingName="member")["thingGroups"] == []
    children = call("ListThingGroups", parentGroup="top")["thingGroups"]
    assert [group["groupName"] for group in children] == ["below"]
    assert call("UpdateThingGroup", thingGroupName="below", thingGroupProperties={})["version"] == 2
    shown = call("DescribeThingGroup", thingGroupName="below")
    assert shown["thingGroupMetadata"]["parentGroupName"] == "top"
    assert abs(shown["thingGroupMetadata"]["creationDate"] - time.time()) < 3600
    with client.refused("InvalidRequestException", 400):
        call("DeleteThingGroup", thingGroupName="top")
    for group in ("below", "top", "beside"):
        call("DeleteThingGroup", thingGroupName=group)


def test_certificates(client, call):
    made = make_certificate(call, setAsActive=True)
    assert HEX64.match(made["certificateId"])
    assert made["certificateArn"] == f"{ARN}cert/{made['certificateId']}"
    assert made["keyPair"]["PrivateKey"].startswith("-----BEGIN")
    shown = call("DescribeCertificate", certificateId=made["certificateId"])["certificateDescription"]
    assert (shown["status"], shown["certificateMode"]) == ("ACTIVE", "DEFAULT")
    assert shown["certificatePem"] == made["certificatePem"]
    assert shown["validity"]["notAfter"] == 2524607999

    asked = call("CreateCertificateFromCsr", certificateSigningRequest=csr())
    with client.refused("InvalidRequestException", 400):
        call("CreateCertificateFromCsr", certificateSigningRequest="no request at all")
    foreign = kit.make_cert("foreign").cert.public_bytes(serialization.Encoding.PEM).decode()
    taken = call("RegisterCertificateWithoutCA", certificatePem=foreign, status="ACTIVE")
    with client.refused("ResourceAlreadyExistsException", 409):
        call("RegisterCertificateWithoutCA", certificatePem=foreign)
    listed = {c["certificateId"]: c for c in call("ListCertificates")["certificates"]}
    status = {one["certificateId"]: listed[one["certificateId"]]["status"] for one in (made, asked, taken)}
    assert list(status.values()) == ["ACTIVE", "INACTIVE", "ACTIVE"]
    assert listed[taken["certificateId"]]["certificateMode"] == "SNI_ONLY"

    with client.refused("CertificateStateException", 406):
        call("DeleteCertificate", certificateId=made["certificateId"])
    call("UpdateCertificate", certificateId=made["certificateId"], newStatus="INACTIVE")
    call("DeleteCertificate", certificateId=made["certificateId"])
    with client.refused("ResourceNotFoundException", 404):
        call("DescribeCertificate", certificateId=made["certificateId"])


def test_principals(client, call):
    certificate = make_certificate(call)["certificateArn"]
    for thing in ("p1", "p2"):
        call("CreateThing", thingName=thing)
        call("AttachThingPrincipal", thingName=thing, principal=certificate)
    assert call("ListThingPrincipals", thingName="p1")["principals"] == [certificate]
    assert call("ListPrincipalThings", principal=certificate)["things"] == ["p1", "p2"]
    if "ListThingPrincipalsV2" not in client.absent:
        principals = call("ListThingPrincipalsV2", thingName="p1")["thingPrincipalObjects"]
        assert principals == [{"principal": certificate, "thingPrincipalType": "NON_EXCLUSIVE_THING"}]
        things = call("ListPrincipalThingsV2", principal=certificate)["principalThingObjects"]
        assert [thing["thingName"] for thing in things] == ["p1", "p2"]
    with client.refused("InvalidRequestException", 400):
        call("DeleteThing", thingName="p1")
    for thing in ("p1", "p2"):
        call("DetachThingPrincipal", thingName=thing, principal=certificate)
        call("DeleteThing", thingName=thing)


def policy(*topics):
    return json.dumps(kit.document(*(kit.statement("iot:Publish", f"topic/{t}") for t in topics)))


def test_policies(client, call):
    made = call("CreatePolicy", policyName="pol", policyDocument=policy("a"))
    assert made["policyArn"] == f"{ARN}policy/pol"
    assert made["policyVersionId"] == "1"
    with client.refused("MalformedPolicyException", 400):
        call("CreatePolicy", policyName="bad", policyDocument="{}")
    second = call("CreatePolicyVersion", policyName="pol", policyDocument=policy("a", "b"))
    assert (second["policyVersionId"], second["isDefaultVersion"]) == ("2", False)
    call("SetDefaultPolicyVersion", policyName="pol", policyVersionId="2")
    shown = call("GetPolicy", policyName="pol")
    assert (shown["defaultVersionId"], shown["policyDocument"]) == ("2", policy("a", "b"))
    with client.refused("DeleteConflictException", 409):
        call("DeletePolicy", policyName="pol")
    versions = call("ListPolicyVersions", policyName="pol")["policyVersions"]
    assert [(v["versionId"], v["isDefaultVersion"]) for v in versions] == [("2", True), ("1", False)]
    call("DeletePolicyVersion", policyName="pol", policyVersionId="1")
    one = call("GetPolicyVersion", policyName="pol", policyVersionId="2")
    assert one["isDefaultVersion"] and one["policyDocument"] == policy("a", "b")
    listed = call("ListPolicies")["policies"]
    assert {"policyName": "pol", "policyArn": f"{ARN}policy/pol"} in listed
    call("DeletePolicy", policyName="pol")
    with client.refused("ResourceNotFoundException", 404):
        call("GetPolicy", policyName="pol")


def test_attached_policies(client, call):
    certificate = make_certificate(call)["certificateArn"]
    call("CreateThingGroup", thingGroupName="ruled")
    group = f"{ARN}thinggroup/ruled"
    for name in ("first", "second"):
        call("CreatePolicy", policyName=name, policyDocument=policy(name))
    call("AttachPolicy", policyName="first", target=certificate)
    call("AttachPolicy", policyName="first", target=group)
    call("AttachPrincipalPolicy", policyName="second", principal=certificate)
    attached = call("ListAttachedPolicies", target=certificate)["policies"]
    assert {p["policyName"] for p in attached} == {"first", "second"}
    assert set(call("ListTargetsForPolicy", policyName="first")["targets"]) == {certificate, group}
    older = call("ListPrincipalPolicies", principal=certificate)["policies"]
    assert {p["policyName"] for p in older} == {"first", "second"}
    assert call("ListPolicyPrincipals", policyName="second")["principals"] == [certificate]
    with client.refused("DeleteConflictException", 409):
        call("DeletePolicy", policyName="first")
    call("DetachPrincipalPolicy", policyName="second", principal=certificate)
    for target in (certificate, group):
        call("DetachPolicy", policyName="first", target=target)
    assert call("ListAttachedPolicies", target=certificate)["policies"] == []


def test_logging(client, call):
    with client.refused("NotConfiguredException", 404):
        call("GetV2LoggingOptions")
    call("SetV2LoggingOptions", roleArn=ROLE, defaultLogLevel="WARN")
    shown = call("GetV2LoggingOptions")
    assert (shown["roleArn"], shown["defaultLogLevel"]) == (ROLE, "WARN")
    target = {"targetType": "CLIENT_ID", "targetName": "pump"}
    call("SetV2LoggingLevel", logTarget=target, logLevel="DEBUG")
    levels = call("ListV2LoggingLevels", targetType="CLIENT_ID")["logTargetConfigurations"]
    assert levels == [{"logTarget": target, "logLevel": "DEBUG"}]
    call("DeleteV2LoggingLevel", **target)
    assert call("ListV2LoggingLevels", targetType="CLIENT_ID")["logTargetConfigurations"] == []


def test_security_profiles(client, call):
    assert call("ValidateSecurityProfileBehaviors", behaviors=[BEHAVIOR]) == {
        "valid": True,
        "validationErrors": [],
    }
    bad = {**BEHAVIOR, "criteria": {**BEHAVIOR["criteria"], "comparisonOperator": "less-than"}}
    answer = call("ValidateSecurityProfileBehaviors", behaviors=[bad])
    assert not answer["valid"]
    assert answer["validationErrors"][0]["errorMessage"].startswith("Behavior ports is malformed. ")
    with client.refused("InvalidRequestException", 400):
        call("CreateSecurityProfile", securityProfileName="prof", behaviors=[bad])

    made = call(
        "CreateSecurityProfile",
        securityProfileName="prof",
        securityProfileDescription="what is normal",
        behaviors=[BEHAVIOR],
        additionalMetricsToRetainV2=[{"metric": "aws:all-bytes-out"}],
    )
    assert made["securityProfileArn"] == f"{ARN}securityprofile/prof"
    call("CreateThingGroup", thingGroupName="watched")
    targets = [f"{ARN}all/registered-things", f"{ARN}thinggroup/watched"]
    for target in targets:
        call("AttachSecurityProfile", securityProfileName="prof", securityProfileTargetArn=target)
    listed = call("ListTargetsForSecurityProfile", securityProfileName="prof")["securityProfileTargets"]
    assert sorted(target["arn"] for target in listed) == targets
    mapped = call("ListSecurityProfilesForTarget", securityProfileTargetArn=targets[1])
    (mapping,) = mapped["securityProfileTargetMappings"]
    assert mapping["securityProfileIdentifier"]["name"] == "prof"
    by_metric = call("ListSecurityProfiles", metricName="aws:all-bytes-out")
    assert [p["name"] for p in by_metric["securityProfileIdentifiers"]] == ["prof"]

    updated = call("UpdateSecurityProfile", securityProfileName="prof", deleteBehaviors=True, expectedVersion=1)
    assert (updated["version"], updated.get("behaviors", [])) == (2, [])
    with client.refused("VersionConflictException", 409):
        call("DeleteSecurityProfile", securityProfileName="prof", expectedVersion=1)
    shown = call("DescribeSecurityProfile", securityProfileName="prof")
    assert shown["securityProfileDescription"] == "what is normal"
    assert shown["additionalMetricsToRetainV2"] == [{"metric": "aws:all-bytes-out"}]
    for target in targets:
        call("DetachSecurityProfile", securityProfileName="prof", securityProfileTargetArn=target)
    call("DeleteSecurityProfile", securityProfileName="prof")
    with client.refused("ResourceNotFoundException", 404):
        call("DescribeSecurityProfile", securityProfileName="prof")


def test_dimensions(client, call):
    made = call("CreateDimension", name="topics", type="TOPIC_FILTER", stringValues=["a/+"], clientRequestToken="t" * 36)
    assert made == {"name": "topics", "arn": f"{ARN}dimension/topics"}
    assert call("ListDimensions")["dimensionNames"] == ["topics"]
    assert call("UpdateDimension", name="topics", stringValues=["b/#"])["stringValues"] == ["b/#"]
    assert call("DescribeDimension", name="topics")["type"] == "TOPIC_FILTER"
    call("DeleteDimension", name="topics")
    with client.refused("ResourceNotFoundException", 404):
        call("DescribeDimension", name="topics")


def test_violations(client, call):
    pump = client.stack.register("pump-v")
    call("CreateSecurityProfile", securityProfileName="viol", behaviors=[BEHAVIOR])
    call("AttachSecurityProfile", securityProfileName="viol", securityProfileTargetArn=stack.ALL_THINGS)
    assert pump.connect() == 0
    assert pump.report(tcp_ports=[23, 22])["status"] == "ACCEPTED"
    now = client.stack.settle() / 1000
    (violation,) = call("ListActiveViolations", thingName="pump-v")["activeViolations"]
    assert re.match(r"[0-9a-f]{32}$", violation["violationId"])
    assert violation["behavior"] == BEHAVIOR
    assert violation["lastViolationValue"] == {"ports": [22, 23]}
    assert violation["verificationState"] == "UNKNOWN"
    assert abs(violation["violationStartTime"] - now) < 60
    call(
        "PutVerificationStateOnViolation",
        violationId=violation["violationId"],
        verificationState="TRUE_POSITIVE",
        verificationStateDescription="it was telnet",
    )
    events = call("ListViolationEvents", startTime=int(now) - 3600, endTime=int(now) + 3600)
    (event,) = events["violationEvents"]
    assert (event["violationEventType"], event["violationId"]) == ("in-alarm", violation["violationId"])
    assert event["verificationStateDescription"] == "it was telnet"
    with client.refused("InvalidRequestException", 400):
        call("PutVerificationStateOnViolation", violationId="none", verificationState="UNKNOWN")


def test_audit(client, call):
    checks = ["LOGGING_DISABLED_CHECK", "IOT_POLICY_OVERLY_PERMISSIVE_CHECK"]
    shown = call("DescribeAccountAuditConfiguration")
    assert not any(check["enabled"] for check in shown["auditCheckConfigurations"].values())
    call(
        "UpdateAccountAuditConfiguration",
        roleArn=ROLE,
        auditCheckConfigurations={check: {"enabled": True} for check in checks},
    )
    call("CreatePolicy", policyName="wide", policyDocument=json.dumps(kit.document(kit.statement("iot:*", "*"))))
    task = call("StartOnDemandAuditTask", targetCheckNames=checks)["taskId"]
    stack.wait_until(
        lambda: call("DescribeAuditTask", taskId=task)["taskStatus"] == "COMPLETED", "the audit's end"
    )
    with client.refused("InvalidRequestException", 400):
        call("CancelAuditTask", taskId=task)
    details = call("DescribeAuditTask", taskId=task)["auditDetails"]
    assert details["IOT_POLICY_OVERLY_PERMISSIVE_CHECK"]["nonCompliantResourcesCount"] == 1
    now = int(time.time())
    tasks = call("ListAuditTasks", startTime=now - 3600, endTime=now + 3600)["tasks"]
    assert [(t["taskId"], t["taskType"]) for t in tasks] == [(task, "ON_DEMAND_AUDIT_TASK")]
    (finding,) = call("ListAuditFindings", taskId=task, checkName=checks[1])["findings"]
    assert finding["nonCompliantResource"]["resourceIdentifier"] == {
        "policyVersionIdentifier": {"policyName": "wide", "policyVersionId": "1"}
    }
    assert call("DescribeAuditFinding", findingId=finding["findingId"])["finding"] == finding
    related = call("ListRelatedResourcesForAuditFinding", findingId=finding["findingId"])
    assert related["relatedResources"] == []
    call("DeleteAccountAuditConfiguration")
    with client.refused("ResourceNotFoundException", 404):
        call("DeleteAccountAuditConfiguration")


def test_authorization(call):
    made = make_certificate(call, setAsActive=True)
    policy = json.dumps(kit.document(kit.statement("iot:Publish", "topic/out/*")))
    call("CreatePolicy", policyName="sender", policyDocument=policy)
    call("AttachPolicy", policyName="sender", target=made["certificateArn"])
    (effective,) = call("GetEffectivePolicies", principal=made["certificateArn"])["effectivePolicies"]
    assert effective["policyName"] == "sender" and json.loads(effective["policyDocument"]) == json.loads(policy)
    asked = [{"actionType": "PUBLISH", "resources": [f"{ARN}topic/{name}"]} for name in ("out/1", "in/1")]
    results = call("TestAuthorization", principal=made["certificateArn"], authInfos=asked)["authResults"]
    assert [result["authDecision"] for result in results] == ["ALLOWED", "IMPLICIT_DENY"]
    assert [one["policyName"] for one in results[0]["allowed"]["policies"]] == ["sender"]


def test_operations_of_later_versions_say_so(client, call):
    with client.refused("NotImplementedException", 501):
        call("ListMitigationActions")
    client.called.remove("ListMitigationActions")


def test_no_operation_was_left_out(request, client):
    """Last: looks back at what the tests above called."""
    ran = {item.originalname for item in request.session.items if item.module is request.module}
    if ran != {name for name in dir(request.module) if name.startswith("test_")}:
        pytest.skip("only some of this file's tests ran")
    assert client.called == handlers() - client.absent
