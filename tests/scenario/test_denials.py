"""The denial ledger, from the broker to the command line and to fail2ban."""

import contextlib
import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import broker_kit as kit
import pytest
import stack
from test_broker_policy import Session, cert_of

FILTER = Path(__file__).parents[2] / "packaging" / "fail2ban" / "filter.d" / "thingward.conf"
HOSTILE = 'x" \ndenied 198.51.100.1 cause=x'


@pytest.fixture(scope="module")
def installed():
    made = stack.Stack({"denial.log": "true"}).start()
    with contextlib.closing(SimpleNamespace(close=made.remove)):
        (made.home / "server.pem").write_bytes((made.dir / "ca" / "server-ca.pem").read_bytes())
        yield made


@pytest.fixture
def why(installed):
    """What the ledger says, as JSON, once it says anything."""

    def run(*words):
        def ask():
            installed.settle()
            done = installed.command(
                *("why-denied", "--json", "--data-dir", installed.dir, *words), check=False
            )
            return json.loads(done.stdout) if done.returncode == 0 else None

        return stack.wait_until(ask, f"a refusal of {words}")

    return run


def join(installed, thing, *statements, client_id=None):
    device = installed.register(thing, policy=kit.document(*statements))
    broker = SimpleNamespace(dir=installed.home, port=installed.mqtt_port)
    return Session(broker, cert_of(device), client_id or thing, device.certificate_arn)


ANYONE = kit.statement("iot:Connect", "*")
DENY = {"Sid": "NoPlant", "Effect": "Deny", "Action": "iot:Publish", "Resource": "*"}


def test_the_deciding_statement_is_named(installed, why):
    with contextlib.closing(join(installed, "denied", ANYONE, DENY)) as session:
        assert session.connect() == 0
        assert session.is_cut("plant/7")
    (row,) = why("--client", "denied")
    assert row["cause"] == "explicit-deny" and row["action"] == "iot:Publish"
    assert (row["resource"], row["policy"], row["version"], row["statement"]) == ("plant/7", "of-denied", 1, 2)
    assert row["sid"] == "NoPlant"
    assert row["address"] == "127.0.0.1" and row["certificate"] == session.certificate_id
    assert row["count"] == 1 and not row["observed"]
    assert why("--thing", "denied") == [row]
    assert why("--certificate", session.certificate_arn) == [row]
    assert row in why("--address", "127.0.0.1", "--since", "1h")


def test_the_missing_grant_is_named(installed, why):
    with contextlib.closing(join(installed, "ungranted", ANYONE)) as session:
        assert session.connect() == 0
        assert session.is_cut("plant/8")
    (row,) = why("--client", "ungranted")
    assert row["cause"] == "implicit-deny"
    assert 'iot:Publish on "topic/plant/8"' in row["cure"]


def test_words_for_people(installed, why):
    why("--client", "denied")
    text = installed.command("why-denied", "--client", "denied", "--data-dir", installed.dir)
    assert 'policy "of-denied" version 1, statement 2 (NoPlant)' in text
    assert "cure:" in text


def test_nothing_was_refused(installed):
    done = installed.command("why-denied", "--client", "nobody", "--data-dir", installed.dir, check=False)
    assert done.returncode == 4 and "no such refusal" in done.stderr
    done = installed.command("would-refuse", "--json", "--data-dir", installed.dir, check=False)
    assert done.returncode == 0 and json.loads(done.stdout)["devices"] == []


def test_refusals_survive_the_daemon(installed, why):
    """Told while it is away, and once only."""
    session = join(installed, "away", ANYONE)
    installed.settle()
    installed.kill_daemon()
    with contextlib.closing(session):
        assert session.connect() == 0
        assert session.is_cut("plant/9")
    installed.start_daemon().wait_ready()
    (row,) = why("--client", "away")
    assert row["count"] == 1


def test_every_line_is_found_by_fail2ban(installed, why):
    with contextlib.closing(join(installed, "quoted", ANYONE, client_id=HOSTILE.replace("\n", ""))) as session:
        assert session.connect() == 0
        assert session.is_cut("a/b")
    why("--client", HOSTILE.replace("\n", ""))
    lines = [line for line in installed.daemon_log.lines if "denial: " in line]
    assert lines and all(line.split("denial: ")[1].startswith("denied 127.0.0.1 cause=") for line in lines)
    if not shutil.which("fail2ban-regex"):
        pytest.skip("fail2ban is not installed")
    log = installed.home / "denials.log"
    log.write_text("\n".join(lines) + "\n")
    done = subprocess.run(["fail2ban-regex", log, FILTER], capture_output=True, text=True, check=True)
    assert f"{len(lines)} lines, 0 ignored, {len(lines)} matched, 0 missed" in done.stdout


def observing(conf):
    """The same broker, which leaves every decision to what it would be without us: everybody may do everything."""
    return conf.replace("allow_anonymous false", "allow_anonymous true").replace(
        "plugin_opt_broker", "plugin_opt_mode observe\nplugin_opt_broker"
    )


def test_what_observed_listeners_would_refuse(make_thingward):
    watched = make_thingward(settings={"denial.log": "true"}).init()
    conf = watched.dir / "mosquitto.conf"
    conf.write_text(observing(conf.read_text()))
    watched.start_broker().start_daemon().wait_ready()
    (watched.home / "server.pem").write_bytes((watched.dir / "ca" / "server-ca.pem").read_bytes())
    with contextlib.closing(join(watched, "careless", ANYONE)) as session:
        assert session.connect() == 0
        for _ in range(3):
            session.publish_acked("plant/7")

    def devices():
        watched.settle()
        told = watched.command("would-refuse", "--json", "--data-dir", watched.dir, check=False)
        return json.loads(told.stdout)["devices"]

    (device,) = stack.wait_until(devices, "a device that would be refused")
    assert device["count"] == 3 and 'client "careless"' in device["device"]
    (reason,) = device["reasons"]
    assert (reason["cause"], reason["action"], reason["resource"]) == ("implicit-deny", "iot:Publish", "plant/7")
    words = ("would-refuse", "--data-dir", watched.dir)
    assert "1 device would be refused" in watched.command(*words)
    assert watched.command(*words, "--fail-on-any", check=False).returncode == 3
    assert "would be refused: iot:Publish" in watched.command("why-denied", *words[1:])
    assert watched.daemon_log.has("denial: would-deny 127.0.0.1 cause=implicit-deny")
    assert watched.metric("refusals", mode="observe") == 3 and watched.metric("refusals", mode="enforce") == 0
