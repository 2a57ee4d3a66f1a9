//! What becomes of a request that has ended: of its operations some are done, some are tried again, some are reported,
//! and some fail the task.

use std::time::Instant;

use caisson_sdk::http::{Cause, Failure, Response};
use caisson_sdk::prelude::*;
use caisson_sdk::sink::LateFailure;
use caisson_sdk::{debug, metrics, serde_json, warn};

use super::Flow;
use crate::bulk::answer::{self, Verdict};
use crate::bulk::{Batch, Item};
use crate::client::Answer;
use crate::options::Malformed;

impl Flow {
    pub(super) fn answered(&mut self, mut batch: Batch, response: &Response, now: Instant) {
        if response.status == 503 && answer::is_starting(&words(response)) {
            let words = format!("{} is not ready yet: {}", self.client.servers(), words(response));
            return self.wait_for_server(batch, &words, now);
        }
        batch.attempts += 1;
        batch.unreachable = None;
        match response.status {
            200..300 => self.judged(batch, &response.body, now),
            429 | 500 | 502 | 503 | 504 => self.try_again(batch, &words(response), now),
            // The server refuses the request for one of its operations: look for that one.
            400 | 413 if batch.len() > 1 => {
                let [one, two] = batch.halves();
                self.queue.push_front(two);
                self.queue.push_front(one);
            }
            400 => self.one_by_one(&batch, &[Verdict::Malformed(words(response))], now),
            413 => {
                let words = format!(
                    "{}: the record is larger than the server takes (http.max_content_length)",
                    words(response)
                );
                self.one_by_one(&batch, &[Verdict::Failed(words)], now);
            }
            401 | 403 => {
                let message = format!(
                    "Bulk request failed: {}: see to connection.username and connection.password, and to what that user may do",
                    words(response)
                );
                self.fail(batch, Error::fatal(message));
            }
            _ => self.fail(batch, Error::fatal(format!("Bulk request failed: {}", words(response)))),
        }
    }

    fn judged(&mut self, batch: Batch, body: &[u8], now: Instant) {
        match answer::read(body, batch.len()) {
            Ok(None) => self.done(batch.len()),
            Ok(Some(verdicts)) => self.one_by_one(&batch, &verdicts, now),
            Err(message) => {
                let servers = self.client.servers();
                let message =
                    format!("Bulk request failed: {servers} does not answer as Elasticsearch does: {message}");
                self.fail(batch, Error::fatal(message));
            }
        }
    }

    fn done(&mut self, records: usize) {
        self.stuck = None;
        metrics::count("elasticsearch_sink_documents", records as u64);
    }

    fn one_by_one(&mut self, batch: &Batch, verdicts: &[Verdict], now: Instant) {
        let (mut done, mut newer) = (0, 0);
        let mut busy: Option<&str> = None;
        let mut reports = Vec::new();
        let mut fatal = None;
        for (item, verdict) in batch.items().iter().zip(verdicts) {
            match verdict {
                Verdict::Done => done += 1,
                Verdict::Busy(words) => busy = Some(words),
                Verdict::Conflict(words) => {
                    done += 1;
                    // Something newer is there: with versions of our own that is as good as done, a record came twice.
                    newer += usize::from(self.versioned);
                    if !self.versioned {
                        warn!("{} was not written: {words}", self.place(item));
                        reports.push(self.report(item, words));
                    }
                }
                Verdict::Malformed(words) => {
                    reports.push(self.report(item, words));
                    if self.options.malformed == Malformed::Fail {
                        fatal.get_or_insert_with(|| self.refused(batch, item, words));
                    } else {
                        done += 1;
                        self.left_out(item, words);
                    }
                }
                Verdict::Failed(words) => {
                    reports.push(self.report(item, words));
                    fatal.get_or_insert_with(|| self.failed(batch, item, words));
                }
            }
        }
        self.done(done);
        if newer > 0 {
            debug!("{newer} records found newer documents, so they were given again or overtaken");
        }
        if self.options.reports && !reports.is_empty() {
            self.context.report(&reports);
        }
        if let Some(error) = fatal {
            let dead = |verdict: Option<&Verdict>| matches!(verdict, Some(Verdict::Malformed(_) | Verdict::Failed(_)));
            self.fail(batch.subset(|index, _| dead(verdicts.get(index))), error);
        }
        if let Some(words) = busy {
            let rest = batch.subset(|index, _| matches!(verdicts.get(index), Some(Verdict::Busy(_))));
            self.try_again(rest, words, now);
        }
    }

    fn left_out(&self, item: &Item, words: &str) {
        let place = self.place(item);
        match self.options.malformed {
            Malformed::Ignore => debug!("{place} is left out, the server refuses it: {words}"),
            Malformed::Warn | Malformed::Fail => warn!("{place} is left out, the server refuses it: {words}"),
        }
    }

    fn report(&self, item: &Item, words: &str) -> LateFailure {
        let name = self.name(item.partition);
        LateFailure {
            topic: name.topic.clone(),
            partition: name.partition,
            offset: item.offset,
            message: format!("Indexing failed: {words}"),
        }
    }

    fn place(&self, item: &Item) -> String {
        let name = self.name(item.partition);
        format!(
            "the record at offset {} of {}-{}",
            item.offset, name.topic, name.partition
        )
    }

    fn refused(&self, batch: &Batch, item: &Item, words: &str) -> Error {
        let message = format!(
            "Indexing record failed. Please check DLQ topic for errors. Index {} refused {}: {words}",
            batch.target,
            self.place(item)
        );
        let remedy = "The mapping of the index and the record disagree. Correct what writes such records, or write to an \
                      index with another mapping; or set behavior.on.malformed.documents to warn or ignore, which leaves \
                      them out (errors.deadletterqueue.topic.name keeps them). Then restart the task.";
        Error::fatal(message).with_detail(remedy)
    }

    fn failed(&self, batch: &Batch, item: &Item, words: &str) -> Error {
        let remedy = answer::remedy(words).map_or_else(String::new, |remedy| format!(" ({remedy})"));
        let (place, target) = (self.place(item), &batch.target);
        Error::fatal(format!(
            "Indexing record failed. Index {target} does not take {place}: {words}{remedy}"
        ))
    }

    pub(super) fn unanswered(&mut self, mut batch: Batch, failure: Failure, now: Instant) {
        match failure.cause {
            Cause::Refused => {
                let words = answer::advised(&failure.message);
                self.fail(batch, Error::fatal(format!("Bulk request failed: {words}")));
            }
            Cause::Broken => {
                batch.attempts += 1;
                self.try_again(batch, &failure.message, now);
            }
            Cause::Unreachable => self.wait_for_server(batch, &failure.message, now),
        }
    }

    /// No attempt, as there is nobody who could have refused: a server that is restarted takes longer than retries last.
    fn wait_for_server(&mut self, mut batch: Batch, words: &str, now: Instant) {
        let since = *batch.unreachable.get_or_insert(now);
        if now.duration_since(since) > self.options.flush_timeout {
            let message = format!(
                "Bulk request failed: {words}, for longer than flush.timeout.ms: see that a server of connection.url runs"
            );
            return self.fail(batch, Error::fatal(message));
        }
        if since == now {
            warn!("{words}; {} records wait for it", batch.len());
        }
        let due = now + self.backoff.unreachable();
        self.waiting.push((due, batch));
    }

    fn try_again(&mut self, batch: Batch, words: &str, now: Instant) {
        let attempts = batch.attempts;
        if attempts > self.options.retries {
            let words = answer::advised(words);
            let message = format!("Bulk request failed after {attempts} attempts (max.retries): {words}");
            return self.fail(batch, Error::fatal(message));
        }
        metrics::count("elasticsearch_sink_retries", 1);
        let wait = self.backoff.wait(attempts);
        warn!(
            "{} records are sent again in {} ms: {words}",
            batch.len(),
            wait.as_millis()
        );
        self.waiting.push((now + wait, batch));
    }

    fn fail(&mut self, batch: Batch, error: Error) {
        self.failure.get_or_insert(error);
        if batch.len() > 0 {
            self.dead.push(batch);
        }
    }
}

/// What the server says is wrong with a whole request.
fn words(response: &Response) -> String {
    let body: Json = serde_json::from_slice(&response.body).unwrap_or(Json::Null);
    let answer = Answer {
        status: response.status,
        body,
    };
    answer.words()
}
