"""A data directory belongs to no place and no host: it can be moved, or restored from a backup."""


def test_moved_directory_is_served_as_it_was(make_thingward):
    thingward = make_thingward().init().start_daemon()
    thingward.api.create_thing(thingName="pump-1")
    thingward.kill_daemon()
    moved = thingward.home / "elsewhere"
    thingward.dir.rename(moved)
    thingward.dir = moved
    thingward.start_daemon()
    assert [one["thingName"] for one in thingward.api.list_things()["things"]] == ["pump-1"]
