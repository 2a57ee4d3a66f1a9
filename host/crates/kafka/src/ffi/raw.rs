//! The part of librdkafka's C interface (2.12, `rdkafka.h`) that this crate calls.
//!
//! Declared here and not taken from the generated bindings because those type every error code as a closed enum:
//! a broker may answer a code that is not in it, and such a value is undefined behaviour in Rust. Here a code is an
//! `i32` everywhere. The library itself is linked by `rdkafka-sys`.

#![allow(non_camel_case_types, non_snake_case)]

use libc::{c_char, c_int, c_void};
// Links the library; nothing of its bindings is used.
use rdkafka_sys as _;

macro_rules! opaque {
    ($($name:ident),* $(,)?) => {
        $(
            #[repr(C)]
            pub struct $name {
                _unused: [u8; 0],
            }
        )*
    };
}

opaque!(
    rd_kafka_t,
    rd_kafka_conf_t,
    rd_kafka_topic_t,
    rd_kafka_queue_t,
    rd_kafka_event_t,
    rd_kafka_error_t,
);

#[repr(C)]
pub struct rd_kafka_topic_partition_t {
    pub topic: *mut c_char,
    pub partition: i32,
    pub offset: i64,
    pub metadata: *mut c_void,
    pub metadata_size: usize,
    pub opaque: *mut c_void,
    pub err: i32,
    pub private: *mut c_void,
}

#[repr(C)]
pub struct rd_kafka_topic_partition_list_t {
    pub cnt: c_int,
    pub size: c_int,
    pub elems: *mut rd_kafka_topic_partition_t,
}

#[repr(C)]
pub struct rd_kafka_metadata_broker_t {
    pub id: i32,
    pub host: *mut c_char,
    pub port: c_int,
}

#[repr(C)]
pub struct rd_kafka_metadata_partition_t {
    pub id: i32,
    pub err: i32,
    pub leader: i32,
    pub replica_cnt: c_int,
    pub replicas: *mut i32,
    pub isr_cnt: c_int,
    pub isrs: *mut i32,
}

#[repr(C)]
pub struct rd_kafka_metadata_topic_t {
    pub topic: *mut c_char,
    pub partition_cnt: c_int,
    pub partitions: *mut rd_kafka_metadata_partition_t,
    pub err: i32,
}

#[repr(C)]
pub struct rd_kafka_metadata_t {
    pub broker_cnt: c_int,
    pub brokers: *mut rd_kafka_metadata_broker_t,
    pub topic_cnt: c_int,
    pub topics: *mut rd_kafka_metadata_topic_t,
    pub orig_broker_id: i32,
    pub orig_broker_name: *mut c_char,
}

pub const TYPE_PRODUCER: c_int = 0;
pub const TYPE_CONSUMER: c_int = 1;

pub const CONF_OK: c_int = 0;
pub const CONF_UNKNOWN: c_int = -2;

pub const DESTROY_F_NO_CONSUMER_CLOSE: c_int = 0x8;

type LogCallback = unsafe extern "C" fn(*const rd_kafka_t, c_int, *const c_char, *const c_char);
type ErrorCallback = unsafe extern "C" fn(*mut rd_kafka_t, c_int, *const c_char, *mut c_void);
type TokenCallback = unsafe extern "C" fn(*mut rd_kafka_t, *const c_char, *mut c_void);

pub mod admin;

// Configuration, clients, errors.
unsafe extern "C" {
    pub fn rd_kafka_conf_new() -> *mut rd_kafka_conf_t;
    pub fn rd_kafka_conf_destroy(conf: *mut rd_kafka_conf_t);
    pub fn rd_kafka_conf_set(
        conf: *mut rd_kafka_conf_t,
        name: *const c_char,
        value: *const c_char,
        errstr: *mut c_char,
        errstr_size: usize,
    ) -> c_int;
    pub fn rd_kafka_conf_set_opaque(conf: *mut rd_kafka_conf_t, opaque: *mut c_void);
    pub fn rd_kafka_conf_set_log_cb(conf: *mut rd_kafka_conf_t, callback: Option<LogCallback>);
    pub fn rd_kafka_conf_set_error_cb(conf: *mut rd_kafka_conf_t, callback: Option<ErrorCallback>);

    pub fn rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf: *mut rd_kafka_conf_t, callback: Option<TokenCallback>);
    pub fn rd_kafka_conf_enable_sasl_queue(conf: *mut rd_kafka_conf_t, enable: c_int);
    pub fn rd_kafka_sasl_background_callbacks_enable(rk: *mut rd_kafka_t) -> *mut rd_kafka_error_t;
    pub fn rd_kafka_oauthbearer_set_token(
        rk: *mut rd_kafka_t,
        token: *const c_char,
        lifetime_ms: i64,
        principal: *const c_char,
        extensions: *mut *const c_char,
        extensions_size: usize,
        errstr: *mut c_char,
        errstr_size: usize,
    ) -> i32;
    pub fn rd_kafka_oauthbearer_set_token_failure(rk: *mut rd_kafka_t, errstr: *const c_char) -> i32;

    pub fn rd_kafka_new(
        kind: c_int,
        conf: *mut rd_kafka_conf_t,
        errstr: *mut c_char,
        errstr_size: usize,
    ) -> *mut rd_kafka_t;
    pub fn rd_kafka_destroy_flags(rk: *mut rd_kafka_t, flags: c_int);
    pub fn rd_kafka_opaque(rk: *const rd_kafka_t) -> *mut c_void;
    pub fn rd_kafka_poll(rk: *mut rd_kafka_t, timeout_ms: c_int) -> c_int;
    pub fn rd_kafka_fatal_error(rk: *mut rd_kafka_t, errstr: *mut c_char, errstr_size: usize) -> i32;
    pub fn rd_kafka_clusterid(rk: *mut rd_kafka_t, timeout_ms: c_int) -> *mut c_char;
    pub fn rd_kafka_mem_free(rk: *mut rd_kafka_t, ptr: *mut c_void);
    pub fn rd_kafka_metadata(
        rk: *mut rd_kafka_t,
        all_topics: c_int,
        only: *mut rd_kafka_topic_t,
        metadata: *mut *const rd_kafka_metadata_t,
        timeout_ms: c_int,
    ) -> i32;
    pub fn rd_kafka_metadata_destroy(metadata: *const rd_kafka_metadata_t);

    pub fn rd_kafka_err2name(err: i32) -> *const c_char;
    pub fn rd_kafka_err2str(err: i32) -> *const c_char;
    pub fn rd_kafka_error_code(error: *const rd_kafka_error_t) -> i32;
    pub fn rd_kafka_error_string(error: *const rd_kafka_error_t) -> *const c_char;
    pub fn rd_kafka_error_is_fatal(error: *const rd_kafka_error_t) -> c_int;
    pub fn rd_kafka_error_txn_requires_abort(error: *const rd_kafka_error_t) -> c_int;
    pub fn rd_kafka_error_destroy(error: *mut rd_kafka_error_t);
}

// Queues and events.
unsafe extern "C" {
    pub fn rd_kafka_queue_new(rk: *mut rd_kafka_t) -> *mut rd_kafka_queue_t;
    pub fn rd_kafka_queue_destroy(queue: *mut rd_kafka_queue_t);
    pub fn rd_kafka_queue_poll(queue: *mut rd_kafka_queue_t, timeout_ms: c_int) -> *mut rd_kafka_event_t;

    pub fn rd_kafka_event_destroy(event: *mut rd_kafka_event_t);
    pub fn rd_kafka_event_error(event: *mut rd_kafka_event_t) -> i32;
    pub fn rd_kafka_event_error_string(event: *mut rd_kafka_event_t) -> *const c_char;
}

// Lists of partitions.
unsafe extern "C" {
    pub fn rd_kafka_topic_partition_list_new(size: c_int) -> *mut rd_kafka_topic_partition_list_t;
    pub fn rd_kafka_topic_partition_list_destroy(list: *mut rd_kafka_topic_partition_list_t);
    pub fn rd_kafka_topic_partition_list_add(
        list: *mut rd_kafka_topic_partition_list_t,
        topic: *const c_char,
        partition: i32,
    ) -> *mut rd_kafka_topic_partition_t;
}
