"""Cases by chance, from a seed: worlds of policies around one identity, and requests steered at them.

A world's requests are made from its own patterns and its patterns from its own values, so that hits, near misses and boundaries
are common. Nothing here decides anything: the oracle does.
"""

import base64
import ipaddress
import json
import random
from dataclasses import dataclass, field, replace

import oracle
from oracle import Request, Thing

ARN = "arn:aws:iot:us-east-1:123456789012:"
TYPES = {
    "Connect": "client",
    "Publish": "topic",
    "RetainPublish": "topic",
    "Receive": "topic",
    "Subscribe": "topicfilter",
    "GetRetainedMessage": "topic",
    "GetThingShadow": "thing",
    "UpdateThingShadow": "thing",
    "DeleteThingShadow": "thing",
    "DescribeJobExecution": "thing",
    "GetPendingJobExecutions": "thing",
    "StartNextPendingJobExecution": "thing",
    "UpdateJobExecution": "thing",
    "AssumeRoleWithCertificate": "rolealias",
}
MQTT_ACTIONS = ["Connect", "Publish", "RetainPublish", "Receive", "Subscribe"]

SEGMENTS = ["a", "b", "ab", "abc", "A", "1", "", "data", "$aws", "things", "+", "#", "*", "?", "\u00e9", "\u65e5\u672c", "x y", "a:b", "${"]
RUNS = ["", "", "a", "b", "a/b", "/", "\u00e9", "*", "?", "a:b", "aaa", "data/1", "$", "}"]
SIGNS = ["a", "b", "1", "", "ab", "/", "*", "?", "\u00e9", "\u65e5", "\U0001f600", "+", "$"]

TEXTS = [
    *("pump-1", "x9", "sensor1", "a", "A", "ab", "abc", "*", "?", "+", "#", "$", "a*b", "a?b", "${iot:ClientId}", "${*}", "a:b", "a/b"),
    *("\u00e9", "\u65e5\u672c", "Example Corp", "AnyCompany", "STRASSE", "true ", "x" * 64),
]
NUMBERS = ["0", "-0", "1", "01", "1.0", "10", "9", "9.99", "-1", "-1.5", "+5", "0.1", "1.10", "4294967296", "9007199254740993", "9007199254740992", "0.3", "0.30000000000000000001", "100.000"]
DATES = [
    *("2020-02-29", "2020-02-29T00:00:00Z", "2020-02-28T23:59:59Z", "2019-12-31T23:30:00-01:00", "2020-01-01T00:30:00Z"),
    *("1577836800", "0", "2020-01-01", "2020-01-01T00:00:00.5Z", "2024-06-30T12:00Z", "1970-01-01T00:00:00Z"),
]
ADDRESSES = [
    *("10.1.2.3", "10.255.255.255", "11.0.0.0", "9.255.255.255", "192.168.0.1", "0.0.0.0", "255.255.255.255", "127.0.0.1"),
    *("2001:db8::1", "2001:db8:0:1::", "::1", "::", "fe80::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:10.1.2.3", "::ffff:192.168.0.1"),
]
TRUTHS = ["true", "false"]
ARNS = [f"{ARN}topic/will/a", f"{ARN}topic/a:b", "arn:aws:iot:eu-west-1:123456789012:topic/a", "arn:aws:s3:::bucket/key", "a:b:c"]
NO_VALUES = ["", "abc", "1e3", "0x10", " 1", "1 ", ".5", "5.", "--1", "2020-13-01", "2020-02-30", "10.1.2", "10.1.2.256", "1,5"]
CERTIFICATE_TEXTS = [
    *("Acme, Inc", 'say "x"', "back\\slash", "x=y", "a<b>", "x;y", "a+b", "wild*card", "q?", "$x", "#9", "AnyCompany", "Example Corp"),
    *("y" * 1024, "y" * 1025, "\u00e9" * 1024, "," * 1024, "\u00e9" * 1025),
]
KINDS = {
    "text": TEXTS,
    "number": NUMBERS,
    "date": DATES,
    "address": ADDRESSES,
    "truth": TRUTHS,
    "arn": ARNS,
    "none": NO_VALUES,
    "certificate": CERTIFICATE_TEXTS,
}
ATTRIBUTES = ["site", "n", "a.b", "a:b/c#1", "Site"]

PLAIN_KEYS = [
    *("iot:ClientId", "aws:SourceIp", "iot:DomainName", "iot:CertificateId", "iot:LastWillTopic", "iot:Certificate.SerialNumber"),
    *("iot:Connection.Thing.ThingName", "iot:Connection.Thing.ThingTypeName", "iot:Connection.Thing.IsAttached"),
    *(f"iot:Connection.Thing.Attributes[{name}]" for name in ATTRIBUTES),
]
LIST_KEYS = ["iot:ConnectAttributes", "iot:Certificate.AvailableKeys"]
STRANGE_KEYS = [
    *("iot:Thing.ThingName", "iot:Tea", "aws:CurrentTime", "iot:Connection.Thing.Attributes[absent]", "iot:CLIENTID"),
    *("iot:Certificate.Subject", "iot:Certificate.Subject.CommonName.0", "IOT:certificate.subject.commonname.LIST"),
]

WORDS = ["Null", *(f"{s}{base}{e}" for s in ("", "ForAllValues:", "ForAnyValue:") for base in oracle.OPERATORS for e in ("", "IfExists"))]


@dataclass
class World:
    """What statements and requests are made from. about: requests without a question, all of one identity."""

    rng: random.Random
    about: list
    certificate_names: list  # those that conditions and variables look at
    actions: list
    segments: list = field(default_factory=lambda: list(SEGMENTS))
    allow_share: float = 0.57  # of the statements
    left_out: tuple = ()  # keys that nobody may ask for
    names: list = field(default_factory=list)  # of variables
    keys: list = field(default_factory=list)
    list_keys: list = field(default_factory=list)

    def __post_init__(self):
        of = [f"iot:Certificate.{name}" for name in self.certificate_names]
        indexed = [f"{key}.{self.rng.choice((1, 1, 2, 4, 5))}" for key in of]
        self.list_keys = [*self._allowed(LIST_KEYS), *(f"{key}.List" for key in of)]
        single = [*self._allowed(PLAIN_KEYS), *(of + indexed) * 3]
        self.keys = [*single, *self.list_keys]
        self.names = self._some_names(single)

    def _allowed(self, keys):
        return [key for key in keys if key not in self.left_out]

    def _some_names(self, keys):
        """Mostly such that can be resolved."""
        resolved = [key for key in keys if self.first.text(key) is not None]
        found = self.rng.sample(resolved, min(len(resolved), 6))
        refused = [key for key in keys if self.first.values(key) and key not in resolved]  # known, but not substituted
        found += self.rng.sample(refused, min(len(refused), 1))
        if self.rng.random() < 0.3 or not found:
            found.append(self.rng.choice([*keys, *self.list_keys, *STRANGE_KEYS]))
        return found

    @property
    def first(self):
        """Whom statements are steered at."""
        return self.about[0]

    def chance(self, share):
        return self.rng.random() < share


# ---- Who asks ----


def some_value(rng, kinds=("text", "text", "number", "date", "address", "truth", "arn", "none")):
    return rng.choice(KINDS[rng.choice(kinds)])


def some_certificate(rng, names):
    """Most of these keys, with one to six values each, and a serial number."""
    kinds = ("text", "certificate", "certificate", "number", "date", "address", "truth", "arn", "none")
    found = {}
    for name in rng.sample(names, rng.randint(len(names) // 2, len(names))):
        found[name] = [some_value(rng, kinds) or "z" for _ in range(rng.choice((1, 1, 2, 3, 5, 6)))]
    if rng.random() < 0.8:
        found["SerialNumber"] = [rng.choice(["01", "7b", "123", "00ff", str(rng.randint(1, 10**9))])]
    return found


def some_identity(rng, names):
    """A request without a question: who is connected, with which certificate, as which thing."""
    certificate = some_certificate(rng, names) if rng.random() < 0.95 else None
    thing = None
    if certificate is not None and rng.random() < 0.8:
        names = rng.sample(ATTRIBUTES, rng.randint(0, len(ATTRIBUTES)))
        thing = Thing(
            some_value(rng) or "t",
            rng.choice([None, "pump", "10", "a*b"]),
            {name: some_value(rng) for name in names},
        )
    return Request(
        action="",
        resource="",
        client_id=thing.name if thing and rng.random() < 0.6 else rng.choice([some_value(rng) or "c", some_value(rng) or "c", None]),
        certificate_id=None if certificate is None else "%064x" % rng.getrandbits(256),
        certificate=certificate or {},
        thing=thing,
    )


def some_circumstances(rng):
    """What may differ from one request of an identity to the next."""
    will = rng.choice([None, None, some_name(rng, SEGMENTS)])
    return {
        "source_ip": rng.choice([None, *[rng.choice(ADDRESSES) for _ in range(5)]]),
        "domain_name": rng.choice([None, "iot.example.com", "IOT.example.com", "a", "10"]),
        "connect_attributes": rng.choice(
            [None, [], ["PersistentConnect"], ["LastWill"], ["PersistentConnect", "LastWill"]]
        ),
        "last_will_topic": None if will is None else f"{ARN}topic/{will}",
    }


def some_name(rng, segments):
    return "/".join(rng.choice(segments) for _ in range(rng.choice((1, 1, 2, 2, 3, 4)))) or "a"


# ---- Patterns ----


def quoted(text):
    """A policy's text that stands for just these characters where variables act but wildcards do not."""
    return text.replace("${", "${$}{")


def with_wildcards(w, text):
    """A pattern for the text: parts of it give way to wildcards, its own wildcards may be quoted."""
    out = []
    i = 0
    while i < len(text):
        chance = w.rng.random()
        if chance < 0.05:
            out.append("*")
            i += w.rng.choice((0, 1, 1, 2, 3))
        elif chance < 0.1:
            out.append("?")
            i += 1
        else:
            c = text[i]
            is_quoted = text.startswith("${", i) or (c in "*?" and w.chance(0.7))
            out.append("${%s}" % c if is_quoted else c)
            i += 1
    return "".join(out) + ("*" if w.chance(0.08) else "")


def with_variables(w, text):
    """The text with the value of a variable in it replaced by the variable."""
    for name in w.names:
        value = w.first.text(name)
        if value and value in text and w.chance(0.8):
            head, _, tail = text.partition(value)
            return f"{quoted(head)}${{{name}}}{quoted(tail)}"
    return quoted(text)


def damaged(rng, text):
    """A near miss."""
    i = rng.randrange(len(text) + 1)
    return rng.choice(
        [
            text + rng.choice("a/*1"),
            text[:-1],
            text[1:],
            text[:i] + rng.choice(["x", "/", "\u00e9", ":"]) + text[i:],
            text[:i] + rng.choice("xA*?") + text[i + 1 :],
            text[:i].swapcase() + text[i:],
            text[:i] + text[i + 1 :],
        ]
    )


# What stands before a resource's type: wildcards, another place, too few parts. They come beside the right one.
HEADS = [
    *("arn:aws:iot:*:*:", "arn:*:iot:us-east-?:123456789012:", "*:*:*:*:*:", "arn:aws:iot:us-east-1:*", "arn:aws:iot:*:", "*:", "*"),
    *("arn:aws:iot:us-west-2:123456789012:", "arn:aws:iot:us-east-1:123456789013:", "arn:aws:s3:us-east-1:123456789012:"),
    *("", "ARN:aws:iot:us-east-1:123456789012:", "arn:aws:iot:us-east-1:12345678901?:", "arn:aws:iot::123456789012:"),
]


def some_part(w):
    """One level of a resource's name."""
    chance = w.rng.random()
    if chance < 0.3:
        return "${%s}" % w.rng.choice(w.names)
    return "*" if chance < 0.42 else with_wildcards(w, w.rng.choice(w.segments))


def some_resource(w, action):
    """A Resource entry for an action."""
    if w.chance(0.08):
        return w.rng.choice(["*", "*", f"{ARN}*", "arn:*", "?", "**"])
    kind = TYPES[action] if w.chance(0.96) else w.rng.choice(list(TYPES.values()))
    heads = ARN if w.chance(0.8) else w.rng.choice(HEADS)
    return f"{heads}{kind}/{'/'.join(some_part(w) for _ in range(w.rng.choice((1, 2, 2, 3))))}"


def instance(w, pattern, request):
    """A text that the pattern matches, or nearly."""
    out = []
    for kind, value in oracle.template(pattern).parts:
        if kind == "literal":
            out.append(value)
        elif kind == "variable":
            text = request.text(value)
            out.append(w.rng.choice(w.segments) if text is None else text)
        else:
            out.extend(w.rng.choice(RUNS) if c == "*" else w.rng.choice(SIGNS) if c == "?" else c for c in value)
    text = "".join(out)
    return damaged(w.rng, text) if w.chance(0.15) else text


# ---- Values of conditions: what the operator finds fitting, or nearly ----


def near_number(w, value):
    """The value's number or one beside it, written in some way."""
    at = oracle.number(value)
    if at is None:
        return w.rng.choice(NUMBERS)
    text = f"{at + oracle.Decimal(w.rng.choice(['0', '0', '1', '0.1', '0.01', '-1', '-0.1', '100'])):f}"
    return w.rng.choice([text, text, text + ("0" if "." in text else ".0"), w.rng.choice(NUMBERS)])


def near_date(w, value):
    at = oracle.date(value)
    if at is None or w.chance(0.3):
        return w.rng.choice(DATES)
    at = min(max(int(at) + w.rng.choice([0, 0, 1, -1, 3600]), 0), 4102444800)
    offset, zone = w.rng.choice([(0, "Z"), (0, "Z"), (3600, "+01:00"), (-5400, "-01:30")])
    local = oracle.datetime.fromtimestamp(at, oracle.timezone.utc) + oracle.timedelta(seconds=offset)
    return w.rng.choice([str(at), local.strftime("%Y-%m-%dT%H:%M:%S") + w.rng.choice(["", "", ".5", ".500", ".0"]) + zone])


def near_address(w, value):
    """A network around the address, or just beside it; now and then one that might hold too much of the other family."""
    if w.chance(0.1):
        return w.rng.choice(["::/0", "0.0.0.0/0", "::/64", "::ffff:0:0/96"])
    at = oracle.address(value)
    if at is None:
        return w.rng.choice(ADDRESSES)
    prefix = min(w.rng.choice([0, 1, 8, 9, 16, 24, 31, 32, 33, 64, 96, 127, 128]), at.max_prefixlen)
    last, first_free = ((1 << at.max_prefixlen) >> prefix, (1 << at.max_prefixlen) >> (prefix + 1))
    host = type(at)(int(at) ^ w.rng.choice([0, 0, first_free, last if prefix else 0]))
    if at.version == 4 and w.chance(0.1):
        return f"::ffff:{host}/{prefix + 96}"
    return w.rng.choice([f"{host}/{prefix}", f"{host}/{prefix}", str(host)])


def near_pattern(w, value):
    return with_wildcards(w, value) if w.chance(0.7) else with_variables(w, value)


def near_arn(w, value):
    head, sep, tail = value.rpartition(":")
    if sep and w.chance(0.4):
        head = w.rng.choice([quoted(head), "arn:aws:iot:*:*", "*:*:*:*:*", "*", "arn:*"])
        return f"{head}:{with_wildcards(w, tail)}"
    return near_pattern(w, value)


def near_case(w, value):
    return quoted(value.swapcase()) if w.chance(0.7) else with_variables(w, value)


# The beginning of an operator's name -> its values, and the kind of text that they are.
NEAR = {
    "StringEqualsIgnoreCase": (near_case, None),
    "StringEquals": (with_variables, None),
    "StringLike": (near_pattern, None),
    "Arn": (near_arn, None),
    "Numeric": (near_number, "number"),
    "Date": (near_date, "date"),
    "IpAddress": (near_address, "address"),
    "Bool": (lambda w, value: w.rng.choice([*TRUTHS, value]), "truth"),
    "Binary": (lambda w, value: base64.b64encode(value.encode()).decode(), None),
}
READ = {"number": oracle.number, "date": oracle.date, "address": oracle.address, "truth": oracle.truth}


def row_of(base):
    plain = oracle.NEGATED.get(base, base)
    return next(row for word, row in NEAR.items() if plain.startswith(word))


def is_fit(base, text):
    """Whether the operator takes it; a broken variable stays, for both sides to refuse."""
    try:
        return oracle.is_typed(base, oracle.template(text))
    except oracle.Malformed:
        return True


def near(w, base, value):
    """A value for a policy that the operator takes: one that fits the request's, or nearly."""
    make, kind = row_of(base)
    chance = w.rng.random()
    text = quoted(damaged(w.rng, value)) if chance < 0.12 else with_variables(w, value) if chance < 0.2 else make(w, value)
    if is_fit(base, text):
        return text
    return w.rng.choice(KINDS[kind]) if kind else base64.b64encode(text.encode()).decode()


def fits(base, value):
    kind = row_of(base)[1]
    return not kind or READ[kind](value) is not None


def some_key(w, base, set_):
    """A condition key: mostly one that the request has, with values of the operator's kind."""
    for _ in range(6):
        found = w.rng.choice(w.list_keys) if set_ and w.chance(0.5) else w.rng.choice(w.keys)
        values = w.first.values(found)
        if (values is None and w.chance(0.2)) or (values is not None and (not values or fits(base, values[0]))):
            break
    return w.rng.choice(STRANGE_KEYS) if w.chance(0.01) else found


def some_condition(w):
    """(operator word, key, values)."""
    word = "Null" if w.chance(0.02) else w.rng.choice(WORDS)
    if word == "Null":
        return word, w.rng.choice([*w.keys, *LIST_KEYS * 8]), w.rng.choice(["true", "false", ["true", "false"], True, False])
    set_, base, _ = oracle.split_word(word)
    key = some_key(w, base, set_)
    values = w.first.values(key) or [some_value(w.rng) or "a"]
    wanted = list(values) if set_ == "ForAllValues" and w.chance(0.8) else [w.rng.choice(values)]
    wanted += [some_value(w.rng) for _ in range(w.rng.choice((0, 0, 1, 2)))]
    found = [near(w, base, value) for value in wanted][:5]
    w.rng.shuffle(found)
    return word, key, found[0] if len(found) == 1 and w.chance(0.6) else found


# ---- Documents ----


def some_action(w, action):
    if w.chance(0.5):
        return f"iot:{action}"
    return w.rng.choice(
        [
            *("iot:*", "*", f"iot:{action[:3]}*", f"IOT:{action.upper()}", f"iot:?{action[1:]}", f"iot:*{action[-4:]}"),
            *("greengrass:*", "s3:GetObject", f"iot:{action}*", "i*", "?ot:*"),
        ]
    )


def one_or_list(w, values):
    return values[0] if len(values) == 1 and w.chance(0.5) else values


def some_statement(w):
    action = w.rng.choice(w.actions)
    actions = [some_action(w, w.rng.choice([action, action, *w.actions])) for _ in range(w.rng.choice((1, 1, 2)))]
    resources = [some_resource(w, action) for _ in range(w.rng.choice((1, 1, 2, 3)))]
    one = {
        "Effect": "Allow" if w.chance(w.allow_share) else "Deny",
        "NotAction" if w.chance(0.1) else "Action": one_or_list(w, actions),
        "NotResource" if w.chance(0.15) else "Resource": one_or_list(w, resources),
    }
    condition = {}
    for _ in range(w.rng.choice((0, 1, 1, 1, 2, 2))):
        word, key, values = some_condition(w)
        condition.setdefault(word, {})[key] = values
    if condition:
        one["Condition"] = condition
    return one


SPOILS = [
    lambda one: one.update(Condition={"StringEqual": {"iot:ClientId": "a"}}),
    lambda one: one.update(Condition={"NullIfExists": {"iot:ClientId": "true"}}),
    lambda one: one.update(Condition={"ForEachValue:StringEquals": {"iot:ClientId": "a"}}),
    lambda one: one.update(Condition={"NumericEquals": {"iot:ClientId": "a"}}),
    lambda one: one.update(Effect="allow"),
    lambda one: one.update(Principal="*"),
    lambda one: one.update(Action="*", NotAction="*"),
    lambda one: one.update(Action="iot:Nothing"),
    lambda one: one.pop("Effect"),
]
SPOILED_SHARE = 0.003

DOCUMENT_CHARS_MAX = 2048  # section 8, white space not counted


def some_document(w):
    statements = [some_statement(w) for _ in range(w.rng.choice((0, 1, 2, 3, 3, 4, 4, 4)))]
    if statements and w.chance(SPOILED_SHARE):
        w.rng.choice(SPOILS)(w.rng.choice(statements))
    while True:
        source = statements[0] if len(statements) == 1 and w.chance(0.3) else statements
        text = json.dumps({"Version": "2012-10-17", "Statement": source}, ensure_ascii=w.chance(0.5))
        if len("".join(text.split())) <= DOCUMENT_CHARS_MAX:
            return text
        statements.pop()


# ---- Requests ----


def patterns_of(policies):
    """The Resource entries of parsed policies."""
    return [one.text for policy in policies for statement in policy.statements for one in statement.resources.templates]


def some_request(w, patterns):
    """A question of the identity, steered at one of the patterns."""
    about = w.rng.choice([*w.about, w.first, w.first])
    action = w.rng.choice(w.actions)
    name = None
    if patterns and w.chance(0.9):
        text = instance(w, w.rng.choice(patterns), about)
        kind, slash, rest = (text.removeprefix(ARN) if text.startswith(ARN) else text.rpartition(":")[2]).partition("/")
        name = rest if slash else kind
        fitting = [one for one in w.actions if TYPES[one] == kind]
        action = w.rng.choice(fitting) if fitting else action
    if w.chance(0.03):
        name = f"{w.rng.choice(w.segments)}:{TYPES[action]}/{name}"  # as if the pattern's heads could be longer
    return replace(about, action=action, resource=f"{ARN}{TYPES[action]}/{name or some_name(w.rng, w.segments)}")


# ---- Worlds ----

POLICIES_MAX, REQUESTS = 5, 24


def some_world(rng):
    names = rng.sample(oracle.MULTIVALUED, 9)
    identity = some_identity(rng, names)
    about = [replace(identity, **some_circumstances(rng)) for _ in range(3)]
    return World(rng, about, names, rng.sample(list(TYPES), 3))


def parsed_or_none(policies):
    """The parsed policies, None when one is malformed."""
    try:
        return [oracle.parse_policy(*policy) for policy in policies]
    except oracle.Malformed:
        return None


def worlds(seed):
    """Without end: (policies as (name, text), the same parsed or None, requests). The same seed gives the same."""
    rng = random.Random(seed)
    while True:
        w = some_world(rng)
        policies = [(f"p{i}", some_document(w)) for i in range(rng.randint(1, POLICIES_MAX))]
        parsed = parsed_or_none(policies)
        yield policies, parsed, [some_request(w, patterns_of(parsed or [])) for _ in range(REQUESTS if parsed else 1)]
