#!/usr/bin/python3
"""The AWS CLI in one process for many commands: starting it takes longer than most of them.

A line of stdin is the words of a command as a JSON list; the line of stdout that answers it is
{"code": exit status, "out": stdout, "err": stderr}."""

import contextlib
import io
import json
import sys

from awscli.clidriver import create_clidriver


def run(words):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = create_clidriver().main(words)
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}


for line in sys.stdin:
    answer = run(json.loads(line))
    print(json.dumps(answer), flush=True)
