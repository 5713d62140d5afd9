"""An MQTT client by bytes: it keeps every packet it gets as it came, so that two brokers can be compared byte for byte.

    client = RawClient(port, "c1", version=5, username="u", password="p")
    client.connect(); client.subscribe("a/#", 1); client.publish("a/b", b"x", 2)
    client.settle()          # returns when everything that the broker had for it until now is there
    client.packets           # ["connack ...", ...], and "closed" where the broker ended the connection
"""

import re
import socket
import ssl
import struct

import broker_kit as kit

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK = range(1, 10)
UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = range(10, 15)
NAMES = ["", "connect", "connack", "publish", "puback", "pubrec", "pubrel", "pubcomp", "subscribe", "suback"]
NAMES += ["unsubscribe", "unsuback", "pingreq", "pingresp", "disconnect", "auth"]

# What a client of ours sends back at once, by what it got; a v5 reason code of 0x80 and above ends the exchange.
ANSWERS = {PUBREC: (PUBREL, 2), PUBREL: (PUBCOMP, 0)}
MADE_BY_BROKER = re.compile(rb"auto-[0-9A-Fa-f-]{36}")


def text(value):
    raw = value if isinstance(value, bytes) else value.encode()
    return struct.pack(">H", len(raw)) + raw


def packet(kind, body=b"", flags=0):
    length, n = b"", len(body)
    while True:
        n, digit = divmod(n, 128)
        length += bytes([digit | (0x80 if n else 0)])
        if not n:
            return bytes([kind << 4 | flags]) + length + body


class RawClient:
    def __init__(self, port, client_id, version=4, username=None, password=None, will=None, clean=True, tls=None,
                 will_delay_s=0):
        self.port, self.client_id, self.version, self.tls = port, client_id, version, tls
        self.username, self.password, self.will, self.clean = username, password, will, clean
        self.will_delay_s, self.session_expiry_s = will_delay_s, 3600  # MQTT 5; the latter unless it is clean
        self.is_holding = False  # the second halves of its publishes of QoS 2
        self.packets, self.next_id, self.socket, self.buffer = [], 0, None, b""

    # ---- Sending ----

    @property
    def properties(self):
        return b"\0" if self.version == 5 else b""

    def connect(self):
        """Sends CONNECT and waits for what the broker says to it."""
        self.buffer = b""
        try:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=kit.DEADLINE)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                self.socket = self.tls.wrap_socket(self.socket, server_hostname="localhost")
            self.socket.sendall(packet(CONNECT, self._connect_body()))
        except OSError:
            return self._end()
        self.read()

    def _connect_body(self):
        session_expiry = b"\x05\x11" + struct.pack(">I", self.session_expiry_s)
        flags = self.clean << 1 | (self.username is not None) << 7 | (self.password is not None) << 6
        payload = text(self.client_id)
        if self.will:
            topic, message, qos, retain = self.will
            flags |= 1 << 2 | qos << 3 | retain << 5
            delay = b"\x05\x18" + struct.pack(">I", self.will_delay_s) if self.will_delay_s else self.properties
            payload += delay + text(topic) + text(message)
        for part in (self.username, self.password):
            payload += text(part) if part is not None else b""
        properties = session_expiry if self.version == 5 and not self.clean else self.properties
        return text("MQTT") + bytes([self.version, flags]) + struct.pack(">H", 60) + properties + payload

    def _send(self, kind, body=b"", flags=0):
        if self.socket:
            try:
                self.socket.sendall(packet(kind, body, flags))
            except OSError:
                self._end()

    def _new_id(self):
        self.next_id += 1
        return struct.pack(">H", self.next_id)

    def subscribe(self, topic, qos):
        self._send(SUBSCRIBE, self._new_id() + self.properties + text(topic) + bytes([qos]), 2)

    def unsubscribe(self, topic):
        self._send(UNSUBSCRIBE, self._new_id() + self.properties + text(topic), 2)

    def publish(self, topic, payload, qos, retain=False):
        """Returns the packet's identifier."""
        identifier = self._new_id() if qos else b""
        self._send(PUBLISH, text(topic) + identifier + self.properties + payload, qos << 1 | retain)
        return identifier

    def release(self, identifier):
        """The second half of a publish of QoS 2."""
        self._send(PUBREL, identifier, 2)

    def disconnect(self):
        self._send(DISCONNECT)
        self.drop()

    def drop(self):
        """Ends the connection without a word."""
        if self.socket:
            self.socket.close()
        self.socket = None

    # ---- Receiving ----

    def topics(self):
        """Of the messages that came."""
        bodies = (bytes.fromhex(p.split()[2]) for p in self.packets if p.startswith("publish "))
        return [body[2 : 2 + struct.unpack_from(">H", body)[0]].decode() for body in bodies]

    def settle(self):
        """The broker works through packets in order: what it had for us stands before its answer to a ping. Twice: our own
        answers may bring more."""
        for _ in range(2):
            self._send(PINGREQ)
            while self.socket and self.read() != PINGRESP:
                pass

    def read(self):
        """Takes one packet, keeps and answers it; its kind, or None at the connection's end."""
        try:
            head, body = self._next_packet()
        except (ssl.SSLError, ConnectionError):
            return self._end()
        kind = head >> 4
        shown = MADE_BY_BROKER.sub(b"auto-", body)
        self.packets.append(f"{NAMES[kind]} {head & 15:x} {shown.hex()}")
        self._answer(kind, head & 15, body)
        return kind

    def _answer(self, kind, flags, body):
        if kind == PUBLISH and flags & 6:
            n = struct.unpack_from(">H", body)[0]
            self._send(PUBACK if flags & 2 else PUBREC, body[2 + n : 4 + n])
        elif kind == PUBREC and self.is_holding:
            pass
        elif kind in ANSWERS and not (kind == PUBREC and len(body) > 2 and body[2] >= 0x80):
            self._send(ANSWERS[kind][0], body[:2], ANSWERS[kind][1])

    def _next_packet(self):
        head, shift, length = self._take(1)[0], 0, 0
        while True:
            digit = self._take(1)[0]
            length |= (digit & 127) << shift
            shift += 7
            if not digit & 128:
                return head, self._take(length)

    def _take(self, n):
        while len(self.buffer) < n:
            got = self.socket.recv(65536)
            if not got:
                raise ConnectionError("closed")
            self.buffer += got
        taken, self.buffer = self.buffer[:n], self.buffer[n:]
        return taken

    def _end(self):
        """What ended it, an alert or a reset, may be lost on the way: that it ended is kept."""
        self.packets.append("closed")
        self.drop()
