"""An answer does not wait for the broker's next tick: the daemon's PINGREQ wakes it."""

import re

REPORTS = 20
STEPS = re.compile(r"Received (PINGREQ) from thingward-doorbell|Sending (PUBLISH) to pump|Received (PUBLISH) from pump")


def test_answers_leave_behind_the_doorbell(make_thingward):
    """An idle broker ticks ten times a second. By chance a tick comes first now and then, never often."""
    thingward = make_thingward().init()
    with open(thingward.dir / "mosquitto.conf", "a", encoding="utf-8") as conf:
        conf.write("log_type all\n")
    thingward.start_broker().start_daemon().wait_ready()
    pump = thingward.register("pump")
    assert pump.connect() == 0
    mark = thingward.broker_log.mark()
    for _ in range(REPORTS):
        assert pump.report(tcp_ports=[])["status"] == "ACCEPTED"
    thingward.stop_broker()
    thingward.broker_log.thread.join()
    found = [STEPS.search(line) for line in thingward.broker_log.lines[mark:]]
    steps = " ".join(next(filter(None, step.groups())) for step in found if step)
    assert steps.count("PUBLISH") == 2 * REPORTS
    assert steps.count("PUBLISH PINGREQ PUBLISH") > REPORTS / 2
