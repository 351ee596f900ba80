"""Starts keymux in front of fake-upstream, fills it a little, and lets schemathesis loose on its admin API.

What schemathesis may not do, because it would end its own session, is in `schemathesis_hooks.py` and below.
"""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "sdk" / "python"))

from harness import Keymux, Upstream  # noqa: E402

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
# Each would end the session that the whole run is asked with.
ENDS_THE_SESSION = ["log_out", "change_password"]
# A stream of events that goes on for as long as somebody reads.
ENDLESS = ["watch"]


class Admin:
    def __init__(self, url):
        self.url = url
        credentials = {"username": "admin", "password": "correct-horse-battery"}
        self.token = None
        self.token = self.ask("POST", "/api/login", credentials)["access_token"]

    def ask(self, method, path, body):
        headers = {"content-type": "application/json"}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        data = json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def fill(self):
        """Something of each kind, so that lists have rows and small ids name something."""
        self.ask("POST", "/api/users", {"username": "mei", "password": "members-password"})
        lines = "\n".join(f"AIza-filling-{number:04}" for number in range(60))
        added = {"provider": "google", "text": lines, "project": "team-a", "owner": "mei"}
        self.ask("POST", "/api/keys/bulk_add", added)
        for number in range(5):
            self.ask("POST", "/api/allowed_keys", {"name": f"app {number}", "owner": "mei", "rpm": 9})
        self.ask("POST", "/api/bans", {"ip": "203.0.113.9", "reason": "scraping"})
        price = {"input": 1.0, "output": 2.0}
        self.ask("PUT", "/api/prices/google?model=gemini-2.5-pro", price)
        self.ask("POST", "/api/keys/bulk_test", {"filter": {}})


def attack(keymux, folder):
    admin = Admin(keymux.url)
    admin.fill()
    command = [
        Path(sys.executable).with_name("schemathesis"),
        "run",
        f"{keymux.url}/openapi.json",
        f"--header=Authorization: Bearer {admin.token}",
        f"--checks={CHECKS}",
        f"--seed={os.environ.get('API_SEED', '1')}",
        f"--max-examples={os.environ.get('API_EXAMPLES', '60')}",
        "--continue-on-failure",
        "--generation-database=none",
        "--request-timeout=30",
        *(f"--exclude-operation-id={name}" for name in ENDS_THE_SESSION + ENDLESS),
    ]
    hooks = {"SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(HERE)}
    return subprocess.run(command, cwd=folder, env={**os.environ, **hooks}).returncode


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        upstream = Upstream(folder)
        try:
            google = {"kind": "gemini", "base_url": upstream.url, "keys": [{"key": "AIza-pool-1"}]}
            keymux = Keymux({"google": google}, folder)
            try:
                status = attack(keymux, folder)
                if status:
                    print(keymux.log()[-5000:], file=sys.stderr)
            finally:
                keymux.stop()
        finally:
            upstream.stop()
    sys.exit(status)


if __name__ == "__main__":
    main()
