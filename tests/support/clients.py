"""The API's three clients behind one face: boto3, the AWS CLI, AWS's SDK for JavaScript.

    client = Boto3(stack)
    thing = client.call("CreateThing", thingName="pump-1")      # its output; times are epoch seconds
    with client.refused("ResourceNotFoundException", 404): ...
"""

import contextlib
import datetime
import json
import re
import subprocess
from pathlib import Path

import botocore.exceptions
from botocore import xform_name

import stack

TIMES = re.compile(r"(creationDate|lastModifiedDate|Time|notBefore|notAfter)$")


class Refused(Exception):
    """code: the exception's name. status: of HTTP, None when the client does not tell."""

    def __init__(self, code, status, message):
        super().__init__(f"{code} ({status}): {message}")
        self.code, self.status, self.message = code, status, message


def seconds(value):
    if isinstance(value, str):
        value = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    return value.timestamp()


def plain(value, name=""):
    """What a client gave, with times as epoch seconds."""
    if isinstance(value, dict):
        return {key: plain(member, key) for key, member in value.items() if key != "ResponseMetadata"}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return seconds(value) if TIMES.search(name) else value


class Client:
    """absent: operations that the client's model is too old for."""

    absent = frozenset()

    def __init__(self, installation):
        self.stack, self.called = installation, set()

    def call(self, operation, **members):
        self.called.add(operation)
        return plain(self.send(operation, members))

    @contextlib.contextmanager
    def refused(self, code, status):
        """The block's call must be refused so."""
        try:
            yield
        except Refused as refusal:
            assert refusal.code == code, refusal
            assert refusal.status in (None, status), refusal
        else:
            raise AssertionError(f"not refused with {code}")

    def close(self):
        pass


class Boto3(Client):
    absent = frozenset({"ListPrincipalThingsV2", "ListThingPrincipalsV2"})

    def __init__(self, installation):
        super().__init__(installation)
        self.api = installation.client()

    def send(self, operation, members):
        try:
            return getattr(self.api, xform_name(operation))(**members)
        except botocore.exceptions.ClientError as e:
            status = e.response["ResponseMetadata"]["HTTPStatusCode"]
            raise Refused(e.response["Error"]["Code"], status, e.response["Error"]["Message"]) from e


class Lines(Client):
    """A client that is a program: a line of JSON in, a line out."""

    def __init__(self, installation, command, **options):
        super().__init__(installation)
        self.program = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options
        )

    def ask(self, question):
        print(json.dumps(question), file=self.program.stdin, flush=True)
        return json.loads(self.program.stdout.readline())

    def close(self):
        self.program.stdin.close()
        self.program.wait(60)


class AwsCli(Lines):
    absent = Boto3.absent

    def __init__(self, installation):
        server = Path(__file__).parent / "aws_cli_server.py"
        super().__init__(installation, ["/usr/bin/python3", server], env=installation.aws_env())

    def send(self, operation, members):
        words = ["--endpoint-url", self.stack.endpoint, "--output", "json", "iot"]
        words += [xform_name(operation, "-"), "--cli-input-json", json.dumps(members)]
        done = self.ask(words)
        if done["code"]:
            found = re.search(r"An error occurred \((\w+)\) when calling the \w+ operation[^:]*: (.*)", done["err"])
            assert found, done
            raise Refused(found[1], None, found[2])
        return json.loads(done["out"] or "{}")


class JavaScript(Lines):
    def __init__(self, installation, folder):
        keys = {"endpoint": installation.endpoint, "key": stack.KEY_ID, "secret": stack.SECRET}
        super().__init__(installation, ["node", "api.mjs", json.dumps(keys)], cwd=folder)

    def send(self, operation, members):
        done = self.ask({"operation": operation, "input": members})
        if "error" in done:
            raise Refused(done["error"], done["status"], done["message"])
        return done["output"]
