"""What must hold whatever comes in (SECURITY.md): secrets, accounts, the trail, who is served over HTTP."""

import os
import pwd
import socket
import subprocess

import broker_kit as kit
import pytest
import stack


@pytest.fixture(scope="module")
def chatty():
    """An installation that logs all it has to say; its log ends with the tests."""
    one = stack.Stack(settings={"log.level": "debug"})
    try:
        yield one.start()
    finally:
        one.remove()


def refused(call, **parameters):
    """The exception that a call must end with."""
    with pytest.raises(call.__self__.exceptions.ClientError) as caught:
        call(**parameters)
    return caught.value.response["Error"]["Code"]


def raw_http(one, text):
    """The answer to a request that no client would send."""
    with socket.create_connection(("127.0.0.1", one.http_port), timeout=stack.DEADLINE) as connection:
        connection.sendall(text.encode())
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts).decode()


def new_key(one, role):
    """A client with a key of that role, and the key's id and secret."""
    out = one.home / f"{role}.key"
    one.command(*("key", "create", "--role", role, "--out", out, "--data-dir", one.dir))
    fields = dict(line.split(" = ") for line in out.read_text().splitlines())
    key_id, secret = fields["aws_access_key_id"], fields["aws_secret_access_key"]
    return one.client(key_id, secret), key_id, secret


def test_changes_and_refusals_are_recorded(shared):
    """S17, S18: who, what, on what, and how it ended."""
    viewer, key_id, _ = new_key(shared, "viewer")
    shared.api.create_thing(thingName="recorded")
    assert refused(viewer.delete_thing, thingName="recorded") == "AccessDeniedException"
    assert refused(shared.client("TWAKNOBODY", "x").list_things) == "UnrecognizedClientException"
    trail = shared.command("log", "api", "--data-dir", shared.dir).splitlines()
    for words in (
        f"{stack.KEY_ID} 127.0.0.1 CreateThing recorded ok",
        f"{key_id} 127.0.0.1 DeleteThing - AccessDeniedException",
        "TWAKNOBODY 127.0.0.1 - - UnrecognizedClientException",
    ):
        assert [line for line in trail if words in line], (words, trail)


def test_recorded_texts_do_not_act_on_the_terminal(shared):
    """S23: whoever is refused chooses some of the trail's texts."""
    name = "evil\x1b[2J\x9b31m\nforged"
    assert refused(shared.api.create_thing, thingName=name) == "InvalidRequestException"
    shown = shared.command("log", "api", "--data-dir", shared.dir)
    assert not [c for c in shown if c != "\n" and (ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0)]
    assert not [line for line in shown.splitlines() if line.startswith("forged")]


def test_secrets_leave_no_trace(chatty):
    """S24, S25, S28: not in the store, the log, the trail, the daemon's command line or environment."""
    made = chatty.api.create_keys_and_certificate(setAsActive=True)
    operator, _, secret = new_key(chatty, "operator")
    assert operator.list_things()["things"] == []
    private_line = made["keyPair"]["PrivateKey"].splitlines()[1]
    process = f"/proc/{chatty.daemon.pid}"
    places = {
        **{p.name: p.read_bytes() for p in chatty.dir.glob("*.db*")},
        "log": "\n".join(chatty.daemon_log.lines).encode(),
        "trail": chatty.command("log", "api", "--data-dir", chatty.dir).encode(),
        "cmdline": open(f"{process}/cmdline", "rb").read(),
        "environ": open(f"{process}/environ", "rb").read(),
        "settings": chatty.command("settings", "--data-dir", chatty.dir).encode(),
    }
    assert "CreateKeysAndCertificate" in places["trail"].decode()
    for hidden in (private_line, secret, stack.SECRET):
        assert not [place for place, content in places.items() if hidden.encode() in content]


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to be another account")
def test_brokers_account_reads_only_what_is_the_brokers(shared):
    """S26, S27: two accounts; the device CA's key, the store and secrets are the daemon's alone."""
    account = pwd.getpwnam("mosquitto")

    def can_read(name):
        done = subprocess.run(
            ["cat", shared.dir / name],
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[],
            capture_output=True,
        )
        return done.returncode == 0

    assert can_read("broker/snapshot") and can_read("broker/server.key")
    for name in ("secret.key", "main.db", "log.db", "thingward.conf", "ca/device-ca.key", "ca/server-ca.key"):
        assert (shared.dir / name).exists()
        assert not can_read(name), name
    assert "user root" not in (shared.dir / "mosquitto.conf").read_text()
    status = open(f"/proc/{shared.broker.pid}/status").read()
    assert f"Uid:\t{account.pw_uid}\t{account.pw_uid}" in status


def test_channel_stands_where_only_the_broker_comes(shared):
    """S5: its directory lets nobody else in."""
    assert (shared.dir / "broker").stat().st_mode & 0o027 == 0
    assert (shared.dir / "broker" / "channel.sock").stat().st_mode & 0o007 == 0


def test_pages_say_no_more_than_they_must(shared):
    """S19, S20, S32."""
    assert shared.get("/healthz") == (200, "ok\n")
    assert "test settings are on" in shared.get("/readyz")[1]
    assert shared.get("/healthz", {"Host": "elsewhere.example"})[0] == 421
    answer = raw_http(
        shared,
        "OPTIONS /things HTTP/1.1\r\nHost: localhost\r\nOrigin: http://elsewhere.example\r\n"
        "Access-Control-Request-Method: GET\r\nConnection: close\r\n\r\n",
    )
    assert "access-control" not in answer.lower()
    forwarded = {"Host": "localhost", "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Host": "elsewhere.example"}
    assert shared.get("/healthz", forwarded)[0] == 200
