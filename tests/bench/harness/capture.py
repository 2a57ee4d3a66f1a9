"""s14: changes of a PostgreSQL table into a topic: a snapshot, then inserts that wait when the connector is let go on."""
import subprocess
import time
from collections.abc import Iterator

from .flows import JSON, Bench
from .kafka import KEPT, Progress, wait_for
from .operations import fresh
from .peers import KAFKA_CONNECT, Peer, Worker
from .systems import CACHE, LOGIN, SCRIPTS, Postgres

ROWS, INSERTS = 1_000_000, 200_000
ROW = "select n, n * 7, n % 100, 'row ' || n from generate_series({}, {}) n"


def config(name: str) -> dict[str, str]:
    return {"connector.class": "io.debezium.connector.postgresql.PostgresConnector", "tasks.max": "1",
            "database.hostname": "127.0.0.1", "database.port": str(Postgres.PORT),
            "database.user": LOGIN["USER_NAME"], "database.password": LOGIN["PASSWORD"],
            "database.dbname": LOGIN["DATABASE"], "table.include.list": "public.big", "topic.prefix": name,
            "slot.name": name.replace("-", "_"), "plugin.name": "pgoutput",
            "key.converter": JSON["value.converter"], "key.converter.schemas.enable": "false", **JSON}


def capture(bench: Bench, peer: Peer) -> Iterator[dict]:
    """A fresh worker and a fresh database; a figure for each part."""
    name = fresh("capture")
    topic = f"{name}.public.big"
    bench.broker.create(topic, 1, KEPT)
    try:
        with Postgres() as database, \
                Worker(with_debezium(peer), bench.broker.address, bench.worker_settings(), bench.port) as worker:
            database.sql("create table big (id int primary key, a int, b int, c char(84));\n"
                         f"insert into big {ROW.format(1, ROWS)};\nanalyze big;\ncheckpoint;")
            yield from parts(bench, worker, database, name, topic)
            worker.rest.delete(name)
    finally:
        bench.broker.delete(topic)


def parts(bench: Bench, worker: Worker, database: Postgres, name: str, topic: str) -> Iterator[dict]:
    seen = {"offset": 0, "time": 0.0}
    with Progress(lambda at, offset: seen.update(offset=offset, time=at), "watch-end", bench.broker.address, topic, 0.02):
        def measured(case: str, count: int, begin) -> dict:
            end = seen["offset"] + count
            cpu, broker, begun = worker.process.cpu_seconds(), bench.broker.cpu_seconds(), time.time()
            begin()
            wait_for(lambda: seen["offset"] >= end or worker.check(), 300, f"{case} on {worker.peer.name}", 0.5)
            seconds = seen["time"] - begun
            spent, broker = worker.process.cpu_seconds() - cpu, bench.broker.cpu_seconds() - broker
            figures = {"case": case, "rate": count / seconds, "seconds": seconds, "cpu_seconds": spent,
                       "cpu_per_million": spent / count * 1e6, "peak_rss_mb": worker.process.rss_mb(peak=True)}
            return {**figures, "broker_cpu_per_million": broker / count * 1e6} if bench.broker.process else figures

        yield measured(f"snapshot of {ROWS:,} rows", ROWS, lambda: worker.rest.create(name, config(name)))
        slot = name.replace("-", "_")
        streaming = f"select active from pg_replication_slots where slot_name = '{slot}';"
        wait_for(lambda: database.sql(streaming) == "t", 60, "the stream", 0.2)
        size, base = 1000, ROWS
        for case, step in ((f"{INSERTS:,} inserts, one transaction", INSERTS),
                           (f"{INSERTS:,} inserts, transactions of {size:,}", size),
                           (f"{INSERTS:,} inserts, single", 1)):
            steps = range(base + 1, base + INSERTS + 1, step)
            worker.rest.call("PUT", f"/connectors/{name}/pause")
            wait_for(lambda: worker.rest.statuses()[name]["tasks"][0]["state"] == "PAUSED", 60, "the pause")
            database.sql("set synchronous_commit = off;\n" + "".join(
                f"insert into big {ROW.format(first, first + step - 1)};\n" for first in steps))
            yield measured(case, INSERTS, lambda: worker.rest.call("PUT", f"/connectors/{name}/resume"))
            base += INSERTS


def with_debezium(peer: Peer) -> Peer:
    """Kafka's own worker, with the connector that it does not bring."""
    if not peer.command.startswith(KAFKA_CONNECT) or "plugin.path" in peer.properties:
        return peer
    subprocess.run([str(SCRIPTS / "start-kafka-connect.sh"), "install"], check=True)
    return Peer(peer.name, peer.command, {**peer.properties, "plugin.path": str(CACHE / "connect-plugins")})
