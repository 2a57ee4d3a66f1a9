//! The stores' topics, over Kafka: a reader that takes everything from the beginning, and a writer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use caisson_config::worker::InternalTopic;
use caisson_kafka::{
    Admin, ClientSettings, CompactedLog, ErrorCode, LogEntry, LogEvent, LogWriter, TransactionalLogWriter,
};
use caisson_store::log::{LeaderLog, Log, LogReader, LogRecord, Pair};
use caisson_store::{
    BoxFuture, DirectoryModuleStore, Error, OffsetStore, TopicConfigStore, TopicModuleStore, TopicOffsetStore,
    TopicStatusStore,
};
use caisson_worker::{OffsetClients, OffsetTopics};

use super::Clients;
use super::topics::prepare_offsets;

/// How long a topic that was made a moment ago may take to be seen.
const OPENING: Duration = Duration::from_secs(30);
/// For reading a topic to its end, and for a write of the leader; who asks may give up earlier.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a worker that starts waits for a topic whose leader is away, as Kafka Connect does, and how often it says so.
const WAITING: Duration = Duration::from_secs(15 * 60);
const ATTEMPT: Duration = Duration::from_secs(10);

/// One topic.
struct KafkaLog {
    topic: String,
    reader: CompactedLog,
    writer: LogWriter,
    /// What the leader writes by, where leaders exclude each other.
    leader: Option<TransactionalLogWriter>,
}

/// A reader's ear, filled in once the store is there.
struct Ear(Arc<dyn LogReader>);

impl Ear {
    fn hear(&self, event: &LogEvent<'_>) {
        match event {
            LogEvent::Record(message) => self.0.read(vec![LogRecord {
                partition: message.partition(),
                offset: message.offset(),
                key: message.key().map(<[u8]>::to_vec),
                value: message.value().map(<[u8]>::to_vec),
            }]),
            LogEvent::Anew => self.0.made_anew(),
        }
    }
}

async fn open(
    clients: &Clients<'_>,
    admin: &Admin,
    purpose: &str,
    topic: &str,
    committed: bool,
    leader: Option<TransactionalLogWriter>,
    reader: Arc<dyn LogReader>,
) -> anyhow::Result<KafkaLog> {
    let settings = (clients.reader(purpose, committed)?, clients.producer(purpose)?);
    open_with((&settings.0, &settings.1), admin, topic, leader, reader).await
}

async fn open_with(
    (reader, producer): (&ClientSettings, &ClientSettings),
    admin: &Admin,
    topic: &str,
    leader: Option<TransactionalLogWriter>,
    hand: Arc<dyn LogReader>,
) -> anyhow::Result<KafkaLog> {
    let ear = Ear(hand);
    let reader = CompactedLog::open(reader, admin, topic, OPENING, move |event| ear.hear(&event));
    Ok(KafkaLog {
        topic: topic.to_owned(),
        reader: reader.await.with_context(|| format!("cannot read topic {topic}"))?,
        // One that was deleted would come about as brokers make topics: without compaction, and empty.
        writer: LogWriter::start(&producer.clone().without_making_topics())?,
        leader,
    })
}

impl KafkaLog {
    /// Reads the topic to its end for the first time, however long its leader is away: what is in it must not be taken for
    /// nothing.
    async fn read_first(&self) -> anyhow::Result<()> {
        let until = Instant::now() + WAITING;
        loop {
            match self.reader.read_to_end(ATTEMPT).await {
                Err(error) if error.code().is_some_and(ErrorCode::is_retriable) && Instant::now() < until => {
                    tracing::warn!(topic = self.topic, %error, "the topic cannot be read to its end yet; waiting for it");
                }
                read => return Ok(read?),
            }
        }
    }
}

/// Opens offsets topics of connectors.
pub struct ConnectorTopics;

impl OffsetTopics for ConnectorTopics {
    fn open<'a>(
        &'a self,
        topic: &'a InternalTopic,
        clients: OffsetClients,
    ) -> BoxFuture<'a, Result<Arc<dyn OffsetStore>, Error>> {
        Box::pin(async move {
            let store = open_connectors(topic, &clients).await;
            let store: Arc<dyn OffsetStore> =
                Arc::new(store.map_err(|error| Error::Unavailable(format!("{error:#}")))?);
            Ok(store)
        })
    }
}

async fn open_connectors(topic: &InternalTopic, clients: &OffsetClients) -> anyhow::Result<TopicOffsetStore> {
    // For the time of opening: a client has a thread for each broker.
    let admin = Arc::new(Admin::start(&clients.admin)?);
    let (preparing, prepared) = (admin.clone(), topic.clone());
    tokio::task::spawn_blocking(move || prepare_offsets(&preparing, &prepared)).await??;
    let (store, hand) = TopicOffsetStore::prepare();
    let settings = (&clients.reader, &clients.producer);
    let log = open_with(settings, &admin, &topic.name, None, hand).await?;
    log.reader.read_to_end(PATIENCE).await?;
    Ok(store(Arc::new(log)))
}

/// Opens the config store and reads it to its end. `exclusive`: leaders exclude each other by transactions.
pub async fn open_configs(
    clients: &Clients<'_>,
    admin: &Admin,
    topic: &str,
    exclusive: bool,
) -> anyhow::Result<TopicConfigStore> {
    let leader = match exclusive {
        true => {
            let settings = clients.leader_producer()?.without_making_topics();
            Some(TransactionalLogWriter::new(&settings)?)
        }
        false => None,
    };
    let (store, hand) = TopicConfigStore::prepare();
    let log = open(clients, admin, "configs", topic, true, leader, hand).await?;
    log.read_first().await?;
    Ok(store(Arc::new(log)))
}

/// Opens the status store and reads it to its end.
pub async fn open_statuses(clients: &Clients<'_>, admin: &Admin, topic: &str) -> anyhow::Result<TopicStatusStore> {
    let (store, hand) = TopicStatusStore::prepare();
    let log = open(clients, admin, "statuses", topic, false, None, hand).await?;
    log.read_first().await?;
    Ok(store(Arc::new(log)))
}

/// Opens the offset store and reads it to its end. `committed`: sources may write offsets in transactions.
pub async fn open_offsets(
    clients: &Clients<'_>,
    admin: &Admin,
    topic: &str,
    committed: bool,
) -> anyhow::Result<TopicOffsetStore> {
    let (store, hand) = TopicOffsetStore::prepare();
    let log = open(clients, admin, "offsets", topic, committed, None, hand).await?;
    log.read_first().await?;
    Ok(store(Arc::new(log)))
}

/// Opens the module store, whose bytes come to lie in `directory`, and reads it to its end.
pub async fn open_modules(
    clients: &Clients<'_>,
    admin: &Admin,
    topic: &str,
    directory: DirectoryModuleStore,
) -> anyhow::Result<TopicModuleStore> {
    let (store, hand) = TopicModuleStore::prepare(directory);
    let log = open(clients, admin, "modules", topic, false, None, hand).await?;
    log.read_first().await?;
    Ok(store(Arc::new(log)))
}

fn entries(pairs: Vec<Pair>) -> Vec<LogEntry> {
    pairs
        .into_iter()
        .map(|(key, value)| LogEntry::new(key, value))
        .collect()
}

fn unavailable(error: caisson_kafka::Error) -> Error {
    match error.code() {
        Some(code) if ErrorCode::is_fenced(code) => Error::Fenced,
        Some(_) | None => Error::Unavailable(error.to_string()),
    }
}

impl Log for KafkaLog {
    fn append(&self, pairs: Vec<Pair>) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async {
            self.writer
                .append(&self.topic, &entries(pairs))
                .await
                .map_err(unavailable)
        })
    }

    fn read_to_end(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { self.reader.read_to_end(PATIENCE).await.map_err(unavailable) })
    }
}

impl LeaderLog for KafkaLog {
    fn append_as_leader(&self, pairs: Vec<Pair>) -> BoxFuture<'_, Result<(), Error>> {
        let Some(leader) = &self.leader else {
            return self.append(pairs);
        };
        Box::pin(async move {
            let written = leader.append(&self.topic, &entries(pairs), PATIENCE).await;
            if written.is_err() && !leader.is_claimed().await {
                return Err(Error::Fenced);
            }
            written.map_err(unavailable)
        })
    }

    fn claim(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async {
            match &self.leader {
                Some(leader) => leader.claim(PATIENCE).await.map_err(unavailable),
                None => Ok(()),
            }
        })
    }
}
