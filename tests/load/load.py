"""What the rows of tests/load/run share: programs, fleets of certificates, brokers side by side."""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import broker_kit as kit

BROKER_CPU, OTHER_CPU = min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0))
MEASURING = "LOAD_MEASURING"  # set in the environment by `run`
CPU_CLOCK = 2  # of a process, as clock_getcpuclockid makes it
FIRST_PRIORITY = 10
KNOCKERS_NICE = 10

OWN_TOPICS = tuple(
    kit.statement(f"iot:{action}", f"{kind}/telemetry/*")
    for action, kind in (("Publish", "topic"), ("Subscribe", "topicfilter"), ("Receive", "topic"))
)


def cpu_s(pid):
    """CPU seconds that a process has taken."""
    return time.clock_gettime(~pid << 3 | CPU_CLOCK)


def memory_bytes(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def is_measuring():
    """Times are looked at: then who waits for a core, and for which, must not matter."""
    return bool(os.environ.get(MEASURING))


def go_first(pid=0):
    """Before everything else that wants a core; needs root."""
    if is_measuring():
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(FIRST_PRIORITY))


def stand_back():
    os.setpriority(os.PRIO_PROCESS, 0, KNOCKERS_NICE)


def apart(pid):
    """A broker on a core of its own; the load is on the other."""
    if is_measuring():
        os.sched_setaffinity(pid, {BROKER_CPU})
        os.sched_setaffinity(0, {OTHER_CPU})
        go_first(pid)


# ---- Programs ----


def program(name):
    folder = "bench" if name.startswith("bench_") else "load"
    return kit.build_dir() / "tests" / folder / name


def run(name, *words, preexec=None):
    """What a program printed, as JSON."""
    done = subprocess.run(
        [program(name), *map(str, words)], stdout=subprocess.PIPE, text=True, check=True, preexec_fn=preexec
    )
    return json.loads(done.stdout)


class Talk:
    """A program that answers each line on its stdin with one of JSON; it has said one by itself."""

    def __init__(self, name, *words, preexec=None):
        self.process = subprocess.Popen(
            [program(name), *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=preexec,
        )
        self.hear()

    def hear(self):
        line = self.process.stdout.readline()
        assert line, "a program of the load ended"
        return json.loads(line)

    def ask(self):
        print(file=self.process.stdin, flush=True)
        return self.hear()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


# ---- Certificates ----


class Fleet:
    """Certificates of an issuer that nobody else knows, as the programs read them: DIR/dev000.pem and .key."""

    def __init__(self, directory, n, subject=None):
        self.dir, self.n = Path(directory), n
        self.dir.mkdir(parents=True)
        self.ca = kit.make_cert("issuer", is_ca=True)
        self.ca.save(self.dir, "issuer")
        self.names = [f"dev{i:03}" for i in range(n)]
        self.certs = [kit.make_cert(subject or name, self.ca) for name in self.names]
        for name, cert in zip(self.names, self.certs):
            cert.save(self.dir, name)


@contextlib.contextmanager
def scratch():
    with tempfile.TemporaryDirectory(prefix="thingward-load-") as home:
        Path(home).chmod(0o755)
        yield Path(home)


# ---- Brokers ----


class Side:
    """A broker and where its clients come in. plain: the port without TLS, if there is one."""

    def __init__(self, pid, port, ca, log, plain=None):
        self.pid, self.port, self.ca, self.log, self.plain = pid, port, ca, log, plain
        apart(pid)

    def knock(self, fleet, count, prefix, rate=0, threads=1, preexec=None, is_plain=False):
        """As load_knock; with the certificates of a fleet, or over plain TCP."""
        return run("load_knock", *self.knock_words(fleet, count, prefix, rate, threads, is_plain), preexec=preexec)

    def knock_words(self, fleet, count, prefix, rate, threads, is_plain):
        where = (self.plain, "-", "-", 0) if is_plain else (self.port, self.ca, fleet.dir, fleet.n)
        return ("-r", rate, "-t", threads, *where, count, prefix)

    def hup(self):
        """SIGHUP; returns when the broker has begun to obey it."""
        since = self.log.mark()
        os.kill(self.pid, signal.SIGHUP)
        self.log.wait("Reloading config", since)


class Ours:
    """The broker with the plugin, and the channel's far end, whose clock stands still."""

    START = 1_700_000_000_000
    MARK = 300_000

    def __init__(self):
        self.plain = kit.free_port()
        # A line for every message would measure who reads them.
        self.broker = kit.Broker(extra=f"listener {self.plain} 127.0.0.1", log="")
        self.far = kit.FarEnd(self.broker, now_ms=self.START, manual=True)

    def register(self, fleet, document):
        """Each certificate of the fleet and its thing, with one policy for all."""
        self.broker.fleet.policies["fleet"] = document
        for name, cert in zip(fleet.names, fleet.certs):
            self.broker.fleet.add(cert, things=[name], policies=["fleet"])

    def start(self):
        self.broker.fleet.write()
        self.far.open()
        self.broker.start()
        self.far.wait_up()
        return Side(self.broker.process.pid, self.broker.port, self.broker.dir / "server.pem", self.broker.log, self.plain)

    def cut(self):
        """Lets the next mark pass; the counters up to it."""
        mark = (self.far.now_ms // self.MARK + 1) * self.MARK
        self.far.now_ms = mark + 1
        self.far.send(kit.item_number(kit.TIME, mark + 1))
        self.far.wait_event(kind=kit.CUT, number=mark)
        return [e for e in self.far.events if e["kind"] == kit.COUNTERS and e["to_ms"] == mark]

    def of_kind(self, kind, **want):
        return [e for e in self.far.events if e["kind"] == kind and want.items() <= e.items()]

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.far.close()
        self.broker.remove()


@contextlib.contextmanager
def bare(broker, fleet, prefix=""):
    """A broker without plugin beside `broker`: the same listeners, its own checks of certificates; with a prefix it refuses
    all other client ids."""
    port, plain = kit.free_port(), kit.free_port()
    conf = broker.dir / "bare.conf"
    conf.write_text(f"""per_listener_settings false
allow_anonymous true
{f"clientid_prefixes {prefix}" if prefix else ""}
set_tcp_nodelay true
log_dest stderr
listener {port} 127.0.0.1
cafile {fleet.dir / "issuer.pem"}
certfile {broker.dir / "server.pem"}
keyfile {broker.dir / "server.key"}
require_certificate true
use_identity_as_username true
listener {plain} 127.0.0.1
""")
    command = ["/usr/sbin/mosquitto", "-c", conf]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace", env=kit.broker_env())
    try:
        log = kit.Log(process.stderr)
        log.wait(r"mosquitto version .* running")
        yield Side(process.pid, port, broker.dir / "server.pem", log, plain)
    finally:
        process.terminate()
        process.wait()
        log.thread.join(kit.DEADLINE)


def go_on_for(seconds):
    """Lets a load run so long."""
    threading.Event().wait(seconds)

