//! librdkafka's cluster of pretended brokers, for tests of what a real one does rarely.

use std::sync::Arc;

use libc::{c_char, c_int};

use super::raw::rd_kafka_t;
use super::{Client, c_text, text};

#[repr(C)]
struct rd_kafka_mock_cluster_t {
    _unused: [u8; 0],
}

unsafe extern "C" {
    fn rd_kafka_handle_mock_cluster(rk: *const rd_kafka_t) -> *mut rd_kafka_mock_cluster_t;
    fn rd_kafka_mock_cluster_bootstraps(cluster: *const rd_kafka_mock_cluster_t) -> *const c_char;
    fn rd_kafka_mock_topic_create(
        cluster: *mut rd_kafka_mock_cluster_t,
        topic: *const c_char,
        partitions: c_int,
        replication: c_int,
    ) -> i32;
    fn rd_kafka_mock_push_request_errors_array(
        cluster: *mut rd_kafka_mock_cluster_t,
        api: i16,
        count: usize,
        errors: *const i32,
    );
    fn rd_kafka_mock_set_apiversion(cluster: *mut rd_kafka_mock_cluster_t, api: i16, first: i16, last: i16) -> i32;
}

/// Kinds of requests.
pub(crate) const PRODUCE: i16 = 0;
pub(crate) const OFFSET_COMMIT: i16 = 8;
pub(crate) const OFFSET_FETCH: i16 = 9;
pub(crate) const HEARTBEAT: i16 = 12;

/// What pretended brokers read wrongly in newer versions: kinds of requests and the last version that is right.
const OLD: [(i16, i16); 3] = [(JOIN_GROUP, 5), (LEAVE_GROUP, 3), (SYNC_GROUP, 3)];
const JOIN_GROUP: i16 = 11;
const LEAVE_GROUP: i16 = 13;
const SYNC_GROUP: i16 = 14;

/// The cluster of a client that was made with `test.mock.num.brokers`.
pub(crate) struct MockCluster {
    client: Arc<Client>,
}

impl MockCluster {
    pub(crate) fn of(client: Client) -> MockCluster {
        let cluster = MockCluster {
            client: Arc::new(client),
        };
        for (api, last) in OLD {
            // SAFETY: the cluster is alive.
            let code = unsafe { rd_kafka_mock_set_apiversion(cluster.raw(), api, 0, last) };
            assert_eq!(code, 0);
        }
        cluster
    }

    fn raw(&self) -> *mut rd_kafka_mock_cluster_t {
        // SAFETY: the client is alive and has a cluster.
        unsafe { rd_kafka_handle_mock_cluster(self.client.raw()) }
    }

    pub(crate) fn bootstrap(&self) -> String {
        // SAFETY: the text lives as long as the cluster, and is copied.
        unsafe { text(rd_kafka_mock_cluster_bootstraps(self.raw())) }
    }

    pub(crate) fn create(&self, topic: &str, partitions: i32) {
        // SAFETY: the cluster is alive; the name is copied.
        let code = unsafe { rd_kafka_mock_topic_create(self.raw(), c_text(topic).as_ptr(), partitions, 1) };
        assert_eq!(code, 0);
    }

    /// The next requests of that kind are answered with these codes.
    pub(crate) fn fail(&self, api: i16, codes: &[i32]) {
        // SAFETY: the cluster is alive; the codes are copied.
        unsafe { rd_kafka_mock_push_request_errors_array(self.raw(), api, codes.len(), codes.as_ptr()) }
    }
}
