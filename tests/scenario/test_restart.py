"""Either side goes and comes back; commands beside the daemon; signals."""

import os
import signal
import socket
import subprocess

import broker_kit as kit
import stack

BEHAVIOR = {
    "name": "ports",
    "metric": "aws:listening-tcp-ports",
    "criteria": {"comparisonOperator": "in-port-set", "value": {"ports": [22]}},
}


def test_broker_comes_back(thingward):
    pump = thingward.register("pump-1")
    assert pump.connect() == 0
    assert pump.report(tcp_ports=[22])["status"] == "ACCEPTED"
    pump.close()
    thingward.stop_broker()
    stack.wait_until(lambda: thingward.get("/readyz")[0] == 503, "not ready without a broker")
    status, text = thingward.get("/readyz?without=broker")
    assert status == 200, text
    thingward.start_broker().wait_ready()
    assert pump.connect() == 0
    assert pump.report(tcp_ports=[22])["status"] == "ACCEPTED"


def accepted(pump, thingward, report_id):
    return {
        "thingName": pump.thing,
        "reportId": report_id,
        "status": "ACCEPTED",
        "timestamp": thingward.advance(0),
    }


def test_reports_wait_for_the_daemon(thingward):
    """While the daemon is away the broker serves and keeps; alarms are where they were."""
    thingward.api.create_security_profile(securityProfileName="p", behaviors=[BEHAVIOR])
    thingward.api.attach_security_profile(
        securityProfileName="p", securityProfileTargetArn=f"{stack.ARN}all/things"
    )
    pump = thingward.register("pump-1")
    assert pump.connect() == 0
    assert pump.report(tcp_ports=[23])["status"] == "ACCEPTED"
    thingward.settle()
    (before,) = thingward.api.list_active_violations()["activeViolations"]
    assert thingward.stop_daemon() == 0
    pump.send(stack.document(99, tcp_ports=[23, 24]))
    thingward.start_daemon()
    assert pump.reply() == accepted(pump, thingward, 99)
    thingward.settle()
    (after,) = thingward.api.list_active_violations()["activeViolations"]
    assert after["violationId"] == before["violationId"]
    assert after["lastViolationValue"] == {"ports": [23, 24]}


def test_manual_clock_goes_on_where_it_stood(thingward):
    before = thingward.advance(3600)
    assert thingward.stop_daemon() == 0
    thingward.start_daemon().wait_ready()
    assert thingward.advance(1) == before + 1000


def test_second_daemon_is_refused(thingward):
    done = thingward.command(
        "serve", "--data-dir", thingward.dir, "--allow-test-settings", check=False
    )
    assert done.returncode == 1
    assert "store.lock" in done.stderr or "in use" in done.stderr, done.stderr


def test_test_settings_need_the_flag(make_thingward):
    """S32."""
    thingward = make_thingward().init()
    done = thingward.command("serve", "--data-dir", thingward.dir, check=False)
    assert done.returncode == 78
    assert "--allow-test-settings" in done.stderr


def test_test_settings_are_told_while_they_are_on(thingward):
    """S32."""
    assert "test settings are on" in thingward.get("/readyz")[1]
    thingward.daemon_log.wait("test settings are on: clock.mode")


def test_init_refuses_what_is_initialised(make_thingward):
    thingward = make_thingward().init()
    before = (thingward.dir / "thingward.conf").read_bytes()
    done = thingward.command("init", "--data-dir", thingward.dir, check=False)
    assert done.returncode == 1
    assert "initialised already" in done.stderr
    assert (thingward.dir / "thingward.conf").read_bytes() == before


def test_keys_work_beside_the_daemon(thingward):
    """S25: a key is shown once, here in a file of the caller's."""
    out = thingward.home / "viewer.key"
    thingward.command(
        *("key", "create", "--role", "viewer", "--out", out, "--data-dir", thingward.dir)
    )
    assert out.stat().st_mode & 0o777 == 0o600
    fields = dict(line.split(" = ") for line in out.read_text().splitlines())
    key_id = fields["aws_access_key_id"]
    viewer = thingward.client(key_id, fields["aws_secret_access_key"])
    assert viewer.list_things()["things"] == []
    thingward.command("key", "delete", key_id, "--data-dir", thingward.dir)
    assert key_id not in thingward.command("key", "list", "--data-dir", thingward.dir)
    try:
        viewer.list_things()
    except viewer.exceptions.ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    else:
        raise AssertionError("a deleted key is still good")


def test_reload_and_readiness_are_told_to_the_service_manager(make_thingward):
    thingward = make_thingward().init().start_broker()
    path = thingward.home / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(stack.DEADLINE)
        thingward.daemon = subprocess.Popen(
            [kit.build_dir() / "thingward", "serve", "--data-dir", thingward.dir, "--allow-test-settings"],
            stderr=subprocess.PIPE,
            text=True,
            env=stack.clean_env({"NOTIFY_SOCKET": str(path)}),
        )
        thingward.daemon_log = kit.Log(thingward.daemon.stderr)
        assert manager.recv(100) == b"READY=1"
        with (thingward.dir / "thingward.conf").open("a") as conf:
            conf.write("[log]\nlevel=debug\n")
        os.kill(thingward.daemon.pid, signal.SIGHUP)
        assert [manager.recv(100), manager.recv(100)] == [b"RELOADING=1", b"READY=1"]
        assert thingward.stop_daemon() == 0
        assert manager.recv(100) == b"STOPPING=1"


def test_doctor_finds_what_is_wrong(thingward):
    """S26: owners and modes."""
    good = thingward.command("doctor", "--data-dir", thingward.dir)
    assert "WRONG" not in good
    (thingward.dir / "ca" / "device-ca.key").chmod(0o644)
    done = thingward.command("doctor", "--data-dir", thingward.dir, check=False)
    assert done.returncode == 1
    assert "device-ca.key: mode 0644" in done.stdout
    assert "chmod 0600" in done.stdout
