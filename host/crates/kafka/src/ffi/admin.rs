//! Admin calls. Each starts a request whose result comes to a queue of its own, and waits for it.

use std::ffi::CString;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::partitions::{Element, element, elements};
use super::raw::admin as raw_admin;
use super::{Client, PartitionList, Queue, borrowed_error, c_text, check, check_error, milliseconds, raw, text};
use crate::admin::{Isolation, NewTopic};
use crate::error::{ErrorCode, KafkaError};

/// What was answered for one name.
pub(crate) type Named<T> = (String, Result<T, KafkaError>);

/// A group as the coordinator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Described {
    pub state: String,
    pub members: usize,
}

/// For new metadata, after a request was not answered.
const REFRESH: Duration = Duration::from_secs(2);
/// How much longer than the request itself its result is awaited: the library fails the request before.
const SLACK: Duration = Duration::from_secs(2);

/// A result; freed when dropped.
struct Answer(*mut raw::rd_kafka_event_t);

impl Drop for Answer {
    fn drop(&mut self) {
        // SAFETY: ours, freed once.
        unsafe { raw::rd_kafka_event_destroy(self.0) }
    }
}

/// An input of a call, with what frees it.
struct Owned<T>(*mut T, unsafe extern "C" fn(*mut T));

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: made by the constructor that belongs to this destructor; freed once.
        unsafe { (self.1)(self.0) }
    }
}

fn pointers<T>(owned: &[Owned<T>]) -> Vec<*mut T> {
    owned.iter().map(|owned| owned.0).collect()
}

/// Starts a request and waits for its result.
fn call(
    client: &Arc<Client>,
    timeout: Duration,
    start: impl FnOnce(*mut raw::rd_kafka_t, *const raw_admin::rd_kafka_AdminOptions_t, *mut raw::rd_kafka_queue_t),
) -> Result<Answer, KafkaError> {
    call_at(client, Isolation::ReadUncommitted, timeout, start)
}

/// As [`call`], for requests that know transactions.
fn call_at(
    client: &Arc<Client>,
    isolation: Isolation,
    timeout: Duration,
    start: impl FnOnce(*mut raw::rd_kafka_t, *const raw_admin::rd_kafka_AdminOptions_t, *mut raw::rd_kafka_queue_t),
) -> Result<Answer, KafkaError> {
    let queue = Queue::new(client);
    // SAFETY: options belong to us until freed; they are copied by the request. A null error text is allowed.
    let options = unsafe {
        let options = raw_admin::rd_kafka_AdminOptions_new(client.raw(), raw_admin::ADMIN_OP_ANY);
        let options = Owned(options, raw_admin::rd_kafka_AdminOptions_destroy);
        let timeout = milliseconds(timeout.max(Duration::from_millis(1))).min(3_600_000);
        check(raw_admin::rd_kafka_AdminOptions_set_request_timeout(
            options.0,
            timeout,
            std::ptr::null_mut(),
            0,
        ))?;
        if isolation == Isolation::ReadCommitted {
            let level = raw_admin::READ_COMMITTED;
            check_error(raw_admin::rd_kafka_AdminOptions_set_isolation_level(options.0, level))?;
        }
        options
    };
    start(client.raw(), options.0, queue.raw());
    let until = Instant::now() + timeout + SLACK;
    loop {
        // Reports of errors come to the main queue of a client that nobody else polls.
        client.poll(Duration::ZERO);
        let left = until.saturating_duration_since(Instant::now());
        let event = queue.poll_raw(left.min(Duration::from_millis(200)));
        if event.is_null() {
            if left.is_zero() {
                return Err(KafkaError::new(ErrorCode::TIMED_OUT));
            }
            continue;
        }
        let answer = Answer(event);
        // SAFETY: the event is valid until the answer is dropped.
        unsafe {
            let code = raw::rd_kafka_event_error(event);
            if code != 0 {
                if ErrorCode(code) == ErrorCode::TIMED_OUT {
                    // librdkafka waits for the controller of its last metadata, which may have gone since.
                    let _ = client.topics(REFRESH);
                }
                return Err(KafkaError::with_message(
                    ErrorCode(code),
                    text(raw::rd_kafka_event_error_string(event)),
                ));
            }
        }
        return Ok(answer);
    }
}

/// Maps the items of a C array.
///
/// # Safety
/// `count` valid items stand at `items`.
unsafe fn collect<T, U>(items: *mut *const T, count: usize, map: impl Fn(*const T) -> U) -> Vec<U> {
    // SAFETY: the caller's promise.
    (0..count).map(|index| map(unsafe { *items.add(index) })).collect()
}

/// # Safety
/// `result` is valid for the call.
unsafe fn topic_result(result: *const raw_admin::rd_kafka_topic_result_t) -> Named<()> {
    // SAFETY: texts are copied.
    unsafe {
        let code = raw_admin::rd_kafka_topic_result_error(result);
        let outcome = if code == 0 {
            Ok(())
        } else {
            let said = text(raw_admin::rd_kafka_topic_result_error_string(result));
            let code = ErrorCode(code);
            Err(KafkaError::with_message(
                code,
                if said.is_empty() { code.description() } else { said },
            ))
        };
        (text(raw_admin::rd_kafka_topic_result_name(result)), outcome)
    }
}

fn names(names: &[&str]) -> Vec<CString> {
    names.iter().map(|name| c_text(name)).collect()
}

impl Client {
    pub(crate) fn create_topics(
        self: &Arc<Self>,
        topics: &[NewTopic],
        timeout: Duration,
    ) -> Result<Vec<Named<()>>, KafkaError> {
        let requests = topics.iter().map(new_topic).collect::<Result<Vec<_>, _>>()?;
        let mut list = pointers(&requests);
        // SAFETY: requests are copied by the call; the result is read while the answer lives.
        unsafe {
            let answer = call(self, timeout, |rk, options, queue| {
                raw_admin::rd_kafka_CreateTopics(rk, list.as_mut_ptr(), list.len(), options, queue);
            })?;
            let mut count = 0;
            let result = raw_admin::rd_kafka_event_CreateTopics_result(answer.0);
            let topics = raw_admin::rd_kafka_CreateTopics_result_topics(result, &mut count);
            Ok(collect(topics, count, |topic| topic_result(topic)))
        }
    }

    pub(crate) fn delete_topics(
        self: &Arc<Self>,
        topics: &[&str],
        timeout: Duration,
    ) -> Result<Vec<Named<()>>, KafkaError> {
        // SAFETY: as in `create_topics`.
        unsafe {
            let make = |name: &CString| {
                Owned(
                    raw_admin::rd_kafka_DeleteTopic_new(name.as_ptr()),
                    raw_admin::rd_kafka_DeleteTopic_destroy,
                )
            };
            let requests: Vec<_> = names(topics).iter().map(make).collect();
            let mut list = pointers(&requests);
            let answer = call(self, timeout, |rk, options, queue| {
                raw_admin::rd_kafka_DeleteTopics(rk, list.as_mut_ptr(), list.len(), options, queue);
            })?;
            let mut count = 0;
            let result = raw_admin::rd_kafka_event_DeleteTopics_result(answer.0);
            let topics = raw_admin::rd_kafka_DeleteTopics_result_topics(result, &mut count);
            Ok(collect(topics, count, |topic| topic_result(topic)))
        }
    }

    /// The number of partitions of each topic.
    pub(crate) fn describe_topics(
        self: &Arc<Self>,
        topics: &[&str],
        timeout: Duration,
    ) -> Result<Vec<Named<usize>>, KafkaError> {
        let names = names(topics);
        let mut list: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
        // SAFETY: names are copied into the collection; the result is read while the answer lives.
        unsafe {
            let collection = Owned(
                raw_admin::rd_kafka_TopicCollection_of_topic_names(list.as_mut_ptr(), list.len()),
                raw_admin::rd_kafka_TopicCollection_destroy,
            );
            let answer = call(self, timeout, |rk, options, queue| {
                raw_admin::rd_kafka_DescribeTopics(rk, collection.0, options, queue);
            })?;
            let mut count = 0;
            let result = raw_admin::rd_kafka_event_DescribeTopics_result(answer.0);
            let topics = raw_admin::rd_kafka_DescribeTopics_result_topics(result, &mut count);
            Ok(collect(topics, count, |topic| {
                let mut partitions = 0;
                raw_admin::rd_kafka_TopicDescription_partitions(topic, &mut partitions);
                let outcome = borrowed_error(raw_admin::rd_kafka_TopicDescription_error(topic)).map(|()| partitions);
                (text(raw_admin::rd_kafka_TopicDescription_name(topic)), outcome)
            }))
        }
    }

    /// A topic's configuration, values as the broker shows them (secret ones are absent).
    pub(crate) fn topic_config(
        self: &Arc<Self>,
        topic: &str,
        timeout: Duration,
    ) -> Result<Vec<(String, Option<String>)>, KafkaError> {
        // SAFETY: as in `create_topics`.
        unsafe {
            let resource = raw_admin::rd_kafka_ConfigResource_new(raw_admin::RESOURCE_TOPIC, c_text(topic).as_ptr());
            let resource = Owned(resource, raw_admin::rd_kafka_ConfigResource_destroy);
            let mut list = [resource.0];
            let answer = call(self, timeout, |rk, options, queue| {
                raw_admin::rd_kafka_DescribeConfigs(rk, list.as_mut_ptr(), list.len(), options, queue);
            })?;
            let mut count = 0;
            let result = raw_admin::rd_kafka_event_DescribeConfigs_result(answer.0);
            let resources = raw_admin::rd_kafka_DescribeConfigs_result_resources(result, &mut count);
            if count == 0 {
                return Ok(Vec::new());
            }
            let code = raw_admin::rd_kafka_ConfigResource_error(*resources);
            if code != 0 {
                let said = text(raw_admin::rd_kafka_ConfigResource_error_string(*resources));
                return Err(KafkaError::with_message(ErrorCode(code), said));
            }
            let entries = raw_admin::rd_kafka_ConfigResource_configs(*resources, &mut count);
            Ok(collect(entries, count, |entry| {
                let value = raw_admin::rd_kafka_ConfigEntry_value(entry);
                (
                    text(raw_admin::rd_kafka_ConfigEntry_name(entry)),
                    (!value.is_null()).then(|| text(value)),
                )
            }))
        }
    }

    /// The offsets at the times that the list's offsets stand for (-1 the end, -2 the beginning).
    pub(crate) fn list_offsets(
        self: &Arc<Self>,
        mut times: PartitionList,
        isolation: Isolation,
        timeout: Duration,
    ) -> Result<Vec<Element>, KafkaError> {
        // SAFETY: as in `create_topics`.
        unsafe {
            let answer = call_at(self, isolation, timeout, |rk, options, queue| {
                raw_admin::rd_kafka_ListOffsets(rk, times.as_mut_ptr(), options, queue);
            })?;
            let mut count = 0;
            let result = raw_admin::rd_kafka_event_ListOffsets_result(answer.0);
            let infos = raw_admin::rd_kafka_ListOffsets_result_infos(result, &mut count);
            Ok(collect(infos, count, |info| {
                element(raw_admin::rd_kafka_ListOffsetsResultInfo_topic_partition(info))
            }))
        }
    }
}

fn new_topic(topic: &NewTopic) -> Result<Owned<raw_admin::rd_kafka_NewTopic_t>, KafkaError> {
    let mut reason = [0_u8; 256];
    // SAFETY: texts are copied; `reason` has the size that is said.
    unsafe {
        let made = raw_admin::rd_kafka_NewTopic_new(
            c_text(&topic.name).as_ptr(),
            topic.partitions,
            topic.replication,
            reason.as_mut_ptr().cast(),
            reason.len(),
        );
        if made.is_null() {
            return Err(KafkaError::with_message(
                ErrorCode::INVALID_ARGUMENT,
                text(reason.as_ptr().cast()),
            ));
        }
        let made = Owned(made, raw_admin::rd_kafka_NewTopic_destroy);
        for (name, value) in &topic.config {
            let (name, value) = (c_text(name), c_text(value));
            check(raw_admin::rd_kafka_NewTopic_set_config(
                made.0,
                name.as_ptr(),
                value.as_ptr(),
            ))?;
        }
        Ok(made)
    }
}

/// The partitions of the one group that was asked for.
///
/// # Safety
/// `count` valid results stand at `groups`.
unsafe fn only_group(
    groups: *mut *const raw_admin::rd_kafka_group_result_t,
    count: usize,
) -> Result<Vec<Element>, KafkaError> {
    if count == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: the caller's promise; what is read is copied.
    unsafe {
        borrowed_error(raw_admin::rd_kafka_group_result_error(*groups))?;
        Ok(elements(raw_admin::rd_kafka_group_result_partitions(*groups)))
    }
}

impl Client {
    /// The committed offsets of a group: of these partitions, or of all that it has committed.
    pub(crate) fn group_offsets(
        self: &Arc<Self>,
        group: &str,
        partitions: Option<&PartitionList>,
        timeout: Duration,
    ) -> Result<Vec<Element>, KafkaError> {
        let partitions = partitions.map_or(std::ptr::null(), PartitionList::as_ptr);
        // SAFETY: the list is copied into the request, and that by the call; the result is read while the answer lives.
        unsafe {
            let request = raw_admin::rd_kafka_ListConsumerGroupOffsets_new(c_text(group).as_ptr(), partitions);
            let request = Owned(request, raw_admin::rd_kafka_ListConsumerGroupOffsets_destroy);
            let mut list = [request.0];
            let answer = call(self, timeout, |rk, options, queue| {
                raw_admin::rd_kafka_ListConsumerGroupOffsets(rk, list.as_mut_ptr(), 1, options, queue);
            })?;
            let mut count = 0;
            let result = raw_admin::rd_kafka_event_ListConsumerGroupOffsets_result(answer.0);
            only_group(
                raw_admin::rd_kafka_ListConsumerGroupOffsets_result_groups(result, &mut count),
                count,
            )
        }
    }

    pub(crate) fn alter_group_offsets(
        self: &Arc<Self>,
        group: &str,
        offsets: &PartitionList,
        timeout: Duration,
    ) -> Result<Vec<Element>, KafkaError> {
        // SAFETY: as in `group_offsets`.
        unsafe {
            let request = raw_admin::rd_kafka_AlterConsumerGroupOffsets_new(c_text(group).as_ptr(), offsets.as_ptr());
            let request = Owned(request, raw_admin::rd_kafka_AlterConsumerGroupOffsets_destroy);
            let mut list = [request.0];
            let answer = call(self, timeout, |rk, options, queue| {
                raw_admin::rd_kafka_AlterConsumerGroupOffsets(rk, list.as_mut_ptr(), 1, options, queue);
            })?;
            let mut count = 0;
            let result = raw_admin::rd_kafka_event_AlterConsumerGroupOffsets_result(answer.0);
            only_group(
                raw_admin::rd_kafka_AlterConsumerGroupOffsets_result_groups(result, &mut count),
                count,
            )
        }
    }

    pub(crate) fn delete_group_offsets(
        self: &Arc<Self>,
        group: &str,
        partitions: &PartitionList,
        timeout: Duration,
    ) -> Result<Vec<Element>, KafkaError> {
        // SAFETY: as in `group_offsets`.
        unsafe {
            let request =
                raw_admin::rd_kafka_DeleteConsumerGroupOffsets_new(c_text(group).as_ptr(), partitions.as_ptr());
            let request = Owned(request, raw_admin::rd_kafka_DeleteConsumerGroupOffsets_destroy);
            let mut list = [request.0];
            let answer = call(self, timeout, |rk, options, queue| {
                raw_admin::rd_kafka_DeleteConsumerGroupOffsets(rk, list.as_mut_ptr(), 1, options, queue);
            })?;
            let mut count = 0;
            let result = raw_admin::rd_kafka_event_DeleteConsumerGroupOffsets_result(answer.0);
            only_group(
                raw_admin::rd_kafka_DeleteConsumerGroupOffsets_result_groups(result, &mut count),
                count,
            )
        }
    }

    pub(crate) fn delete_groups(
        self: &Arc<Self>,
        groups: &[&str],
        timeout: Duration,
    ) -> Result<Vec<Named<()>>, KafkaError> {
        // SAFETY: as in `group_offsets`.
        unsafe {
            let make = |name: &CString| {
                Owned(
                    raw_admin::rd_kafka_DeleteGroup_new(name.as_ptr()),
                    raw_admin::rd_kafka_DeleteGroup_destroy,
                )
            };
            let requests: Vec<_> = names(groups).iter().map(make).collect();
            let mut list = pointers(&requests);
            let answer = call(self, timeout, |rk, options, queue| {
                raw_admin::rd_kafka_DeleteGroups(rk, list.as_mut_ptr(), list.len(), options, queue);
            })?;
            let mut count = 0;
            let result = raw_admin::rd_kafka_event_DeleteGroups_result(answer.0);
            let groups = raw_admin::rd_kafka_DeleteGroups_result_groups(result, &mut count);
            Ok(collect(groups, count, |group| {
                let outcome = borrowed_error(raw_admin::rd_kafka_group_result_error(group));
                (text(raw_admin::rd_kafka_group_result_name(group)), outcome)
            }))
        }
    }

    pub(crate) fn describe_groups(
        self: &Arc<Self>,
        groups: &[&str],
        timeout: Duration,
    ) -> Result<Vec<Named<Described>>, KafkaError> {
        let names = names(groups);
        let mut list: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
        // SAFETY: as in `group_offsets`.
        unsafe {
            let answer = call(self, timeout, |rk, options, queue| {
                raw_admin::rd_kafka_DescribeConsumerGroups(rk, list.as_mut_ptr(), list.len(), options, queue);
            })?;
            let mut count = 0;
            let result = raw_admin::rd_kafka_event_DescribeConsumerGroups_result(answer.0);
            let groups = raw_admin::rd_kafka_DescribeConsumerGroups_result_groups(result, &mut count);
            Ok(collect(groups, count, |group| {
                let state = raw_admin::rd_kafka_ConsumerGroupDescription_state(group);
                let described = Described {
                    state: text(raw_admin::rd_kafka_consumer_group_state_name(state)),
                    members: raw_admin::rd_kafka_ConsumerGroupDescription_member_count(group),
                };
                let outcome = borrowed_error(raw_admin::rd_kafka_ConsumerGroupDescription_error(group));
                (
                    text(raw_admin::rd_kafka_ConsumerGroupDescription_group_id(group)),
                    outcome.map(|()| described),
                )
            }))
        }
    }
}
