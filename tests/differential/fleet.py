"""Certificates, things and groups that are really registered, and what the oracle should know of them."""

import ipaddress
import re
from dataclasses import dataclass, field

import botocore.exceptions
import cases
import oracle
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import broker_kit as kit
import raw_http

OIDS = {
    "CommonName": NameOID.COMMON_NAME,
    "Country": NameOID.COUNTRY_NAME,
    "Organization": NameOID.ORGANIZATION_NAME,
    "OrganizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "State": NameOID.STATE_OR_PROVINCE_NAME,
    "SerialNumber": NameOID.SERIAL_NUMBER,
    "DistinguishedNameQualifier": NameOID.DN_QUALIFIER,
    "Title": NameOID.TITLE,
    "Surname": NameOID.SURNAME,
    "GivenName": NameOID.GIVEN_NAME,
    "Initials": x509.ObjectIdentifier("2.5.4.43"),
    "Pseudonym": NameOID.PSEUDONYM,
    "GenerationQualifier": NameOID.GENERATION_QUALIFIER,
}
ALTERNATIVES = {
    "RFC822Name": (x509.RFC822Name, ["a@example.com", "ops@b.example", "a+b@example.com"]),
    "DNSName": (x509.DNSName, ["pump-1", "a.example.com", "*.example.com"]),
    "UniformResourceIdentifier": (x509.UniformResourceIdentifier, ["urn:x:1", "https://example.com/a?b=c", "spiffe://a/b"]),
    "IPAddress": (lambda text: x509.IPAddress(ipaddress.ip_address(text)), ["10.1.2.3", "192.168.0.1", "2001:db8::1"]),
}
COUNTRIES = ["DE", "FR", "US"]
PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,./:=?-]+")  # what a PrintableString may hold: these two are such
PRINTABLE_NAMES = ("SerialNumber", "DistinguishedNameQualifier")
SHORT_TEXTS = [text for text in (*cases.TEXTS, *cases.CERTIFICATE_TEXTS, *cases.NUMBERS, *cases.DATES) if len(text) <= 64]
PRINTABLE_TEXTS = [text for text in SHORT_TEXTS if PRINTABLE.fullmatch(text)]
ATTRIBUTE_VALUES = ["berlin", "10", "9.5", "2020-01-01T00:00:00Z", "10.1.2.3", "true", "a/b", "a:b", "x=y", "[1]", "#9"]


# ---- Certificates with rich names ----


def some_name(rng, whose):
    """An X.509 name, and its values as the oracle wants them."""
    facts = {}
    for name in rng.sample(list(OIDS), rng.randint(2, 7)):
        texts = COUNTRIES if name == "Country" else PRINTABLE_TEXTS if name in PRINTABLE_NAMES else SHORT_TEXTS
        facts[f"{whose}.{name}"] = [rng.choice(texts) for _ in range(rng.choice((1, 1, 2, 3, 6)))]
    attributes = [x509.NameAttribute(OIDS[key.partition(".")[2]], value) for key, values in facts.items() for value in values]
    return x509.Name(attributes), facts


def some_alternatives(rng, whose):
    facts = {}
    for name in rng.sample(list(ALTERNATIVES), rng.randint(1, 3)):
        facts[f"{whose}.AlternativeName.{name}"] = rng.sample(ALTERNATIVES[name][1], rng.choice((1, 2)))
    general = [ALTERNATIVES[key.rpartition(".")[2]][0](value) for key, values in facts.items() for value in values]
    return general, facts


def some_certificate(rng):
    """A certificate of an issuer that nobody knows, and its facts."""
    key, issuer_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    (subject, subject_facts), (issuer, issuer_facts) = some_name(rng, "Subject"), some_name(rng, "Issuer")
    (san, san_facts), (ian, ian_facts) = some_alternatives(rng, "Subject"), some_alternatives(rng, "Issuer")
    serial = rng.getrandbits(rng.choice((7, 8, 64, 128))) + 1
    now = kit.datetime.datetime.utcnow()
    builder = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), serial)
        .not_valid_before(now - kit.datetime.timedelta(days=1))
        .not_valid_after(now + kit.datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(san), critical=False)
        .add_extension(x509.IssuerAlternativeName(ian), critical=False)
    )
    facts = {**subject_facts, **issuer_facts, **san_facts, **ian_facts, "SerialNumber": [serial_text(serial)]}
    return kit.Cert(key, builder.sign(issuer_key, hashes.SHA256())), facts


def serial_text(serial):
    """Two lower-case hex digits for each byte."""
    return serial.to_bytes((serial.bit_length() + 7) // 8, "big").hex()


# ---- What is registered ----


@dataclass
class Member:
    """A certificate with its things."""

    cert: kit.Cert
    facts: dict
    arn: str
    things: list = field(default_factory=list)
    exclusive: str = None  # the thing that it is attached to exclusively


class Fleet:
    """Some members; things in groups of three hierarchies, three deep."""

    def __init__(self, installation, rng, members=5):
        self.installation, self.api, self.rng = installation, installation.api, rng
        self.parents, self.groups, self.attributes = {}, {}, {}
        self.group_arns = {}
        for root in "abc":
            self._add_group(f"group-{root}", None)
            self._add_group(f"group-{root}-1", f"group-{root}")
            self._add_group(f"group-{root}-1-1", f"group-{root}-1")
        self.members = [self._some_member(i) for i in range(members)]
        self.worlds = 0

    def _add_group(self, name, parent):
        given = {"parentGroupName": parent} if parent else {}
        self.group_arns[name] = self.api.create_thing_group(thingGroupName=name, **given)["thingGroupArn"]
        self.parents[name] = parent

    def _some_member(self, number):
        cert, facts = some_certificate(self.rng)
        pem = cert.cert.public_bytes(serialization.Encoding.PEM).decode()
        arn = self.api.register_certificate_without_ca(certificatePem=pem, status="ACTIVE")["certificateArn"]
        member = Member(cert, facts, arn)
        if number % 3 == 0:
            member.exclusive = self._some_thing(f"only-{number}", arn, is_exclusive=True)
            member.things = [member.exclusive]
        else:
            member.things = [self._some_thing(f"thing-{number}-{i}", arn) for i in range(2)]
        return member

    def _some_thing(self, name, principal, is_exclusive=False):
        chosen = self.rng.sample(["site", "n", "a.b", "a:b/c#1"], self.rng.randint(0, 3))
        self.attributes[name] = {key: self.rng.choice(ATTRIBUTE_VALUES) for key in chosen}
        self.api.create_thing(thingName=name, attributePayload={"attributes": self.attributes[name]})
        self._attach(name, principal, is_exclusive)
        self.groups[name] = [self.rng.choice([f"group-{root}", f"group-{root}-1", f"group-{root}-1-1"]) for root in "ab"]
        for group in self.groups[name]:
            self.api.add_thing_to_thing_group(thingGroupName=group, thingName=name)
        return name

    def _attach(self, thing, principal, is_exclusive):
        """Not by boto3: Debian's does not know the kind of an attachment yet."""
        kind = "EXCLUSIVE_THING" if is_exclusive else "NON_EXCLUSIVE_THING"
        path = f"/things/{thing}/principals?thingPrincipalType={kind}"
        status, text = raw_http.ask(self.installation, "PUT", path, headers={"x-amzn-principal": principal})[:2]
        assert status == 200, text

    def some_client_id(self, member):
        others = [thing for one in self.members for thing in one.things]
        return self.rng.choice([*member.things, *member.things, self.rng.choice(others), "*", "+", "a/b", "x9", "\u00e9"])

    def about(self, member, client_id):
        """What a request of this member knows."""
        thing = oracle.connection_thing(client_id, member.things, member.exclusive) if member else None
        return oracle.Request(
            action="",
            resource="",
            client_id=client_id,
            certificate_id=member and member.arn.rpartition("/")[2],
            certificate=member.facts if member else {},
            thing=thing and oracle.Thing(thing, None, self.attributes[thing]),
        )

    def effective_groups(self, thing):
        return oracle.with_ancestors(self.groups[thing], self.parents) if thing else []


# ---- Policies in their places ----


@dataclass
class Placed:
    """Policies of a world: on the certificate, on groups, or nowhere."""

    fleet: Fleet
    member: Member
    parsed: list = field(default_factory=list)
    targets: dict = field(default_factory=dict)  # name -> ARN, or None
    groups: dict = field(default_factory=dict)  # name -> where
    documents: dict = field(default_factory=dict)  # name -> text

    def some_place(self):
        """The certificate more often than not; a group has room for two policies."""
        group = self.fleet.rng.choice(list(self.fleet.parents))
        open_ = [group] if list(self.groups.values()).count(group) < 2 else []
        return self.fleet.rng.choice([*(["certificate"] * 4 if self.member else []), *open_, *open_, None])

    def place(self, name, document, where):
        """where: "certificate", a group's name, or None. A malformed one must be refused, and is left out."""
        policy = cases.parsed_or_none([(name, document)])
        create = lambda: self.fleet.api.create_policy(policyName=name, policyDocument=document)
        if policy is None:
            assert error_of(create) == "MalformedPolicyException", document
            return
        create()
        self.parsed += policy
        self.targets[name] = self.member.arn if where == "certificate" else self.fleet.group_arns.get(where)
        self.groups[name], self.documents[name] = where, document
        if self.targets[name]:
            self.fleet.api.attach_policy(policyName=name, target=self.targets[name])

    def effective(self, thing, added=(), skipped=()):
        """Section 10.3, rule 1, and what a question adds or leaves out."""
        places = {"certificate", *self.fleet.effective_groups(thing)}
        return [
            one for one in self.parsed if one.name in added or (self.groups[one.name] in places and one.name not in skipped)
        ]

    def remove(self):
        for name, target in self.targets.items():
            if target:
                self.fleet.api.detach_policy(policyName=name, target=target)
            self.fleet.api.delete_policy(policyName=name)


def error_of(call):
    try:
        call()
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return None


def some_world(fleet, about, actions, **options):
    """A world around what a member's requests know."""
    names = [name for name in about.certificate if name in oracle.MULTIVALUED]
    names = fleet.rng.sample(names, min(6, len(names))) or ["Subject.Title"]
    return cases.World(fleet.rng, [about], names, actions, **options)
