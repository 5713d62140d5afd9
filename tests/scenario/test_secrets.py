"""No secret lies where it does not belong (S24, S25, S26)."""

import base64
import contextlib
import re
import sqlite3
import stat
from pathlib import Path

import pytest
import stack
from raw_http import ask


@pytest.fixture(scope="module")
def used(shared):
    """An installation in use, and its secrets by name."""
    key_id, secret = shared.create_key("operator")
    pump = shared.register("pump-1")
    assert pump.connect() == 0
    assert pump.report(tcp_ports=[22])["status"] == "ACCEPTED"
    ask(shared, "GET", "/things", key=(key_id, secret))
    ask(shared, "GET", "/things", key=(key_id, secret[:-1]))
    shared.settle()
    secrets = {
        "the first key": stack.SECRET,
        "a later key": secret,
        "a device's private key": pump.key_pem.splitlines()[2],
    }
    return shared, secrets


def forms(secret):
    """A secret as it might stand somewhere."""
    raw = secret.encode()
    return [raw, base64.b64encode(raw), raw.hex().encode(), raw[::-1]]


def assert_free(content, secrets, where):
    for name, secret in secrets.items():
        assert not any(form in content for form in forms(secret)), f"{name} stands in {where}"


def test_a_dump_of_the_database_reveals_none(used):
    shared, secrets = used
    dump = ""
    for file in shared.dir.rglob("*.db"):
        with contextlib.closing(sqlite3.connect(file)) as db:
            dump += "\n".join(db.iterdump())
    assert stack.KEY_ID in dump
    assert_free(dump.encode(), secrets, "a dump")


def test_no_file_holds_one(used):
    shared, secrets = used
    files = [file for file in shared.dir.rglob("*") if file.is_file()]
    assert len(files) > 10
    for file in files:
        assert_free(file.read_bytes(), secrets, file)


def test_the_database_does_not_hold_the_key_that_seals(used):
    shared, _ = used
    sealing = {"the sealing key": (shared.dir / "secret.key").read_bytes().hex()}
    for file in shared.dir.rglob("*.db*"):
        content = file.read_bytes()
        assert bytes.fromhex(sealing["the sealing key"]) not in content, file
        assert_free(content, sealing, file)


def test_logs_tell_none(used):
    shared, secrets = used
    for log in (shared.daemon_log, shared.broker_log):
        assert_free("\n".join(log.lines).encode(), secrets, "a log")
    assert_free(shared.command("log", "api", "--data-dir", shared.dir).encode(), secrets, "the trail")


def test_the_process_shows_none(used):
    shared, secrets = used
    for process in (shared.daemon, shared.broker):
        for name in ("cmdline", "environ"):
            content = Path(f"/proc/{process.pid}/{name}").read_bytes()
            assert_free(content, secrets, f"/proc/PID/{name}")


def test_secrets_from_the_environment_are_removed_from_it(make_thingward):
    """A daemon that was started with them no longer shows them."""
    thingward = make_thingward().init().start_broker()
    names = {"THINGWARD_ROOT_ACCESS_KEY_ID": "AKIAOTHER", "THINGWARD_ROOT_SECRET_ACCESS_KEY": "of-the-environment"}
    thingward.start_daemon(env=names).wait_ready()
    assert b"of-the-environment" not in Path(f"/proc/{thingward.daemon.pid}/environ").read_bytes()


def test_answers_tell_none(used):
    shared, secrets = used
    listed = shared.command("key", "list", "--data-dir", shared.dir)
    assert stack.KEY_ID in listed
    pages = "".join(shared.get(path)[1] for path in ("/metrics", "/readyz", "/version", "/healthz"))
    settings = shared.command("settings", "--data-dir", shared.dir)
    certificates = str(shared.api.list_certificates())
    assert_free((listed + pages + settings + certificates).encode(), secrets, "an answer")


def test_a_new_keys_file_is_its_owners(used):
    shared, _ = used
    out = shared.home / "new-key"
    words = ("key", "create", "--role", "viewer", "--out", out, "--data-dir", shared.dir)
    assert shared.command(*words) == ""
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert re.match(r"aws_access_key_id = TWAK\w+\naws_secret_access_key = \S{40}\n$", out.read_text())
    n_keys = len(shared.command("key", "list", "--data-dir", shared.dir).splitlines())
    assert shared.command(*words, check=False).returncode != 0
    assert len(shared.command("key", "list", "--data-dir", shared.dir).splitlines()) == n_keys


def test_paths_are_open_to_nobody_else(used):
    shared, _ = used
    for file in [shared.dir, *shared.dir.rglob("*")]:
        mode = stat.S_IMODE(file.stat().st_mode)
        assert mode & 0o007 == 0 or file.is_symlink(), f"{file}: {mode:o}"
    for key in (shared.dir / "ca").glob("*.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE((shared.dir / "secret.key").stat().st_mode) == 0o600
