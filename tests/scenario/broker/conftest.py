import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))

import broker_kit as kit  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than ten seconds")


@pytest.fixture(scope="session")
def ca():
    return kit.make_cert("Fleet CA", is_ca=True)


@pytest.fixture
def broker():
    """A broker with directories and keys, not started; its fleet is empty."""
    b = kit.Broker()
    yield b
    b.remove()


@pytest.fixture
def devices():
    """Makes devices and closes them at the end."""
    made = []

    def make(*args, **kwargs):
        made.append(kit.Device(*args, **kwargs))
        return made[-1]

    yield make
    for device in made:
        device.close()


@pytest.fixture
def far_end(broker):
    far = kit.FarEnd(broker)
    yield far
    far.close()
