"""s15: a topic into a search server, beside a bare bulk load of the same documents. s16: from a row's commit in PostgreSQL
to its document found by a search."""
import http.client
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from statistics import quantiles

from . import capture
from .flows import JSON, STRING, Bench
from .kafka import KEPT, java, wait_for
from .operations import fresh
from .peers import SETTINGS, Peer, Worker
from .systems import Postgres, Search

COUNT, WARMUP = 300_000, 100_000
BATCH, CONNECTIONS = 2_000, 5  # the connector's own defaults
RATE, SECONDS = 100, 20


def sink(topic: str, url: str) -> dict[str, str]:
    return {"connector.class": "io.confluent.connect.elasticsearch.ElasticsearchSinkConnector", "tasks.max": "1",
            "topics": topic, "connection.url": url, "schema.ignore": "true", "key.converter": STRING, **JSON}


def document(number: int) -> str:
    return json.dumps({"id": number, "name": f"name {number}", "email": f"user{number}@example.com", "score": number % 1000,
                       "text": "the quick brown fox jumps over the lazy dog " * 3, "ok": number % 2 == 0})


def documents(bench: Bench, peer: Peer, flavor: str) -> Iterator[dict]:
    """One server takes a first load that does not count, then the connector's, then the bare one, then the connector's."""
    topic = fresh("documents")
    lines = [document(number) for number in range(COUNT)]
    bench.broker.create(topic, 1, KEPT)
    try:
        fill(bench, topic, lines)
        with Search(flavor) as search, Worker(peer, bench.broker.address, settings(bench), bench.port) as worker:
            load(search, "warm-up", lines[:WARMUP])
            first = through(worker, search, topic)
            bare = load(search, "bare", lines)
            second = through(worker, search, topic)
            for figures in (first, second):
                yield {"case": flavor, **figures, "of_bare": figures["rate"] / bare["rate"]}
            yield {"case": f"{flavor}, bare bulk load", **bare}
    finally:
        bench.broker.delete(topic)


def settings(bench: Bench) -> dict[str, str]:
    return bench.worker_settings({"consumer.auto.offset.reset": "earliest"})


def fill(bench: Bench, topic: str, lines: list[str]) -> None:
    arguments = ["--bootstrap-server", bench.broker.address, "--topic", topic, "--reader-property", "parse.key=true",
                 "--reader-property", "key.separator=\t", "--command-property", "acks=all",
                 "--command-property", "linger.ms=20"]
    text = "".join(f"{number}\t{line}\n" for number, line in enumerate(lines))
    subprocess.run(java("org.apache.kafka.tools.ConsoleProducer", *arguments), input=text, text=True, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: bench.broker.end(topic) == len(lines), 60, "the topic's records")


def through(worker: Worker, search: Search, topic: str) -> dict:
    """A new connector, and so a new group, which reads the topic from its start into a new index."""
    name = fresh("sink")
    search.call("DELETE", f"/{topic}")
    cpu, server = worker.process.cpu_seconds(), search.session.cpu_seconds()
    worker.rest.create(name, sink(topic, search.url))
    figures = rate_of(search, topic, COUNT, worker.check)
    figures |= {"cpu_per_million": (worker.process.cpu_seconds() - cpu) / COUNT * 1e6,
                "server_cpu_per_million": (search.session.cpu_seconds() - server) / COUNT * 1e6,
                "peak_rss_mb": worker.process.rss_mb(peak=True)}
    worker.rest.delete(name)
    return figures


def load(search: Search, index: str, lines: list[str]) -> dict:
    """The same documents with the same ids and versions, made ready before, on as many connections as the connector has."""
    bodies = ["".join(f'{{"index":{{"_id":"{number}","version":{number},"version_type":"external"}}}}\n{line}\n'
                      for number, line in enumerate(lines[first:first + BATCH], first)).encode()
              for first in range(0, len(lines), BATCH)]
    host = search.url.removeprefix("http://")

    def send(mine: list[bytes]) -> None:
        connection = http.client.HTTPConnection(host)
        for body in mine:
            connection.request("POST", f"/{index}/_bulk?filter_path=errors", body, {"Content-Type": "application/x-ndjson"})
            answer = connection.getresponse().read()
            assert json.loads(answer) == {"errors": False}, answer
        connection.close()

    server = search.session.cpu_seconds()
    senders = [threading.Thread(target=send, args=(bodies[n::CONNECTIONS],)) for n in range(CONNECTIONS)]
    for sender in senders:
        sender.start()
    figures = rate_of(search, index, len(lines), lambda: None)
    for sender in senders:
        sender.join()
    figures["server_cpu_per_million"] = (search.session.cpu_seconds() - server) / len(lines) * 1e6
    search.call("DELETE", f"/{index}")
    return figures


def rate_of(search: Search, index: str, count: int, check) -> dict:
    """Documents per second between a twentieth of them and all: how fast they go in, not how fast that begins."""
    begun = None

    def done() -> bool:
        nonlocal begun
        written, now = search.written(index), time.time()
        if begun is None and written >= count / 20:
            begun = written, now
        check()
        return written >= count

    wait_for(done, 300, f"{count} documents in {index}", 0.1)
    return {"rate": (count - begun[0]) / (time.time() - begun[1])}


def searchable(bench: Bench, peer: Peer, refresh: str) -> dict:
    """Rows are inserted one by one at a steady rate; a search asks again and again for the highest one. The server's
    refresh interval is a part of it: a document can be found only after the next refresh."""
    name = fresh("searchable")
    topic = f"{name}.public.big"
    bench.broker.create(topic, 1, KEPT)
    try:
        with Postgres() as database, Search("elasticsearch") as search, \
                Worker(peer, bench.broker.address, {**SETTINGS["latency"], **settings(bench)}, bench.port) as worker:
            database.sql("create table big (id int primary key, a int, b int, c char(84));")
            search.call("PUT", f"/{topic}", {"settings": {"refresh_interval": refresh}})
            worker.rest.create(name, capture.config(name))
            keys = {"key.converter": JSON["value.converter"], "key.converter.schemas.enable": "false"}
            worker.rest.create(f"{name}-sink", {**sink(topic, search.url), **keys})
            wait_for(lambda: worker.rest.running(1, 2), 60, "both connectors to run")
            figures = latencies(database, search, topic)
            for left in worker.rest.statuses():
                worker.rest.delete(left)
    finally:
        bench.broker.delete(topic)
    return figures


def latencies(database: Postgres, search: Search, index: str) -> dict:
    committed: list[float] = []
    ended = threading.Event()
    highest = {"size": 0, "aggs": {"highest": {"max": {"field": "after.id"}}}}
    found: list[float] = []

    def follow() -> None:
        while not ended.is_set():
            answer = search.call("POST", f"/{index}/_search", highest)
            value, now = answer.get("aggregations", {}).get("highest", {}).get("value") or 0, time.time()
            found.extend([now] * (int(value) - len(found)))
            time.sleep(0.005)

    follower = threading.Thread(target=follow)
    follower.start()
    client = database.session_of_statements()
    try:
        begun = time.time()
        for number in range(RATE * SECONDS):
            time.sleep(max(0.0, begun + number / RATE - time.time()))
            client.stdin.write(f"insert into big values ({number + 1}, 1, 2, 'x') returning id;\n")
            client.stdout.readline()
            committed.append(time.time())
        wait_for(lambda: len(found) >= len(committed), 60, "the last row")
    finally:
        ended.set()
        follower.join()
        client.stdin.close()
        client.wait()
    skipped = RATE * SECONDS // 4  # the first ones meet connectors that have just begun
    cuts = quantiles([there - at for at, there in zip(committed[skipped:], found[skipped:])], n=100)
    return {"p50_ms": cuts[49] * 1e3, "p90_ms": cuts[89] * 1e3, "p99_ms": cuts[98] * 1e3}
