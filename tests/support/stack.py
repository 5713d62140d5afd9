"""The whole of it for scenarios: `thingward init`, `thingward serve` and a real mosquitto on free ports in a
directory of their own, an API client, and devices over TLS.

    def test_something(thingward):
        device = thingward.register("pump-1")
        assert device.connect() == 0
        assert device.report(tcp_ports=[22])["status"] == "ACCEPTED"

Nothing waits by time: everything waits for an event with a deadline that only a failure meets.
"""

import contextlib
import http.client
import json
import os
import pwd
import queue
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import tempfile
import threading
import time
from collections import namedtuple
from pathlib import Path

import boto3
import cbor2
import paho.mqtt.client as mqtt
from botocore.config import Config

import broker_kit as kit

DEADLINE = kit.DEADLINE
KEY_ID, SECRET = "AKIATHINGWARDTEST001", "test+secret/of+the+scenarios+0123456789ab"
ARN = "arn:aws:iot:us-east-1:123456789012:"
ALL_THINGS = f"{ARN}all/registered-things"
TEST_SETTINGS = {"clock.mode": "manual", "report.min_interval_seconds": 0}

THING = "${iot:Connection.Thing.ThingName}"
DEVICE_POLICY = kit.document(
    {
        "Effect": "Allow",
        "Action": "iot:Connect",
        "Resource": f"{ARN}client/{THING}",
        "Condition": {"Bool": {"iot:Connection.Thing.IsAttached": "true"}},
    },
    kit.statement("iot:Publish", f"topic/$aws/things/{THING}/defender/*"),
    kit.statement("iot:Subscribe", f"topicfilter/$aws/things/{THING}/defender/*"),
    kit.statement("iot:Receive", f"topic/$aws/things/{THING}/defender/*"),
)


# A report of the log: id is None when none stands in the payload's text; reporter is a certificate's fingerprint.
Logged = namedtuple("Logged", "thing id reporter is_own")

FORMATS = {"json": (json.dumps, json.loads), "cbor": (cbor2.dumps, cbor2.loads)}


def clean_env(env=None):
    """The environment without names that are the tests' own, which `thingward` would take for settings."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("THINGWARD_")}
    return {**own, **(env or {})}


def wait_until(condition, what):
    """Asks again until the answer is true, and returns it. what: a text, or a function that makes it in the end."""
    end = time.monotonic() + DEADLINE
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"did not come: {what() if callable(what) else what}")
        threading.Event().wait(0.01)


class Stack:
    """One installation. settings: over the defaults; test settings need the flag that `is_test` gives. plugin: a
    module of the build, thingward_mosquitto or one with a planted fault."""

    def __init__(self, settings=None, is_test=True, plugin="thingward_mosquitto"):
        self.plugin = plugin
        self.home = Path(tempfile.mkdtemp(prefix="thingward-stack-"))
        self.home.chmod(0o711)
        self.dir = self.home / "data"
        self.mqtt_port, self.http_port = kit.free_port(), kit.free_port()
        self.settings = {**(TEST_SETTINGS if is_test else {}), **(settings or {})}
        self.is_test = is_test
        self.daemon = self.broker = None
        self.devices = []

    # ---- Programs ----

    def command(self, *words, env=None, check=True):
        """Runs one `thingward` command; its stdout."""
        done = subprocess.run(
            [kit.build_dir() / "thingward", *map(str, words)],
            env=clean_env(env),
            capture_output=True,
            text=True,
        )
        if check and done.returncode:
            raise AssertionError(f"thingward {words}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done if not check else done.stdout

    def init(self):
        self.command(
            *("init", "--data-dir", self.dir, "--mqtt-port", self.mqtt_port),
            *("--http", f"127.0.0.1:{self.http_port}"),
            *(word for key, value in self.settings.items() for word in ("--set", f"{key}={value}")),
            env={
                "THINGWARD_ROOT_ACCESS_KEY_ID": KEY_ID,
                "THINGWARD_ROOT_SECRET_ACCESS_KEY": SECRET,
            },
        )
        self.put_plugin_in_reach(self.dir / "mosquitto.conf")
        return self

    def put_plugin_in_reach(self, conf):
        """The broker drops to its own account, which may not be able to enter the build's directory."""
        if os.getuid() != 0:
            return
        ours = kit.build_dir() / "thingward_mosquitto.so"
        built = ours.with_stem(self.plugin)
        reachable = self.dir / "broker" / built.name
        shutil.copy(built, reachable)
        os.chown(reachable, 0, pwd.getpwnam("mosquitto").pw_gid)
        reachable.chmod(0o750)
        conf.write_text(conf.read_text().replace(str(ours.resolve()), str(reachable)))

    def start_broker(self):
        self.broker = subprocess.Popen(
            ["/usr/sbin/mosquitto", "-c", self.dir / "mosquitto.conf"],
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=kit.broker_env(),
        )
        self.broker_log = kit.Log(self.broker.stderr)
        self.broker_log.wait(r"mosquitto version .* running")
        return self

    def start_daemon(self, env=None):
        self.spawn_daemon(env)
        self.daemon_log.wait(r"serve: version")
        return self

    def spawn_daemon(self, env=None, program=None):
        """Starts it without waiting for anything. program: another one than the build's."""
        flags = ["--allow-test-settings"] if self.is_test else []
        self.daemon = subprocess.Popen(
            [program or kit.build_dir() / "thingward", "serve", "--data-dir", self.dir, *flags],
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=clean_env(env),
        )
        self.daemon_log = kit.Log(self.daemon.stderr)

    def start(self):
        self.init().start_broker().start_daemon()
        return self.wait_ready()

    def wait_ready(self):
        wait_until(lambda: self.get("/readyz")[0] == 200, lambda: f"/readyz 200: {self.get('/readyz')[1]}")
        return self

    def kill_daemon(self):
        self.daemon.kill()
        self.daemon.wait()

    def stop_daemon(self):
        """Asks it to end; its exit code."""
        self.daemon.send_signal(signal.SIGTERM)
        code = self.daemon.wait(60)
        self.daemon_log.thread.join(DEADLINE)
        return code

    def stop_broker(self):
        """Asks it to end, twice if need be: a SIGTERM from before its loop runs is lost. Its exit code."""
        self.broker.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.broker.wait(10)
        self.broker.send_signal(signal.SIGTERM)
        return self.broker.wait(60)

    def remove(self):
        """Ends everything; an end that was not clean is a failure."""
        for device in self.devices:
            device.close()
        codes = {}
        for name, process, stop in (
            ("thingward", self.daemon, self.stop_daemon),
            ("mosquitto", self.broker, self.stop_broker),
        ):
            if process and process.poll() is None:
                codes[name] = stop()
        log = "\n".join(self.daemon_log.lines) if self.daemon else ""
        shutil.rmtree(self.home, ignore_errors=True)
        assert not any(codes.values()), f"did not end cleanly: {codes}\n{log}"

    # ---- HTTP and API ----

    def get(self, path, headers=None):
        """Status and text of a page."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=DEADLINE)
        with contextlib.closing(connection):
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def metric(self, name, **labels):
        """A metric, or the sum of its family's members that have these labels."""
        lines = self.get("/metrics")[1].splitlines()
        assert f"# TYPE thingward_{name} " in "\n".join(lines), f"no metric {name}"
        members = [line.rsplit(" ", 1) for line in lines if re.match(rf"thingward_{name}[ {{]", line)]
        return sum(int(value) for member, value in members
                   if all(f'{label}="{want}"' in member for label, want in labels.items()))

    @property
    def address(self):
        return f"127.0.0.1:{self.http_port}"

    @property
    def endpoint(self):
        return f"http://{self.address}"

    def create_key(self, role):
        """Id and secret of a new access key."""
        shown = self.command("key", "create", "--role", role, "--data-dir", self.dir)
        return tuple(line.split(" = ")[1] for line in shown.splitlines())

    def aws_env(self, key_id=KEY_ID, secret=SECRET):
        """What the AWS CLI reads from its environment; nothing comes from the account's own files."""
        return clean_env(
            {
                "AWS_ACCESS_KEY_ID": key_id,
                "AWS_SECRET_ACCESS_KEY": secret,
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_CONFIG_FILE": "/dev/null",
                "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
                "AWS_PAGER": "",
            }
        )

    def client(self, key_id=KEY_ID, secret=SECRET):
        return boto3.client(
            "iot",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            config=Config(retries={"max_attempts": 0}),
        )

    @property
    def api(self):
        if not hasattr(self, "_api"):
            self._api = self.client()
        return self._api

    def advance(self, seconds):
        """Moves a manual clock on, as `thingward clock advance` does; the new time in milliseconds."""
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self.dir / "control.sock"))
            control.sendall(f"advance {seconds * 1000}\n".encode())
            with control.makefile() as answer:
                word, now = answer.read().split()
        assert word == "ok"
        return int(now)

    def settle(self):
        """Returns when everything that was sent so far is evaluated."""
        return self.advance(0)

    def reports_in_log(self):
        """What the log holds, read by a program that shares no code with the daemon."""
        done = subprocess.run(
            [kit.build_dir() / "tests" / "logread", self.dir / "log.db"],
            capture_output=True,
            text=True,
            check=True,
        )
        rows = [line.split() for line in done.stdout.splitlines()]
        return [
            Logged(row[3], int(row[5]) if row[5] != "-" else None, row[6], row[7] == "own")
            for row in rows
            if len(row) > 3
        ]

    def sql(self, text):
        """What a statement finds in the embedded store: for what no operation shows."""
        with contextlib.closing(sqlite3.connect(self.dir / "main.db")) as db:
            return db.execute(text).fetchall()

    # ---- Devices ----

    def register(self, thing, policy=DEVICE_POLICY, **options):
        """A thing with an active certificate of our CA and a policy of its own; a device that is it."""
        self.api.create_thing(thingName=thing)
        made = self.api.create_keys_and_certificate(setAsActive=True)
        self.api.attach_thing_principal(thingName=thing, principal=made["certificateArn"])
        self.api.create_policy(policyName=f"of-{thing}", policyDocument=json.dumps(policy))
        self.api.attach_policy(policyName=f"of-{thing}", target=made["certificateArn"])
        return self.device(
            thing, made["certificatePem"], made["keyPair"]["PrivateKey"], made["certificateArn"], **options
        )

    def device(self, thing, cert_pem, key_pem, certificate_arn="", client_id=None, format="json"):
        self.devices.append(
            Device(self, thing, cert_pem, key_pem, certificate_arn, client_id or thing, format)
        )
        return self.devices[-1]


class Client(mqtt.Client):
    """One that comes back after a cut; its thread ends when the broker does not take the certificate any more."""

    def loop_forever(self, *args, **options):
        with contextlib.suppress(ssl.SSLError):
            return super().loop_forever(*args, **options)


class Device:
    """A device with a certificate that speaks the report protocol, as JSON or CBOR."""

    def __init__(self, stack, thing, cert_pem, key_pem, certificate_arn, client_id, format):
        self.stack, self.thing, self.certificate_arn = stack, thing, certificate_arn
        self.cert_pem, self.key_pem = cert_pem, key_pem
        self.topic = f"$aws/things/{thing}/defender/metrics/{format}"
        self.encode, self.decode = FORMATS[format]
        self.replies, self.events = queue.Queue(), queue.Queue()
        self.report_id = int(time.time())
        self.bind_address = ""  # that it connects from
        self.client = Client(client_id)
        self.client.tls_set_context(self.tls_context(cert_pem, key_pem))
        self.client.on_connect = lambda c, u, flags, code: self.events.put(("connack", code))
        self.client.on_subscribe = lambda c, u, mid, codes: self.events.put(("suback", codes))
        self.client.on_disconnect = lambda c, u, code: self.events.put(("disconnect", code))
        self.client.on_publish = lambda c, u, mid: self.events.put(("puback", mid))
        self.client.on_message = lambda c, u, m: self.replies.put((m.topic, self.decode(m.payload)))

    @property
    def certificate_id(self):
        return self.certificate_arn.rsplit("/", 1)[1]

    def tls_context(self, cert_pem, key_pem):
        context = ssl.create_default_context(cafile=self.stack.dir / "ca" / "server-ca.pem")
        with tempfile.TemporaryDirectory() as directory:
            cert, key = Path(directory, "cert"), Path(directory, "key")
            cert.write_text(cert_pem)
            key.write_text(key_pem)
            context.load_cert_chain(cert, key)
        return context

    def _wait(self, kind):
        end = time.monotonic() + DEADLINE
        while True:
            event = self.events.get(timeout=max(0.01, end - time.monotonic()))
            if event[0] == kind:
                return event[1]
            if event[0] == "disconnect":
                raise ConnectionError("the broker closed the connection")

    def connect(self):
        """The CONNACK code, with both reply topics subscribed when it is 0."""
        self.events = queue.Queue()  # what an earlier connection left
        self.client.connect("localhost", self.stack.mqtt_port, bind_address=self.bind_address)
        self.client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client.loop_start()
        code = self._wait("connack")
        if code == 0:
            self.client.subscribe([(f"{self.topic}/accepted", 1), (f"{self.topic}/rejected", 1)])
            assert list(self._wait("suback")) == [1, 1]
        return code

    def connect_refused(self):
        """Returns when the broker has refused the certificate: with TLS 1.3 only who reads is told."""
        tls = self.tls_context(self.cert_pem, self.key_pem)
        address = ("localhost", self.stack.mqtt_port)
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            with socket.create_connection(address, timeout=DEADLINE) as raw:
                with tls.wrap_socket(raw, server_hostname="localhost") as connection:
                    connection.recv(1)
            raise AssertionError("the broker took the certificate")

    def wait_closed(self):
        """Returns when the broker has ended the session."""
        with contextlib.suppress(ConnectionError):
            self._wait("closed")

    def send(self, payload):
        """Publishes a report, bytes or a document, without waiting for the reply."""
        raw = payload if isinstance(payload, bytes) else self.encode(payload)
        self.client.publish(self.topic, raw, 1)

    def reply(self):
        """The next reply's document."""
        return self.replies.get(timeout=DEADLINE)[1]

    def report(self, report_id=None, **parts):
        """Sends one report and returns the reply. Parts: as of `document`."""
        self.report_id = report_id or self.report_id + 1
        self.send(document(self.report_id, **parts))
        return self.reply()

    def close(self):
        with contextlib.suppress(ssl.SSLError, OSError):
            self.client.disconnect()
        self.client.loop_stop()


def document(report_id, tcp_ports=None, udp_ports=None, peers=None, counters=None, custom=None):
    """A report with long names. counters: bytes_in, bytes_out, packets_in, packets_out."""
    metrics = {}
    if tcp_ports is not None:
        metrics["listening_tcp_ports"] = {"ports": [{"port": p} for p in tcp_ports], "total": len(tcp_ports)}
    if udp_ports is not None:
        metrics["listening_udp_ports"] = {"ports": [{"port": p} for p in udp_ports], "total": len(udp_ports)}
    if peers is not None:
        connections = [{"remote_addr": p} for p in peers]
        metrics["tcp_connections"] = {
            "established_connections": {"connections": connections, "total": len(connections)}
        }
    if counters is not None:
        metrics["network_stats"] = counters
    report = {"header": {"report_id": report_id, "version": "1.0"}, "metrics": metrics}
    if custom is not None:
        report["custom_metrics"] = custom
    return report
