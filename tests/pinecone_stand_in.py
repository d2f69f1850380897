"""A stand-in for Pinecone's public API on this machine: what the SDK is asked is real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

CLIENT_ID = "svc-0123"
CLIENT_SECRET = "secret-of-the-service-account"
API_KEY = "pcsk_first_of_the_project"
DROP_BEFORE, DROP_AFTER = "drop before", "drop after"
"""The connection ends without an answer, before or after what was asked is done."""
FORBIDDEN = {"error": {"code": "FORBIDDEN", "message": "CMEK is not enabled"}, "status": 403}


class Pinecone:
    """One organization, its projects, their API keys and indexes."""

    def __init__(self) -> None:
        self.projects: list[dict[str, Any]] = []
        self.keys: dict[str, list[dict[str, Any]]] = {}
        self.indexes: list[str] = []
        """Of the project of `API_KEY`."""
        self.failures: dict[str, list[int | str]] = {}
        """By method and path: a status, or how the connection ends, for one request each."""
        self.requests: list[str] = []
        self.secrets: list[str] = []
        self.entitled = True
        self.forces = True
        self.url = ""

    def add(self, name: str, *, forced: bool = True, keys: int = 0) -> dict[str, Any]:
        """One more project."""
        project_id = f"proj-{len(self.projects)}"
        project = {
            "id": project_id,
            "name": name,
            "max_pods": 0,
            "force_encryption_with_cmek": forced,
            "organization_id": "org-1",
        }
        self.projects.append(project)
        self.keys[project_id] = []
        for _each in range(keys):
            self.add_key(project_id, "default")
        return project

    def add_key(self, project_id: str, name: str) -> dict[str, Any]:
        """One more API key, and its secret."""
        number = sum(map(len, self.keys.values()))
        key = {"id": f"key-{number}", "name": name, "project_id": project_id, "roles": ["ProjectEditor"]}
        self.keys[project_id].append(key)
        self.secrets.append(f"pcsk_{number}_SHOWN_ONCE_{number}")
        return {"key": key, "value": self.secrets[-1]}

    def answer(self, method: str, path: str, body: Any, headers: Any) -> tuple[int, Any]:
        """What Pinecone answers, as far as its documents tell."""
        if path == "/oauth/token":
            right = (body["client_id"], body["client_secret"]) == (CLIENT_ID, CLIENT_SECRET)
            token = {"access_token": "token-1", "token_type": "Bearer", "expires_in": 1800}
            wrong = {"error": "access_denied", "error_description": f"no {body['client_secret']}"}
            return (200, token) if right else (401, wrong)
        if path == "/indexes":
            if headers["Api-Key"] != API_KEY:
                return 401, {"error": {"message": f"Invalid API Key {headers['Api-Key']}"}}
            return 200, {"indexes": list(map(_index, self.indexes))}
        assert headers["Authorization"] == "Bearer token-1"
        return self._administered(method, path, body)

    def _administered(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if path == "/admin/organizations":
            own = {"id": "org-1", "name": "Acme Inc", "plan": "Enterprise", "support_tier": "Pro"}
            return 200, {"data": [{**own, "payment_status": "Active", "created_at": "2024-01-01"}]}
        if path == "/admin/projects" and method == "GET":
            return 200, {"data": self.projects}
        if path == "/admin/projects":
            assert body["force_encryption_with_cmek"] is True
            if not self.entitled:
                return 403, FORBIDDEN
            return 201, self.add(body["name"], forced=self.forces)
        project_id = path.removeprefix("/admin/projects/").removesuffix("/api-keys")
        if method == "GET":
            return 200, {"data": self.keys[project_id]}
        return 201, self.add_key(project_id, body["name"])


def _index(name: str) -> dict[str, Any]:
    vector = {"type": "dense_vector", "dimension": 2, "metric": "cosine"}
    return {
        "name": name,
        "status": {"ready": True, "state": "Ready"},
        "schema": {"fields": {"v": vector}},
        "deployment": {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"},
        "deletion_protection": "disabled",
        "host": "x.svc.pinecone.io",
    }


@contextmanager
def running() -> Iterator[Pinecone]:
    """The stand-in, on a free port of this machine."""
    pinecone = Pinecone()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            request = f"{self.command} {self.path}"
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or "null")
            pinecone.requests.append(request)
            failure = next(iter(pinecone.failures.get(request, [])), None)
            if failure is not None:
                pinecone.failures[request].pop(0)
            if failure == DROP_BEFORE:
                return
            status, found = (
                (failure, {"error": {"message": "injected"}})
                if isinstance(failure, int)
                else pinecone.answer(self.command, self.path, body, self.headers)
            )
            if failure == DROP_AFTER:
                return
            self._reply(status, found)

        def _reply(self, status: int, found: Any) -> None:
            text = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 - as the base class has them

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pinecone.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield pinecone
    finally:
        server.shutdown()
        server.server_close()
