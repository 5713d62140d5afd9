"""The policy language, told a second time: straight from spec/registry-and-policies.md, sections 9 to 11, by someone who has not
read the engine. Slow, short and plain; `run.py` holds the engine against it. Where the text leaves a choice, README.md names the
reading that both take.

    verdict = evaluate([parse_policy("fleet", document)], Request("Publish", "arn:...:topic/a", client_id="pump-1"))
    verdict.decision        # ALLOWED, EXPLICIT_DENY or IMPLICIT_DENY
"""

import base64
import ipaddress
import json
import re
from collections import namedtuple
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache

ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY = "ALLOWED", "EXPLICIT_DENY", "IMPLICIT_DENY"


class Malformed(Exception):
    """MalformedPolicyException."""


# ---- Section 10.1: what a request knows ----


@dataclass
class Thing:
    """The connection's thing, which is attached (section 10.1); a type that is None is not known."""

    name: str
    type: str = None
    attributes: dict = field(default_factory=dict)


@dataclass
class Request:
    """One question. Members that are None are not known. certificate: "Subject.Organization" and the like -> values."""

    action: str
    resource: str
    client_id: str = None
    source_ip: str = None
    domain_name: str = None
    certificate_id: str = None
    certificate: dict = field(default_factory=dict)
    thing: Thing = None
    connect_attributes: list = None
    last_will_topic: str = None

    def values(self, key):
        """Section 10.1: the values of a condition key, or None when the request does not have it."""
        if not hasattr(self, "_values"):
            self._values = {}
        if key not in self._values:
            self._values[key] = key_values(self, key)
        return self._values[key]

    def text(self, name):
        """Section 10.1: what stands for the variable `${name}`, or None when it cannot be resolved."""
        if not hasattr(self, "_texts"):
            self._texts = {}
        if name not in self._texts:
            self._texts[name] = variable_text(self, name)
        return self._texts[name]


ATTRIBUTE = re.compile(r"(?i:iot:Connection\.Thing\.Attributes)\[(.*)\]", re.DOTALL)
PERSON = (
    "CommonName Country Organization OrganizationalUnit State SerialNumber DistinguishedNameQualifier Title Surname GivenName"
    " Initials Pseudonym GenerationQualifier"
).split()
ALTERNATIVE = "RFC822Name DNSName DirectoryName UniformResourceIdentifier IPAddress".split()
MULTIVALUED = [
    *(f"{whose}.{name}" for whose in ("Subject", "Issuer") for name in PERSON),
    *(f"{whose}.AlternativeName.{name}" for whose in ("Subject", "Issuer") for name in ALTERNATIVE),
]
CERTIFICATE = re.compile(
    r"(?i)iot:Certificate\.(%s)(?:\.(List|[1-9][0-9]*))?" % "|".join(map(re.escape, MULTIVALUED))
)
MULTIVALUED_BY_LOWER = {name.lower(): name for name in MULTIVALUED}
ITEMS_MAX, ITEM_CHARS_MAX = 5, 1024
LISTS = ("iot:connectattributes", "iot:certificate.availablekeys")

SIMPLE = {  # by the name in lower case: reading 3
    "iot:clientid": lambda r: r.client_id,
    "aws:sourceip": lambda r: r.source_ip,
    "iot:domainname": lambda r: r.domain_name,
    "iot:certificateid": lambda r: r.certificate_id,
    "iot:connection.thing.thingname": lambda r: r.thing and r.thing.name,
    "iot:connection.thing.thingtypename": lambda r: r.thing and r.thing.type,
    "iot:connection.thing.isattached": lambda r: "true" if r.thing else "false",
    "iot:lastwilltopic": lambda r: r.last_will_topic,
    "iot:certificate.serialnumber": lambda r: first(r.certificate.get("SerialNumber")),
}


def first(values):
    return values[0] if values else None


def key_values(request, key):
    """Section 10.1, every key of the table."""
    if key.lower() in LISTS:
        return request.connect_attributes if key.lower() == LISTS[0] else available_keys(request)
    if key.lower() in SIMPLE:
        value = SIMPLE[key.lower()](request)
        return None if value is None else [value]
    attribute = ATTRIBUTE.fullmatch(key)
    if attribute:
        value = request.thing.attributes.get(attribute[1]) if request.thing else None
        return None if value is None else [value]
    name, which = certificate_key(key)
    return certificate_values(request, name, which) if name else None


def certificate_key(key):
    """A certificate key's name as the table writes it, and what follows it: an index, "list" or nothing."""
    found = CERTIFICATE.fullmatch(key)
    return (MULTIVALUED_BY_LOWER[found[1].lower()], (found[2] or "").lower()) if found else (None, None)


def available_keys(request):
    """Section 10.1: the list of the certificate's keys that have a value."""
    if request.certificate_id is None:
        return None
    return [f"iot:Certificate.{name}" for name, values in request.certificate.items() if values]


def certificate_values(request, name, which):
    """Section 10.1: the bare name is the first value, `.1` the second, `.List` all; five items at most."""
    values = [escaped(v) for v in request.certificate.get(name, [])[:ITEMS_MAX]]
    if which == "list":
        return values or None
    index = int(which or 0)
    return [values[index]] if index < len(values) else None


def escaped(value):
    """Section 10.1: special characters in certificate values are prefixed with a backslash."""
    return re.sub(r'[,"\\+=<>;]', r"\\\g<0>", value)


def variable_text(request, name):
    """Section 10.1. A list is no text; certificate values that are too long or hold a wildcard are not substituted."""
    certificate, which = certificate_key(name)
    values = None if name.lower() in LISTS or which == "list" else request.values(name)
    if not values or (certificate and not is_substituted(request.certificate[certificate][int(which or 0)])):
        return None
    return values[0]


def is_substituted(value):
    return len(value) <= ITEM_CHARS_MAX and not re.search(r"[*$+?#]", value)


# ---- Section 10: texts with variables and wildcards ----

REFERENCE = re.compile(r"\$\{([^}]*)(\}?)")
Template = namedtuple("Template", "parts names text")  # parts: ("text" | "literal" | "variable", str); names: its variables


@lru_cache(8192)
def template(text):
    """Section 10, variables: `${*}`, `${?}` and `${$}` are the character; everything else between `${` and `}` is a name."""
    parts, at = [], 0
    for found in REFERENCE.finditer(text):
        if not found[1] or not found[2]:
            raise Malformed(f"variable in {text}")
        parts.append(("text", text[at : found.start()]))
        parts.append(("literal" if found[1] in ("*", "?", "$") else "variable", found[1]))
        at = found.end()
    parts.append(("text", text[at:]))
    parts = tuple(part for part in parts if part[1])
    return Template(parts, tuple(value for kind, value in parts if kind == "variable"), text)


def filled(one, request):
    """The same parts with each variable's value, as literal text, in its place. All variables must be resolved."""
    if not one.names:
        return one.parts
    return tuple(("literal", request.text(value)) if kind == "variable" else (kind, value) for kind, value in one.parts)


def plain(parts):
    return "".join(value for _, value in parts)


@lru_cache(8192)
def glob(parts):
    """Section 10: `*` any run of characters, `?` exactly one; `+` and `#` are ordinary; substituted text is literal.

    What stands between two `*` may as well match at its first place: an atomic group, so that no pattern takes long."""
    pieces = [""]
    for kind, value in parts:
        for c in value:
            if kind == "text" and c == "*":
                pieces.append("")
            else:
                pieces[-1] += "." if kind == "text" and c == "?" else re.escape(c)
    between = "".join(f"(?>.*?{piece})" for piece in pieces[1:-1])
    return re.compile(pieces[0] + (f"{between}.*{pieces[-1]}" if len(pieces) > 1 else ""), re.DOTALL)


def glob_matches(parts, text):
    return bool(glob(parts).fullmatch(text))


@lru_cache(8192)
def arn_parts(parts):
    """Section 10, ARN compare: the pattern split at its first five colons; a colon inside a value separates nothing."""
    pieces = [[]]
    for kind, value in parts:
        chunks = value.split(":", 6 - len(pieces)) if kind == "text" else [value]
        for i, chunk in enumerate(chunks):
            if i:
                pieces.append([])
            pieces[-1].append((kind, chunk))
    return tuple(map(tuple, pieces))


def arn_matches(parts, arn):
    """Section 10, ARN compare."""
    if plain(parts) == "*" and parts[0][0] == "text":
        return True
    pieces, values = arn_parts(parts), arn.split(":", 5)
    if len(pieces) < 6 or len(values) < 6:
        return glob_matches(parts, arn)
    return all(map(glob_matches, pieces, values))


# ---- Section 10.2: condition operators ----


def number(text):
    return Decimal(text) if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text) else None


DATE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?)?", re.ASCII
)


def date(text):
    """Seconds since the epoch, from a number of them or from an ISO 8601 date."""
    if re.fullmatch(r"-?[0-9]{1,15}", text):
        return Decimal(text)
    found = DATE.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        at = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=timezone.utc)
    except ValueError:
        return None
    seconds = (at - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(seconds=1)
    if zone and zone != "Z":
        seconds -= int(f"{zone[0]}1") * (int(zone[1:3]) * 3600 + int(zone[4:6]) * 60)
    return Decimal(seconds) + (Decimal("0." + fraction) if fraction else 0)


def address(text):
    """An address; an IPv4 address that is written as IPv6 is the IPv4 address."""
    try:
        found = ipaddress.ip_address(text) if "%" not in text else None
    except ValueError:
        return None
    return found and (getattr(found, "ipv4_mapped", None) or found)


def network(text):
    """An address with a prefix length or without; bits behind the prefix do not count."""
    host, slash, prefix = text.partition("/")
    at = address(host)
    if at is None or (slash and not re.fullmatch(r"[0-9]{1,3}", prefix)):
        return None
    bits = int(prefix) if slash else 128 if ":" in host else 32
    bits -= 96 if ":" in host and at.version == 4 else 0
    return ipaddress.ip_network((at, bits), strict=False) if 0 <= bits <= at.max_prefixlen else None


def is_inside(ip, net):
    return ip.version == net.version and ip in net


def lower(text):
    """ASCII letters in lower case."""
    return text.encode().lower()


def truth(text):
    return {b"true": True, b"false": False}.get(lower(text))


def binary(text):
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


def compared(read, read_pattern, holds):
    """A test of what two texts stand for; a text that stands for nothing passes no test."""

    def test(value, parts):
        left, right = read(value), read_pattern(plain(parts))
        return left is not None and right is not None and holds(left, right)

    return test


ORDERS = {
    "Equals": lambda a, b: a == b,
    "LessThan": lambda a, b: a < b,
    "LessThanEquals": lambda a, b: a <= b,
    "GreaterThan": lambda a, b: a > b,
    "GreaterThanEquals": lambda a, b: a >= b,
}

Operator = namedtuple("Operator", "test is_negated")
READERS = {"Numeric": number, "Date": date, "Bool": truth, "IpAddress": network, "NotIpAddress": network, "Binary": binary}

OPERATORS = {
    "StringEquals": Operator(lambda v, p: v == plain(p), False),
    "StringEqualsIgnoreCase": Operator(lambda v, p: lower(v) == lower(plain(p)), False),
    "StringLike": Operator(lambda v, p: glob_matches(p, v), False),
    **{f"Numeric{name}": Operator(compared(number, number, holds), False) for name, holds in ORDERS.items()},
    **{f"Date{name}": Operator(compared(date, date, holds), False) for name, holds in ORDERS.items()},
    "Bool": Operator(compared(truth, truth, ORDERS["Equals"]), False),
    "BinaryEquals": Operator(compared(str.encode, binary, ORDERS["Equals"]), False),
    "IpAddress": Operator(compared(address, network, is_inside), False),
    "ArnEquals": Operator(lambda v, p: arn_matches(p, v), False),
    "ArnLike": Operator(lambda v, p: arn_matches(p, v), False),
}
NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}
OPERATORS.update({name: Operator(OPERATORS[of].test, True) for name, of in NEGATED.items()})
SETS = ("ForAllValues", "ForAnyValue")

Condition = namedtuple("Condition", "operator base set if_exists key patterns")


def split_word(word):
    """Section 10.2: set prefix, operator, whether it ends in IfExists; what is none of these is malformed."""
    head, colon, name = word.partition(":")
    set_, name = (head, name) if colon else (None, word)
    if_exists = name.endswith("IfExists")
    base = name[: -len("IfExists")] if if_exists else name
    if word != "Null" and (base not in OPERATORS or set_ not in (None, *SETS)):
        raise Malformed(f"operator {word}")
    return set_, base, if_exists


def parse_condition(word, key, values):
    """Section 10.2: one key of one operator."""
    set_, base, if_exists = split_word(word)
    patterns = tuple(template(scalar(v)) for v in some_of(values))
    if not all(is_typed(base, pattern) for pattern in patterns):
        raise Malformed(f"a value of {word}")
    return Condition(word, base, set_, if_exists, key, patterns)


def is_typed(base, pattern):
    """Whether a value is a number, a date, ... where the operator compares such. Variables stand in texts and ARNs alone."""
    read = truth if base == "Null" else next((READERS[kind] for kind in READERS if base.startswith(kind)), None)
    return not read or (not pattern.names and read(plain(pattern.parts)) is not None)


def condition_holds(condition, request):
    """Section 10.2: whether one key of one operator holds. All its variables must be resolved."""
    values = request.values(condition.key)
    patterns = [filled(pattern, request) for pattern in condition.patterns]
    if condition.base == "Null":
        return any((values is None) == (lower(plain(p)) == b"true") for p in patterns)
    operator = OPERATORS[condition.base]
    if values is None:
        return missing_key_holds(condition, operator)
    is_good = [any(operator.test(v, p) for p in patterns) != operator.is_negated for v in values]
    if condition.set == "ForAllValues" or (operator.is_negated and not condition.set):
        return all(is_good)
    return any(is_good)


def missing_key_holds(condition, operator):
    """Section 10.2: a key that the request does not have."""
    if condition.if_exists:
        return True
    return {"ForAllValues": True, "ForAnyValue": False, None: operator.is_negated}[condition.set]


# ---- Section 5 and 9: documents ----

Patterns = namedtuple("Patterns", "is_not templates")
Statement = namedtuple("Statement", "index effect actions resources conditions names")
Policy = namedtuple("Policy", "name statements")


ACTIONS = (
    "Connect Publish RetainPublish Subscribe Receive GetRetainedMessage ListRetainedMessages GetThingShadow UpdateThingShadow"
    " DeleteThingShadow ListNamedShadowsForThing DescribeJobExecution GetPendingJobExecutions StartNextPendingJobExecution"
    " UpdateJobExecution AssumeRoleWithCertificate"
).split()


def as_list(value):
    return value if isinstance(value, list) else [value]


def some_of(value):
    """One or a list of some."""
    if value == []:
        raise Malformed("an empty list")
    return as_list(value)


def scalar(value):
    """A condition's value: a text, or a number or truth value as JSON writes it."""
    if value is None or isinstance(value, (list, dict)):
        raise Malformed("a value that is no text")
    return value if isinstance(value, str) else json.dumps(value)


def parse_patterns(source, name):
    is_not = f"Not{name}" in source
    if is_not == (name in source):
        raise Malformed(f"{name} and Not{name}")
    return Patterns(is_not, tuple(map(template, some_of(source[f"Not{name}" if is_not else name]))))


def check_action(text):
    """Another service's action is taken and never matches; one of this service must name a device's action."""
    service, colon, _ = text.partition(":")
    is_foreign = colon and re.fullmatch(r"[a-z0-9-]+", service.lower()) and service.lower() != "iot"
    named = (glob_matches(template(text.lower()).parts, f"iot:{action}".lower()) for action in ACTIONS)
    if not is_foreign and not any(named):
        raise Malformed(f"action {text}")


MEMBERS = set("Sid Effect Action NotAction Resource NotResource Condition".split())


def parse_statement(index, source):
    if set(source) - MEMBERS or source.get("Effect") not in ("Allow", "Deny"):
        raise Malformed("a member that is not in the grammar, or Effect")
    actions, resources = parse_patterns(source, "Action"), parse_patterns(source, "Resource")
    for one in actions.templates:
        check_action(one.text)
    conditions = tuple(
        parse_condition(word, key, values)
        for word, keys in source.get("Condition", {}).items()
        for key, values in keys.items()
    )
    used = [*resources.templates, *(p for c in conditions for p in c.patterns)]
    names = tuple(dict.fromkeys(name for one in used for name in one.names))
    return Statement(index, source["Effect"], actions, resources, conditions, names)


def parse_policy(name, document):
    """Section 5, statement grammar. document: JSON text."""
    statements = as_list(json.loads(document)["Statement"])
    return Policy(name, tuple(parse_statement(i, one) for i, one in enumerate(statements)))


# ---- Section 10.3: evaluation ----

# unresolved: names of variables that the request cannot tell; resources, conditions: what each entry says, by itself.
Judged = namedtuple("Judged", "policy statement unresolved resources conditions matches")


@lru_cache(8192)
def action_matches(patterns, action):
    """Section 10: action names regardless of case, with wildcards; NotAction when none matches."""
    wanted = f"iot:{action}".lower()
    found = any(glob_matches(template(one.text.lower()).parts, wanted) for one in patterns.templates)
    return found != patterns.is_not


def resource_results(patterns, request):
    """Which entries of Resource or NotResource match, None where a variable is not resolved."""
    return [
        None if any(request.text(name) is None for name in one.names) else arn_matches(filled(one, request), request.resource)
        for one in patterns.templates
    ]


def condition_results(conditions, request):
    """Which conditions hold, None where a variable in the values is not resolved."""
    return [
        None
        if any(request.text(name) is None for p in one.patterns for name in p.names)
        else condition_holds(one, request)
        for one in conditions
    ]


def judge(policy, statement, request):
    """Section 10, variables: a statement with one that is not resolved cannot match, Allow and Deny alike."""
    unresolved = [name for name in statement.names if request.text(name) is None]
    resources = resource_results(statement.resources, request)
    conditions = condition_results(statement.conditions, request)
    matches = not unresolved and any(resources) != statement.resources.is_not and all(conditions)
    return Judged(policy, statement, unresolved, resources, conditions, matches)


Verdict = namedtuple("Verdict", "decision judged missing")


def decision_of(judged):
    """Section 10.3, rule 2."""
    effects = {one.statement.effect for one in judged if one.matches}
    return EXPLICIT_DENY if "Deny" in effects else ALLOWED if "Allow" in effects else IMPLICIT_DENY


def evaluate(policies, request):
    """Section 10.3. judged: the statements whose action is the request's; missing: names that were not resolved in them."""
    judged = [
        judge(policy, statement, request)
        for policy in policies
        for statement in policy.statements
        if action_matches(statement.actions, request.action)
    ]
    missing = list(dict.fromkeys(name for one in judged for name in one.unresolved))
    return Verdict(decision_of(judged), judged, missing)


# ---- Section 10.1 and 10.3: whose policies, which thing ----


def connection_thing(client_id, attached, exclusive=None):
    """Section 10.1: the thing of the client id's name if attached, else the one attached exclusively, else none."""
    return client_id if client_id in attached else exclusive


def with_ancestors(groups, parents):
    """Section 10.3, rule 1: static groups and all their ancestors. parents: group -> parent."""
    found = []
    for group in groups:
        while group and group not in found:
            found.append(group)
            group = parents.get(group)
    return found


# ---- Section 11: TestAuthorization ----

AuthResult = namedtuple("AuthResult", "decision allowed explicit implicit missing")


def authorization_result(policies, requests):
    """One authInfo: a request for each of its resources, all of one action."""
    verdicts = [evaluate(policies, request) for request in requests]
    decisions = {verdict.decision for verdict in verdicts}
    matching = [one for verdict in verdicts for one in verdict.judged if one.matches]
    by_effect = {
        effect: {one.policy.name for one in matching if one.statement.effect == effect} for effect in ("Allow", "Deny")
    }
    return AuthResult(
        EXPLICIT_DENY if EXPLICIT_DENY in decisions else ALLOWED if decisions == {ALLOWED} else IMPLICIT_DENY,
        by_effect["Allow"],
        by_effect["Deny"],
        {policy.name for policy in policies} - by_effect["Allow"] - by_effect["Deny"],
        {name for verdict in verdicts for name in verdict.missing},
    )
