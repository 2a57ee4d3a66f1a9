//! What the server said to a bulk request, operation by operation.

use caisson_sdk::prelude::*;
use caisson_sdk::serde_json;

/// What came of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Done; the deletion of what is not there is done, too.
    Done,
    /// Something newer is there already.
    Conflict(String),
    /// The server will never take this document.
    Malformed(String),
    /// The server has no room for it now.
    Busy(String),
    /// The server will not take it, for a reason that is not the document's.
    Failed(String),
}

/// Parts of the answer that are wanted. Each operation has a status, so that none is missing in the list.
pub(crate) const FILTER: &str = "filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason,\
                                 items.*.error.caused_by.type,items.*.error.caused_by.reason";

/// Errors that a document is to blame for.
const MALFORMED: [&str; 5] = [
    "mapper_parsing_exception",
    "document_parsing_exception",
    "strict_dynamic_mapping_exception",
    "illegal_argument_exception",
    "action_request_validation_exception",
];

/// Reads the answer to `count` operations. `Ok(None)`: all of them are done.
pub(crate) fn read(body: &[u8], count: usize) -> Result<Option<Vec<Verdict>>, String> {
    // The usual case is not worth reading: the flag comes first.
    if body.starts_with(b"{\"errors\":false") {
        return Ok(None);
    }
    let answer: Json = serde_json::from_slice(body).map_err(|error| format!("its answer cannot be read: {error}"))?;
    if answer["errors"] == Json::Bool(false) {
        return Ok(None);
    }
    let items = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    if items.len() != count {
        return Err(format!("it answers {} operations of {count}", items.len()));
    }
    Ok(Some(items.iter().map(verdict).collect()))
}

fn verdict(item: &Json) -> Verdict {
    let operation = item.as_object().and_then(|members| members.values().next());
    let error = operation
        .map(|operation| &operation["error"])
        .filter(|error| !error.is_null());
    let Some((operation, error)) = operation.zip(error) else {
        return Verdict::Done;
    };
    let status = operation["status"].as_u64().unwrap_or(0);
    let kind = error["type"].as_str().unwrap_or("error");
    let words = words(error);
    match (kind, status) {
        ("version_conflict_engine_exception", _) => Verdict::Conflict(words),
        (_, 429 | 502 | 503 | 504) => Verdict::Busy(words),
        (kind, _) if MALFORMED.contains(&kind) => Verdict::Malformed(words),
        _ => Verdict::Failed(words),
    }
}

/// Whether a server says that its cluster has no state or no master, as it is for some seconds after its start.
pub(crate) fn is_starting(words: &str) -> bool {
    let marks = [
        "SERVICE_UNAVAILABLE/1/",
        "SERVICE_UNAVAILABLE/2/",
        "_not_discovered_exception",
    ];
    marks.iter().any(|mark| words.contains(mark))
}

/// Type and reason of an error, and of what caused it.
pub(crate) fn words(error: &Json) -> String {
    let one = |error: &Json| {
        let kind = error["type"].as_str()?;
        Some(match error["reason"].as_str() {
            Some(reason) => format!("{kind}: {reason}"),
            None => kind.to_owned(),
        })
    };
    let own = one(error).unwrap_or_else(|| error.to_string());
    match one(&error["caused_by"]) {
        Some(cause) => format!("{own}; caused by {cause}"),
        None => own,
    }
}

/// What is wrong, followed by what can be done about it.
pub(crate) fn advised(words: &str) -> String {
    match remedy(words) {
        Some(remedy) => format!("{words}: {remedy}"),
        None => words.to_owned(),
    }
}

/// What can be done about an error, where that is known.
pub(crate) fn remedy(words: &str) -> Option<&'static str> {
    let says = |text: &str| words.contains(text);
    if says("flood-stage") || says("read_only_allow_delete") || says("read-only-allow-delete") {
        Some(
            "the disk of the server is nearly full, which makes its indexes read-only: make room or add a node; then, if \
             the server does not do so by itself, set index.blocks.read_only_allow_delete to null \
             (PUT /INDEX/_settings), and restart the task",
        )
    } else if says("cluster_block_exception") {
        Some(
            "the index is read-only: lift its blocks (PUT /INDEX/_settings with index.blocks.read_only or \
             index.blocks.write set to null), and restart the task",
        )
    } else if says("es_rejected_execution_exception")
        || says("rejected_execution_exception")
        || says("circuit_breaking")
    {
        Some(
            "the server is overloaded: lower batch.size, max.in.flight.requests or tasks.max, raise max.retries or \
             retry.backoff.ms, or give the server more room",
        )
    } else if says("security_exception") {
        Some("give the user of connection.username the privileges to create, read and write this index")
    } else if says("index_not_found_exception") {
        Some("create the index, or let the server create indexes (action.auto_create_index)")
    } else if says("is not trusted") && says("it is not for") {
        Some(
            "name the server in connection.url as its certificate does, or, with elastic.security.protocol=SSL, leave \
             elastic.https.ssl.endpoint.identification.algorithm empty, so that any name will do",
        )
    } else if says("is not trusted") {
        Some(
            "set elastic.security.protocol to SSL and name the certificate of its authority in \
             elastic.https.ssl.truststore.location, or have the operator add it to the worker's sandbox.tls.trusted",
        )
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_errors_is_not_read() {
        assert_eq!(read(b"{\"errors\":false,\"items\":[garbage", 3), Ok(None));
        assert_eq!(read(br#"{"took":3,"errors":false}"#, 3), Ok(None));
    }

    #[test]
    fn each_operation_has_its_verdict() {
        let item = |operation: &str, status: u64, kind: Option<&str>| {
            let mut body = json!({"status": status});
            if let Some(kind) = kind {
                body["error"] = json!({"type": kind, "reason": "why"});
            }
            json!({operation: body})
        };
        let body = json!({"errors": true, "items": [
            item("index", 201, None),
            item("delete", 404, None),
            item("index", 409, Some("version_conflict_engine_exception")),
            item("index", 400, Some("mapper_parsing_exception")),
            item("update", 429, Some("es_rejected_execution_exception")),
            item("index", 403, Some("cluster_block_exception")),
        ]});
        let verdicts = read(body.to_string().as_bytes(), 6)
            .expect("it can be read")
            .expect("not all is well");
        assert_eq!(
            verdicts,
            [
                Verdict::Done,
                Verdict::Done,
                Verdict::Conflict("version_conflict_engine_exception: why".into()),
                Verdict::Malformed("mapper_parsing_exception: why".into()),
                Verdict::Busy("es_rejected_execution_exception: why".into()),
                Verdict::Failed("cluster_block_exception: why".into()),
            ]
        );
    }

    /// As Elasticsearch 7.17 and the worker say it.
    #[test]
    fn what_people_can_do_about_is_told() {
        for (words, remedy_has) in [
            (
                "cluster_block_exception: index [x] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage \
                 watermark, index has read-only-allow-delete block];",
                "make room",
            ),
            (
                "cluster_block_exception: index [x] blocked by: [FORBIDDEN/8/index write (api)];",
                "lift its blocks",
            ),
            (
                "es_rejected_execution_exception: rejected execution of coordinating operation [coordinating_and_primary_bytes=0]",
                "lower batch.size",
            ),
            (
                "circuit_breaking_exception: [parent] Data too large, data for [<http_request>] would be larger than the limit",
                "overloaded",
            ),
            (
                "security_exception: action [indices:data/write/bulk[s]] is unauthorized for user [u]",
                "privileges",
            ),
            ("index_not_found_exception: no such index [x]", "create the index"),
            (
                "the certificate of h is not trusted: no trusted certificate vouches for it",
                "elastic.https.ssl.truststore.location",
            ),
            ("the certificate of h is not trusted: it is not for h", "connection.url"),
        ] {
            let found = remedy(words).unwrap_or_default();
            assert!(found.contains(remedy_has), "{words}: {found}");
        }
        assert_eq!(remedy("mapper_parsing_exception: failed to parse"), None);
    }

    #[test]
    fn a_server_that_has_just_begun_is_known_by_its_words() {
        for (words, starting) in [
            (
                "cluster_block_exception: blocked by: [SERVICE_UNAVAILABLE/1/state not recovered / initialized];",
                true,
            ),
            (
                "cluster_block_exception: blocked by: [SERVICE_UNAVAILABLE/2/no master];",
                true,
            ),
            ("master_not_discovered_exception: null", true),
            (
                "cluster_block_exception: index [x] blocked by: [FORBIDDEN/8/index write (api)];",
                false,
            ),
            ("unavailable_shards_exception: primary shard is not active", false),
        ] {
            assert_eq!(is_starting(words), starting, "{words}");
        }
    }

    #[test]
    fn an_answer_that_is_none_is_an_error() {
        for body in [
            "",
            "x",
            "[]",
            "null",
            r#"{"errors":true}"#,
            r#"{"errors":true,"items":[{}]}"#,
        ] {
            assert!(read(body.as_bytes(), 2).is_err(), "{body}");
        }
        let odd = read(br#"{"errors":true,"items":[5,{"index":7}]}"#, 2);
        assert_eq!(odd, Ok(Some(vec![Verdict::Done, Verdict::Done])));
    }
}
