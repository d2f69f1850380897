"""The `cmek` command, loaded once: it takes a line of JSON for each command, answers with one.

Each runs in a fork, so that none finds what another left.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from tempfile import TemporaryFile
from typing import Any

import boto3.session  # noqa: F401  The commands import it when they ask AWS.

import cmek_construct.commands.app  # noqa: F401
from cmek_construct.commands import main


def _run(asked: Mapping[str, Any]) -> dict[str, object]:
    with TemporaryFile() as typed, TemporaryFile() as stdout, TemporaryFile() as stderr:
        typed.write(asked["typed"].encode())
        typed.seek(0)
        child = os.fork()
        if not child:
            for number, file in enumerate((typed, stdout, stderr)):
                os.dup2(file.fileno(), number)
            os.chdir(asked["folder"])
            os.environ.clear()
            os.environ.update(asked["environment"])
            sys.argv = asked["command"]
            main()
            sys.exit()
        exit_code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        ended: dict[str, object] = {"exit_code": exit_code}
        for name, file in (("stdout", stdout), ("stderr", stderr)):
            file.seek(0)
            ended[name] = file.read().decode()
        return ended


if __name__ == "__main__":
    while line := sys.stdin.readline():
        print(json.dumps(_run(json.loads(line))), flush=True)
