"""Settings: a bad one stops the broker at its start, with the cure in its log."""

import broker_kit as kit
import pytest


@pytest.mark.parametrize(
    "options, complaint",
    [
        ({"colour": "red"}, "plugin_opt_colour is not known: remove the line"),
        ({"snapshot": "relative"}, 'plugin_opt_snapshot is "relative": give an absolute path'),
        ({"broker": "b" * 65}, "give 1 to 64 letters, digits"),
        ({"broker": "a/b"}, "give 1 to 64 letters, digits"),
        ({"daemon_uid": "nobody-here"}, 'plugin_opt_daemon_uid is "nobody-here": give an account or its number'),
        ({"daemon_uid": "-1"}, "give an account or its number"),
        ({"queue_bytes": "0"}, "give a number of bytes"),
        ({"session_byte_rate": "fast"}, "give bytes a second"),
        ({"mode": "observe\nplugin_opt_mode enforce"}, "plugin_opt_mode is there twice: remove one"),
    ],
)
def test_bad_option_stops_the_broker(broker, options, complaint):
    broker.options = options
    with pytest.raises(AssertionError):
        broker.start()
    assert broker.stop() != 0
    assert any(complaint in line for line in broker.log.lines)


def test_account_is_taken_by_name(broker, far_end):
    broker.options["daemon_uid"] = "root"
    broker.fleet.write()
    broker.start()
    broker.log.wait("snapshot generation 1 is in force")
