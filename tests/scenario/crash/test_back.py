"""A daemon that comes back after a crash is known to the broker from its first word on."""


def test_daemon_that_comes_back_is_no_stranger(make_thingward):
    thingward = make_thingward(settings={"clock.mode": "real"}).start()
    pump = thingward.register("pump-1")
    assert pump.connect() == 0
    for _ in range(3):
        thingward.kill_daemon()
        thingward.start_daemon().wait_ready()
        assert pump.report(tcp_ports=[22])["status"] == "ACCEPTED"
    assert not thingward.broker_log.has('refused .* client "thingward-doorbell"')
