"""What a device may do, decided by the broker and changed through the API: a live session feels it at once."""

import contextlib
import json
import ssl
from types import SimpleNamespace

import botocore.exceptions
import broker_kit as kit
import pytest
import stack
from cryptography import x509
from cryptography.hazmat.primitives import serialization

ANYONE = kit.statement("iot:Connect", "*")
THING = stack.THING


@pytest.fixture(scope="module")
def broker(shared):
    """What kit.Device wants of a broker."""
    (shared.home / "server.pem").write_bytes((shared.dir / "ca" / "server-ca.pem").read_bytes())
    return SimpleNamespace(dir=shared.home, port=shared.mqtt_port)


class Session(kit.Device):
    """A device that knows its certificate at the API."""

    def __init__(self, broker, cert, client_id, certificate_arn=""):
        super().__init__(broker, cert, client_id)
        self.cert, self.client_id, self.certificate_arn = cert, client_id, certificate_arn

    @property
    def certificate_id(self):
        return self.certificate_arn.rsplit("/", 1)[1]

    def is_cut(self, topic):
        """Publishes what may not be published: the broker answers by ending the session."""
        self.publish(topic)
        self.wait("disconnect")
        return True

    def is_refused(self):
        """Whether the broker does not let it in: by a CONNACK that says no, or in the handshake."""
        try:
            return self.connect() != 0
        except (ConnectionError, ssl.SSLError):
            return True

    def anew(self):
        """The same device before its next connection."""
        return Session(self.broker, self.cert, self.client_id, self.certificate_arn)


def cert_of(device):
    key = serialization.load_pem_private_key(device.key_pem.encode(), None)
    return kit.Cert(key, x509.load_pem_x509_certificate(device.cert_pem.encode()))


@pytest.fixture
def sessions():
    """Closes at the end what is entered into it."""
    with contextlib.ExitStack() as stack_:
        yield lambda session: stack_.enter_context(contextlib.closing(session))


@pytest.fixture
def join(shared, broker, sessions):
    """Registers a thing with a policy of these statements, and connects it as `client_id`."""

    def run(thing, *statements, client_id=None, is_connected=True):
        made = shared.register(thing, policy=kit.document(*statements))
        session = sessions(Session(broker, cert_of(made), client_id or thing, made.certificate_arn))
        if is_connected:
            assert session.connect() == 0
        return session

    return run


def change_policy(shared, thing, *statements):
    """Makes these statements the policy of the thing's certificate."""
    shared.api.create_policy_version(
        policyName=f"of-{thing}", policyDocument=json.dumps(kit.document(*statements)), setAsDefault=True
    )


def test_each_action_is_decided_by_itself(join):
    pump = join(
        "pump-a",
        ANYONE,
        kit.statement("iot:Publish", f"topic/pumps/{THING}/*"),
        kit.statement("iot:Subscribe", "topicfilter/pumps/#"),
        kit.statement("iot:Receive", f"topic/pumps/{THING}/out"),
    )
    assert pump.subscribe("pumps/#") == 1
    assert pump.subscribe("pumps/pump-a/out") == 0x80
    pump.publish_acked("pumps/pump-a/hidden", b"1")
    pump.publish_acked("pumps/pump-a/out", b"2")
    message = pump.receive()
    assert (message.topic, message.payload) == ("pumps/pump-a/out", b"2")
    assert pump.is_cut("pumps/pump-b/out")


def test_a_changed_policy_rules_the_live_session(shared, join):
    pump = join("pump-c", ANYONE, kit.statement("iot:Publish", "topic/a"))
    pump.publish_acked("a")
    change_policy(shared, "pump-c", ANYONE, kit.statement("iot:Publish", "topic/b"))
    pump.publish_acked("b")
    assert pump.is_cut("a")


def test_a_policy_that_no_longer_lets_connect_ends_the_session(shared, join):
    pump = join("pump-d", ANYONE)
    change_policy(shared, "pump-d", kit.statement("iot:Publish", "*"))
    pump.wait("disconnect")


@pytest.mark.parametrize("how", ["detach policy", "detach thing", "deactivate"])
def test_what_takes_the_right_to_connect_ends_the_session(shared, join, how):
    name = how.replace(" ", "-")
    allowed = {**kit.statement("iot:Connect", f"client/{THING}")}
    pump = join(name, allowed)
    if how == "detach policy":
        shared.api.detach_policy(policyName=f"of-{name}", target=pump.certificate_arn)
    elif how == "detach thing":
        shared.api.detach_thing_principal(thingName=name, principal=pump.certificate_arn)
    else:
        shared.api.update_certificate(certificateId=pump.certificate_id, newStatus="INACTIVE")
    pump.wait("disconnect")


def test_deactivated_certificate_comes_back_when_it_is_active_again(shared, join, sessions):
    pump = join("pump-e", ANYONE)
    shared.api.update_certificate(certificateId=pump.certificate_id, newStatus="INACTIVE")
    pump.wait("disconnect")
    assert sessions(pump.anew()).is_refused()
    shared.broker_log.wait("refused TLS handshake .*certificate is INACTIVE")
    shared.api.update_certificate(certificateId=pump.certificate_id, newStatus="ACTIVE")
    assert sessions(pump.anew()).connect() == 0


def test_explicit_deny_wins(join):
    pump = join(
        "pump-f",
        ANYONE,
        kit.statement("iot:Publish", "topic/*"),
        kit.statement("iot:Publish", "topic/secret/*", effect="Deny"),
    )
    pump.publish_acked("open/a")
    assert pump.is_cut("secret/a")


def test_deny_by_a_group_wins(shared, join):
    pump = join("pump-g", ANYONE, kit.statement("iot:Publish", "topic/*"))
    group = shared.api.create_thing_group(thingGroupName="contained")["thingGroupArn"]
    deny = kit.document(kit.statement("iot:Publish", "topic/*", effect="Deny"))
    shared.api.create_policy(policyName="contain", policyDocument=json.dumps(deny))
    shared.api.attach_policy(policyName="contain", target=group)
    pump.publish_acked("a")
    shared.api.add_thing_to_thing_group(thingGroupName="contained", thingName="pump-g")
    assert pump.is_cut("a")


def test_group_policy_reaches_things_in_groups_below(shared, join):
    api = shared.api
    above = api.create_thing_group(thingGroupName="above")["thingGroupArn"]
    api.create_thing_group(thingGroupName="beneath", parentGroupName="above")
    pump = join("pump-h", ANYONE)
    api.create_policy(
        policyName="for-above", policyDocument=json.dumps(kit.document(kit.statement("iot:Publish", "topic/h")))
    )
    api.attach_policy(policyName="for-above", target=above)
    api.add_thing_to_thing_group(thingGroupName="beneath", thingName="pump-h")
    pump.publish_acked("h")
    api.remove_thing_from_thing_group(thingGroupName="beneath", thingName="pump-h")
    assert pump.is_cut("h")


def test_variables_stand_for_the_session(join):
    names = (THING, "${iot:ClientId}", "${iot:CertificateId}")
    topics = [f"topic/{i}/{name}" for i, name in enumerate(names)]
    pump = join("pump-i", ANYONE, kit.statement("iot:Publish", *topics), client_id="pump-i")
    for i, value in enumerate(("pump-i", "pump-i", pump.certificate_id)):
        pump.publish_acked(f"{i}/{value}")
    assert pump.is_cut("0/pump-j")


def test_variable_of_no_meaning_matches_nothing(join):
    pump = join("pump-v", ANYONE, kit.statement("iot:Publish", "topic/${iot:Tea}*"), client_id="pump-v")
    assert pump.is_cut("a")


def test_action_of_no_meaning_is_refused(shared):
    policy = kit.document(kit.statement("iot:Tea", "topic/a"))
    with pytest.raises(botocore.exceptions.ClientError, match=r"MalformedPolicy.*iot:Tea"):
        shared.api.create_policy(policyName="tea", policyDocument=json.dumps(policy))


ATTACHED = {
    **kit.statement("iot:Connect", "*"),
    "Condition": {"Bool": {"iot:Connection.Thing.IsAttached": "true"}},
}


@pytest.mark.parametrize("client_id, is_let_in", [("pump-j", True), ("pump-k", False), ("nobody", False)])
def test_client_id_must_be_an_attached_thing(shared, join, client_id, is_let_in):
    shared.api.create_thing(thingName="pump-k")
    thing = "pump-j" if is_let_in else f"not-{client_id}"
    pump = join(thing, ATTACHED, client_id=client_id, is_connected=False)
    assert pump.connect() == (0 if is_let_in else 5)


def pem_of(cert):
    return cert.cert.public_bytes(serialization.Encoding.PEM).decode()


def test_issuer_nobody_knows(shared, broker, sessions):
    """As with certificates that AWS issued, whose CA nobody can have."""
    cert = kit.make_cert("foreign", issuer=kit.make_cert("Somebody else's CA", is_ca=True))
    session = sessions(Session(broker, cert, "foreign"))
    assert session.is_refused()
    shared.broker_log.wait("refused TLS handshake .*Somebody else's CA.*certificate is not registered")
    made = shared.api.register_certificate_without_ca(certificatePem=pem_of(cert), status="ACTIVE")
    assert sessions(session.anew()).is_refused()
    shared.broker_log.wait('refused iot:Connect of client "foreign" .*no policy statement allows it')
    shared.api.create_policy(policyName="foreign", policyDocument=json.dumps(kit.document(ANYONE)))
    shared.api.attach_policy(policyName="foreign", target=made["certificateArn"])
    assert sessions(session.anew()).connect() == 0


def test_a_certificate_that_ran_out_is_refused(shared, broker, sessions):
    cert = kit.make_cert("old", days=(-3, -1))
    made = shared.api.register_certificate_without_ca(certificatePem=pem_of(cert), status="ACTIVE")
    shared.api.create_policy(policyName="for-old", policyDocument=json.dumps(kit.ALLOW_ALL))
    shared.api.attach_policy(policyName="for-old", target=made["certificateArn"])
    assert sessions(Session(broker, cert, "old")).is_refused()
    shared.broker_log.wait("refused TLS handshake .*certificate's validity has ended")


def test_refusals_are_counted(shared, join):
    before = shared.metric("refusals")
    assert join("pump-l", ANYONE).is_cut("not/allowed")
    shared.settle()
    assert shared.metric("refusals") == before + 1
