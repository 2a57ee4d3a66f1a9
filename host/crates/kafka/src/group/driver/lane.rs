//! Requests to the coordinator over two connections: joins and syncs, which may wait for other members, have one to
//! themselves; heartbeats, offsets and the leave have the other. An offset that is asked for while a heartbeat is under way
//! has a connection of its own.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use caisson_model::{PartitionOffset, TopicPartition};

use crate::clock::Moment;
use crate::error::{ErrorCode, KafkaError};
use crate::group::machine::Beat;
use crate::group::{GroupOptions, MemberAssignment, Subprotocol};
use crate::wire::messages::{
    Heartbeat, JoinAnswer, JoinGroup, KeyType, LeaveGroup, OffsetCommit, OffsetFetch, Request, SyncAnswer, SyncGroup,
};
use crate::wire::{Address, Cluster, Connection, Dialer};

/// How much longer than the rebalance timeout a join may take, as in Java's client.
const JOIN_GRACE: Duration = Duration::from_secs(5);
/// How long a leave may take; the session's end does the same.
const LEAVE: Duration = Duration::from_secs(3);

pub(super) type Finding = Result<Address, KafkaError>;

/// An answer, and when its request was sent.
pub(super) struct Outcome<T> {
    pub result: Result<T, KafkaError>,
    pub sent: Moment,
}

pub(super) enum Joining {
    Join(Outcome<JoinAnswer>),
    Sync(Outcome<SyncAnswer>),
}

/// The group's coordinator, and how it is spoken to.
pub(super) struct Target {
    options: GroupOptions,
    dialer: Arc<Dialer>,
    /// Taken while somebody asks where the coordinator is.
    cluster: tokio::sync::Mutex<Cluster>,
    address: RefCell<Option<Address>>,
    join: Lane,
    beat: Lane,
}

/// One connection, while nobody uses it.
#[derive(Default)]
struct Lane {
    idle: RefCell<Option<(Address, Connection)>>,
}

impl Target {
    pub(super) fn new(dialer: Arc<Dialer>, options: GroupOptions) -> Target {
        Target {
            options,
            cluster: tokio::sync::Mutex::new(Cluster::new(dialer.clone())),
            dialer,
            address: RefCell::default(),
            join: Lane::default(),
            beat: Lane::default(),
        }
    }

    pub(super) async fn find(&self) -> Finding {
        let mut cluster = self.cluster.lock().await;
        cluster
            .coordinator(&self.options.group, KeyType::Group, self.options.heartbeat_interval)
            .await
    }

    pub(super) fn moved_to(&self, address: Address) {
        *self.address.borrow_mut() = Some(address);
    }

    pub(super) async fn join(&self, member_id: &str, subprotocols: &[Subprotocol], reason: &str) -> Joining {
        let request = JoinGroup {
            group: &self.options.group,
            session_timeout_ms: whole_millis(self.options.session_timeout),
            rebalance_timeout_ms: whole_millis(self.options.rebalance_timeout),
            member_id,
            instance: self.options.instance.as_deref(),
            protocol_type: &self.options.protocol_type,
            subprotocols,
            reason,
        };
        let timeout = self.options.rebalance_timeout + JOIN_GRACE;
        Joining::Join(self.call(&self.join, &request, timeout).await)
    }

    pub(super) async fn sync(
        &self,
        generation: i32,
        member_id: &str,
        protocol: &str,
        assignments: &[MemberAssignment],
    ) -> Joining {
        let request = SyncGroup {
            group: &self.options.group,
            generation,
            member_id,
            instance: self.options.instance.as_deref(),
            protocol_type: &self.options.protocol_type,
            protocol,
            assignments,
        };
        let timeout = self.options.rebalance_timeout + JOIN_GRACE;
        let answer = self.call(&self.join, &request, timeout).await;
        // The next join may be hours away, and brokers close connections that are idle: heartbeats go on with this one if they
        // have none.
        let idle = self.join.idle.borrow_mut().take();
        let mut beat = self.beat.idle.borrow_mut();
        if beat.is_none() {
            *beat = idle;
        }
        drop(beat);
        Joining::Sync(answer)
    }

    pub(super) async fn beat(&self, beat: Beat) -> (Beat, Outcome<i16>) {
        let request = Heartbeat {
            group: &self.options.group,
            generation: beat.generation,
            member_id: &beat.member_id,
            instance: self.options.instance.as_deref(),
        };
        let Outcome { result, sent } = self.call(&self.beat, &request, self.options.heartbeat_interval).await;
        let result = result.map(|coded| coded.0);
        (beat, Outcome { result, sent })
    }

    pub(super) async fn commit(
        &self,
        generation: i32,
        member_id: &str,
        offsets: &[PartitionOffset],
        patience: Duration,
    ) -> Result<(), KafkaError> {
        let request = OffsetCommit {
            group: &self.options.group,
            generation,
            member_id,
            instance: self.options.instance.as_deref(),
            offsets,
        };
        let codes = self.call(&self.beat, &request, patience).await.result?;
        codes.into_iter().try_for_each(accepted)
    }

    /// What is kept of these partitions; those of which nothing is are left out.
    pub(super) async fn committed(
        &self,
        partitions: &[TopicPartition],
        stable: bool,
        patience: Duration,
    ) -> Result<Vec<PartitionOffset>, KafkaError> {
        let request = OffsetFetch {
            group: &self.options.group,
            partitions,
            stable,
        };
        let kept = self.call(&self.beat, &request, patience).await.result?;
        accepted(kept.code)?;
        let mut known = Vec::new();
        for kept in kept.offsets {
            accepted(kept.code)?;
            if kept.offset >= 0 {
                known.push(PartitionOffset {
                    partition: kept.partition,
                    offset: kept.offset,
                });
            }
        }
        Ok(known)
    }

    pub(super) async fn leave(&self, member_id: &str, reason: &str) {
        let request = LeaveGroup {
            group: &self.options.group,
            member_id,
            reason,
        };
        let group = self.options.group.as_str();
        match self.call(&self.beat, &request, LEAVE).await.result {
            Ok(coded) if coded.0 == 0 => tracing::debug!(target: "kafka", group, reason, "left the group"),
            Ok(coded) => {
                let code = ErrorCode(i32::from(coded.0));
                tracing::warn!(target: "kafka", group, %code, "the coordinator refused the leave");
            }
            Err(error) => tracing::warn!(target: "kafka", group, %error, "could not leave the group"),
        }
    }

    /// Performs a request; `timeout` is for all of it, with connecting.
    async fn call<R: Request>(&self, lane: &Lane, request: &R, timeout: Duration) -> Outcome<R::Answer> {
        let mut sent = Moment::now();
        let result = tokio::time::timeout(timeout, async {
            let address = self.address.borrow().clone();
            let address = address.ok_or_else(|| KafkaError::new(ErrorCode::WAIT_COORDINATOR))?;
            let mut connection = self.connection(lane, &address).await?;
            sent = Moment::now();
            let answer = connection.call(request, timeout).await;
            if answer.is_ok() {
                *lane.idle.borrow_mut() = Some((address, connection));
            }
            answer
        })
        .await;
        let result = result.unwrap_or_else(|_| {
            let text = format!("no answer to {} within {timeout:?}", R::NAME);
            Err(KafkaError::with_message(ErrorCode::TIMED_OUT, text))
        });
        Outcome { result, sent }
    }

    /// The lane's connection, or a new one: a call that is cut off takes its connection with it.
    async fn connection(&self, lane: &Lane, address: &Address) -> Result<Connection, KafkaError> {
        let idle = lane.idle.borrow_mut().take();
        if let Some((to, connection)) = idle
            && to == *address
            && connection.is_usable()
        {
            return Ok(connection);
        }
        self.dialer.dial(address).await
    }
}

fn accepted(code: i16) -> Result<(), KafkaError> {
    match code {
        0 => Ok(()),
        code => Err(KafkaError::new(ErrorCode(i32::from(code)))),
    }
}

fn whole_millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}
