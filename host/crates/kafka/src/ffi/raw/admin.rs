//! The admin part of the interface: each call takes a queue, and its result comes as an event.

use libc::{c_char, c_int};

use super::{
    rd_kafka_error_t, rd_kafka_event_t, rd_kafka_queue_t, rd_kafka_t, rd_kafka_topic_partition_list_t,
    rd_kafka_topic_partition_t,
};

opaque!(
    rd_kafka_AdminOptions_t,
    rd_kafka_NewTopic_t,
    rd_kafka_DeleteTopic_t,
    rd_kafka_topic_result_t,
    rd_kafka_TopicCollection_t,
    rd_kafka_TopicDescription_t,
    rd_kafka_TopicPartitionInfo_t,
    rd_kafka_ListOffsetsResultInfo_t,
    rd_kafka_ListConsumerGroupOffsets_t,
    rd_kafka_AlterConsumerGroupOffsets_t,
    rd_kafka_DeleteConsumerGroupOffsets_t,
    rd_kafka_DeleteGroup_t,
    rd_kafka_group_result_t,
    rd_kafka_ConsumerGroupDescription_t,
    rd_kafka_ConfigResource_t,
    rd_kafka_ConfigEntry_t,
    rd_kafka_result_t,
);

/// `rd_kafka_admin_op_t`: which call options are for; 0 is any.
pub const ADMIN_OP_ANY: c_int = 0;
/// `rd_kafka_IsolationLevel_t`.
pub const READ_COMMITTED: c_int = 1;
/// `rd_kafka_ResourceType_t` of a topic.
pub const RESOURCE_TOPIC: c_int = 2;

type Options = *const rd_kafka_AdminOptions_t;
type Queue = *mut rd_kafka_queue_t;
/// The result objects of the calls differ in C's type only; here they are one.
type Outcome = *const rd_kafka_result_t;
type Groups = *mut *const rd_kafka_group_result_t;
type Topics = *mut *const rd_kafka_topic_result_t;
type List = *const rd_kafka_topic_partition_list_t;

// Topics and their configuration.
unsafe extern "C" {
    pub fn rd_kafka_AdminOptions_new(rk: *mut rd_kafka_t, op: c_int) -> *mut rd_kafka_AdminOptions_t;
    pub fn rd_kafka_AdminOptions_destroy(options: *mut rd_kafka_AdminOptions_t);
    pub fn rd_kafka_AdminOptions_set_request_timeout(
        options: *mut rd_kafka_AdminOptions_t,
        timeout_ms: c_int,
        errstr: *mut c_char,
        errstr_size: usize,
    ) -> i32;

    pub fn rd_kafka_AdminOptions_set_isolation_level(
        options: *mut rd_kafka_AdminOptions_t,
        level: c_int,
    ) -> *mut rd_kafka_error_t;

    pub fn rd_kafka_NewTopic_new(
        topic: *const c_char,
        partitions: c_int,
        replication: c_int,
        errstr: *mut c_char,
        errstr_size: usize,
    ) -> *mut rd_kafka_NewTopic_t;
    pub fn rd_kafka_NewTopic_destroy(topic: *mut rd_kafka_NewTopic_t);
    pub fn rd_kafka_NewTopic_set_config(
        topic: *mut rd_kafka_NewTopic_t,
        name: *const c_char,
        value: *const c_char,
    ) -> i32;
    pub fn rd_kafka_CreateTopics(
        rk: *mut rd_kafka_t,
        topics: *mut *mut rd_kafka_NewTopic_t,
        count: usize,
        options: Options,
        queue: Queue,
    );
    pub fn rd_kafka_event_CreateTopics_result(event: *mut rd_kafka_event_t) -> Outcome;
    pub fn rd_kafka_CreateTopics_result_topics(result: Outcome, count: *mut usize) -> Topics;

    pub fn rd_kafka_DeleteTopic_new(topic: *const c_char) -> *mut rd_kafka_DeleteTopic_t;
    pub fn rd_kafka_DeleteTopic_destroy(topic: *mut rd_kafka_DeleteTopic_t);
    pub fn rd_kafka_DeleteTopics(
        rk: *mut rd_kafka_t,
        topics: *mut *mut rd_kafka_DeleteTopic_t,
        count: usize,
        options: Options,
        queue: Queue,
    );
    pub fn rd_kafka_event_DeleteTopics_result(event: *mut rd_kafka_event_t) -> Outcome;
    pub fn rd_kafka_DeleteTopics_result_topics(result: Outcome, count: *mut usize) -> Topics;

    pub fn rd_kafka_topic_result_error(result: *const rd_kafka_topic_result_t) -> i32;
    pub fn rd_kafka_topic_result_error_string(result: *const rd_kafka_topic_result_t) -> *const c_char;
    pub fn rd_kafka_topic_result_name(result: *const rd_kafka_topic_result_t) -> *const c_char;

    pub fn rd_kafka_TopicCollection_of_topic_names(
        topics: *mut *const c_char,
        count: usize,
    ) -> *mut rd_kafka_TopicCollection_t;
    pub fn rd_kafka_TopicCollection_destroy(topics: *mut rd_kafka_TopicCollection_t);
    pub fn rd_kafka_DescribeTopics(
        rk: *mut rd_kafka_t,
        topics: *const rd_kafka_TopicCollection_t,
        options: Options,
        queue: Queue,
    );
    pub fn rd_kafka_event_DescribeTopics_result(event: *mut rd_kafka_event_t) -> Outcome;
    pub fn rd_kafka_DescribeTopics_result_topics(
        result: Outcome,
        count: *mut usize,
    ) -> *mut *const rd_kafka_TopicDescription_t;
    pub fn rd_kafka_TopicDescription_name(topic: *const rd_kafka_TopicDescription_t) -> *const c_char;
    pub fn rd_kafka_TopicDescription_error(topic: *const rd_kafka_TopicDescription_t) -> *const rd_kafka_error_t;
    pub fn rd_kafka_TopicDescription_partitions(
        topic: *const rd_kafka_TopicDescription_t,
        count: *mut usize,
    ) -> *mut *const rd_kafka_TopicPartitionInfo_t;

    pub fn rd_kafka_ConfigResource_new(kind: c_int, name: *const c_char) -> *mut rd_kafka_ConfigResource_t;
    pub fn rd_kafka_ConfigResource_destroy(resource: *mut rd_kafka_ConfigResource_t);
    pub fn rd_kafka_DescribeConfigs(
        rk: *mut rd_kafka_t,
        resources: *mut *mut rd_kafka_ConfigResource_t,
        count: usize,
        options: Options,
        queue: Queue,
    );
    pub fn rd_kafka_event_DescribeConfigs_result(event: *mut rd_kafka_event_t) -> Outcome;
    pub fn rd_kafka_DescribeConfigs_result_resources(
        result: Outcome,
        count: *mut usize,
    ) -> *mut *const rd_kafka_ConfigResource_t;
    pub fn rd_kafka_ConfigResource_error(resource: *const rd_kafka_ConfigResource_t) -> i32;
    pub fn rd_kafka_ConfigResource_error_string(resource: *const rd_kafka_ConfigResource_t) -> *const c_char;
    pub fn rd_kafka_ConfigResource_configs(
        resource: *const rd_kafka_ConfigResource_t,
        count: *mut usize,
    ) -> *mut *const rd_kafka_ConfigEntry_t;
    pub fn rd_kafka_ConfigEntry_name(entry: *const rd_kafka_ConfigEntry_t) -> *const c_char;
    pub fn rd_kafka_ConfigEntry_value(entry: *const rd_kafka_ConfigEntry_t) -> *const c_char;
}

// Offsets and groups.
unsafe extern "C" {
    pub fn rd_kafka_ListOffsets(
        rk: *mut rd_kafka_t,
        partitions: *mut rd_kafka_topic_partition_list_t,
        options: Options,
        queue: Queue,
    );
    pub fn rd_kafka_event_ListOffsets_result(event: *mut rd_kafka_event_t) -> Outcome;
    pub fn rd_kafka_ListOffsets_result_infos(
        result: Outcome,
        count: *mut usize,
    ) -> *mut *const rd_kafka_ListOffsetsResultInfo_t;
    pub fn rd_kafka_ListOffsetsResultInfo_topic_partition(
        info: *const rd_kafka_ListOffsetsResultInfo_t,
    ) -> *const rd_kafka_topic_partition_t;

    pub fn rd_kafka_ListConsumerGroupOffsets_new(
        group: *const c_char,
        partitions: List,
    ) -> *mut rd_kafka_ListConsumerGroupOffsets_t;
    pub fn rd_kafka_ListConsumerGroupOffsets_destroy(request: *mut rd_kafka_ListConsumerGroupOffsets_t);
    pub fn rd_kafka_ListConsumerGroupOffsets(
        rk: *mut rd_kafka_t,
        requests: *mut *mut rd_kafka_ListConsumerGroupOffsets_t,
        count: usize,
        options: Options,
        queue: Queue,
    );
    pub fn rd_kafka_event_ListConsumerGroupOffsets_result(event: *mut rd_kafka_event_t) -> Outcome;
    pub fn rd_kafka_ListConsumerGroupOffsets_result_groups(result: Outcome, count: *mut usize) -> Groups;

    pub fn rd_kafka_AlterConsumerGroupOffsets_new(
        group: *const c_char,
        partitions: List,
    ) -> *mut rd_kafka_AlterConsumerGroupOffsets_t;
    pub fn rd_kafka_AlterConsumerGroupOffsets_destroy(request: *mut rd_kafka_AlterConsumerGroupOffsets_t);
    pub fn rd_kafka_AlterConsumerGroupOffsets(
        rk: *mut rd_kafka_t,
        requests: *mut *mut rd_kafka_AlterConsumerGroupOffsets_t,
        count: usize,
        options: Options,
        queue: Queue,
    );
    pub fn rd_kafka_event_AlterConsumerGroupOffsets_result(event: *mut rd_kafka_event_t) -> Outcome;
    pub fn rd_kafka_AlterConsumerGroupOffsets_result_groups(result: Outcome, count: *mut usize) -> Groups;

    pub fn rd_kafka_DeleteConsumerGroupOffsets_new(
        group: *const c_char,
        partitions: List,
    ) -> *mut rd_kafka_DeleteConsumerGroupOffsets_t;
    pub fn rd_kafka_DeleteConsumerGroupOffsets_destroy(request: *mut rd_kafka_DeleteConsumerGroupOffsets_t);
    pub fn rd_kafka_DeleteConsumerGroupOffsets(
        rk: *mut rd_kafka_t,
        requests: *mut *mut rd_kafka_DeleteConsumerGroupOffsets_t,
        count: usize,
        options: Options,
        queue: Queue,
    );
    pub fn rd_kafka_event_DeleteConsumerGroupOffsets_result(event: *mut rd_kafka_event_t) -> Outcome;
    pub fn rd_kafka_DeleteConsumerGroupOffsets_result_groups(result: Outcome, count: *mut usize) -> Groups;

    pub fn rd_kafka_DeleteGroup_new(group: *const c_char) -> *mut rd_kafka_DeleteGroup_t;
    pub fn rd_kafka_DeleteGroup_destroy(request: *mut rd_kafka_DeleteGroup_t);
    pub fn rd_kafka_DeleteGroups(
        rk: *mut rd_kafka_t,
        requests: *mut *mut rd_kafka_DeleteGroup_t,
        count: usize,
        options: Options,
        queue: Queue,
    );
    pub fn rd_kafka_event_DeleteGroups_result(event: *mut rd_kafka_event_t) -> Outcome;
    pub fn rd_kafka_DeleteGroups_result_groups(result: Outcome, count: *mut usize) -> Groups;

    pub fn rd_kafka_group_result_name(result: *const rd_kafka_group_result_t) -> *const c_char;
    pub fn rd_kafka_group_result_error(result: *const rd_kafka_group_result_t) -> *const rd_kafka_error_t;
    pub fn rd_kafka_group_result_partitions(result: *const rd_kafka_group_result_t) -> List;

    pub fn rd_kafka_DescribeConsumerGroups(
        rk: *mut rd_kafka_t,
        groups: *mut *const c_char,
        count: usize,
        options: Options,
        queue: Queue,
    );
    pub fn rd_kafka_event_DescribeConsumerGroups_result(event: *mut rd_kafka_event_t) -> Outcome;
    pub fn rd_kafka_DescribeConsumerGroups_result_groups(
        result: Outcome,
        count: *mut usize,
    ) -> *mut *const rd_kafka_ConsumerGroupDescription_t;
    pub fn rd_kafka_ConsumerGroupDescription_group_id(
        group: *const rd_kafka_ConsumerGroupDescription_t,
    ) -> *const c_char;
    pub fn rd_kafka_ConsumerGroupDescription_error(
        group: *const rd_kafka_ConsumerGroupDescription_t,
    ) -> *const rd_kafka_error_t;
    pub fn rd_kafka_ConsumerGroupDescription_state(group: *const rd_kafka_ConsumerGroupDescription_t) -> c_int;
    pub fn rd_kafka_ConsumerGroupDescription_member_count(group: *const rd_kafka_ConsumerGroupDescription_t) -> usize;
    pub fn rd_kafka_consumer_group_state_name(state: c_int) -> *const c_char;
}
