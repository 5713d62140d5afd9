"""The daemon's own connection: it wakes the broker and may do nothing else."""

import socket
import struct

import broker_kit as kit
import pytest

CONNACK, PINGREQ, PINGRESP = 0x20, b"\xc0\x00", b"\xd0\x00"


def field(s):
    raw = s.encode()
    return struct.pack(">H", len(raw)) + raw


class Doorbell:
    def __init__(self, broker, username="thingward-doorbell", password=kit.TOKEN):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(kit.DEADLINE)
        self.socket.connect(str(broker.doorbell))
        body = field("MQTT") + b"\x04\xc2\x00\x00" + field("doorbell") + field(username) + field(password)
        self.socket.sendall(bytes([0x10, len(body)]) + body)

    def connack(self):
        answer = self.socket.recv(4)
        assert answer[0] == CONNACK
        return answer[3]


@pytest.fixture
def up(broker, far_end):
    broker.fleet.write()
    far_end.open()
    broker.start()
    broker.log.wait("daemon is there")
    return far_end


def test_token_lets_it_in_and_it_pings(up, broker):
    bell = Doorbell(broker)
    assert bell.connack() == 0
    bell.socket.sendall(PINGREQ)
    assert bell.socket.recv(2) == PINGRESP


def test_it_may_not_publish(up, broker):
    bell = Doorbell(broker)
    assert bell.connack() == 0
    bell.socket.sendall(b"\x30\x05" + field("a/b"))
    assert bell.socket.recv(1) == b""


def test_it_may_not_subscribe(up, broker):
    bell = Doorbell(broker)
    assert bell.connack() == 0
    bell.socket.sendall(b"\x82\x08\x00\x01" + field("a/b") + b"\x00")
    assert bell.socket.recv(5) == b"\x90\x03\x00\x01\x80"


def test_it_stays_over_sighup(up, broker):
    bell = Doorbell(broker)
    assert bell.connack() == 0
    broker.hup()
    broker.log.wait("Reloading config")
    bell.socket.sendall(PINGREQ)
    assert bell.socket.recv(2) == PINGRESP


@pytest.mark.parametrize(
    "username, password", [("thingward-doorbell", "0" * 32), ("thingward-doorbell", ""), ("f" * 64, kit.TOKEN)]
)
def test_nobody_else_comes_in_without_a_certificate(up, broker, username, password):
    assert Doorbell(broker, username, password).connack() == 5
    broker.log.wait("showed no certificate")


def test_no_token_before_the_daemon_has_been_there(broker):
    broker.fleet.write()
    broker.start()
    assert Doorbell(broker, password="").connack() == 5
