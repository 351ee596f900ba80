"""keymux in front of fake-upstream: two child processes, and the talk with each of them.

The tests see keymux only through SDKs. What a provider saw, and what it is to do, goes
through the control interface of fake-upstream (its `src/control.rs` says what there is).
"""

import json
import os
import re
import ssl
import subprocess
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CLIENT_KEY = "sk-sdk-caller-0001"
MODEL = "gemini-3.8-flash"
PATIENCE_S = 20


def eventually(what, look):
    """What `look` returns, once that is something."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE_S} s"
        time.sleep(0.01)
    return found


class Program:
    """A child process that says on its standard output where it listens."""

    def __init__(self, variable, name, arguments, folder):
        binary = Path(os.environ.get(variable, ROOT / "target" / "debug" / name)).resolve()
        self._said = Path(folder) / f"{name}.out"
        # An environment of its own, so that keys and settings of the developer's stay out of the tests.
        with open(self._said, "wb") as out:
            self._process = subprocess.Popen(
                [binary, *arguments], cwd=folder, env={}, stdout=out, stderr=subprocess.STDOUT
            )
        try:
            self.url = eventually(f"{name} listens", self._announced)
        except AssertionError:
            self.stop()
            raise

    def _announced(self):
        ended = self._process.poll() is not None
        # Read after the look at the process: what one that has ended said is all there.
        said = self._said.read_text()
        assert not ended, f"it ended:\n{said}"
        return self.heard(said)

    def heard(self, said):
        """The address in what it has said so far, once it is there."""
        found = re.search(r"(?:listens|is ready) on (http://\S+)\n", said)
        return found and found[1]

    def log(self):
        return self._said.read_text()

    def kill(self):
        """Ends it as a crash does."""
        self._process.kill()
        self._process.wait()

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Control:
    """The control interface of one stand-in at `url`, which writes down every request."""

    def __init__(self, url, ca_file=None):
        self.url = url
        self._trust = ssl.create_default_context(cafile=ca_file) if ca_file else None

    def set_keys(self, *keys):
        """Lists keys; what was known of them is replaced."""
        self._steer("PUT", "keys", list(keys))

    def add_rules(self, *rules):
        self._steer("POST", "rules", list(rules))

    def forget(self):
        """Drops rules and recorded requests."""
        self._steer("DELETE", "rules")
        self._steer("DELETE", "seen")

    def seen(self):
        return self._steer("GET", "seen")

    def _steer(self, method, what, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_fake/{what}", data, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE_S, context=self._trust) as answer:
            return json.load(answer)


class Upstream(Program, Control):
    """The stand-in for Google."""

    def __init__(self, folder):
        arguments = ["--listen", "127.0.0.1:0", "--record"]
        Program.__init__(self, "FAKE_UPSTREAM_BIN", "fake-upstream", arguments, folder)
        Control.__init__(self, self.url)


class Upstreams(Program):
    """The stand-ins for all providers in one process. `urls` are their base URLs by name; each one's `Control` is had
    by its name too, as in `upstreams["xai"]`."""

    def __init__(self, folder):
        self.ca_file = Path(folder) / "ca.pem"
        arguments = ["--all", "--listen", "127.0.0.1:0", "--record", "--ca-file", str(self.ca_file)]
        super().__init__("FAKE_UPSTREAM_BIN", "fake-upstream", arguments, folder)
        self.urls = self.url
        origins = {name: "/".join(url.split("/")[:3]) for name, url in self.urls.items()}
        self._controls = {name: Control(origin, self.ca_file) for name, origin in origins.items()}

    def heard(self, said):
        urls = dict(re.findall(r"(\w+) listens on (https?://\S+)\n", said))
        return urls if len(urls) == 5 else None

    def __getitem__(self, name):
        return self._controls[name]

    def forget(self):
        for control in self._controls.values():
            control.forget()


class Keymux(Program):
    """The program under test. `providers` are as the configuration takes them."""

    def __init__(self, providers, folder, **settings):
        (Path(folder) / "keymux.out").unlink(missing_ok=True)
        config = {
            "server": {"listen": "127.0.0.1:0", "data_dir": str(folder / "data")},
            "admin": {"password": "correct-horse-battery"},
            "clients": [{"name": "sdk", "key": CLIENT_KEY}],
            # Each request that a stand-in sees is a test's.
            "health_checks": {"enabled": False},
            "providers": providers,
            **settings,
        }
        # YAML takes JSON as it is.
        file = Path(folder) / "keymux.yaml"
        file.write_text(json.dumps(config))
        super().__init__("KEYMUX_BIN", "keymux", ["--config", str(file)], folder)
