"""The rows of tests/load at sizes of seconds: counts and caps, no times (scripts/check load has the full ones)."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "load"))

import rows  # noqa: E402


def test_a_crowd_of_certificates_with_one_subject():
    assert rows.crowd(certificates=40, connects=40, rounds=1)["ratios"]


def test_refused_connects_are_exact_and_make_no_devices():
    done = rows.strangers(count=600, rate=0)
    assert {cause: row["count"] for cause, row in done["ledger"].items()} == done["metric"]
    assert done["metric"] == {"certificate-unknown": 300, "missing-variable": 300}
    assert done["devices"] == 0


def test_many_client_ids_of_one_certificate_are_counted():
    done = rows.names(count=300)
    assert (done["counters"]["connects"], done["counters"]["ends"]) == (300, 300)
    assert (done["devices"], done["open"]) == (1, 0)


@pytest.mark.parametrize("away", rows.AWAY)
def test_a_flood_while_the_daemon_is_away(away):
    """S11: reports of the others are all accepted, and every message of everybody is counted."""
    done = rows.flood(away, seconds=1, calm=10, interval_ms=100)
    calm, flooded = done["calm"], done["flood"]
    assert (calm["accepted"], done["logged"]) == (calm["reports"], calm["reports"])
    assert done["counted"] == calm["reports"] + calm["telemetry"]
    assert done["counted_flood"] == flooded["reports"] + flooded["telemetry"]
    assert done["logged_flood"] + done["refused_flood"] == flooded["reports"]


def test_sighup_ends_and_begins_no_session():
    done = rows.reload(sessions=200, rounds=2)
    assert (done["told"], done["counted"]) == (201, 201)
    assert (done["ended"], done["counted_ends"]) == (0, 0)
