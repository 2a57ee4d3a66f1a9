//! Clients and their configuration, log lines and error reports.

use std::ptr::NonNull;
use std::time::Duration;

use super::{c_text, milliseconds, raw, text};
use crate::error::{ErrorCode, KafkaError};
use crate::report::{LogLine, Reporter};
use crate::token::TokenSource;

/// What a client is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ClientKind {
    /// In a group.
    Consumer,
    /// A consumer of given partitions, in no group.
    Reader,
    Producer,
    Admin,
}

impl ClientKind {
    pub fn as_str(self) -> &'static str {
        match self {
            ClientKind::Consumer | ClientKind::Reader => "consumer",
            ClientKind::Producer => "producer",
            ClientKind::Admin => "admin client",
        }
    }
}

/// Why a property was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SetError {
    Unknown,
    Invalid(String),
}

/// A configuration in the making.
pub(crate) struct Conf {
    conf: NonNull<raw::rd_kafka_conf_t>,
}

impl Conf {
    pub(crate) fn new() -> Conf {
        // SAFETY: allocates; the library aborts the process if it has no memory.
        let conf = unsafe { raw::rd_kafka_conf_new() };
        Conf {
            conf: NonNull::new(conf).expect("the library aborts rather than return null"),
        }
    }

    /// Sets one of librdkafka's own properties.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), SetError> {
        let mut reason = [0_u8; 512];
        // SAFETY: the texts end in NUL and live for the call; `reason` has the size that is said.
        let result = unsafe {
            raw::rd_kafka_conf_set(
                self.conf.as_ptr(),
                c_text(name).as_ptr(),
                c_text(value).as_ptr(),
                reason.as_mut_ptr().cast(),
                reason.len(),
            )
        };
        match result {
            raw::CONF_OK => Ok(()),
            raw::CONF_UNKNOWN => Err(SetError::Unknown),
            _ => Err(SetError::Invalid(buffer_text(&reason))),
        }
    }

    /// Makes the client. `context` gets its log lines and error reports.
    pub(crate) fn into_client(self, kind: ClientKind, context: Context) -> Result<Client, String> {
        let has_tokens = context.token.is_some();
        let context = Box::into_raw(Box::new(context));
        let mut reason = [0_u8; 512];
        let rd_kind = match kind {
            ClientKind::Consumer | ClientKind::Reader => raw::TYPE_CONSUMER,
            ClientKind::Producer | ClientKind::Admin => raw::TYPE_PRODUCER,
        };
        // SAFETY: the configuration is ours, and belongs to the library after success. `context` lives until the
        // client is destroyed (`Client::drop`), and the callbacks read it only.
        let client = unsafe {
            let conf = self.conf.as_ptr();
            raw::rd_kafka_conf_set_opaque(conf, context.cast());
            raw::rd_kafka_conf_set_log_cb(conf, Some(log_line));
            if has_tokens {
                raw::rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, Some(refresh_token));
                raw::rd_kafka_conf_enable_sasl_queue(conf, 1);
            }
            raw::rd_kafka_conf_set_error_cb(conf, Some(error_report));
            raw::rd_kafka_new(rd_kind, conf, reason.as_mut_ptr().cast(), reason.len())
        };
        let Some(client) = NonNull::new(client) else {
            // SAFETY: after a failure nobody else holds the context. `self` still owns the configuration and frees it.
            drop(unsafe { Box::from_raw(context) });
            return Err(buffer_text(&reason));
        };
        std::mem::forget(self);
        let client = Client { client, context, kind };
        if has_tokens {
            // SAFETY: the client is alive. Tokens are then asked for whether or not somebody polls it.
            let enabled = unsafe { super::check_error(raw::rd_kafka_sasl_background_callbacks_enable(client.raw())) };
            enabled.map_err(|error| error.to_string())?;
        }
        Ok(client)
    }
}

impl Drop for Conf {
    fn drop(&mut self) {
        // SAFETY: ours, and freed once (a client that was made of it took it over and `self` was forgotten).
        unsafe { raw::rd_kafka_conf_destroy(self.conf.as_ptr()) }
    }
}

/// What a client's callbacks know.
pub(crate) struct Context {
    pub(crate) reporter: Reporter,
    /// Asked for tokens, by a thread of the library's own.
    pub(crate) token: Option<TokenSource>,
}

/// A client of any kind; all calls may come from several threads.
pub(crate) struct Client {
    client: NonNull<raw::rd_kafka_t>,
    context: *mut Context,
    kind: ClientKind,
}

// SAFETY: librdkafka's handle is made to be used from several threads at once.
unsafe impl Send for Client {}
// SAFETY: as above; the context is only read, and is itself `Sync`.
unsafe impl Sync for Client {}

impl Client {
    pub(super) fn raw(&self) -> *mut raw::rd_kafka_t {
        self.client.as_ptr()
    }

    /// The cluster's id, once a broker has been reached.
    pub(crate) fn cluster_id(&self, timeout: Duration) -> Option<String> {
        // SAFETY: the text belongs to us, and is given back to the library's allocator.
        unsafe {
            let id = raw::rd_kafka_clusterid(self.raw(), milliseconds(timeout));
            if id.is_null() {
                return None;
            }
            let copy = text(id);
            raw::rd_kafka_mem_free(self.raw(), id.cast());
            Some(copy)
        }
    }

    /// Serves callbacks (error reports); the number of events.
    pub(crate) fn poll(&self, timeout: Duration) -> i32 {
        // SAFETY: the client is alive.
        unsafe { raw::rd_kafka_poll(self.raw(), milliseconds(timeout)) }
    }

    /// The names of all topics with their numbers of partitions.
    pub(crate) fn topics(&self, timeout: Duration) -> Result<Vec<(String, usize)>, KafkaError> {
        let mut metadata = std::ptr::null();
        // SAFETY: on success `metadata` points to an object of ours with `topic_cnt` topics; it is freed below.
        unsafe {
            let code = raw::rd_kafka_metadata(
                self.raw(),
                1,
                std::ptr::null_mut(),
                &mut metadata,
                milliseconds(timeout),
            );
            super::check(code)?;
            let count = usize::try_from((*metadata).topic_cnt).unwrap_or(0);
            let topics = (0..count)
                .map(|index| (*metadata).topics.add(index))
                .filter(|topic| (**topic).err == 0)
                .map(|topic| {
                    (
                        text((*topic).topic),
                        usize::try_from((*topic).partition_cnt).unwrap_or(0),
                    )
                })
                .collect();
            raw::rd_kafka_metadata_destroy(metadata);
            Ok(topics)
        }
    }
}

impl Drop for Client {
    /// Destroying waits for the library's threads, which may take seconds if a broker hangs: a thread of its own does
    /// it, so that nobody who drops a last reference ever waits.
    fn drop(&mut self) {
        let parts = Parts {
            client: self.client,
            context: self.context,
        };
        let started = std::thread::Builder::new()
            .name("kafka-destroy".to_owned())
            .spawn(move || parts.destroy());
        if let Err(error) = started {
            tracing::warn!(kind = self.kind.as_str(), %error, "no thread to destroy a Kafka client; it is leaked");
        }
    }
}

/// What is left to be freed.
struct Parts {
    client: NonNull<raw::rd_kafka_t>,
    context: *mut Context,
}

// SAFETY: the last owner of both.
unsafe impl Send for Parts {}

impl Parts {
    fn destroy(self) {
        // SAFETY: no reference is left (every queue, topic and batch holds the client). A reader is in no group that
        // it would have to leave. The context is freed after the last callback may have run.
        unsafe {
            raw::rd_kafka_destroy_flags(self.client.as_ptr(), raw::DESTROY_F_NO_CONSUMER_CLOSE);
            drop(Box::from_raw(self.context));
        }
    }
}

/// The text in a buffer that C filled.
fn buffer_text(buffer: &[u8]) -> String {
    let end = buffer.iter().position(|byte| *byte == 0).unwrap_or(buffer.len());
    String::from_utf8_lossy(&buffer[..end]).into_owned()
}

/// The context of a client that calls back.
///
/// # Safety
/// `opaque` is what [`Conf::into_client`] set, and its client is alive.
pub(super) unsafe fn context<'a>(opaque: *mut libc::c_void) -> &'a Context {
    // SAFETY: the caller's promise.
    unsafe { &*opaque.cast::<Context>() }
}

unsafe extern "C" fn log_line(
    client: *const raw::rd_kafka_t,
    level: libc::c_int,
    facility: *const libc::c_char,
    line: *const libc::c_char,
) {
    if client.is_null() {
        return;
    }
    // SAFETY: a living client with the context set before it was made; texts end in NUL and are copied.
    unsafe {
        let context = context(raw::rd_kafka_opaque(client));
        context.reporter.log(&LogLine {
            level,
            facility: &text(facility),
            line: &text(line),
        });
    }
}

/// Called by the library's background thread before a token is needed and before it expires. May wait.
unsafe extern "C" fn refresh_token(
    client: *mut raw::rd_kafka_t,
    _config: *const libc::c_char,
    opaque: *mut libc::c_void,
) {
    // SAFETY: the context lives as long as the client, whose thread this is.
    let context = unsafe { context(opaque) };
    let Some(source) = &context.token else { return };
    let result = source.token().and_then(|token| {
        let extensions: Vec<_> = token
            .extensions
            .iter()
            .flat_map(|(name, value)| [c_text(name), c_text(value)])
            .collect();
        let mut pointers: Vec<_> = extensions.iter().map(|text| text.as_ptr()).collect();
        let mut reason = [0_u8; 512];
        // SAFETY: all texts end in NUL and live for the call; so do the pointers to extensions, as many as is said.
        let code = unsafe {
            raw::rd_kafka_oauthbearer_set_token(
                client,
                c_text(token.value.reveal()).as_ptr(),
                token.expires,
                c_text(&token.principal).as_ptr(),
                pointers.as_mut_ptr(),
                pointers.len(),
                reason.as_mut_ptr().cast(),
                reason.len(),
            )
        };
        if code == 0 { Ok(()) } else { Err(buffer_text(&reason)) }
    });
    if let Err(reason) = result {
        // SAFETY: as above. The library asks again in a while.
        unsafe {
            raw::rd_kafka_oauthbearer_set_token_failure(client, c_text(&reason).as_ptr());
        }
    }
}

unsafe extern "C" fn error_report(
    client: *mut raw::rd_kafka_t,
    code: libc::c_int,
    reason: *const libc::c_char,
    opaque: *mut libc::c_void,
) {
    // SAFETY: called from `rd_kafka_poll` of a living client.
    unsafe {
        let mut error = KafkaError::with_message(ErrorCode(code), text(reason));
        if error.code == ErrorCode::FATAL {
            let mut buffer = [0_u8; 512];
            let fatal = raw::rd_kafka_fatal_error(client, buffer.as_mut_ptr().cast(), buffer.len());
            error = KafkaError {
                fatal: true,
                ..KafkaError::with_message(ErrorCode(fatal), buffer_text(&buffer))
            };
        }
        context(opaque).reporter.error(&error);
    }
}
