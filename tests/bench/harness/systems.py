"""Real servers beside the broker, by their start scripts in tests/systems."""
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from . import home
from .process import Session

SCRIPTS = home.SOURCE.parent / "systems"
CACHE = Path(os.environ.get("CAISSON_SYSTEMS_CACHE")  # as the scripts have it
             or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "caisson-systems")
LOGIN = {"USER_NAME": "connect_user", "PASSWORD": "db_password", "DATABASE": "mydatabase"}


class System:
    """A server from entering to leaving, with its data in a directory that its own user can reach."""

    def __init__(self, script: str, settings: dict[str, str]):
        self.script, self.settings = SCRIPTS / script, settings

    def __enter__(self) -> "System":
        self.data = Path(tempfile.mkdtemp(prefix="bench-"))
        self.data.chmod(0o755)
        self.settings = {**self.settings, "DATA": str(self.data)}
        try:
            lines = self.perform("start").splitlines()
        except BaseException:
            shutil.rmtree(self.data, ignore_errors=True)
            raise
        answer = dict(line.split("=", 1) for line in lines[-2:])
        self.url, self.session = answer["url"], Session(int(answer["pid"]))
        return self

    def __exit__(self, *_: object) -> None:
        self.perform("clean")

    def perform(self, *arguments: str, given: str | None = None) -> str:
        done = subprocess.run([str(self.script), *arguments], env={**os.environ, **self.settings}, input=given,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise RuntimeError(f"{self.script.name} {arguments}: {done.stderr[-2000:]}")
        return done.stdout


class Postgres(System):
    PORT = 28432

    def __init__(self) -> None:
        super().__init__("start-postgres.sh", {"PORT": str(self.PORT), **LOGIN})

    def sql(self, statements: str) -> str:
        """What statements answer. They go through standard input: each is a transaction of its own."""
        return self.perform("client", "-qAtX", "-v", "ON_ERROR_STOP=1", given=statements).strip()

    def session_of_statements(self) -> subprocess.Popen:
        """A client that takes a statement per line and answers each with its lines."""
        return subprocess.Popen([str(self.script), "client", "-qAtX"], env={**os.environ, **self.settings}, text=True,
                                bufsize=1, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


class Search(System):
    PORT = 28200

    def __init__(self, flavor: str):
        super().__init__("start-search.sh", {"FLAVOR": flavor, "PORT": str(self.PORT), "HEAP": "1G"})

    def call(self, method: str, path: str, body: object = None) -> dict:
        """The decoded answer; an index that is not there yet answers nothing."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            if error.code in (404, 503):
                return {}
            raise RuntimeError(f"{method} {path}: {error.read().decode()[:2000]}") from None

    def written(self, index: str) -> int:
        """How many operations the index has taken, searchable or not."""
        found = self.call("GET", f"/{index}/_stats/indexing?filter_path=_all.total.indexing.index_total")
        return found["_all"]["total"]["indexing"]["index_total"] if found else 0
