"""As much of the Hugging Face hub as its own client needs to take a model and give it back, on this machine."""

import base64
import hashlib
import json
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

COMMIT = "0" * 40


class Hub:
    """The files by repository, and what was asked."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, bytes]] = {}
        self.asked: list[str] = []
        self.address = ""


@contextmanager
def serving() -> Generator[Hub]:
    """Serve an empty hub while the block runs."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

        def answer(self, body: bytes | dict[str, Any], status: int = 200, **headers: str) -> None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            hub.asked.append(f"{self.command} {path}")
            if path.startswith("/api/models/"):
                name = "/".join(path.split("/")[3:5])
                if name not in hub.files:
                    return self.answer({"error": "Repository not found"}, 404, X_Error_Code="RepoNotFound")
                if "/tree/" in path:
                    found = hub.files[name].items()
                    listed = [{"type": "file", "path": file, "size": len(held), "oid": file} for file, held in found]
                    return self.answer(json.dumps(listed).encode())
                files = [{"rfilename": file} for file in hub.files[name]]
                return self.answer({"id": name, "sha": COMMIT, "siblings": files})
            if path.count("/") != 5:  # what the client asks beside, of agents for example
                return self.answer({}, 404)
            owner, name, _, _, file = path.split("/")[1:6]
            content = hub.files[f"{owner}/{name}"][file]
            tag = f'"{hashlib.sha1(content).hexdigest()}"'
            return self.answer(content, ETag=tag, X_Repo_Commit=COMMIT)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            path = self.path.partition("?")[0]
            hub.asked.append(f"POST {path}")
            if path == "/api/repos/create":
                said = json.loads(body)
                name = f"{said['organization']}/{said['name']}"
                hub.files.setdefault(name, {})
                return self.answer({"url": f"{hub.address}/{name}", "name": name})
            if path == "/api/validate-yaml":
                return self.answer({"errors": [], "warnings": []})
            name = "/".join(path.split("/")[3:5])
            if "/preupload/" in path:
                files = json.loads(body)["files"]
                kinds = [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in files]
                return self.answer({"files": kinds})
            for line in body.decode().splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    hub.files[name][entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
            return self.answer(
                {"success": True, "commitOid": COMMIT, "commitUrl": f"{hub.address}/{name}/commit/{COMMIT}"}
            )

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield hub
    server.shutdown()
    server.server_close()
