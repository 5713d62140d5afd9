"""S16: on a full disk revoking still works and reaches the broker; with room everything goes on by itself."""

import contextlib
import os
import subprocess

import pytest
import stack

DISK = "200m"  # the store, what it keeps free, and as much again


@pytest.fixture
def small_disk(make_thingward):
    """An installation on a disk of its own that is soon full."""
    one = make_thingward()
    one.dir.mkdir()
    if os.getuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "disk", one.dir]).returncode:
        pytest.skip("needs root, to mount a disk")
    try:
        yield one.start()
        one.stop_daemon()
        one.stop_broker()
    finally:
        subprocess.run(["umount", "-l", one.dir], check=True)


def fill(directory):
    """Somebody else takes all the room there is."""
    with open(directory / "filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(65536))


def deactivate(one, device):
    """Revoking answers 200, or that the log waits; it is stored in both cases."""
    try:
        one.api.update_certificate(certificateId=device.certificate_id, newStatus="INACTIVE")
    except one.api.exceptions.ServiceUnavailableException as error:
        assert "stored but not yet in force everywhere" in str(error)


def test_revoking_reaches_the_broker_on_a_full_disk(small_disk):
    devices = [small_disk.register(name) for name in ("first", "second", "third")]
    for device in devices:
        assert device.connect() == 0
    fill(small_disk.dir)
    for device in devices[:2]:
        deactivate(small_disk, device)
        device.wait_closed()
    small_disk.client().list_things()
    (small_disk.dir / "filler").unlink()
    small_disk.wait_ready()
    assert devices[2].report(tcp_ports=[22])["status"] == "ACCEPTED"
    for device in devices[:2]:
        found = small_disk.api.describe_certificate(certificateId=device.certificate_id)
        assert found["certificateDescription"]["status"] == "INACTIVE"
    small_disk.settle()
    # What the broker told meanwhile waited in it: nothing is lost, nothing is there twice.
    assert small_disk.sql("select client_id from session") == [("third",)]
    cut = small_disk.sql("select client_id, sum(times) from denial where client_id <> '' group by client_id")
    assert all(name in ("first", "second") and times == 1 for name, times in cut)
