"""`cmek project create`: Pinecone's real SDK, against a stand-in for its API on this machine."""

from __future__ import annotations

import logging
import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pinecone._internal import http_client
from pinecone._internal.config import PineconeConfig
from pinecone.admin import admin

from tests.command import cmek
from tests.pinecone_stand_in import API_KEY, CLIENT_ID, CLIENT_SECRET, DROP_AFTER, DROP_BEFORE, Pinecone, running
from tests.test_doctor import OWN, VENDOR, text_of

MAKE, KEY = "POST /admin/projects", "POST /admin/projects/proj-0/api-keys"


@pytest.fixture
def pinecone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pinecone]:
    monkeypatch.setattr(http_client, "_retry_sleep", lambda _seconds: None)
    http_client.get_budget_registry()._reset()
    with running() as found:
        monkeypatch.setattr(admin, "_OAUTH_URL", f"{found.url}/oauth/token")
        for name, value in (
            ("PINECONE_CLIENT_ID", CLIENT_ID),
            ("PINECONE_CLIENT_SECRET", CLIENT_SECRET),
            ("PINECONE_CONTROLLER_HOST", found.url),
        ):
            monkeypatch.setenv(name, value)
        yield found


def create(pinecone: Pinecone, folder: Path, *options: str, code: int = 0) -> str:
    """What it prints; of the secret nothing ever gets out."""
    if not (folder / "cmek.yaml").exists():
        (folder / "cmek.yaml").write_text(text_of({"acme": OWN}))
    printed = cmek(folder, "project", "create", "acme", *options, code=code)
    assert CLIENT_SECRET not in printed.stdout + printed.stderr
    return printed.stdout + printed.stderr


YES = ("--yes", "--show-key")


def test_without_yes_it_says_what_it_would_do_and_does_nothing(pinecone: Pinecone, tmp_path: Path) -> None:
    printed = create(pinecone, tmp_path)
    assert f"as {CLIENT_ID}" in printed
    assert "Would make the project 'acme'" in printed
    assert "never be switched off" in printed
    assert "Nothing was made" in printed
    assert pinecone.projects == []
    assert not [one for one in pinecone.requests if one.startswith("POST /admin")]


def test_with_yes_the_project_is_made_and_its_key_shown_once(pinecone: Pinecone, tmp_path: Path) -> None:
    printed = create(pinecone, tmp_path, "--project-name=Acme search", *YES)
    (project,) = pinecone.projects
    assert project["name"] == "Acme search"
    assert project["force_encryption_with_cmek"] is True
    (secret,) = pinecone.secrets
    assert printed.count(secret) == 1
    assert "cmek sheet acme" in printed
    assert "console alone" in printed
    assert [one.name for one in tmp_path.iterdir()] == ["cmek.yaml"]
    assert secret not in (tmp_path / "cmek.yaml").read_text()


def test_run_again_it_changes_nothing(pinecone: Pinecone, tmp_path: Path) -> None:
    create(pinecone, tmp_path, *YES)
    for options in (YES, ()):
        printed = create(pinecone, tmp_path, *options)
        assert "Nothing was changed" in printed
        assert "CMEK forced" in printed
        assert pinecone.secrets[0] not in printed
    assert (len(pinecone.projects), len(pinecone.secrets)) == (1, 1)


def test_a_project_of_that_name_must_have_its_encryption_forced(pinecone: Pinecone, tmp_path: Path) -> None:
    pinecone.add("acme", forced=False)
    assert "CMEK not forced" in create(pinecone, tmp_path, *YES, code=1)
    assert len(pinecone.projects) == 1


def test_two_projects_of_that_name_are_refused(pinecone: Pinecone, tmp_path: Path) -> None:
    pinecone.add("acme")
    pinecone.add("acme")
    printed = create(pinecone, tmp_path, *YES, code=1)
    assert "proj-0" in printed
    assert "proj-1" in printed
    assert pinecone.secrets == []


def test_into_a_pipe_nothing_is_made_unless_the_key_may_be_shown(pinecone: Pinecone, tmp_path: Path) -> None:
    assert "--show-key" in create(pinecone, tmp_path, "--yes", code=1)
    assert pinecone.requests == []


def test_on_a_terminal_the_key_is_shown(pinecone: Pinecone, tmp_path: Path) -> None:
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": OWN}))
    outer, inner = pty.openpty()
    code = (
        f"from pinecone.admin import admin; admin._OAUTH_URL = {admin._OAUTH_URL!r}\n"
        "from cmek_construct.commands import main; main()"
    )
    command = [sys.executable, "-c", code, "project", "create", "acme", "--yes"]
    subprocess.run(command, cwd=tmp_path, stdout=inner, check=True)
    printed = os.read(outer, 100_000).decode()
    os.close(inner)
    os.close(outer)
    assert printed.count(pinecone.secrets[0]) == 1


def test_without_the_entitlement_it_says_what_is_missing(pinecone: Pinecone, tmp_path: Path) -> None:
    pinecone.entitled = False
    printed = create(pinecone, tmp_path, *YES, code=1)
    assert "403" in printed
    assert "Enterprise plan" in printed


def test_a_project_that_is_not_forced_after_all_is_not_used(pinecone: Pinecone, tmp_path: Path) -> None:
    pinecone.forces = False
    assert "Do not use it" in create(pinecone, tmp_path, *YES, code=1)
    assert pinecone.secrets == []


def test_wrong_credentials_are_said_without_the_secret(
    pinecone: Pinecone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINECONE_CLIENT_SECRET", "rotated-long-ago")
    printed = create(pinecone, tmp_path, code=1)
    assert "Check PINECONE_CLIENT_ID" in printed
    assert "rotated-long-ago" not in printed
    assert "***" in printed


def test_without_credentials_it_says_where_they_come_from(
    pinecone: Pinecone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PINECONE_CLIENT_SECRET")
    printed = create(pinecone, tmp_path, code=1)
    assert "No client_secret" in printed
    assert "PINECONE_CLIENT_SECRET" in printed
    assert "service account" in printed


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "Check PINECONE_CLIENT_ID"),
        (402, "Nothing was changed"),
        (403, "Enterprise"),
        (429, "Nothing was changed"),
        (500, "Run the same again"),
        (DROP_BEFORE, "may be done or not"),
        (DROP_AFTER, "may be done or not"),
    ],
)
def test_each_failure_of_the_making_is_a_clear_message_and_run_again_it_is_done(
    pinecone: Pinecone, tmp_path: Path, status: int | str, said: str
) -> None:
    pinecone.failures[MAKE] = [status] * 4
    assert said in create(pinecone, tmp_path, *YES, code=1)
    pinecone.failures.clear()
    assert pinecone.secrets == []
    del pinecone.projects[1:]
    create(pinecone, tmp_path, *YES)
    assert len(pinecone.projects) == len(pinecone.secrets) == 1


def test_an_api_key_that_failed_is_made_by_the_next_run(pinecone: Pinecone, tmp_path: Path) -> None:
    pinecone.failures[KEY] = [403]
    printed = create(pinecone, tmp_path, *YES, code=1)
    assert "Made the project" in printed
    assert "no API key yet: run the same again" in printed
    assert "Would make an API key" in create(pinecone, tmp_path)
    assert pinecone.add_key("proj-0", "x")["value"] not in create(pinecone, tmp_path)
    pinecone.keys["proj-0"].clear()
    printed = create(pinecone, tmp_path, *YES)
    assert pinecone.secrets[-1] in printed
    assert len(pinecone.projects) == 1


def test_a_project_that_the_sdk_made_twice_for_a_lost_answer_is_refused(pinecone: Pinecone, tmp_path: Path) -> None:
    pinecone.failures[MAKE] = [DROP_AFTER]
    printed = create(pinecone, tmp_path, *YES, code=1)
    assert "more than one project" in printed
    assert "ID proj-0" in printed
    assert "ID proj-1" in printed
    assert pinecone.secrets == []


def test_a_timeout_is_a_clear_message(pinecone: Pinecone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = pinecone.answer

    def slow(method: str, path: str, *more: Any) -> Any:
        if path == "/admin/projects":
            time.sleep(0.2)
        return answer(method, path, *more)

    monkeypatch.setattr(pinecone, "answer", slow)
    check = PineconeConfig.__post_init__

    def impatient(config: PineconeConfig) -> None:
        check(config)
        object.__setattr__(config, "timeout", 0.05)

    monkeypatch.setattr(PineconeConfig, "__post_init__", impatient)
    assert "timed out" in create(pinecone, tmp_path, *YES, code=1)


def test_an_answer_that_cannot_be_read_is_a_clear_message(
    pinecone: Pinecone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pinecone, "_administered", lambda *_: (200, {"data": [{"id": 1}]}))
    printed = create(pinecone, tmp_path, code=1)
    assert "pip install -U pinecone" in printed


def test_a_key_that_cannot_be_read_is_in_no_message(
    pinecone: Pinecone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = pinecone.add_key
    monkeypatch.setattr(pinecone, "add_key", lambda *of: {"value": add(*of)["value"], "key": 5})
    printed = create(pinecone, tmp_path, *YES, code=1)
    assert "could not make the API key" in printed
    assert pinecone.secrets[0] not in printed


def test_no_secret_is_logged(
    pinecone: Pinecone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PINECONE_DEBUG_CURL", "1")
    with caplog.at_level(logging.DEBUG):
        create(pinecone, tmp_path, *YES)
    assert "/admin/projects" in caplog.text
    for secret in (CLIENT_SECRET, "token-1", *pinecone.secrets):
        assert secret not in caplog.text


def test_a_secret_is_sent_to_no_address_in_the_open(
    pinecone: Pinecone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINECONE_CONTROLLER_HOST", "http://example.com")
    assert "PINECONE_CONTROLLER_HOST" in create(pinecone, tmp_path, code=1)
    assert pinecone.requests == []


def test_a_project_is_said_to_be_made_though_nobody_can_list_it(
    pinecone: Pinecone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = pinecone.answer

    def listed_once(method: str, path: str, *more: Any) -> Any:
        is_second = pinecone.requests.count("GET /admin/projects") > 1
        denied = (403, {"error": {"message": "injected"}})
        return denied if is_second and f"{method} {path}" == "GET /admin/projects" else answer(method, path, *more)

    monkeypatch.setattr(pinecone, "answer", listed_once)
    printed = create(pinecone, tmp_path, *YES, code=1)
    assert "Made the project acme (ID proj-0" in printed
    assert "run the same again" in printed


def test_a_vendors_project_has_a_name_of_its_own(pinecone: Pinecone, tmp_path: Path) -> None:
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": VENDOR}))
    assert "one Pinecone project per customer" in create(pinecone, tmp_path, code=1)
    assert "--key-arn" in create(pinecone, tmp_path, "--project-name=globex", *YES)


def test_wrong_names_are_refused_before_pinecone_is_asked(pinecone: Pinecone, tmp_path: Path) -> None:
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": OWN}))
    assert "got 'nobody'" in cmek(tmp_path, "project", "create", "nobody", code=1).stderr
    assert "a stack begins" in cmek(tmp_path, "project", "create", "a,b", code=2).stderr
    assert pinecone.requests == []


def test_without_the_sdk_it_says_which_extra(tmp_path: Path) -> None:
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": OWN}))
    code = (
        "import sys; sys.modules['pinecone'] = None\n"
        "from cmek_construct.commands import main\n"
        "sys.argv = ['cmek', 'project', 'create', 'acme']; main()"
    )
    environment = {**os.environ, "PINECONE_CLIENT_ID": "x", "PINECONE_CLIENT_SECRET": API_KEY}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "the extra `pinecone`" in done.stderr
    assert "Traceback" not in done.stderr
