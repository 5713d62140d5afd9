"""S3, S4: whatever is put over the live snapshot while devices report, the broker goes on with the last good one, and the
daemon's next change is in force again."""

import os
import signal
import threading

import broker_kit as kit
import pytest
import stack


class Reporter(threading.Thread):
    """One device that reports all the time."""

    def __init__(self, device):
        super().__init__(daemon=True)
        self.device, self.accepted, self.stopping, self.error = device, 0, False, None

    def run(self):
        try:
            while not self.stopping:
                assert self.device.report(tcp_ports=[22])["status"] == "ACCEPTED"
                self.accepted += 1
        except Exception as error:  # noqa: BLE001: told by the test
            self.error = error

    def wait_more(self):
        before = self.accepted
        stack.wait_until(lambda: self.error or self.accepted > before + 3, "more reports")
        assert self.error is None


def truncated(path, data, _older):
    kit.replace_file(path, data[:60], 0o644)
    return "its base is not whole"


def flipped(path, data, _older):
    kit.replace_file(path, data[:60] + bytes([data[60] ^ 1]) + data[61:], 0o644)
    return "checksum does not match"


def foreign(path, data, _older):
    kit.replace_file(path, data, 0o644, uid=65534)
    return "owned by uid 65534"


def older(path, _data, older):
    kit.replace_file(path, older, 0o644)
    return "is older than"


def cut_in_place(path, _data, _older):
    with open(path, "r+b") as file:
        file.truncate(10)
    return "cut to 10 bytes while in use"


def appended_in_place(path, _data, _older):
    with open(path, "ab") as file:
        file.write(bytes(8) + b"\xff" * 16)
    return "checksum does not match"


@pytest.mark.parametrize("damage", [truncated, flipped, foreign, older, cut_in_place, appended_in_place])
def test_broker_under_load_goes_on_with_the_last_good_snapshot(thingward, damage):
    path = thingward.dir / "broker" / "snapshot"
    before = path.read_bytes()
    pump, other = thingward.register("pump-1"), thingward.register("pump-2")
    assert pump.connect() == 0
    reporter = Reporter(pump)
    reporter.start()
    reporter.wait_more()
    mark = thingward.broker_log.mark()
    why = damage(path, path.read_bytes(), before)
    thingward.broker_log.wait(f"refused: .*{why}.*the last good one stays in force", mark)
    reporter.wait_more()
    assert other.connect() == 0
    assert other.report(tcp_ports=[22])["status"] == "ACCEPTED"

    thingward.api.update_certificate(certificateId=other.certificate_id, newStatus="INACTIVE")
    other.wait_closed()
    reporter.wait_more()
    reporter.stopping = True
    reporter.join(stack.DEADLINE)
    assert reporter.error is None


def test_damage_that_only_the_broker_sees_is_told_and_made_good(thingward):
    """S2: the daemon learns that a broker stays behind, says so, and writes the snapshot anew."""
    path = thingward.dir / "broker" / "snapshot"
    pump = thingward.register("pump-1")
    assert pump.connect() == 0
    os.kill(thingward.broker.pid, signal.SIGSTOP)
    thingward.api.update_certificate(certificateId=pump.certificate_id, newStatus="INACTIVE")
    with open(path, "r+b") as file:
        file.seek(-12, os.SEEK_END)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    mark = thingward.broker_log.mark()
    os.kill(thingward.broker.pid, signal.SIGCONT)
    thingward.broker_log.wait("refused: checksum does not match; the last good one stays in force", mark)
    stack.wait_until(lambda: "snapshot: a broker obeys generation" in thingward.get("/readyz")[1], "the reason")
    pump.wait_closed()
    pump.connect_refused()
    thingward.wait_ready()
    assert thingward.metric("snapshot_behind_seconds") == 0
