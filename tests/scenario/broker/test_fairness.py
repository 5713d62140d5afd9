"""One costs itself, not others (S11), and every table that clients fill is bounded (S12)."""

import contextlib
import threading

import broker_kit as kit
import pytest

START = 1_700_000_000_000
MARK = 300_000
FIRST = START // MARK * MARK + MARK
REPORT = "$aws/things/{}/defender/metrics/json"


@pytest.fixture
def fleet(broker, ca):
    certs = {}
    for name in ("sensor1", "sensor2"):
        certs[name] = kit.make_cert(name, ca)
        broker.fleet.add(certs[name], things=[name])
    broker.fleet.write()
    return certs


def start(broker, far_end):
    """The broker on a channel whose clock stands still."""
    far_end.manual, far_end.now_ms = True, START
    far_end.open()
    broker.start()
    far_end.wait_up()
    return far_end


def cut(up, mark=FIRST):
    """Lets the mark pass. All counters up to it."""
    up.send(kit.item_number(kit.TIME, mark + 10))
    up.wait_event(kind=kit.CUT, number=mark)
    return [e for e in up.events if e["kind"] == kit.COUNTERS]


def of_kind(up, kind, **want):
    return [e for e in up.events if e["kind"] == kind and want.items() <= e.items()]


def memory_kb(broker):
    """What the broker's process holds of the machine's memory."""
    status = open(f"/proc/{broker.process.pid}/status").read()
    return int(status.split("VmRSS:")[1].split()[0])


class Flood:
    """Threads that publish as fast as TLS lets them, until the end of the block."""

    def __init__(self, devices, topic, payload):
        self.stop = threading.Event()
        self.threads = [
            threading.Thread(target=self._run, args=(device, topic, payload), daemon=True) for device in devices
        ]

    def _run(self, device, topic, payload):
        while not self.stop.is_set():
            device.publish_acked(topic, payload)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *what):
        self.stop.set()
        for thread in self.threads:
            thread.join(kit.DEADLINE)


def test_flood_while_the_daemon_is_away_leaves_everybody_a_share(broker, fleet, ca, devices, far_end):
    """S11: three sessions of one certificate flood; a hundred devices come late, and lose nothing."""
    cap = 8 << 20
    share = cap * 3 // 8 // 1000
    broker.options.update(queue_bytes=cap, session_byte_rate=1 << 40)
    names = [f"calm{i}" for i in range(100)]
    certs = {name: kit.make_cert(name, ca) for name in names}
    for name in names:
        broker.fleet.add(certs[name], things=[name])
    broker.fleet.write()
    broker.start()
    flooders = [devices(broker, fleet["sensor1"], f"flooder{i}") for i in range(3)]
    for flooder in flooders:
        assert flooder.connect() == 0
    assert flooders[0].subscribe(REPORT.format("sensor1") + "/rejected") == 1
    before = memory_kb(broker)
    with Flood(flooders, REPORT.format("sensor1"), b"f" * 30000):
        flooders[0].receive()  # a rejection: they have used up what they may
        for name in names:
            calm = devices(broker, certs[name], name)
            assert calm.connect() == 0
            for i in range(3):
                assert (i + 1) * (400 + 512) < share
                calm.publish_acked(REPORT.format(name), f"{name} {i} ".encode().ljust(400))
            calm.close()
    grown = memory_kb(broker) - before
    # Freed memory stays in a sanitizer's quarantine.
    allowed = 4 * cap // 1024 + (300 << 10 if kit.sanitizer() else 0)
    assert grown < allowed, f"{grown} kB more for a queue of {cap // 1024} kB"
    far_end.open()
    far_end.wait_up()
    far_end.flush(1)
    reports = [e for e in of_kind(far_end, kit.REPORT) if e["client_id"] in certs]
    assert sorted(e["payload"].split()[:2] for e in reports) == sorted(
        [name.encode(), str(i).encode()] for name in names for i in range(3)
    )
    flood = [e for e in of_kind(far_end, kit.REPORT) if e["client_id"].startswith("flooder")]
    assert 0 < len(flood) * 30000 < cap // 2
    # Who flooded is told, and how often.
    assert of_kind(far_end, kit.REFUSED, cause="report-share", fingerprint=fleet["sensor1"].fingerprint)


def test_stalled_store_rejects_reports_and_keeps_the_rest(broker, fleet, ca, devices, far_end):
    """The daemon takes frames and acknowledges none: reports give way, refusals, sessions and counters do not."""
    broker.options.update(queue_bytes=1 << 16)
    broker.fleet.policies["mute"] = kit.document(kit.statement("iot:Connect", "*"))
    mute = kit.make_cert("mute", ca)
    broker.fleet.add(mute, policies=["mute"])
    broker.fleet.write()
    up = start(broker, far_end)
    device = devices(broker, fleet["sensor1"], "sensor1")
    assert device.connect() == 0
    assert device.subscribe(REPORT.format("sensor1") + "/rejected") == 1
    up.auto_ack = False
    sent = 0
    while device.messages.empty():
        device.publish_acked(REPORT.format("sensor1"), b"r" * 3000)
        sent += 1
        assert sent < 100
    assert b"InternalFailure" in device.receive().payload
    denied = devices(broker, mute, "mute")
    assert denied.connect() == 0
    denied.publish("data/a")
    denied.wait("disconnect")
    up.send(kit.item_number(kit.TIME, FIRST + 10))
    up.auto_ack = True
    up.acknowledged = up.frames[-1]
    up.send()
    up.wait_event(kind=kit.CUT, number=FIRST)
    assert up.frames == sorted(set(up.frames))
    counters = {e["client_id"]: e for e in of_kind(up, kit.COUNTERS)}
    assert counters["sensor1"]["sent"] == sent
    assert (counters["mute"]["refusals"], counters["mute"]["disconnects"]) == (1, 1)
    assert sum(e["count"] for e in of_kind(up, kit.REFUSED, client_id="mute")) == 1
    assert len(of_kind(up, kit.DISCONNECT, client_id="mute")) == 1
    before = len(of_kind(up, kit.REPORT))
    assert before < sent
    device.publish_acked(REPORT.format("sensor1"), b"again")
    up.wait_event(kind=kit.REPORT, payload=b"again")


def test_rejections_are_bounded_too(broker, fleet, devices, far_end):
    broker.options.update(session_byte_rate=1)
    up = start(broker, far_end)
    device = devices(broker, fleet["sensor1"], "sensor1")
    assert device.connect() == 0
    assert device.subscribe("$aws/things/sensor1/#") == 1
    for _ in range(200):
        device.publish_acked(REPORT.format("sensor1"), b"x")
    up.flush(1)
    up.wait(lambda far: sum(e["count"] for e in of_kind(far, kit.REFUSED, cause="report-share")) >= 199)
    events = {e["client_id"]: e for e in cut(up)}
    # Five at once, then one a second: the test took less than a minute.
    assert 5 <= events["sensor1"]["received"] < 65
    assert events["sensor1"]["sent"] == 200


def test_reconnects_without_room_are_merged_and_exact(broker, fleet, devices, far_end):
    """The daemon is away and the queue full: sessions that came and went are counted, those that are open are told."""
    broker.options.update(queue_bytes=8192)
    up = start(broker, far_end)
    before = devices(broker, fleet["sensor1"], "before")
    assert before.connect() == 0
    up.wait_event(kind=kit.CONNECT, client_id="before")
    up.close()
    broker.log.wait("no daemon at ")
    for _ in range(60):
        device = devices(broker, fleet["sensor2"], "restless")
        assert device.connect() == 0
        device.close()
    before.close()
    after = devices(broker, fleet["sensor1"], "after")
    assert after.connect() == 0
    broker.log.wait('Client restless disconnected')
    up.open()
    up.wait_up(2)
    up.wait_event(kind=kit.CONNECT, client_id="after")
    up.wait_event(kind=kit.DISCONNECT, client_id="before")
    up.wait_event(kind=kit.TABLE, name="queue")
    begun = {e["session"] for e in of_kind(up, kit.CONNECT)}
    ended = {e["session"] for e in of_kind(up, kit.DISCONNECT)}
    assert len(begun) < 60 and ended < begun
    assert begun - ended == {up.wait_event(kind=kit.CONNECT, client_id="after")["session"]}
    events = {e["client_id"]: e for e in cut(up)}
    assert (events["restless"]["connects"], events["restless"]["disconnects"]) == (60, 60)


def refuse_many(broker, cert, n):
    """n CONNECTs with client ids that nobody has."""
    for i in range(n):
        device = kit.Device(broker, cert, f"random{i}", v5=True)
        with contextlib.suppress(ConnectionError):
            assert device.connect() == 135
        device.close()


def test_random_client_ids_that_are_refused(broker, ca, devices, far_end):
    """Rows are bounded, the sum is exact, and nobody gets counters who was never let in."""
    broker.options.update(refusal_rows=20)
    broker.fleet.policies["one"] = kit.document(kit.statement("iot:Connect", "client/good"))
    cert, stranger = (kit.make_cert(name, ca) for name in ("good", "stranger"))
    broker.fleet.add(cert, policies=["one"])
    broker.fleet.write()
    up = start(broker, far_end)
    refuse_many(broker, cert, 120)
    for _ in range(5):
        with pytest.raises(OSError):
            devices(broker, stranger, "stranger").connect()
    good = devices(broker, cert, "good")
    assert good.connect() == 0
    counters = cut(up)
    refused = of_kind(up, kit.REFUSED)
    assert sum(e["count"] for e in refused if e["cause"] == "implicit-deny") == 120
    assert sum(e["count"] for e in refused if e["cause"] == "certificate-unknown") == 5
    wide = [e for e in refused if e["cause"] == "implicit-deny" and not e["client_id"]]
    assert wide and {e["fingerprint"] for e in wide} <= {cert.fingerprint, "00" * 32}
    assert up.wait_event(kind=kit.TABLE, name="refusals")["cap"] == 20
    assert {e["client_id"] for e in counters} == {"good", ""}
    assert sum(e["connects"] for e in counters if e["fingerprint"] == cert.fingerprint) == 121
    assert sum(e["refusals"] for e in counters if e["fingerprint"] == cert.fingerprint) == 120


def test_many_client_ids_of_one_certificate(broker, fleet, devices, far_end):
    """A policy for any client id: the certificate has so many entries, the rest counts together."""
    broker.options.update(identities=50, identities_per_principal=5)
    up = start(broker, far_end)
    for i in range(30):
        device = devices(broker, fleet["sensor1"], f"id{i}")
        assert device.connect() == 0
        device.publish_acked("data/a", b"x")
        device.close()
    other = devices(broker, fleet["sensor2"], "sensor2")
    assert other.connect() == 0
    up.wait(lambda far: len(of_kind(far, kit.DISCONNECT)) == 30)
    assert up.wait_event(kind=kit.TABLE, name="identities")["cap"] == 50
    found = cut(up)
    mine = [e for e in found if e["fingerprint"] == fleet["sensor1"].fingerprint]
    assert len(mine) == 6
    assert sum(e["sent"] for e in mine) == 30
    assert sum(e["connects"] for e in mine) == sum(e["disconnects"] for e in mine) == 30
    assert [e["sent"] for e in mine if not e["client_id"]] == [25]
    assert [e["connects"] for e in found if e["client_id"] == "sensor2"] == [1]
    # What was delivered is forgotten: the next window has room again.
    assert [e["client_id"] for e in cut(up, FIRST + MARK) if e["to_ms"] == FIRST + MARK] == ["sensor2"]


def test_applied_waits_for_who_cannot_be_cut(ca, devices):
    """The broker says that it cut a session, and did not: the rules are not called applied."""
    broker = kit.Broker(plugin="planted_clinging")
    far_end = kit.FarEnd(broker)
    try:
        certs = {name: kit.make_cert(name, ca) for name in ("clinging", "other")}
        for cert in certs.values():
            broker.fleet.add(cert)
        first = broker.fleet.write()
        up = start(broker, far_end)
        up.wait_event(kind=kit.APPLIED, number=first)
        clinging, other = (devices(broker, cert, name) for name, cert in certs.items())
        assert clinging.connect() == 0 and other.connect() == 0
        for cert in certs.values():
            broker.fleet.add(cert, active=False)
        second = broker.fleet.write()
        up.send(kit.item_number(kit.GENERATION, second))
        other.wait("disconnect")
        # It is tried again, and again.
        for _ in range(3):
            broker.log.wait('cut client "clinging"', broker.log.mark())
        up.flush(1)
        assert not of_kind(up, kit.APPLIED, number=second)
        # Newer rules are not kept out meanwhile, though each comes in a file of its own.
        for name in ("third", "fourth"):
            cert = kit.make_cert(name, ca)
            broker.fleet.add(cert)
            newest = broker.fleet.write()
            up.send(kit.item_number(kit.GENERATION, newest))
            broker.log.wait(f"snapshot generation {newest} is in force")
            assert devices(broker, cert, name).connect() == 0
        clinging.close()
        up.wait_event(kind=kit.APPLIED, number=newest)
    finally:
        far_end.close()
        broker.remove()
