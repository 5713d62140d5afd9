"""AWS's own device SDK, native client: what runs on devices today works unchanged."""

import json
import subprocess

import broker_kit as kit
import cbor2
import pytest
import stack


@pytest.fixture(scope="module")
def sdk(shared, node):
    """Sends a payload with the SDK as a new thing; exit code of device.mjs and what it printed."""
    made = {}

    def send(mqtt, format, payload):
        thing = f"sdk-{mqtt}-{format}-{len(made)}"
        device = made[thing] = shared.register(thing)
        files = {"cert": device.cert_pem, "key": device.key_pem, "payload": payload}
        for name, content in files.items():
            path = shared.home / f"{thing}.{name}"
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            files[name] = str(path)
        arguments = {
            **files,
            "mqtt": mqtt,
            "format": format,
            "thing": thing,
            "host": "localhost",
            "port": shared.mqtt_port,
            "ca": str(shared.dir / "ca" / "server-ca.pem"),
        }
        done = subprocess.run(
            ["node", "device.mjs", json.dumps(arguments)],
            cwd=node,
            env=stack.clean_env(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stdout, done.stderr
        printed = json.loads(done.stdout)
        if "text" in printed:
            is_cbor = format == "cbor"
            printed["document"] = stack.FORMATS[format][1](
                bytes.fromhex(printed["text"]) if is_cbor else printed["text"]
            )
        return done.returncode, printed

    return send


REPORTS = {"json": "python-v1.1.1-long.json", "cbor": "python-head-long.cbor"}


@pytest.mark.parametrize("format", REPORTS)
@pytest.mark.parametrize("mqtt", [3, 5])
def test_accepted(sdk, mqtt, format):
    payload = (kit.ROOT / "tests" / "data" / "reports" / REPORTS[format]).read_bytes()
    report = stack.FORMATS[format][1](payload)
    code, printed = sdk(mqtt, format, payload)
    assert code == 0, printed
    assert printed["document"]["status"] == "ACCEPTED"
    assert printed["document"]["reportId"] == report["header"]["report_id"]


@pytest.mark.parametrize("mqtt, format", [(3, "cbor"), (5, "json")])
def test_rejected(sdk, mqtt, format):
    code, printed = sdk(mqtt, format, {"json": b"{", "cbor": cbor2.dumps({"metrics": {}})}[format])
    assert code == 2, printed
    assert printed["document"]["statusDetails"]["ErrorCode"] == "InvalidPayload"
