"""The README's session works line by line, with the AWS CLI that Debian ships, and answers what the README shows.

Broker, daemon and key are the fixture's, so the lines that start them are left out; paths and ports are its own."""

import os
import re
import subprocess

import broker_kit as kit
import stack

STARTS = re.compile(r"build/thingward (init|serve) |mosquitto -c |export AWS_")
# What differs from run to run: ids, report ids and times, in the README's example as in the answer.
VARYING = [
    (re.compile(r"[0-9a-f]{32,}"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?"), "<time>"),
    (re.compile(r"\b\d{10,}(\.\d+)?"), "<number>"),
]


def commands():
    """(command, the output shown below it) of the README's console blocks."""
    blocks = re.findall(r"^```console\n(.*?)^```", (kit.ROOT / "README.md").read_text(), re.M | re.S)
    found = []
    for line in "".join(blocks).splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found:
            found[-1][1].append(line)
    return [(command, "\n".join(shown)) for command, shown in found if not STARTS.match(command)]


class Shell:
    """A bash that takes a line at a time, like the reader's."""

    END = "end-of-command"

    def __init__(self, directory, env):
        self.program = subprocess.Popen(
            ["bash", "-O", "expand_aliases"],
            cwd=directory,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, command):
        """What it printed; fails when its status is not 0."""
        print(f"{command}\necho {self.END} $?", file=self.program.stdin, flush=True)
        printed = []
        for line in self.program.stdout:
            if line.startswith(self.END):
                assert line.split()[1] == "0", f"{command}\n{''.join(printed)}"
                return "".join(printed).rstrip("\n")
            printed.append(line)
        raise AssertionError(f"the shell ended at: {command}")

    def close(self):
        self.program.stdin.close()
        self.program.wait(60)


def masked(text):
    for pattern, name in VARYING:
        text = pattern.sub(name, text)
    return text


def test_readme_session(make_thingward):
    thingward = make_thingward(settings={"clock.mode": "real"}).start()
    directory = thingward.home / "reader"
    directory.mkdir()
    for name in ("docs", "scripts"):
        (directory / name).symlink_to(kit.ROOT / name)
    env = thingward.aws_env()
    shell = Shell(directory, {**env, "PATH": f"/usr/bin:{env.get('PATH', os.defpath)}"})
    session = commands()
    assert len(session) > 10
    for command, shown in session:
        command = command.replace("/var/tmp/tw", str(thingward.dir))
        command = command.replace("http://127.0.0.1:8080", thingward.endpoint)
        command = command.replace("--host localhost", f"--host localhost --port {thingward.mqtt_port}")
        if not shown:
            shell.run(command)
            continue
        if command.startswith("iot list-"):
            # Alarms and findings come a moment after their cause.
            answers = []
            stack.wait_until(
                lambda: answers.append(masked(shell.run(command))) or answers[-1] == masked(shown),
                lambda: f"{masked(shown)}\nto {command}, which said\n{answers[-1]}",
            )
        else:
            assert masked(shell.run(command)) == masked(shown)
    shell.close()
