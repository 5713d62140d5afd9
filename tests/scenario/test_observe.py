"""Observing changes nothing: Debian's own Mosquitto with password file, ACL file and dynamic security on three listeners, and
fifty clients that get every byte as they got it before; then one listener is enforced, and the others notice nothing."""

import base64
import hashlib
import json
import os
import pwd
import signal
import ssl
import subprocess
import tempfile
from pathlib import Path

import broker_kit as kit
import pytest
import stack
from raw_mqtt import RawClient

PASSWORD = "correct horse"
N_CLIENTS = 50
PLAIN, TLS, MUTUAL = range(3)
# Who comes, six of each in turn: two protocol versions on three listeners.
PEOPLE = ["file", "dynsec", "file", "wrong", "dynsec", "nobody", "file", "stranger", "dynsec"]
DYNSEC = next(iter(sorted(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"))), None)

pytestmark = pytest.mark.skipif(DYNSEC is None, reason="this Mosquitto has no dynamic security")

ACLS = """\
pattern readwrite room/#
pattern read inbox/%c/#
pattern write inbox/#
pattern read $SYS/broker/version
"""
ROLE = [
    {"acltype": kind, "topic": topic, "priority": 0, "allow": True}
    for kind in ("publishClientSend", "publishClientReceive", "subscribePattern", "unsubscribePattern")
    for topic in ("room/#", "inbox/#")
]


def dynsec_client(name):
    salt = hashlib.sha256(name.encode()).digest()[:12]
    hashed = hashlib.pbkdf2_hmac("sha512", PASSWORD.encode(), salt, 101)
    return {
        "username": name,
        "salt": base64.b64encode(salt).decode(),
        "password": base64.b64encode(hashed).decode(),
        "iterations": 101,
        "roles": [{"rolename": "resident"}],
    }


class Operator:
    """Somebody's Mosquitto as it was before: its files, its configuration, its clients' names and certificates. deciders:
    who answers for connects and topics, in the configuration's words."""

    def __init__(self, directory, deciders=("passwords", "acls", "dynsec")):
        self.deciders = deciders
        self.dir = Path(directory)
        self.dir.chmod(0o755)
        self.ports = [kit.free_port() for _ in (PLAIN, TLS, MUTUAL)]
        self.ca, self.foreign_ca = (kit.make_cert(f"CA {n}", is_ca=True) for n in (1, 2))
        self.device = kit.make_cert("device", self.ca)
        self.foreign = kit.make_cert("device", self.foreign_ca)
        self.ca.save(self.dir, "ca")
        kit.make_cert("localhost", self.ca).save(self.dir, "server")
        self._write_accounts()
        self.conf = self.dir / "mosquitto.conf"
        self.conf.write_text(self._config())
        for path in self.dir.iterdir():
            path.chmod(0o644)
            os.chown(path, *self._account())

    def _account(self):
        account = pwd.getpwnam("mosquitto") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        return account.pw_uid, account.pw_gid

    def _write_accounts(self):
        passwords = self.dir / "passwords"
        subprocess.run(
            ["mosquitto_passwd", "-c", "-b", passwords, "file", PASSWORD], check=True, capture_output=True
        )
        (self.dir / "acls").write_text(ACLS)
        residents = {
            "clients": [dynsec_client("dynsec")],
            "groups": [],
            "roles": [{"rolename": "resident", "acls": ROLE}],
            "defaultACLAccess": {
                "publishClientSend": False,
                "publishClientReceive": False,
                "subscribe": False,
                "unsubscribe": True,
            },
        }
        (self.dir / "dynsec.json").write_text(json.dumps(residents))

    def _config(self):
        plain, tls, mutual = self.ports
        deciders = {
            "anyone": ["allow_anonymous true"],
            "passwords": [f"password_file {self.dir}/passwords"],
            "acls": [f"acl_file {self.dir}/acls"],
            "dynsec": [f"plugin {DYNSEC}", f"plugin_opt_config_file {self.dir}/dynsec.json"],
            "identity": [],
        }
        keys = [f"certfile {self.dir}/server.pem", f"keyfile {self.dir}/server.key"]
        return "\n".join(
            [
                "log_dest stderr",
                "log_type all",
                *(line for decider in self.deciders for line in deciders[decider]),
                f"listener {plain} 127.0.0.1",
                f"listener {tls} 127.0.0.1",
                *keys,
                f"listener {mutual} 127.0.0.1",
                *keys,
                f"cafile {self.dir}/ca.pem",
                "require_certificate true",
                "use_identity_as_username true" if "identity" in self.deciders else "",
                "",
            ]
        )

    def tls_context(self, cert):
        context = ssl.create_default_context(cafile=self.dir / "ca.pem")
        if cert:
            with tempfile.TemporaryDirectory() as directory:
                context.load_cert_chain(*cert.save(directory, "device"))
        return context

    def clients(self):
        contexts = {
            "none": self.tls_context(None),
            "device": self.tls_context(self.device),
            "foreign": self.tls_context(self.foreign),
        }
        return [self._client(i, contexts) for i in range(N_CLIENTS)]

    def _client(self, i, contexts):
        listener, person, version = i % 3, PEOPLE[i // 6], 4 + i // 3 % 2
        client_id = f"c{i}"
        name = {"nobody": None, "wrong": "file"}.get(person, person)
        password = {"nobody": None, "wrong": "wrong"}.get(person, PASSWORD)
        cert = {PLAIN: None, TLS: "none", MUTUAL: {5: "none", 11: "foreign"}.get(i, "device")}[listener]
        client = RawClient(
            *(self.ports[listener], client_id, version, name, password),
            clean=i % 4 != 3,
            will=(f"room/{listener}/will", f"gone: {client_id}".encode(), i % 3, False) if i % 5 == 0 else None,
            tls=contexts.get(cert),
        )
        client.room, client.qos = f"room/{listener}", i // 2 % 3
        return client


class Broker:
    def __init__(self, conf):
        self.process = subprocess.Popen(
            ["/usr/sbin/mosquitto", "-c", conf],
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=kit.broker_env(),
        )
        self.log = kit.Log(self.process.stderr)

    def __enter__(self):
        self.log.wait(r"mosquitto version .* running")
        return self

    def __exit__(self, *exc):
        self.process.terminate()
        assert self.process.wait(60) == 0, "\n".join(self.log.lines)

    def after_its_end(self, client, end):
        """Ends a connection and returns when the broker knows."""
        mark = self.log.mark()
        end()
        self.log.wait(rf"Client {client.client_id} (closed its connection|disconnected)", mark)

    def hup(self):
        mark = self.log.mark()
        self.process.send_signal(signal.SIGHUP)
        self.log.wait("Reloading config", mark)


# ---- What the clients do, one after the other, so that it is the same each time ----


def settle(clients):
    for client in clients:
        client.settle()


def subscribe_all(clients):
    for client in clients:
        client.subscribe(f"{client.room}/#", client.qos)
        client.subscribe(f"inbox/{client.client_id}/#", 2)
        client.subscribe("secret/#", 1)
        client.subscribe("$SYS/broker/version", 0)
        client.subscribe(f"$share/{client.room[5:]}/{client.room}/shared", 1)
        client.settle()


def publish_all(clients):
    for i, client in enumerate(clients):
        client.publish(f"{client.room}/{client.client_id}", b"hello", client.qos, retain=i % 2 == 0)
        client.publish(f"{client.room}/shared", b"for one of you", 1)
        client.publish("secret/plans", b"no", client.qos)
        client.publish(f"inbox/{client.client_id}/note", bytes(300), 2)
        client.publish("$SYS/broker/mine", b"no", client.qos)
        client.settle()
        settle(clients)


def leave_and_return(clients, broker):
    away = [c for c in clients if not c.clean and c.socket]
    for client in away:
        broker.after_its_end(client, client.disconnect)
    for client in clients:
        client.publish(f"{client.room}/news", b"while you were out", 1)
        client.settle()
    for client in away:
        client.connect()
    settle(clients)


def die_with_a_will(clients, broker):
    for client in clients:
        if client.will and client.socket:
            broker.after_its_end(client, client.drop)
    settle(clients)


def play(operator, broker):
    """Every packet that every client got, by client id."""
    clients = operator.clients()
    for client in clients:
        client.connect()
    subscribe_all(clients)
    publish_all(clients)
    broker.hup()
    settle(clients)
    leave_and_return(clients, broker)
    for client in clients:
        client.unsubscribe(f"inbox/{client.client_id}/#")
    settle(clients)
    die_with_a_will(clients, broker)
    for client in clients:
        client.disconnect()
    return {client.client_id: client.packets for client in clients}


# ---- The comparison ----


@pytest.fixture(scope="module")
def operator():
    with tempfile.TemporaryDirectory(prefix="thingward-operator-") as directory:
        yield Operator(directory)


@pytest.fixture(scope="module")
def bare(operator):
    """What the clients got before there was Thingward."""
    with Broker(operator.conf) as broker:
        return play(operator, broker)


@pytest.fixture
def adopt(make_thingward):
    """The daemon, not started, with the configuration that `thingward adopt` wrote for an operator."""

    def adopted(operator):
        thingward = make_thingward().init()
        thingward.adopted = thingward.home / "adopted.conf"
        thingward.command("adopt", operator.conf, "--data-dir", thingward.dir, "--write", thingward.adopted)
        thingward.put_plugin_in_reach(thingward.adopted)
        return thingward

    return adopted


def by_listener(packets, listener):
    return {name: got for name, got in packets.items() if int(name[1:]) % 3 == listener}


def test_bare_broker_is_the_same_each_time(operator, bare):
    """Without this, equal packets would be luck."""
    with Broker(operator.conf) as broker:
        assert play(operator, broker) == bare


def test_clients_cover_what_they_should(bare):
    everything = [packet for got in bare.values() for packet in got]
    for what in ("connack 0 0000", "connack 0 0005", "connack 0 0087", "connack 0 0100", "publish 1 ",
                 "publish 2 ", "publish 4 ", "publish 0 ", "pubrel 2 ", "puback 0 ", "suback 0 ", "closed"):
        assert any(packet.startswith(what) for packet in everything), what
    hexed = {word: word.encode().hex() for word in ("gone: c", "while you were out", "for one of you")}
    for word, raw in hexed.items():
        assert any(raw in packet for packet in everything), word


def test_nobody_notices_an_observer(operator, bare, adopt):
    adopted = adopt(operator)
    with Broker(adopted.adopted) as broker:
        adopted.start_daemon().wait_ready()
        observed = play(operator, broker)
        for name, packets in bare.items():
            assert observed[name] == packets, name
        stack.wait_until(lambda: would_refuse(adopted) == expected(bare), lambda: would_refuse(adopted))


def would_refuse(thingward):
    """The causes by client, of what `thingward would-refuse` lists."""
    told = thingward.command("would-refuse", "--since", "7d", "--json", "--data-dir", thingward.dir)
    causes = {}
    for device in json.loads(told)["devices"]:
        for reason in device["reasons"]:
            causes.setdefault(reason["client"], set()).add(reason["cause"])
    return causes


def expected(bare):
    """Whoever got in, and why enforcing would not have let him in."""
    causes = {PLAIN: {"no-certificate"}, TLS: {"no-certificate"}, MUTUAL: {"certificate-unknown"}}
    return {
        name: causes[int(name[1:]) % 3] for name, got in bare.items() if got[0].startswith("connack 0 0000")
    }


# Mosquitto takes "the others decide" from its only plugin for a no: the plugin must know where there are no others.
FEWER = [("anyone",), ("passwords",), ("anyone", "acls"), ("passwords", "dynsec"), ("passwords", "acls", "identity")]


@pytest.mark.parametrize("deciders", FEWER, ids="-".join)
def test_nobody_notices_where_fewer_decide(deciders, adopt):
    with tempfile.TemporaryDirectory(prefix="thingward-operator-") as directory:
        operator = Operator(directory, deciders)
        with Broker(operator.conf) as broker:
            before = play(operator, broker)
        with Broker(adopt(operator).adopted) as broker:
            assert play(operator, broker) == before


def test_one_listener_is_enforced(operator, bare, adopt):
    adopted = adopt(operator)
    enforce(adopted.adopted, operator.ports[MUTUAL])
    with Broker(adopted.adopted) as broker:
        adopted.start_daemon().wait_ready()
        got = play(operator, broker)
        for listener in (PLAIN, TLS):
            assert by_listener(got, listener) == by_listener(bare, listener)
        for name, packets in by_listener(got, MUTUAL).items():
            assert packets in (["connack 0 0005"], ["connack 0 0005", "closed"], ["closed"]), name
        register(adopted, operator.device)
        again = RawClient(operator.ports[MUTUAL], "c2", tls=operator.tls_context(operator.device))
        again.connect()
        again.settle()
        again.disconnect()
        assert again.packets[0] == "connack 0 0000"


def enforce(conf, port):
    line = "plugin_opt_mode observe\n"
    assert line in conf.read_text()
    conf.write_text(conf.read_text().replace(line, f"{line}plugin_opt_mode_{port} enforce\n"))


def register(thingward, cert):
    pem = cert.cert.public_bytes(kit.serialization.Encoding.PEM).decode()
    api = thingward.api
    arn = api.register_certificate_without_ca(certificatePem=pem, status="ACTIVE")["certificateArn"]
    api.create_policy(policyName="all", policyDocument=json.dumps(kit.ALLOW_ALL))
    api.attach_policy(policyName="all", target=arn)
