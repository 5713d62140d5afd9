"""HTTP by bytes, for what no client library would send, and Signature Version 4 over it."""

import re
import socket
from collections import namedtuple

import broker_kit as kit
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import stack

# A body is bytes; head is the status line and headers as text.
Answer = namedtuple("Answer", "status head body")


class Connection:
    def __init__(self, installation, host="127.0.0.1"):
        self.socket = socket.create_connection((host, installation.http_port), timeout=kit.DEADLINE)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, raw):
        self.socket.sendall(raw if isinstance(raw, bytes) else raw.encode())
        return self

    def head(self):
        """The status line and headers up to the empty line; "" at the connection's end."""
        lines = []
        for line in self.file:
            if line in (b"\r\n", b"\n"):
                break
            lines.append(line.decode())
        return "".join(lines)

    def answer(self, has_body=True):
        head = self.head()
        assert head, "the server closed the connection"
        length = re.search(r"^content-length: (\d+)", head, re.I | re.M)
        body = self.file.read(int(length[1])) if length and has_body else b""
        return Answer(int(head.split()[1]), head, body)

    def is_closed(self):
        """Waits until the server closes."""
        try:
            return self.file.read() is not None
        except ConnectionResetError:
            return True


def signed(installation, method, path, body=b"", headers=None, key=(stack.KEY_ID, stack.SECRET), host=None):
    """The headers of a signed request, as text, with Host and without the body's length."""
    host = host or installation.address
    unsigned = AWSRequest(method, f"http://{host}{path}", headers={**(headers or {}), "Host": host}, data=body)
    SigV4Auth(Credentials(*key), "iot", "us-east-1").add_auth(unsigned)
    return "".join(f"{name}: {value}\r\n" for name, value in unsigned.headers.items())


def request(installation, method, path, body=b"", **options):
    """A signed request by bytes."""
    if isinstance(body, str):
        body = body.encode()
    length = f"Content-Length: {len(body)}\r\n" if body or method in ("POST", "PUT") else ""
    head = f"{method} {path} HTTP/1.1\r\n{signed(installation, method, path, body, **options)}{length}\r\n"
    return head.encode() + body


def ask(installation, method, path, body=b"", **options):
    """One signed request on a connection of its own."""
    with Connection(installation) as connection:
        return connection.send(request(installation, method, path, body, **options)).answer(method != "HEAD")
