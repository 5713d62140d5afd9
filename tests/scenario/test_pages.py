"""Every list of the registry by boto3's paginators: page by page it gives what it gives whole."""

import json

import broker_kit as kit
import pytest
import stack

N = 3
GROUP = f"{stack.ARN}thinggroup/g0"


@pytest.fixture(scope="module")
def certificate(shared):
    """Three of everything, attached to one another; the ARN of the first certificate."""
    api = shared.api
    api.set_v2_logging_options(roleArn="arn:aws:iam::123456789012:role/log", defaultLogLevel="INFO")
    arns = [api.create_keys_and_certificate()["certificateArn"] for _ in range(N)]
    for i, arn in enumerate(arns):
        api.create_thing(thingName=f"t{i}")
        api.create_thing_group(thingGroupName=f"g{i}")
        api.create_policy(policyName=f"p{i}", policyDocument=json.dumps(kit.ALLOW_ALL))
        api.create_security_profile(securityProfileName=f"s{i}", behaviors=[])
        api.set_v2_logging_level(
            logTarget={"targetType": "CLIENT_ID", "targetName": f"c{i}"}, logLevel="DEBUG"
        )
        for thing, principal in {(f"t{i}", arns[0]), ("t0", arn)}:
            api.attach_thing_principal(thingName=thing, principal=principal)
        for thing, group in {("t0", f"g{i}"), (f"t{i}", "g0")}:
            api.add_thing_to_thing_group(thingName=thing, thingGroupName=group)
        for policy, target in {("p0", arn), (f"p{i}", arns[0])}:
            api.attach_policy(policyName=policy, target=target)
        for profile, group in {("s0", f"g{i}"), (f"s{i}", "g0")}:
            api.attach_security_profile(
                securityProfileName=profile, securityProfileTargetArn=f"{stack.ARN}thinggroup/{group}"
            )
    return arns[0]


CERTIFICATE = object()
LISTS = [
    ("list_attached_policies", "policies", {"target": CERTIFICATE}),
    ("list_certificates", "certificates", {}),
    ("list_policies", "policies", {}),
    ("list_policy_principals", "principals", {"policyName": "p0"}),
    ("list_principal_policies", "policies", {"principal": CERTIFICATE}),
    ("list_principal_things", "things", {"principal": CERTIFICATE}),
    ("list_security_profiles", "securityProfileIdentifiers", {}),
    ("list_security_profiles_for_target", "securityProfileTargetMappings", {"securityProfileTargetArn": GROUP}),
    ("list_targets_for_policy", "targets", {"policyName": "p0"}),
    ("list_targets_for_security_profile", "securityProfileTargets", {"securityProfileName": "s0"}),
    ("list_thing_groups", "thingGroups", {}),
    ("list_thing_groups_for_thing", "thingGroups", {"thingName": "t0"}),
    ("list_thing_principals", "principals", {"thingName": "t0"}),
    ("list_things", "things", {}),
    ("list_things_in_thing_group", "things", {"thingGroupName": "g0"}),
    ("list_v2_logging_levels", "logTargetConfigurations", {"targetType": "CLIENT_ID"}),
]


@pytest.mark.parametrize("operation, key, filter_", LISTS, ids=[row[0] for row in LISTS])
def test_pages_make_the_whole(shared, certificate, operation, key, filter_):
    filter_ = {name: certificate if value is CERTIFICATE else value for name, value in filter_.items()}
    whole = getattr(shared.api, operation)(**filter_)[key]
    assert len(whole) == N
    for size in (1, 2, N):
        pages = shared.api.get_paginator(operation).paginate(
            PaginationConfig={"PageSize": size}, **filter_
        )
        parts = [page[key] for page in pages]
        assert max(map(len, parts)) <= size
        assert [item for part in parts for item in part] == whole


@pytest.mark.parametrize("operation, key", [("list_certificates", "certificates"), ("list_policies", "policies")])
def test_order_can_be_turned_round(shared, certificate, operation, key):
    up, down = (getattr(shared.api, operation)(ascendingOrder=is_up)[key] for is_up in (True, False))
    assert up == down[::-1]
