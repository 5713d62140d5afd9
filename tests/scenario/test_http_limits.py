"""HTTP as hostile or merely old clients speak it (S14, S19, S20)."""

import contextlib
import json
import select
import signal
import socket
import ssl
import urllib.error
import urllib.request

import broker_kit as kit
import pytest
import stack
from raw_http import Connection, ask, request, signed

GET = "GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"


@pytest.fixture
def connect(shared):
    """Opens connections and closes them at the end."""
    with contextlib.ExitStack() as opened:
        yield lambda: opened.enter_context(Connection(shared))


def get(shared, path, host=None):
    return GET.format(path=path, host=host or shared.address)


def assert_refused(answer, status, exception):
    assert answer.status == status, answer
    assert f"x-amzn-errortype: {exception}\r\n" in answer.head


def assert_alive(shared):
    assert shared.get("/healthz")[0] == 200


# ---- Names (S20) ----


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io:8080", "[::2]", "0.0.0.0"])
def test_other_host_names_are_refused(shared, connect, host):
    for path in ("/healthz", "/things"):
        answer = connect().send(get(shared, path, host)).answer()
        assert_refused(answer, 421, "MisdirectedRequestException")
    assert ask(shared, "GET", "/things", host=host).status == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:80"])
def test_loopbacks_names_are_ours(shared, connect, host):
    assert connect().send(get(shared, "/healthz", host)).answer().status == 200


def test_forwarding_headers_count_for_nothing(shared, connect):
    head = f"GET /things HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: {shared.address}\r\n\r\n"
    assert connect().send(head).answer().status == 421


def test_nothing_is_said_about_other_origins(shared, connect):
    head = f"OPTIONS /things HTTP/1.1\r\nHost: {shared.address}\r\nOrigin: https://evil.example\r\n"
    preflight = connect().send(f"{head}Access-Control-Request-Method: GET\r\n\r\n").answer()
    simple = ask(shared, "GET", "/things", headers={"Origin": "https://evil.example"})
    assert preflight.status >= 400 and simple.status == 200
    assert "access-control" not in (preflight.head + simple.head).lower()


# ---- Size and time (S14) ----


def test_headers_have_a_limit(shared, connect):
    big = "".join(f"X-Pad-{i}: {'x' * 1000}\r\n" for i in range(40))
    connection = connect().send(f"GET /things HTTP/1.1\r\nHost: {shared.address}\r\n{big}\r\n")
    assert connection.answer().status in (413, 431)
    assert connection.is_closed()
    assert_alive(shared)


def test_a_header_without_end_is_cut_off(shared, connect):
    connection = connect()
    with contextlib.suppress(ConnectionError):
        for _ in range(64):
            connection.send(b"x" * 4096)
    assert connection.is_closed()
    assert_alive(shared)


def test_announced_body_has_a_limit(shared, connect):
    headers = signed(shared, "POST", "/things/a")
    answer = connect().send(f"POST /things/a HTTP/1.1\r\n{headers}Content-Length: 1048577\r\n\r\n").answer()
    assert_refused(answer, 413, "RequestEntityTooLargeException")


def test_body_in_chunks_has_the_same_limit(shared, connect):
    headers = signed(shared, "POST", "/things/a")
    connection = connect().send(f"POST /things/a HTTP/1.1\r\n{headers}Transfer-Encoding: chunked\r\n\r\n")
    for _ in range(17):
        connection.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")
    connection.send(b"0\r\n\r\n")
    assert_refused(connection.answer(), 413, "RequestEntityTooLargeException")


def test_a_slow_body_holds_nobody_up(shared, connect):
    body = b'{"attributePayload": {"attributes": {"a": "b"}}}'
    whole = request(shared, "POST", "/things/slow", body)
    slow = [connect().send(whole[:-20]) for _ in range(10)]
    assert ask(shared, "GET", "/things").status == 200
    for connection in slow:
        assert connection.send(whole[-20:]).answer().status == 200


def test_a_body_that_never_ends_is_nobodys_loss(shared, connect):
    connect().send(request(shared, "POST", "/things/cut-off", b'{"a": 1}')[:-3]).close()
    assert_alive(shared)
    assert ask(shared, "GET", "/things/cut-off").status == 404


def test_connections_of_one_address_have_a_limit(shared, connect):
    held = [connect() for _ in range(129)]
    # Several threads accept: whichever comes last is sent away.
    closed, _, _ = select.select([connection.socket for connection in held], [], [], kit.DEADLINE)
    assert len(closed) == 1
    with contextlib.suppress(ConnectionResetError):
        assert closed[0].recv(1) == b""
    for connection in held:
        connection.close()
    stack.wait_until(lambda: is_served(shared), "room for connections again")


def is_served(shared):
    with contextlib.suppress(AssertionError, ConnectionError), Connection(shared) as one:
        return one.send(get(shared, "/healthz")).answer().status == 200
    return False


GARBAGE = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x00" * 64 + b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"POST /things/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"POST /things/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /things/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET /things/%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /things/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
]


@pytest.mark.parametrize("raw", GARBAGE)
def test_garbage_is_refused(shared, connect, raw):
    connection = connect().send(raw)
    connection.socket.shutdown(socket.SHUT_WR)
    first = connection.head()
    assert not first or int(first.split()[1]) >= 400
    assert_alive(shared)


HALVES = {
    "nothing": b"",
    "bytes that are no request": GARBAGE[1],
    "half a head": b"GET /healthz HTTP/1.1\r\nHost: lo",
    "half a body": b"POST /things/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
    "a request": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("raw", HALVES.values(), ids=HALVES)
def test_who_sends_no_more_is_not_waited_for(shared, connect, raw):
    """The last bytes and the end arrive together: the server finds both when it looks."""
    connection = connect()
    with paused(shared.daemon):
        connection.send(raw).socket.shutdown(socket.SHUT_WR)
    assert connection.is_closed()


@contextlib.contextmanager
def paused(process):
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


# ---- HTTP as it is allowed ----


def test_body_in_chunks(shared, connect):
    body = b'{"attributePayload": {"attributes": {"a": "b"}}}'
    headers = signed(shared, "POST", "/things/chunks", body)
    connection = connect().send(f"POST /things/chunks HTTP/1.1\r\n{headers}Transfer-Encoding: chunked\r\n\r\n")
    for byte in body:
        connection.send(b"1\r\n" + bytes([byte]) + b"\r\n")
    answer = connection.send(b"0\r\n\r\n").answer()
    assert json.loads(answer.body)["thingName"] == "chunks"


def test_requests_in_one_go_are_answered_in_order(shared, connect):
    names = [f"pipe-{i}" for i in range(8)]
    connection = connect().send(b"".join(request(shared, "POST", f"/things/{n}", b"{}") for n in names))
    assert [json.loads(connection.answer().body)["thingName"] for _ in names] == names


def test_head(shared, connect):
    connection = connect().send(f"HEAD /healthz HTTP/1.1\r\nHost: {shared.address}\r\n\r\n")
    assert connection.answer(has_body=False).status == 200
    assert connection.send(get(shared, "/healthz")).answer().body == b"ok\n"


def test_methods_that_a_path_has_not(shared, connect):
    assert ask(shared, "HEAD", "/things").status == 405
    assert ask(shared, "PUT", "/things/a", b"{}").status == 405
    assert connect().send(f"POST /healthz HTTP/1.1\r\nHost: {shared.address}\r\n\r\n").answer().status == 405


def test_old_http(shared, connect):
    connection = connect().send("GET /healthz HTTP/1.0\r\n\r\n")
    assert connection.answer().body == b"ok\n"
    assert connection.is_closed()


def test_who_asks_first_is_told_to_go_on(shared, connect):
    body = b"{}"
    headers = signed(shared, "POST", "/things/polite", body)
    head = f"POST /things/polite HTTP/1.1\r\n{headers}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    connection = connect().send(head)
    assert connection.head().startswith("HTTP/1.1 100 ")
    assert connection.send(body).answer().status == 200


def test_who_asks_first_is_told_no_before_the_body(shared, connect):
    head = (
        f"POST /things/a HTTP/1.1\r\nHost: {shared.address}\r\n"
        "Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
    )
    assert_refused(connect().send(head).answer(), 403, "MissingAuthenticationTokenException")


# ---- Signatures ----


WRONG_KEYS = [
    (("AKIANOBODY0000000000", stack.SECRET), "UnrecognizedClientException"),
    ((stack.KEY_ID, "not the secret"), "InvalidSignatureException"),
]


@pytest.mark.parametrize("key, exception", WRONG_KEYS, ids=["unknown key", "wrong secret"])
def test_signature_must_be_right(shared, key, exception):
    assert_refused(ask(shared, "GET", "/things", key=key), 403, exception)


def test_signed_bytes_are_what_counts(shared, connect):
    raw = request(shared, "POST", "/things/signed", b'{"attributePayload": {}}')
    for old, new in ((b"/things/signed HTTP", b"/things/forged HTTP"), (b"{}}", b"{ }")):
        assert_refused(connect().send(raw.replace(old, new)).answer(), 403, "InvalidSignatureException")
    assert connect().send(raw).answer().status == 200


def test_failed_signatures_are_limited(make_thingward):
    thingward = make_thingward().start()
    for _ in range(200):
        answer = ask(thingward, "GET", "/things", key=(stack.KEY_ID, "guess"))
        if answer.status != 403:
            break
    assert_refused(answer, 400, "ThrottlingException")
    thingward.daemon_log.wait(f"failed signature from 127.0.0.1 by key {stack.KEY_ID}")
    assert thingward.metric("api_signatures_failed") == 10
    assert thingward.metric("api_throttled") == 1


# ---- Other addresses than loopback (S19) ----


def own_address():
    """An address of this machine that is not loopback; None when it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return probe.getsockname()[0]


needs_address = pytest.mark.skipif(own_address() is None, reason="this machine has loopback only")


def test_plain_http_stays_on_loopback(make_thingward):
    thingward = make_thingward().init().start_broker()
    done = thingward.command(
        *("serve", "--data-dir", thingward.dir, "--allow-test-settings"),
        *("--set", f"http.listen=0.0.0.0:{thingward.http_port}"),
        check=False,
    )
    assert done.returncode != 0
    assert "http.allow_plaintext" in done.stderr


@needs_address
def test_pages_tell_strangers_little(make_thingward):
    address, token = own_address(), "only-for-the-scraper"
    port = kit.free_port()
    thingward = make_thingward(
        settings={
            "http.listen": f"0.0.0.0:{port}",
            "http.allow_plaintext": "true",
            "http.hosts": address,
            "http.page_token": token,
        }
    )
    thingward.http_port = port
    thingward.start()
    url = f"http://{address}:{port}"
    assert urllib.request.urlopen(f"{url}/healthz").read() == b"ok\n"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{url}/metrics")
    reasons = thingward.get("/readyz")[1]
    assert reasons != urllib.request.urlopen(f"{url}/readyz").read().decode()
    as_scraper = urllib.request.Request(f"{url}/metrics", headers={"Authorization": f"Bearer {token}"})
    assert b"thingward_reports_accepted" in urllib.request.urlopen(as_scraper).read()


def test_https(make_thingward, tmp_path):
    cert, key = kit.make_cert("localhost").save(tmp_path, "https")
    thingward = make_thingward(settings={"http.tls_certificate": cert, "http.tls_key": key})
    thingward.init().start_broker().start_daemon()
    context = ssl.create_default_context(cafile=cert)
    url = f"https://localhost:{thingward.http_port}/healthz"
    assert urllib.request.urlopen(url, context=context).read() == b"ok\n"
    with Connection(thingward) as plain:
        plain.send(get(thingward, "/healthz"))
        assert plain.is_closed()
