"""`thingward adopt` on the command line; what its lines are worth on a broker stands in test_observe.py."""

import json

import pytest

CONF = "pid_file /run/m.pid\ninclude_dir {dir}\nlistener 1883\npassword_file /etc/p\n"


@pytest.fixture
def adopt(make_thingward, tmp_path):
    """Runs it on a main file with one that it includes; the finished process."""
    thingward = make_thingward().init()
    included = tmp_path / "conf.d"
    included.mkdir()
    main = tmp_path / "mosquitto.conf"

    def run(text, *options):
        main.write_text(CONF.format(dir=included))
        (included / "site.conf").write_text(text)
        return thingward.command("adopt", main, "--data-dir", thingward.dir, *options, check=False)

    run.written = tmp_path / "adopted.conf"
    run.main = main
    return run


def test_words_and_lines(adopt):
    done = adopt("max_inflight_messages 5\n")
    assert done.returncode == 0 and not done.stderr
    for words in ("site.conf:1  max_inflight_messages 5", "port 1883, all addresses", "plugin_opt_mode observe",
                  "mosquitto.conf:4  password_file /etc/p"):
        assert words in done.stdout, words
    assert not adopt.written.exists()


def test_written_file_holds_the_old_one(adopt):
    assert adopt("", "--write", adopt.written).returncode == 0
    old, new = adopt.main.read_text(), adopt.written.read_text()
    before, after = new.split(old)
    assert before.splitlines()[1].startswith("plugin /") and "\nplugin_opt_mode observe\n" in before
    assert after.splitlines()[-1].startswith("listener 0 /")


def test_nothing_is_overwritten(adopt):
    adopt.written.write_text("mine")
    done = adopt("", "--write", adopt.written)
    assert done.returncode == 1 and "File exists" in done.stderr
    assert adopt.written.read_text() == "mine"


def test_what_blocks_is_said_and_nothing_written(adopt):
    done = adopt("per_listener_settings true\n")
    assert done.returncode == 3
    assert "cure: set it to false" in done.stdout and "plugin_opt_mode" not in done.stdout
    assert adopt("per_listener_settings true\n", "--write", adopt.written).returncode == 1
    assert not adopt.written.exists()


def test_json(adopt):
    told = json.loads(adopt("protocol websockets\nno_such_thing 1\n", "--json").stdout)
    effects = {option["name"]: option["effect"] for option in told["options"]}
    assert effects["password_file"] == "observe-only" and effects["no_such_thing"] == "unknown"
    assert "plugin_opt_mode observe\n" in told["add"]["top"] and not told["blocked"]


@pytest.mark.parametrize("text", ["x" * 5000, "a\0b"], ids=["a long line", "a zero byte"])
def test_what_is_no_configuration(adopt, text):
    done = adopt(text)
    assert done.returncode == 1 and "site.conf:1: no line of text" in done.stderr
