import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import stack  # noqa: E402


@pytest.fixture
def make_thingward():
    """Makes installations: make_thingward(settings={...}, is_test=False); not started."""
    made = []

    def make(**options):
        made.append(stack.Stack(**options))
        return made[-1]

    yield make
    for one in made:
        one.remove()


@pytest.fixture
def thingward(make_thingward):
    """Broker and daemon, ready, with a manual clock and no minimum delay between reports."""
    return make_thingward().start()


@pytest.fixture(scope="module")
def shared():
    """One such installation for all tests of a file, which keep apart by the names they choose."""
    one = stack.Stack()
    try:
        yield one.start()
    finally:
        one.remove()


@pytest.fixture(scope="session")
def node():
    """The folder of the JavaScript clients, with their packages."""
    folder = Path(__file__).parent / "node"
    with open(folder / "package-lock.json", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "node_modules").is_dir():
            subprocess.run(
                ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True
            )
    return folder
