"""A real mosquitto with the plugin, real certificates, and the far end of the channel, for scenarios.

Nothing here waits by time: everything waits for an event (a log line, a packet, a frame) with a deadline that only a failure meets.
"""

import contextlib
import datetime
import hashlib
import json
import os
import pwd
import queue
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import paho.mqtt.client as mqtt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = float(os.environ.get("THINGWARD_TEST_DEADLINE", "60"))


def build_dir():
    """THINGWARD_BUILD, or the build under build/ that has the plugin."""
    named = os.environ.get("THINGWARD_BUILD")
    if named:
        return Path(named).resolve()
    for so in sorted(ROOT.glob("build/*/thingward_mosquitto.so")):
        return so.parent
    raise RuntimeError("no thingward_mosquitto.so under build/: build first, or set THINGWARD_BUILD")


def sanitizer():
    """The runtime of the sanitizer that the plugin was built with, or None."""
    plugin = (build_dir() / "thingward_mosquitto.so").read_bytes()
    return next((name for name in ("libasan.so", "libtsan.so") if name.encode() in plugin), None)


def broker_env():
    """The broker's environment: a plugin built with a sanitizer needs its runtime in the program that loads it."""
    name = sanitizer()
    if not name:
        return dict(os.environ)
    runtime = subprocess.run(
        ["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return {**os.environ, "LD_PRELOAD": runtime, "ASAN_OPTIONS": "detect_leaks=0"}


# ---- Certificates ----


class Cert:
    def __init__(self, key, cert):
        self.key, self.cert = key, cert

    @property
    def der(self):
        return self.cert.public_bytes(serialization.Encoding.DER)

    @property
    def fingerprint(self):
        return hashlib.sha256(self.der).hexdigest()

    def save(self, directory, name):
        cert, key = Path(directory, name + ".pem"), Path(directory, name + ".key")
        cert.write_bytes(self.cert.public_bytes(serialization.Encoding.PEM))
        key.write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return cert, key


def make_cert(name, issuer=None, days=(-1, 30), is_ca=False):
    """A P-256 certificate; without an issuer it signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.utcnow()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.cert.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=days[0]))
        .not_valid_after(now + datetime.timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    )
    return Cert(key, builder.sign(issuer.key if issuer else key, hashes.SHA256()))


# ---- Policies and snapshots ----

ARN = "arn:aws:iot:us-east-1:123456789012:"


def statement(action, *resources, effect="Allow"):
    return {
        "Effect": effect,
        "Action": action,
        "Resource": [r if r == "*" else ARN + r for r in resources],
    }


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


ALLOW_ALL = document(statement("iot:*", "*"))


class Fleet:
    """What a snapshot says; write() makes the file."""

    def __init__(self, path):
        self.path = Path(path)
        self.generation = 0
        self.policies, self.groups, self.things, self.certs = {"all": ALLOW_ALL}, {}, {}, {}
        self.dimensions = {}

    def add(self, cert, things=(), policies=("all",), active=True, validity=None, exclusive=False):
        start, end = validity or (
            int(cert.cert.not_valid_before.replace(tzinfo=datetime.timezone.utc).timestamp()),
            int(cert.cert.not_valid_after.replace(tzinfo=datetime.timezone.utc).timestamp()),
        )
        for thing in things:
            self.things.setdefault(thing, [])
        self.certs[cert.fingerprint] = {
            "fingerprint": cert.fingerprint,
            "status": "ACTIVE" if active else "INACTIVE",
            "not_before": start,
            "not_after": end,
            "exclusive": exclusive,
            "things": list(things),
            "policies": list(policies),
        }

    def bytes(self, generation):
        scratch = self.path.with_suffix(".scratch")
        fleet = {
            "generation": generation,
            "policies": self.policies,
            "groups": self.groups,
            "things": self.things,
            "certs": list(self.certs.values()),
            "dimensions": self.dimensions,
        }
        subprocess.run(
            [build_dir() / "mksnapshot", scratch], input=json.dumps(fleet).encode(), check=True
        )
        data = scratch.read_bytes()
        scratch.unlink()
        return data

    def write(self):
        self.generation += 1
        replace_file(self.path, self.bytes(self.generation))
        return self.generation


def replace_file(path, data, mode=0o644, uid=None):
    """Puts a new file in the place of the old one, with its rights already right."""
    scratch = Path(str(path) + ".put")
    scratch.write_bytes(data)
    scratch.chmod(mode)
    if uid is not None:
        os.chown(scratch, uid, -1)
    os.rename(scratch, path)


# ---- The broker ----


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Log:
    """Lines of a stream, kept, with waiting for one that matches."""

    def __init__(self, stream):
        self.lines, self.changed, self.ended = [], threading.Condition(), False
        self.thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self.thread.start()

    def _read(self, stream):
        for line in stream:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def mark(self):
        with self.changed:
            return len(self.lines)

    def wait(self, pattern, since=0):
        regex, end = re.compile(pattern), time.monotonic() + DEADLINE
        with self.changed:
            while True:
                for line in self.lines[since:]:
                    if regex.search(line):
                        return line
                left = end - time.monotonic()
                if left <= 0 or self.ended:
                    raise AssertionError(f"no log line like {pattern!r} in:\n" + "\n".join(self.lines))
                self.changed.wait(left)

    def has(self, pattern, since=0):
        with self.changed:
            return any(re.search(pattern, line) for line in self.lines[since:])


class Broker:
    def __init__(self, extra="", prefix=(), options=None, plugin="thingward_mosquitto", log="log_type all"):
        self.dir = Path(tempfile.mkdtemp(prefix="thingward-broker-"))
        self.dir.chmod(0o755)
        self.port, self.prefix, self.extra = free_port(), list(prefix), extra
        self.options, self.log_types = options or {}, log
        self.snapshot = self.dir / "snapshot"
        self.channel = self.dir / "channel"
        self.doorbell = self.dir / "doorbell"
        self.run_dir = self.dir / "run"
        self.run_dir.mkdir()
        self.server = make_cert("localhost")
        cert, key = self.server.save(self.dir, "server")
        (self.dir / "capath").mkdir()
        if os.getuid() == 0:
            account = pwd.getpwnam("mosquitto")
            os.chown(key, account.pw_uid, account.pw_gid)
            os.chown(self.run_dir, account.pw_uid, account.pw_gid)
        key.chmod(0o600)
        self.doorbell = self.run_dir / "doorbell"
        self.fleet = Fleet(self.snapshot)
        self.process = None
        # The broker's account may have no way into the build directory.
        self.plugin = shutil.copy(build_dir() / f"{plugin}.so", self.dir)

    def config(self):
        options = {
            "snapshot": self.snapshot,
            "channel": self.channel,
            "broker": "test",
            "daemon_uid": os.getuid(),
            **self.options,
        }
        return "\n".join(
            [
                "per_listener_settings false",
                "allow_anonymous false",
                "set_tcp_nodelay true",
                "log_dest stderr",
                self.log_types,
                f"plugin {self.plugin}",
                *(f"plugin_opt_{name} {value}" for name, value in options.items()),
                f"listener {self.port} 127.0.0.1",
                f"capath {self.dir / 'capath'}",
                f"certfile {self.dir / 'server.pem'}",
                f"keyfile {self.dir / 'server.key'}",
                "require_certificate true",
                f"listener 0 {self.doorbell}",
                self.extra,
                "",
            ]
        )

    def start(self):
        conf = self.dir / "mosquitto.conf"
        conf.write_text(self.config())
        self.process = subprocess.Popen(
            [*self.prefix, "/usr/sbin/mosquitto", "-c", conf],
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=broker_env(),
        )
        self.log = Log(self.process.stderr)
        # The first TICK: a SIGTERM before the broker's loop runs would be lost.
        self.log.wait(r"daemon is there|no daemon at")
        return self

    def hup(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        """Ends the broker and returns its exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(60)
        self.log.thread.join(DEADLINE)
        return code

    def remove(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


# ---- Devices ----


def client_context(broker, cert):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(broker.dir / "server.pem")
    context.check_hostname = False
    if cert:
        with tempfile.TemporaryDirectory() as directory:
            context.load_cert_chain(*cert.save(directory, "device"))
    return context


class Device:
    """An MQTT client with a certificate; calls return what the broker answered."""

    def __init__(
        self, broker, cert, client_id, clean=True, v5=False, will=None, username=None, transport="tls"
    ):
        self.events = queue.Queue()
        self.messages = queue.Queue()
        self.v5 = v5
        kind = {"protocol": mqtt.MQTTv5} if v5 else {"clean_session": clean}
        if transport == "websockets":
            kind["transport"] = transport
        self.client = mqtt.Client(client_id, **kind)
        if transport == "tls":
            self.client.tls_set_context(client_context(broker, cert))
        if username:
            self.client.username_pw_set(username, "x")
        if will:
            self.client.will_set(*will)
        # Writing is left to the loop's thread: two threads must not use one TLS connection.
        self.client.on_socket_register_write = lambda *a: None
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = lambda *a: self.events.put(("disconnect",))
        self.client.on_subscribe = lambda c, u, mid, codes, *a: self.events.put(("suback", codes))
        self.client.on_publish = lambda c, u, mid: self.events.put(("puback", mid))
        self.client.on_message = lambda c, u, m: self.messages.put(m)
        self.broker, self.thread = broker, None

    def _on_connect(self, client, userdata, flags, code, *rest):
        value = code if isinstance(code, int) else code.value
        self.events.put(("connack", value, flags["session present"]))

    def _loop(self):
        """One connection; a refusal of TLS 1.3 comes with the first read after the handshake."""
        try:
            while self.client.loop(1) == mqtt.MQTT_ERR_SUCCESS:
                pass
        except ssl.SSLError:
            self.events.put(("disconnect",))

    def wait(self, kind):
        end = time.monotonic() + DEADLINE
        while True:
            event = self.events.get(timeout=max(0.01, end - time.monotonic()))
            if event[0] == kind:
                return event

    def connect(self, port=None):
        """The CONNACK code; raises ssl.SSLError or OSError when TLS does not come about."""
        self.client.connect("127.0.0.1", port or self.broker.port)
        self.thread = threading.Thread(target=self._loop, daemon=True)
        self.thread.start()
        end = time.monotonic() + DEADLINE
        while True:
            event = self.events.get(timeout=max(0.01, end - time.monotonic()))
            if event[0] == "connack":
                self.session_present = event[2]
                return event[1]
            if event[0] == "disconnect":
                raise ConnectionError("closed before CONNACK")

    def subscribe(self, topic, qos=1):
        self.client.subscribe(topic, qos)
        code = self.wait("suback")[1][0]
        return code if isinstance(code, int) else code.value

    def publish(self, topic, payload=b"x", qos=1, retain=False):
        return self.client.publish(topic, payload, qos, retain)

    def publish_acked(self, topic, payload=b"x", retain=False):
        self.publish(topic, payload, 1, retain)
        self.wait("puback")

    def receive(self):
        return self.messages.get(timeout=DEADLINE)

    def is_live(self, echo_topic=None):
        """A round trip: true when the session still answers."""
        topic = echo_topic or f"echo/{id(self)}"
        try:
            self.publish_acked(topic)
            return True
        except queue.Empty:
            return False

    def close(self):
        with contextlib.suppress(ssl.SSLError):
            self.client.disconnect()
        if self.thread:
            self.thread.join(DEADLINE)


# ---- The far end of the channel ----

MAGIC = 0x31465754
HELLO, WELCOME, EVENTS, DOWN = 1, 2, 3, 4
REPORT, CUT, APPLIED, FLUSHED, REFUSED, CONNECT, DISCONNECT, TAKEOVER, COUNTERS, TABLE = range(1, 11)
PUBLISH, GENERATION, TIME, FLUSH = range(1, 5)
TOKEN = "0123456789abcdef" * 2


class Fields:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        self.at += n
        assert self.at <= len(self.data)
        return self.data[self.at - n : self.at]

    def num(self, code):
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]

    def text(self):
        return self.take(self.num("H")).decode()

    def blob(self):
        return self.take(self.num("I"))

    def more(self):
        return self.at < len(self.data)


def text16(s):
    raw = s.encode()
    return struct.pack("<H", len(raw)) + raw


def item(kind, body):
    return struct.pack("<BI", kind, len(body)) + body


def item_number(kind, number):
    return item(kind, struct.pack("<Q", number))


def item_publish(topic, payload, qos=1):
    return item(PUBLISH, bytes([qos]) + text16(topic) + struct.pack("<I", len(payload)) + payload)


def rows(table, pattern):
    """What a pattern finds in a table of src/event/, in the order of the rows' numbers."""
    return re.findall(pattern, (ROOT / "src/event" / table).read_text(), re.M)


CAUSE_WORDS = rows("cause.tbl.h", r'^CAUSE\(\w+, "([^"]+)"')
END_WORDS = [row.lower().replace("_", "-") for row in rows("end.tbl.h", r"^END\((\w+)\)")]
MESSAGES = ("sent", "sent_bytes", "sent_min", "sent_max", "received", "received_bytes")


def identity(f):
    who = {"session": f.num("Q"), "fingerprint": f.take(32).hex()}
    who.update(client_id=f.text(), address=f.text(), username=f.text(), port=f.num("H"))
    return who


def report_event(f):
    event = {"fingerprint": f.take(32).hex(), "is_own": f.num("B") == 1}
    event.update(client_id=f.text(), topic=f.text(), payload=f.blob(), at_ms=f.num("q"))
    return event


def connect_event(f):
    event = {**identity(f), "thing": f.text(), "at_ms": f.num("q"), "keep_alive_s": f.num("H")}
    event.update(flags=f.num("B"), others=f.num("I"), other_client_id=f.text(), other_address=f.text())
    return event


def disconnect_event(f):
    event = {**identity(f), "at_ms": f.num("q"), "connected_ms": f.num("Q")}
    event.update(end=END_WORDS[f.num("B")], cause=CAUSE_WORDS[f.num("B")])
    return event


def takeover_event(f):
    event = {"old": identity(f), "new": identity(f), "at_ms": f.num("q")}
    event.update(old_connected_ms=f.num("Q"), old_idle_ms=f.num("Q"))
    event.update(old_keep_alive_s=f.num("H"), new_keep_alive_s=f.num("H"))
    event.update(old_flags=f.num("B"), new_flags=f.num("B"))
    return event


def refused_event(f):
    event = {**identity(f), "action": f.num("B"), "cause": CAUSE_WORDS[f.num("B")]}
    event.update(is_observed=f.num("B") == 1, resource=f.text(), policy=f.text(), version=f.num("I"))
    event.update(statement=f.num("i"), missing=f.text(), count=f.num("Q"))
    event.update(first_ms=f.num("q"), last_ms=f.num("q"))
    return event


def counters_event(f):
    event = {**identity(f), "thing": f.text(), "from_ms": f.num("q"), "to_ms": f.num("q")}
    event.update({name: f.num("Q") for name in MESSAGES})
    event.update(refusals=f.num("Q"), connects=f.num("Q"), disconnects=f.num("Q"))
    event.update(is_connected=f.num("B") == 1)
    names = (*MESSAGES, "refusals")
    event["dimensions"] = {f.text(): {name: f.num("Q") for name in names} for _ in range(f.num("H"))}
    return event


def table_event(f):
    return {"name": f.text(), "n": f.num("Q"), "cap": f.num("Q"), "left_out": f.num("Q")}


def number_event(f):
    return {"number": f.num("Q")}


EVENT_READERS = {
    REPORT: report_event,
    CUT: number_event,
    APPLIED: number_event,
    FLUSHED: number_event,
    REFUSED: refused_event,
    CONNECT: connect_event,
    DISCONNECT: disconnect_event,
    TAKEOVER: takeover_event,
    COUNTERS: counters_event,
    TABLE: table_event,
}


def decode_event(kind, body):
    f = Fields(body)
    event = {"kind": kind, **EVENT_READERS[kind](f)}
    assert not f.more()
    return event


class FarEnd:
    """The daemon's side of the channel, as little as the plugin's scenarios need."""

    def __init__(self, broker, now_ms=1_700_000_000_000, manual=False):
        self.broker, self.now_ms, self.manual = broker, now_ms, manual
        self.acknowledged = 0  # survives connections, as the daemon's log does
        self.auto_ack = True
        self.generation = 0
        self.frames, self.events, self.hellos = [], [], []
        self.changed = threading.Condition()
        self.listener = self.peer = None

    def open(self):
        with contextlib.suppress(FileNotFoundError):
            self.broker.channel.unlink()
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(self.broker.channel))
        self.broker.channel.chmod(0o666)
        self.listener.listen(4)
        threading.Thread(target=self._serve, args=(self.listener,), daemon=True).start()
        return self

    def close(self):
        with contextlib.suppress(FileNotFoundError):
            self.broker.channel.unlink()
        for s in (self.listener, self.peer):
            if s:
                with contextlib.suppress(OSError):
                    s.shutdown(socket.SHUT_RDWR)
                s.close()
        self.listener = self.peer = None

    def _serve(self, listener):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = listener.accept()
                self._talk(peer)

    def _talk(self, peer):
        with contextlib.suppress(OSError):
            while True:
                datagram = peer.recv(1 << 20)
                if not datagram:
                    return
                self._take(peer, datagram)

    def _take(self, peer, datagram):
        f = Fields(datagram)
        assert f.num("I") == MAGIC
        kind, version = f.num("B"), f.num("B")
        if kind == HELLO:
            hello = {"version": f.num("B"), "broker": f.text(), "instance": f.text()}
            hello.update(first_frame=f.num("Q"), generation=f.num("Q"))
            body = struct.pack("<BQQqB", 1, self.acknowledged, self.generation, self.now_ms, self.manual)
            peer.send(struct.pack("<IBB", MAGIC, WELCOME, 1) + body + text16(TOKEN))
            with self.changed:
                self.hellos.append(hello)
                self.peer = peer
                self.changed.notify_all()
            return
        assert (kind, version) == (EVENTS, 1)
        number, events = f.num("Q"), []
        while f.more():
            event_kind, body = f.num("B"), f.blob()
            events.append(decode_event(event_kind, body))
        with self.changed:
            self.frames.append(number)
            self.events += events
            if self.auto_ack:
                self.acknowledged = max(self.acknowledged, number)
                self._down(peer)
            self.changed.notify_all()

    def send(self, *items):
        self._down(self.peer, *items)

    def _down(self, peer, *items):
        peer.send(struct.pack("<IBBQ", MAGIC, DOWN, 1, self.acknowledged) + b"".join(items))

    def wait(self, condition):
        """Waits until condition(self) is true, and returns it."""
        end = time.monotonic() + DEADLINE
        with self.changed:
            while True:
                result = condition(self)
                if result:
                    return result
                left = end - time.monotonic()
                assert left > 0, f"frames {self.frames[-5:]}, events {self.events[-10:]}"
                self.changed.wait(left)

    def wait_up(self, n=1):
        self.wait(lambda far: len(far.hellos) >= n)

    def wait_event(self, **want):
        def matching(far):
            return next((e for e in far.events if want.items() <= e.items()), None)

        return self.wait(matching)

    def flush(self, number):
        self.send(item_number(FLUSH, number))
        self.wait_event(kind=FLUSHED, number=number)
