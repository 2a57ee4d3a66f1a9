//! Lists of partitions with offsets.

use std::marker::PhantomData;

use super::{c_text, raw, text};

/// An owned `rd_kafka_topic_partition_list_t`.
pub(crate) struct PartitionList {
    list: *mut raw::rd_kafka_topic_partition_list_t,
    // A list has no lock of its own: it may change threads, but not be shared.
    _not_sync: PhantomData<std::cell::Cell<()>>,
}

// SAFETY: plain heap memory without ties to a thread.
unsafe impl Send for PartitionList {}

/// One element, copied out.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    pub error: i32,
}

impl PartitionList {
    pub(crate) fn new() -> Self {
        // SAFETY: allocates; the library aborts the process if it has no memory.
        let list = unsafe { raw::rd_kafka_topic_partition_list_new(4) };
        PartitionList {
            list,
            _not_sync: PhantomData,
        }
    }

    pub(crate) fn add(&mut self, topic: &str, partition: i32, offset: i64) {
        // SAFETY: the list is ours; the name is copied; the new element is valid until the list grows again.
        unsafe {
            let element = raw::rd_kafka_topic_partition_list_add(self.list, c_text(topic).as_ptr(), partition);
            (*element).offset = offset;
        }
    }

    pub(crate) fn as_ptr(&self) -> *const raw::rd_kafka_topic_partition_list_t {
        self.list
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut raw::rd_kafka_topic_partition_list_t {
        self.list
    }
}

impl Drop for PartitionList {
    fn drop(&mut self) {
        // SAFETY: ours, and freed once.
        unsafe { raw::rd_kafka_topic_partition_list_destroy(self.list) }
    }
}

/// Copies the elements of a list; null counts as empty.
///
/// # Safety
/// `list` is null, or valid for the call and not changed meanwhile.
pub(super) unsafe fn elements(list: *const raw::rd_kafka_topic_partition_list_t) -> Vec<Element> {
    if list.is_null() {
        return Vec::new();
    }
    // SAFETY: `cnt` elements stand at `elems`, each with a topic name that ends in NUL.
    unsafe {
        let count = usize::try_from((*list).cnt).unwrap_or(0);
        (0..count).map(|index| element((*list).elems.add(index))).collect()
    }
}

/// Copies an element.
///
/// # Safety
/// `element` is valid for the call.
pub(super) unsafe fn element(element: *const raw::rd_kafka_topic_partition_t) -> Element {
    // SAFETY: its topic is a name that ends in NUL.
    unsafe {
        Element {
            topic: text((*element).topic),
            partition: (*element).partition,
            offset: (*element).offset,
            error: (*element).err,
        }
    }
}
