#!/usr/bin/env python3
"""Plays recorded scenarios of Debezium's PostgreSQL connector against a worker, and compares record by record.

    play.py --worker PROGRAM --components DIR --scratch DIR [SCENARIOS]

Starts PostgreSQL, Kafka and the worker by itself and stops them at the end. Needs `psql` and `kcat`. Prints each
scenario that differs, and `N passed, N failed` last.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
SYSTEMS = HERE.parent.parent / "systems"
SENTINEL = "zz_done"  # a row in this table ends each stage of a scenario

# What differs from run to run.
VOLATILE = {"ts_ms", "ts_us", "ts_ns", "txId", "lsn", "sequence", "xmin"}
SERVER_MADE = {"types-defaults-domains": {"u", "now_ts", "cur"}}


def free_port(count=1):
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
        try:
            for other in range(port + 1, port + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", other))
            return port
        except OSError:
            continue


class System:
    """A server that a script of tests/systems starts."""

    def __init__(self, name, data, port, **settings):
        self.script = SYSTEMS / f"start-{name}.sh"
        self.environment = {**os.environ, "DATA": str(data), "PORT": str(port), **settings}
        data.mkdir(parents=True, exist_ok=True)
        self.run("start")

    def run(self, action):
        done = subprocess.run([self.script, action], env=self.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{self.script.name} {action}: {done.stderr[-2000:]}")


class Rest:
    def __init__(self, port):
        self.address = f"http://127.0.0.1:{port}"

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)


class Player:
    def __init__(self, arguments):
        scratch = arguments.scratch
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        self.systems, self.process = [], None
        try:
            self.start(arguments, scratch)
        except BaseException:
            self.close()
            raise

    def start(self, arguments, scratch):
        self.pg_port, kafka, rest = free_port(), free_port(2), free_port()
        # A directory that the server's own user can reach.
        self.pg_data = pathlib.Path("/tmp") / f"caisson-conformance-postgres-{os.getpid()}"
        self.systems.append(System("postgres", self.pg_data, self.pg_port))
        self.systems.append(System("kafka", scratch / "kafka", kafka, HEAP="256M"))
        self.bootstrap = f"127.0.0.1:{kafka}"
        properties = scratch / "worker.properties"
        properties.write_text("\n".join([
            f"bootstrap.servers={self.bootstrap}", f"listeners=http://127.0.0.1:{rest}",
            f"plugin.path={arguments.components}", "offset.flush.interval.ms=500",
            f"offset.storage.file.filename={scratch / 'offsets'}",
            "key.converter=org.apache.kafka.connect.json.JsonConverter",
            "value.converter=org.apache.kafka.connect.json.JsonConverter", ""]))
        log = (scratch / "worker.log").open("wb")
        self.process = subprocess.Popen([arguments.worker, "standalone", str(properties)], cwd=scratch, stdout=log,
                                        stderr=log, stdin=subprocess.DEVNULL)
        self.rest = Rest(rest)
        self.until("the worker answers", 120, lambda: self.rest.call("GET", "/")[0] == 200)

    def close(self):
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
        for system in self.systems:
            system.run("clean")

    @staticmethod
    def until(what, seconds, condition):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise RuntimeError(f"not within {seconds} s: {what}")
            time.sleep(0.2)

    # --- PostgreSQL and Kafka

    def psql(self, database, sql=None, path=None):
        command = ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.pg_port), "-U", "caisson",
                   "-d", database, *(["-f", str(path)] if path else ["-c", sql])]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PGPASSWORD": "caisson"})
        if done.returncode:
            raise RuntimeError(f"{path or sql}: {done.stderr}")
        return done.stdout.strip()

    def kcat(self, *options):
        return subprocess.run(["kcat", "-b", self.bootstrap, *options], capture_output=True, check=True).stdout

    def topics(self, prefix):
        pattern = re.compile(rf"^({re.escape(prefix)}|__debezium-heartbeat\.{re.escape(prefix)})(\.|$)")
        listed = json.loads(self.kcat("-L", "-J"))["topics"]
        return [topic["topic"] for topic in listed if pattern.match(topic["topic"])]

    def read(self, topic):
        """Records in their order; keys and values as JSON that keeps numbers as they are written."""
        records = []
        for line in self.kcat("-C", "-t", topic, "-o", "beginning", "-e", "-J", "-q").splitlines():
            message = json.loads(line)
            headers = message.get("headers") or []
            pairs = [{"key": key, "value": value} for key, value in zip(headers[::2], headers[1::2])]
            parse = lambda text: None if text is None else json.loads(text)
            records.append({"topic": topic, "partition": message["partition"], "offset": message["offset"],
                            "headers": pairs, "key": parse(message.get("key")), "value": parse(message.get("payload"))})
        return records

    def count(self, prefix):
        return sum(len(self.read(topic)) for topic in self.topics(prefix)
                   if not topic.startswith("__debezium-heartbeat"))

    def quiet(self, prefix, seconds):
        last, since = None, time.monotonic()
        while time.monotonic() - since < seconds:
            now = self.count(prefix)
            if now != last:
                last, since = now, time.monotonic()
            time.sleep(0.3)

    # --- one scenario

    def play(self, scenario):
        name = scenario.name
        config = json.loads((scenario / "connector.json").read_text())
        options = config.pop("recorder", {})
        database = options.get("database", name.replace("-", "_"))
        words = {"host": "127.0.0.1", "port": self.pg_port, "user": "caisson", "password": "caisson", "database": database}
        for key in config:
            for word, text in words.items():
                config[key] = config[key].replace("{" + word + "}", str(text))
        prefix, slot = config["topic.prefix"], config.get("slot.name", "debezium")
        connector, sentinel = options.get("name", "dbz-" + name), options.get("sentinel", True)
        streams = config.get("snapshot.mode") != "initial_only"
        active = lambda: self.psql("postgres", f"select active from pg_replication_slots where slot_name = '{slot}'") == "t"
        self.psql("postgres", f'create database "{database}" template template0')
        if sentinel:
            self.psql(database, f"create table public.{SENTINEL}(id int primary key)")
        self.psql(database, path=scenario / "setup.sql")
        try:
            status, body = self.rest.call("PUT", f"/connectors/{connector}/config", {"name": connector, **config})
            if status >= 300 or status == 0:
                raise RuntimeError(f"{status} {body}")
            self.until("it streams", 60, lambda: self.alive(connector) and (not streams or active()))
            self.quiet(prefix, options.get("quiet_s", 1.5 if streams else 4))
            if (scenario / "stream.sql").exists():
                self.psql(database, path=scenario / "stream.sql")
            time.sleep(options.get("linger_s", 0))
            stages = 0
            if sentinel and streams:
                stages = self.stage(prefix, database, stages)
            else:
                self.quiet(prefix, 4)
            if (scenario / "stream2.sql").exists():
                time.sleep(2.5)  # an offset flush
                self.rest.call("PUT", f"/connectors/{connector}/stop")
                self.until("the slot is free", 60, lambda: not active())
                self.psql(database, path=scenario / "stream2.sql")
                stages += 1
                self.psql(database, f"insert into public.{SENTINEL} values ({stages})")
                self.rest.call("PUT", f"/connectors/{connector}/resume")
                self.await_stage(prefix, stages)
            return [record for topic in sorted(self.topics(prefix)) if not topic.endswith(f".public.{SENTINEL}")
                    for record in self.read(topic)[:2 if topic.startswith("__debezium-heartbeat") else None]]
        finally:
            self.rest.call("DELETE", f"/connectors/{connector}")
            self.psql("postgres", "select pg_terminate_backend(active_pid) from pg_replication_slots "
                                  f"where slot_name = '{slot}' and active")
            self.until("the slot is free", 60, lambda: not active())
            self.psql("postgres", "select pg_drop_replication_slot(slot_name) from pg_replication_slots "
                                  f"where slot_name = '{slot}'")
            self.psql("postgres", f'drop database "{database}" with (force)')

    def alive(self, connector):
        status, body = self.rest.call("GET", f"/connectors/{connector}/status")
        tasks = body.get("tasks", []) if status == 200 else []
        for task in tasks:
            if task["state"] == "FAILED":
                raise RuntimeError(task["trace"])
        return bool(tasks)

    def stage(self, prefix, database, stages):
        self.psql(database, f"insert into public.{SENTINEL} values ({stages + 1})")
        self.await_stage(prefix, stages + 1)
        return stages + 1

    def await_stage(self, prefix, stages):
        topic = f"{prefix}.public.{SENTINEL}"
        self.until("the last row arrives", 60,
                   lambda: topic in self.topics(prefix) and len(self.read(topic)) >= stages)


# --- comparison

def payload(message):
    if isinstance(message, dict) and isinstance(message.get("payload"), dict) and "schema" in message:
        return message["payload"]
    return message


def mask(value, names):
    if isinstance(value, dict):
        return {key: "*" if key in names and not isinstance(inner, (dict, list)) and inner is not None
                else mask(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [mask(inner, names) for inner in value]
    return value


def is_mark(row):
    """Whether it is a row, or the key of one, around a chunk of an incremental snapshot."""
    return isinstance(row, dict) and str(row.get("id", "")).endswith(("-open", "-close"))


def normal(record, names):
    record = json.loads(json.dumps(record))
    for header in record["headers"]:
        if header["key"] == "__debezium.context.runId":
            header["value"] = "*"
    key, value = payload(record["key"]), payload(record["value"])
    if record["topic"].endswith((".transaction", ".tx")):
        key["id"] = value["id"] = "*"
    if isinstance(value, dict):
        if "aggregate_type" in value:  # a notification
            value["timestamp"] = "*"
            if value["aggregate_type"] == "Initial Snapshot":
                key["id"] = value["id"] = "*"
        if isinstance(value.get("transaction"), dict):
            value["transaction"]["id"] = "*"
        for row in (value.get("before"), value.get("after")):
            if is_mark(row):
                row["id"] = row["data"] = "*"
    if is_mark(key):
        key["id"] = "*"
    return mask(record, names)




def leave_out(scenario, recorded, replayed):
    """Takes out of both the cells in which the original contradicts itself (see README.md)."""
    was, is_now = payload(recorded["value"]), payload(replayed["value"])
    if not (isinstance(was, dict) and isinstance(is_now, dict)):
        return
    for image in ("before", "after"):
        old, new = was.get(image), is_now.get(image)
        if not (isinstance(old, dict) and isinstance(new, dict)):
            continue
        if scenario.startswith(("types-texts", "binary-", "hstore-")):
            old.pop("n", None), new.pop("n", None)
        times = scenario.startswith(("types-times", "time-", "interval-"))
        if times and was["source"]["snapshot"] != "false" and old.get("id") == 3:
            for name in ("d", "ts", "ts3", "tstz"):
                old.pop(name, None), new.pop(name, None)
        if scenario.startswith(("types-times-edge", "ends")):
            for name in ("d", "dn"):
                old.pop(name, None), new.pop(name, None)
        if scenario.startswith(("types-numbers", "decimal-")) and old.get("id") == 3:
            old.pop("m", None), new.pop("m", None)


def difference(scenario, recorded, replayed):
    """The first difference, or `None`."""
    names = VOLATILE | SERVER_MADE.get(scenario, set())
    order = lambda record: (record["topic"], record["partition"], record["offset"])
    recorded, replayed = sorted(recorded, key=order), sorted(replayed, key=order)
    for was, is_now in zip(recorded, replayed):
        was, is_now = normal(was, names), normal(is_now, names)
        leave_out(scenario, was, is_now)
        one, other = (json.dumps(side, sort_keys=True, ensure_ascii=False) for side in (was, is_now))
        if one != other:
            at = next((i for i, (x, y) in enumerate(zip(one, other)) if x != y), min(len(one), len(other)))
            start = max(0, at - 100)
            return f"recorded ...{one[start:at + 80]}\n  replayed ...{other[start:at + 80]}"
    if len(recorded) != len(replayed):
        return f"{len(recorded)} records were recorded, {len(replayed)} came"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--worker", type=pathlib.Path, required=True)
    parser.add_argument("--components", type=pathlib.Path, required=True)
    parser.add_argument("--scratch", type=pathlib.Path, required=True)
    parser.add_argument("scenarios", nargs="?", type=pathlib.Path, default=HERE / "scenarios")
    arguments = parser.parse_args()
    for tool in ("psql", "kcat"):
        if not shutil.which(tool):
            sys.exit(f"needs the program {tool}")
    directory = arguments.scenarios.resolve()
    if (directory / "scenarios").is_dir():
        directory = directory / "scenarios"
    one = (directory / "connector.json").exists()
    scenarios = [directory] if one else sorted(path.parent for path in directory.glob("*/connector.json"))
    passed = failed = 0
    player = Player(arguments)
    try:
        for scenario in scenarios:
            try:
                recorded = [json.loads(line) for line in (scenario / "records.jsonl").open()]
                found = difference(scenario.name, recorded, player.play(scenario))
            except (RuntimeError, subprocess.CalledProcessError, KeyError, ValueError) as error:
                found = str(error)[:1500]
            passed, failed = (passed + 1, failed) if found is None else (passed, failed + 1)
            print(f"{scenario.name}: " + ("equal" if found is None else f"differs\n  {found}"), flush=True)
    finally:
        player.close()
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not scenarios else 0)


if __name__ == "__main__":
    main()
