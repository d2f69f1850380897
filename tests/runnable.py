"""Whether what a finding says to run is a command that there is, with options that it has."""

from __future__ import annotations

import re
import shlex
from functools import cache
from typing import Any

import botocore.session
import typer
from botocore import xform_name

from cmek_construct.commands.app import cli

OF_CDK = {"deploy", "import", "diff", "synth"}
COMMANDS = ("aws ", "cmek ", "npx ")


def commands(cure: str) -> list[str]:
    """The commands of a cure: its lines to run, what they take in, and those in its sentences."""
    lines = [line for line in cure.split("\n") if line.startswith(COMMANDS)]
    inner = [one for line in lines for one in re.findall(r"\$\((.+?)\)", line)]
    said = [one for one in re.findall(r"`([^`]+)`", cure) if one.startswith(COMMANDS)]
    said += re.findall(r": ((?:aws|cmek|npx) [^`\n]+)$", cure, re.MULTILINE)
    outer = [re.sub(r'"\$\(.+?\)"', "DOCUMENT", line) for line in lines]
    return [one for text in (*outer, *inner, *said) for one in text.split(" && ")]


def check(cure: str) -> list[str]:
    """Parse each command of a cure as its program does.

    Returns:
        The commands.
    """
    found = commands(cure)
    for command in found:
        program, *words = shlex.split(command)
        {"cmek": _cmek, "aws": _aws, "npx": _npx}[program](words)
    return found


def _cmek(words: list[str]) -> None:
    command: Any = typer.main.get_command(cli)
    while words and words[0] in getattr(command, "commands", ()):
        command, words = command.commands[words[0]], words[1:]
    command.make_context("cmek", words)


@cache
def _options(service: str, operation: str) -> set[str]:
    model = botocore.session.get_session().get_service_model(service)
    (name,) = [one for one in model.operation_names if xform_name(one, "-") == operation]
    shape = model.operation_model(name).input_shape
    return {f"--{xform_name(one, '-')}" for one in (shape.members if shape else ())}


def _aws(words: list[str]) -> None:
    service, operation, *options = words
    if (service, operation) != ("sso", "login"):
        given = {one for one in options if one.startswith("--")}
        assert given <= _options(service, operation) | {"--region"}, words


def _npx(words: list[str]) -> None:
    assert words[0] == "cdk", words
    assert words[1] in OF_CDK, words
