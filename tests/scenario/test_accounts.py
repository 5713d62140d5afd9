"""Two accounts: what is the broker's, and what is the daemon's alone."""

import os
import pwd
import subprocess

import pytest


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
