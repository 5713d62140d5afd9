"""The rows of tests/load/run. Each is a function of its sizes, and returns what it counted and measured: the full ones of
`run` look at times, the small ones of tests/scenario/test_load.py at counts and caps alone."""

import contextlib
import json
import signal
import statistics
import subprocess

import broker_kit as kit
import load
import stack
from load import Fleet, Ours, Talk, bare, go_first, run, scratch, stand_back

OWN_ID = kit.statement("iot:Connect", "client/${iot:Connection.Thing.ThingName}")
ANY_ID = kit.statement("iot:Connect", "client/*")
# Words of a line of `logread -e`: kind of entry, of event; of counters the client id, messages sent, connects, ends.
KIND, EVENT, CLIENT, SENT, CONNECTS, ENDS = 1, 4, 7, 14, 21, 22
OF_EVENT = "7"
ANY_CLIENT = kit.document(ANY_ID, *load.OWN_TOPICS)
OWN_CLIENT = kit.document(OWN_ID, *load.OWN_TOPICS)


def median_ratio(ratios):
    return {"ratio": statistics.median(ratios), "ratios": sorted(ratios)}


# ---- A crowd of certificates with one subject ----


def crowd(certificates=10_000, connects=1000, rounds=7):
    """What a connect costs the broker where so many certificates of one subject and of an unknown issuer are registered,
    beside a broker that knows one such."""
    with scratch() as home, Ours() as many, Ours() as one:
        parts = [Fleet(home / str(at), min(1000, certificates), "one for all") for at in range(0, certificates, 1000)]
        alone = Fleet(home / "alone", 1, "one for all")
        for part in parts:
            many.register(part, ANY_CLIENT)
        one.register(alone, ANY_CLIENT)
        sides = many.start(), one.start()
        costs = [connect_costs(sides, (parts[n % len(parts)], alone), connects, n) for n in range(rounds + 1)]
        return median_ratio([a / b for a, b in costs[1:]]) | {"connect_us": 1e6 * statistics.median(a for a, _ in costs)}


def connect_costs(sides, fleets, connects, n):
    return [connect_cost(side, fleet, connects, f"r{n}-") for side, fleet in zip(sides, fleets)]


def connect_cost(side, fleet, connects, prefix):
    before = load.cpu_s(side.pid)
    done = side.knock(fleet, connects, prefix)
    assert done["accepted"] == connects, done
    return (load.cpu_s(side.pid) - before) / connects


# ---- Many who may not come in ----


def calm_p99(side, fleet, seconds):
    """Of a device's message to itself and back, us."""
    words = ("-b", "-q", 1, "-r", 500, "-d", seconds, side.port, side.ca, fleet.dir, fleet.n)
    return run("bench_fleet", *words, preexec=go_first)["p99_us"]


@contextlib.contextmanager
def knocking(side, fleet, count, rate, prefix, is_plain):
    """Clients that knock while the block runs; the block has what they heard in the end."""
    words = side.knock_words(fleet, count, prefix, rate, 8, is_plain)
    command = [load.program("load_knock"), *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=stand_back)
    heard = {}
    try:
        yield heard
    finally:
        heard.update(json.loads(process.communicate()[0]))


def p99_beside(side, calm, knockers, seconds, rate, prefix, is_plain):
    """p99 of the calm ones without and with the knockers, and how many of these a second there were."""
    without = calm_p99(side, calm, seconds)
    with knocking(side, knockers, (seconds + 3) * rate, rate, prefix, is_plain) as heard:
        load.go_on_for(1)
        beside = calm_p99(side, calm, seconds)
    assert not heard["accepted"], heard
    return without, beside, (seconds + 3) * rate / heard["seconds"]


def knockers(rate=833, seconds=3, rounds=3):
    """p99 of a legitimate message while others are refused so often, beside a bare broker that refuses the same: strangers in
    the TLS handshake, known certificates with other client ids, and clients without certificate over plain TCP."""
    with scratch() as home, Ours() as mine:
        calm, strangers = Fleet(home / "calm", 50), Fleet(home / "strangers", 50)
        mine.register(calm, OWN_CLIENT)
        side = mine.start()
        with bare(mine.broker, calm, prefix="dev") as other:
            kinds = {"strangers": (strangers, False), "client ids": (calm, False), "plain": (None, True)}
            done = {kind: [] for kind in kinds}
            for n in range(rounds):
                for kind, (fleet, is_plain) in kinds.items():
                    pair = [
                        p99_beside(one, calm, fleet, seconds, rate, f"x{n}-", is_plain) for one in (side, other)
                    ]
                    done[kind].append(pair)
            return {kind: knock_figures(pairs) for kind, pairs in done.items()}


def knock_figures(pairs):
    """Medians over the rounds."""
    (calm, beside, rate), (bare_calm, bare_beside, bare_rate) = (
        [statistics.median(pair[who][what] for pair in pairs) for what in range(3)] for who in range(2)
    )
    figures = {"calm_us": calm, "beside_us": beside, "rate": rate}
    figures |= {"bare_calm_us": bare_calm, "bare_beside_us": bare_beside, "bare_rate": bare_rate}
    return figures | {"up": beside / calm, "bare_up": bare_beside / bare_calm, "to_bare": beside / bare_beside}


# ---- SIGHUP with many sessions ----


def worst_gap(side, hold, sessions):
    """The longest wait of the asking session over a SIGHUP, ms."""
    hold.ask()
    side.hup()
    longest = answers = 0
    while answers < 100:
        state = hold.ask()
        assert state["open"] == sessions, f"{sessions - state['open']} sessions ended"
        longest, answers = max(longest, state["longest_ms"]), answers + state["answers"]
    return longest


@contextlib.contextmanager
def held(side, fleet, sessions):
    words = (side.port, side.ca, fleet.dir, fleet.n, sessions)
    with Talk("load_hold", *words, preexec=go_first) as hold:
        yield hold


def reload(sessions=10_000, rounds=5):
    """SIGHUP with so many sessions, with a snapshot and while none can be read: the longest stall, beside a bare broker."""
    with scratch() as home, Ours() as mine:
        fleet = Fleet(home / "fleet", 100)
        mine.register(fleet, ANY_CLIENT)
        side = mine.start()
        with bare(mine.broker, fleet) as other, held(side, fleet, sessions) as a, held(other, fleet, sessions) as b:
            with_snapshot = [(worst_gap(side, a, sessions), worst_gap(other, b, sessions)) for _ in range(rounds)]
            mine.broker.snapshot.unlink()
            without = [(worst_gap(side, a, sessions), worst_gap(other, b, sessions)) for _ in range(rounds)]
            return reload_counts(mine) | {
                "with": median_ratio([x / y for x, y in with_snapshot]),
                "without": median_ratio([x / y for x, y in without]),
                "ms": statistics.median(x for x, _ in with_snapshot),
                "bare_ms": statistics.median(y for _, y in with_snapshot),
            }


def reload_counts(mine):
    """Connects and ends as the daemon was told of them."""
    counters = mine.cut()
    return {
        "told": len(mine.of_kind(kit.CONNECT)),
        "ended": len(mine.of_kind(kit.DISCONNECT)),
        "counted": sum(e["connects"] for e in counters),
        "counted_ends": sum(e["disconnects"] for e in counters),
    }


# ---- One floods while the daemon is away ----


def register(installation, fleet, document):
    """Each certificate of the fleet and its thing."""
    api, policy = installation.api, f"load-{fleet.dir.name}"
    api.create_policy(policyName=policy, policyDocument=json.dumps(document))
    for name, cert in zip(fleet.names, fleet.certs):
        pem = (fleet.dir / f"{name}.pem").read_text()
        arn = api.register_certificate_without_ca(certificatePem=pem, status="ACTIVE")["certificateArn"]
        api.create_thing(thingName=name)
        api.attach_thing_principal(thingName=name, principal=arn)
        api.attach_policy(policyName=policy, target=arn)
        assert arn.endswith(cert.fingerprint)


@contextlib.contextmanager
def installed():
    """Broker and daemon as `thingward init` sets them up, with a clock that stands still, and so no limit of reports a second."""
    one = stack.Stack({"report.account_rate": 10**7})
    try:
        one.start()
        load.apart(one.broker.pid)
        yield one
    finally:
        one.remove()


@contextlib.contextmanager
def stopped(installation):
    """The daemon stands still for the block."""
    installation.daemon.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        installation.daemon.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def killed(installation):
    """The daemon is gone for the block."""
    installation.kill_daemon()
    yield
    installation.start_daemon().wait_ready()


AWAY = {"stopped": stopped, "killed": killed}


def flood(away, seconds=60, calm=100, interval_ms=5000):
    """One device floods with reports for so long while the daemon is away; the others report and publish in peace, no more
    than fits their share. What each sent, what the log has of it, what the counters say."""
    with scratch() as home, installed() as installation:
        fleet = Fleet(home / "fleet", calm + 1)
        register(installation, fleet, kit.document(*stack.DEVICE_POLICY["Statement"], *load.OWN_TOPICS))
        where = (installation.mqtt_port, installation.dir / "ca" / "server-ca.pem", fleet.dir)
        others, flooder = ("-i", interval_ms, *where, 0, calm), (*where, calm, 1)
        before = load.memory_bytes(installation.broker.pid)
        with Talk("load_reports", *others, preexec=go_first) as peaceful, Talk(
            "load_reports", *flooder, preexec=stand_back
        ) as flooding:
            with AWAY[away](installation):
                load.go_on_for(seconds)
                flooded, sent = flooding.ask(), peaceful.ask()
                grown = load.memory_bytes(installation.broker.pid) - before
            sent = answered(peaceful, sent["reports"])
            installation.settle()
            return {"calm": sent, "flood": flooded, "grown": grown} | flood_counts(installation, fleet.names)


def answered(talk, reports):
    """How it stands when every report has its answer."""
    return stack.wait_until(
        lambda: (state := talk.ask())["accepted"] + state["rejected"] >= reports and state, "an answer to each report"
    )


def flood_counts(installation, names):
    """What the log has, of the calm ones and of the last one, which floods."""
    installation.advance(Ours.MARK // 1000)
    counted = stack.wait_until(lambda: sent_by(installation, names), "the counters of the mark")
    logged = [(r.thing, r.id) for r in installation.reports_in_log()]
    assert len(set(logged)) == len(logged), "a report stands in the log twice"
    calm = [thing for thing, _ in logged if thing != names[-1]]
    return {
        "logged": len(calm),
        "logged_flood": len(logged) - len(calm),
        "counted": sum(counted[name] for name in names[:-1]),
        "counted_flood": counted[names[-1]],
        "refused_flood": installation.metric("refusals", cause="report-share"),
    }


def told(installation):
    """What brokers told, in words, as the log has it."""
    command = [kit.build_dir() / "tests" / "logread", "-e", installation.dir / "log.db"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def counters(installation):
    """Those of all client ids, in words."""
    return [words for words in told(installation) if (words[KIND], words[EVENT]) == (OF_EVENT, str(kit.COUNTERS))]


def sent_by(installation, names):
    """Messages sent by client id; None before those of all names are there."""
    sent = dict.fromkeys(names, 0)
    rows = [(bytes.fromhex(words[CLIENT]).decode(), int(words[SENT])) for words in counters(installation)]
    for client, n in rows:
        sent[client] = sent.get(client, 0) + n
    return sent if set(names) <= {client for client, _ in rows} else None


# ---- Exact, whoever comes ----


def ledger(installation):
    """Refusals by cause: of the ledger, and its rows."""
    found = installation.sql("select cause, sum(times), count(*) from denial group by cause")
    return {cause: {"count": count, "rows": rows} for cause, count, rows in found}


def tables(installation):
    """Entries of the plugin's bounded tables when it last had to leave something out; 0: it had not."""
    return {table: installation.metric("broker_table_entries", table=table) for table in ("identities", "refusals")}


def strangers(count=50_000, rate=833):
    """Half of them certificates that nobody knows, half known ones with random client ids: what ledger and metrics have of
    it."""
    with scratch() as home, installed() as installation:
        known, unknown = Fleet(home / "known", 50), Fleet(home / "unknown", 50)
        register(installation, known, OWN_CLIENT)
        installation.settle()
        ca = installation.dir / "ca" / "server-ca.pem"
        side = load.Side(installation.broker.pid, installation.mqtt_port, ca, installation.broker_log)
        devices, before = installation.metric("detect_devices"), load.memory_bytes(side.pid)
        halves = [side.knock(fleet, count // 2, "x", rate, 8, preexec=stand_back) for fleet in (unknown, known)]
        grown = load.memory_bytes(side.pid) - before
        installation.advance(Ours.MARK // 1000)
        stack.wait_until(
            lambda: sum(row["count"] for row in ledger(installation).values()) >= count, lambda: ledger(installation)
        )
        return {
            "seconds": sum(half["seconds"] for half in halves),
            "heard": halves,
            "ledger": ledger(installation),
            "metric": {cause: installation.metric("refusals", cause=cause) for cause in ledger(installation)},
            "devices": installation.metric("detect_devices") - devices,
            "tables": tables(installation),
            "grown": grown,
        }


def names(count=40_000):
    """One certificate whose policy allows any client id, used with so many: what brokers and daemon keep of it."""
    with scratch() as home, installed() as installation:
        fleet = Fleet(home / "fleet", 1)
        register(installation, fleet, ANY_CLIENT)
        installation.settle()
        ca = installation.dir / "ca" / "server-ca.pem"
        side = load.Side(installation.broker.pid, installation.mqtt_port, ca, installation.broker_log)
        before = load.memory_bytes(side.pid)
        heard = side.knock(fleet, count, "any", threads=8)
        grown = load.memory_bytes(side.pid) - before
        installation.advance(Ours.MARK // 1000)
        counted = stack.wait_until(lambda: counted_connects(installation, count), "counters of all connects")
        return {
            "heard": heard,
            "counters": counted,
            "devices": installation.metric("detect_devices"),
            "open": installation.metric("sessions_open"),
            "tables": tables(installation),
            "grown": grown,
        }


def counted_connects(installation, count):
    """Counters that came, their connects and ends; None before `count` connects are there."""
    rows = counters(installation)
    connects, ends = (sum(int(words[at]) for words in rows) for at in (CONNECTS, ENDS))
    return {"rows": len(rows), "connects": connects, "ends": ends} if connects >= count else None
