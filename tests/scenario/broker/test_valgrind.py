"""The plugin inside the broker under valgrind: no error and no leak with a frame of ours in it."""

import re
import shutil

import broker_kit as kit
import pytest

VALGRIND = ["--leak-check=full", "--show-leak-kinds=definite,indirect", "--keep-debuginfo=yes"]
REPORT = "$aws/things/sensor1/defender/metrics/json"
OURS = {path.name for folder in ("mosquitto", "src/broker", "src/policy") for path in (kit.ROOT / folder).glob("*.c")}


def complaints(lines):
    """Valgrind's blocks that name one of our files."""
    blocks = "\n".join(re.sub(r"^==\d+== ?", "", x) for x in lines if re.match(r"==\d+==", x)).split("\n\n")
    return [b for b in blocks if OURS & set(re.findall(r"\((\w+\.c):\d+\)", b))]


def live_through_everything(broker, far_end, ca, devices):
    good, bad, stranger = (kit.make_cert(name, ca) for name in ("sensor1", "bad", "stranger"))
    broker.fleet.add(good, things=["sensor1"])
    broker.fleet.add(bad)
    broker.fleet.write()
    port = kit.free_port()
    broker.extra = f"listener {port} 127.0.0.1\nallow_anonymous true"
    broker.options[f"mode_{port}"] = "observe"
    far_end.open()
    broker.start()
    far_end.wait_up()
    for username in (None, "somebody"):
        observed = devices(broker, None, "observed", transport="tcp", username=username, will=("w", b"x"))
        assert observed.connect(port) == 0 and observed.subscribe("a/#") == 1
    with pytest.raises(OSError):
        devices(broker, None, "nobody").connect()
    for _ in range(2):
        assert devices(broker, good, "twice", will=("will", b"x", 1)).connect() == 0
    far_end.wait_event(kind=kit.DISCONNECT, client_id="twice", end="taken-over")
    first, second = devices(broker, good, "sensor1"), devices(broker, bad, "bad", will=("will", b"x", 1))
    assert first.connect() == 0 and second.connect() == 0
    with pytest.raises(OSError):
        devices(broker, stranger, "stranger").connect()
    assert first.subscribe(REPORT + "/+") == 1
    assert first.subscribe(REPORT) == 0x80
    first.publish_acked(REPORT, b"{}")
    far_end.send(kit.item_publish(REPORT + "/accepted", b"{}"))
    first.receive()
    broker.fleet.add(bad, active=False)
    far_end.send(kit.item_number(kit.GENERATION, broker.fleet.write()))
    second.wait("disconnect")
    kit.replace_file(broker.snapshot, b"damage")
    broker.hup()
    broker.log.wait("the last good one stays in force")
    far_end.close()
    first.publish_acked(REPORT, b"{}")
    broker.log.wait("no daemon at")


@pytest.mark.slow
def test_valgrind_finds_nothing_of_ours(ca):
    if not shutil.which("valgrind"):
        pytest.skip("valgrind is not installed")
    if kit.sanitizer():
        pytest.skip("a sanitizer is in the plugin already")
    broker = kit.Broker(prefix=["valgrind", *VALGRIND])
    far_end, made = kit.FarEnd(broker), []

    def devices(*args, **kwargs):
        made.append(kit.Device(*args, **kwargs))
        return made[-1]

    try:
        live_through_everything(broker, far_end, ca, devices)
        broker.stop()
        assert broker.log.has("ERROR SUMMARY")
        assert complaints(broker.log.lines) == []
    finally:
        for device in made:
            device.close()
        broker.remove()
