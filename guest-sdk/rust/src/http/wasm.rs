//! Requests inside a component: `wasi:http`, with the whole body handed over at once if the worker takes it.

use std::time::Duration;

use wasip2::clocks::monotonic_clock;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest,
    RequestOptions, Scheme,
};
use wasip2::io::poll::{Pollable, poll};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

use super::{Cause, Failure, Request, Response, Url};

/// Bytes that are asked for in one read.
const READ: u64 = 256 << 10;

#[derive(Debug)]
pub(super) struct Exchange {
    /// For messages.
    server: String,
    max_response: usize,
    sending: Option<Sending>,
    state: State,
}

/// What the worker has not taken yet. The stream is a part of the body and goes first.
#[derive(Debug)]
struct Sending {
    stream: OutputStream,
    body: OutgoingBody,
    bytes: Vec<u8>,
    written: usize,
}

#[derive(Debug)]
enum State {
    Waiting(FutureIncomingResponse),
    Reading(Box<Reading>),
    Done,
}

/// An answer that is being read. Each part goes before what it is a part of.
#[derive(Debug)]
struct Reading {
    stream: InputStream,
    _body: IncomingBody,
    _response: IncomingResponse,
    answer: Response,
}

fn refused(server: &str, what: &str) -> Failure {
    Failure::new(Cause::Refused, format!("{server}: {what}"))
}

pub(super) fn send(request: &Request<'_>, url: &Url<'_>) -> Result<Exchange, Failure> {
    let server = format!("{}://{}", url.scheme(), url.authority);
    let outgoing = outgoing(request, url, &server)?;
    let body = outgoing
        .body()
        .map_err(|()| refused(&server, "the request takes no body"))?;
    let options = options(request);
    let future = outgoing_handler::handle(outgoing, Some(options)).map_err(|code| failure(&server, &code))?;
    let mut exchange = Exchange {
        max_response: request.max_response,
        sending: None,
        state: State::Waiting(future),
        server,
    };
    exchange.begin_body(body, request.body)?;
    Ok(exchange)
}

fn outgoing(request: &Request<'_>, url: &Url<'_>, server: &str) -> Result<OutgoingRequest, Failure> {
    let headers = Fields::new();
    let length = request.body.len().to_string();
    let own = (!request.body.is_empty() || !matches!(request.method, "GET" | "HEAD" | "DELETE"))
        .then_some(("content-length", length.as_str()));
    for (name, value) in request.headers.iter().copied().chain(own) {
        let wrong = |error| refused(server, &format!("the header {name} cannot be sent: {error:?}"));
        headers.append(name, value.as_bytes()).map_err(wrong)?;
    }
    let outgoing = OutgoingRequest::new(headers);
    let scheme = if url.secure { Scheme::Https } else { Scheme::Http };
    let path = if url.path.starts_with('/') {
        url.path.to_owned()
    } else {
        format!("/{}", url.path)
    };
    outgoing
        .set_method(&method(request.method))
        .and_then(|()| outgoing.set_scheme(Some(&scheme)))
        .and_then(|()| outgoing.set_authority(Some(url.authority)))
        .and_then(|()| outgoing.set_path_with_query(Some(&path)))
        .map_err(|()| refused(server, "the request has no valid method, host or path"))?;
    Ok(outgoing)
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

fn options(request: &Request<'_>) -> RequestOptions {
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let options = RequestOptions::new();
    // A worker that does not know an option does without it.
    let _ = options.set_connect_timeout(Some(nanos(request.connect_timeout)));
    let _ = options.set_first_byte_timeout(Some(nanos(request.read_timeout)));
    let _ = options.set_between_bytes_timeout(Some(nanos(request.read_timeout)));
    options
}

impl Exchange {
    fn begin_body(&mut self, body: OutgoingBody, bytes: &[u8]) -> Result<(), Failure> {
        if bytes.is_empty() {
            return self.finish(body);
        }
        let stream = body
            .write()
            .map_err(|()| refused(&self.server, "the body cannot be written"))?;
        let mut written = 0;
        if write(&stream, bytes, &mut written) {
            drop(stream);
            return self.finish(body);
        }
        self.sending = Some(Sending {
            stream,
            body,
            bytes: bytes.to_vec(),
            written,
        });
        Ok(())
    }

    fn go_on(&mut self) -> Result<(), Failure> {
        let Some(mut sending) = self.sending.take() else {
            return Ok(());
        };
        if write(&sending.stream, &sending.bytes, &mut sending.written) {
            let Sending { stream, body, .. } = sending;
            drop(stream);
            return self.finish(body);
        }
        self.sending = Some(sending);
        Ok(())
    }

    /// A body that was not sent in full is of no account if there is an answer, or a better reason for none.
    fn finish(&self, body: OutgoingBody) -> Result<(), Failure> {
        match OutgoingBody::finish(body, None) {
            Ok(()) | Err(ErrorCode::HttpRequestBodySize(_)) => Ok(()),
            Err(code) => Err(failure(&self.server, &code)),
        }
    }

    pub(super) fn poll(&mut self) -> Result<Option<Response>, Failure> {
        self.go_on()?;
        if let State::Waiting(future) = &self.state {
            // Workers' engines look for the answer only when its pollable is asked.
            if !future.subscribe().ready() {
                return Ok(None);
            }
            let Some(answered) = future.get() else { return Ok(None) };
            let response = answered
                .map_err(|()| refused(&self.server, "the answer was taken already"))?
                .map_err(|code| failure(&self.server, &code))?;
            self.state = State::Reading(Box::new(reading(&self.server, response)?));
        }
        let State::Reading(reading) = &mut self.state else {
            return Err(refused(&self.server, "the answer was taken already"));
        };
        loop {
            match reading.stream.read(READ) {
                Ok(bytes) if bytes.is_empty() => return Ok(None),
                Ok(bytes) => reading.answer.body.extend_from_slice(&bytes),
                Err(StreamError::Closed) => break,
                Err(StreamError::LastOperationFailed(error)) => {
                    let code = wasip2::http::types::http_error_code(&error);
                    let words = || {
                        broken(
                            &self.server,
                            &format!("the answer breaks off: {}", error.to_debug_string()),
                        )
                    };
                    return Err(code.map_or_else(words, |code| failure(&self.server, &code)));
                }
            }
            if reading.answer.body.len() > self.max_response {
                let words = format!(
                    "the answer is longer than the {} bytes that are taken",
                    self.max_response
                );
                return Err(refused(&self.server, &words));
            }
        }
        let answer = std::mem::replace(
            &mut reading.answer,
            Response {
                status: 0,
                headers: Vec::new(),
                body: Vec::new(),
            },
        );
        self.state = State::Done;
        self.sending = None;
        Ok(Some(answer))
    }

    fn pollables(&self, into: &mut Vec<Pollable>) {
        if let Some(sending) = &self.sending {
            into.push(sending.stream.subscribe());
        }
        match &self.state {
            State::Waiting(future) => into.push(future.subscribe()),
            State::Reading(reading) => into.push(reading.stream.subscribe()),
            State::Done => {}
        }
    }
}

/// Hands over what the worker takes without waiting; true once that is all, or there is nobody left to take more.
fn write(stream: &OutputStream, bytes: &[u8], written: &mut usize) -> bool {
    while *written < bytes.len() {
        let permitted = match stream.check_write() {
            Ok(0) => return false,
            Ok(permitted) => usize::try_from(permitted).unwrap_or(usize::MAX),
            Err(_) => return true,
        };
        let end = written.saturating_add(permitted).min(bytes.len());
        if stream.write(&bytes[*written..end]).is_err() {
            return true;
        }
        *written = end;
    }
    true
}

fn reading(server: &str, response: IncomingResponse) -> Result<Reading, Failure> {
    let headers = response.headers().entries();
    let text =
        |(name, value): (String, Vec<u8>)| (name.to_ascii_lowercase(), String::from_utf8_lossy(&value).into_owned());
    let answer = Response {
        status: response.status(),
        headers: headers.into_iter().map(text).collect(),
        body: Vec::new(),
    };
    let taken = |()| broken(server, "the answer has no body");
    let body = response.consume().map_err(taken)?;
    let stream = body.stream().map_err(taken)?;
    Ok(Reading {
        stream,
        _body: body,
        _response: response,
        answer,
    })
}

pub(super) fn wait<'a>(exchanges: impl Iterator<Item = &'a Exchange>, timeout: Duration) {
    let mut pollables = vec![monotonic_clock::subscribe_duration(
        u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX),
    )];
    for exchange in exchanges {
        exchange.pollables(&mut pollables);
    }
    poll(&pollables.iter().collect::<Vec<_>>());
}

fn broken(server: &str, what: &str) -> Failure {
    Failure::new(Cause::Broken, format!("{server}: {what}"))
}

fn failure(server: &str, code: &ErrorCode) -> Failure {
    let unreachable = |what: &str| Failure::new(Cause::Unreachable, format!("{server} cannot be reached: {what}"));
    match code {
        // The worker's own sentence, which names the endpoint.
        ErrorCode::InternalError(Some(words)) => Failure::new(Cause::Refused, words.clone()),
        ErrorCode::ConnectionRefused => unreachable("connection refused"),
        ErrorCode::ConnectionTimeout => unreachable("it does not answer"),
        ErrorCode::DnsTimeout => unreachable("the name service does not answer"),
        ErrorCode::DnsError(error) => unreachable(error.rcode.as_deref().unwrap_or("its name has no address")),
        ErrorCode::DestinationUnavailable | ErrorCode::DestinationIpUnroutable => unreachable("there is no way to it"),
        ErrorCode::TlsAlertReceived(alert) => {
            let words = alert.alert_message.as_deref().unwrap_or("the handshake failed");
            Failure::new(Cause::Unreachable, format!("{server}: {words}"))
        }
        ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout => {
            broken(server, "no answer within the time that the request allows")
        }
        ErrorCode::ConnectionTerminated | ErrorCode::HttpResponseIncomplete => {
            broken(server, "the connection ended before the answer was complete")
        }
        ErrorCode::HttpRequestDenied
        | ErrorCode::DestinationIpProhibited
        | ErrorCode::HttpRequestMethodInvalid
        | ErrorCode::HttpRequestUriInvalid
        | ErrorCode::ConfigurationError => refused(server, &format!("the request is refused ({code:?})")),
        other => broken(server, &format!("the request failed ({other:?})")),
    }
}
