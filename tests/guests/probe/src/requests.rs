//! Outgoing requests, by `wasi:http` alone: `http:URL` tells status and body, or the code of the error.

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};
use wasip2::io::streams::StreamError;

use crate::behave::report;
use crate::caisson::connect::http;
use crate::caisson::connect::types::{Error, ErrorKind};
use crate::network::terms;

pub fn perform(word: &str, argument: &str) -> Option<Result<Vec<u8>, Error>> {
    Some(match word {
        "http" => told(get(argument)),
        // One after the other, on one connection if the worker keeps it.
        "http-twice" => told(get(argument).and_then(|_| get(argument))),
        // `http-tls:VERIFICATION:TRUSTED FILE:URL`
        "http-tls" => {
            let mut parts = argument.splitn(3, ':');
            let mut part = || parts.next().unwrap_or_default();
            let (verification, trusted, url) = (part(), part(), part());
            match http::use_tls(&terms(verification, trusted)) {
                Ok(()) => told(get(url)),
                Err(error) => report(format!("{:?}: {}", error.kind, error.message)),
            }
        }
        // `http-send:BYTES:URL`
        "http-send" => {
            let (bytes, url) = argument.split_once(':').unwrap_or_default();
            told(post(url, bytes.parse().unwrap_or(0)))
        }
        "http-connect" => told(begin(argument, &Method::Connect, &[]).and_then(|(future, _)| finish(&future))),
        // As it is, so that a test sees its kind.
        "http-wait" => match get(argument) {
            Ok(text) => report(text),
            Err(code) => Err(Error {
                kind: ErrorKind::Retriable,
                message: format!("{code:?}"),
                detail: None,
                retry_after_ms: None,
            }),
        },
        "http-many" => {
            let mut kept = Vec::new();
            loop {
                match begin(argument, &Method::Get, &[]) {
                    Ok((future, _)) => kept.push(future),
                    Err(code) => break report(format!("{code:?}")),
                }
                if kept.len() == 10 {
                    // The last ones first: those that have a connection wait for an answer that does not come.
                    let failed = kept.iter().rev().find_map(|future| finish(future).err());
                    break report(format!("{failed:?}"));
                }
            }
        }
        // `http-options:COUNT:URL`: so many requests with options that are refused before they are sent, and then one that is not.
        "http-options" => {
            let (count, url) = argument.split_once(':').unwrap_or_default();
            let given_up = |_| {
                let options = RequestOptions::new();
                options.set_connect_timeout(Some(10_000_000_000)).unwrap();
                handle(request(url, &Method::Connect, &[]), Some(options)).map(drop)
            };
            let count = count.parse().unwrap_or(0);
            told((0..count).try_for_each(given_up).and_then(|()| get(url)))
        }
        "http-bodies" => loop {
            let request = request(argument, &Method::Post, &[]);
            std::mem::forget(request.body());
            std::mem::forget(request);
        },
        _ => return None,
    })
}

fn told(result: Result<String, ErrorCode>) -> Result<Vec<u8>, Error> {
    match result {
        Ok(text) => report(format!("ok: {text}")),
        Err(code) => report(format!("{code:?}")),
    }
}

fn request(url: &str, method: &Method, headers: &[(&str, &str)]) -> OutgoingRequest {
    let fields = Fields::new();
    for (name, value) in headers {
        fields.append(name, value.as_bytes()).unwrap();
    }
    let request = OutgoingRequest::new(fields);
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    request.set_method(method).unwrap();
    request
        .set_scheme(Some(&if scheme == "https" { Scheme::Https } else { Scheme::Http }))
        .unwrap();
    request.set_authority(Some(authority)).unwrap();
    request.set_path_with_query(Some(&format!("/{path}"))).unwrap();
    request
}

fn begin(
    url: &str,
    method: &Method,
    headers: &[(&str, &str)],
) -> Result<(FutureIncomingResponse, OutgoingBody), ErrorCode> {
    let request = request(url, method, headers);
    let body = request.body().unwrap();
    Ok((handle(request, None)?, body))
}

fn get(url: &str) -> Result<String, ErrorCode> {
    let (future, body) = begin(url, &Method::Get, &[])?;
    OutgoingBody::finish(body, None)?;
    finish(&future)
}

fn post(url: &str, bytes: usize) -> Result<String, ErrorCode> {
    let length = bytes.to_string();
    let (future, body) = begin(url, &Method::Post, &[("content-length", &length)])?;
    let stream = body.write().unwrap();
    let mut left = bytes;
    while left > 0 {
        match stream.check_write() {
            Ok(0) => stream.subscribe().block(),
            Ok(permitted) => {
                let now = left.min(permitted as usize);
                if stream.write(&vec![b'x'; now]).is_err() {
                    break;
                }
                left -= now;
            }
            Err(_) => break,
        }
    }
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
    finish(&future)
}

fn finish(future: &FutureIncomingResponse) -> Result<String, ErrorCode> {
    future.subscribe().block();
    let response = future.get().unwrap().unwrap()?;
    let status = response.status();
    let body = response.consume().unwrap();
    let stream = body.stream().unwrap();
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(1 << 20) {
            Ok(more) => bytes.extend(more),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => {
                let code = wasip2::http::types::http_error_code(&error);
                return Err(code.unwrap_or(ErrorCode::InternalError(Some(error.to_debug_string()))));
            }
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    Ok(if bytes.len() > 100 {
        format!("{status} {} bytes", bytes.len())
    } else {
        format!("{status} {text}")
    })
}
