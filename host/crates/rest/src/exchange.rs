//! One request and its answer: what is refused before a resource is asked, in the order of Kafka Connect's server, and
//! what every answer carries.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use caisson_config::listener::Scheme;
use caisson_herder::{Herder, RequestSignature};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::header::{
    ACCEPT, ALLOW, CONNECTION, CONTENT_TYPE, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION,
};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{Method, Request, Response, StatusCode, Version};
use tokio_rustls::TlsConnector;

use crate::auth::Gate;
use crate::cors::Cors;
use crate::forward::{self, Hop};
use crate::handlers::{self, Call};
use crate::limits::Limits;
use crate::media::{self, Media};
use crate::path;
use crate::patience::Patience;
use crate::payload::Payload;
use crate::prometheus;
use crate::query::Query;
use crate::reply::{Body, Reply};
use crate::response_headers::ResponseHeaders;
use crate::route::{Face, Route};
use crate::upload;

pub const SIGNATURE: &str = "X-Connect-Authorization";
pub const SIGNATURE_ALGORITHM: &str = "X-Connect-Request-Signature-Algorithm";

/// What all exchanges share.
pub struct Service {
    pub herder: Arc<dyn Herder>,
    pub limits: Limits,
    pub cors: Cors,
    pub response_headers: ResponseHeaders,
    pub gate: Gate,
    /// Towards other workers that are reached by `https`.
    pub peers: Option<TlsConnector>,
}

/// Where a request came in.
#[derive(Clone)]
pub struct Entrance {
    pub face: Face,
    pub scheme: Scheme,
    /// The address of the listener, for clients that do not say which host they mean.
    pub address: Arc<str>,
}

impl Service {
    pub async fn exchange(&self, entrance: &Entrance, request: Request<Incoming>) -> Response<Payload> {
        let began = Instant::now();
        let (head, mut body) = request.into_parts();
        let mut reply = self.reply(entrance.face, &head, &mut body).await;
        if !reply.close && !body.is_end_stream() && !self.discard(&head, body).await {
            reply = reply.closing();
        }
        let took = began.elapsed();
        let (method, path, status) = (&head.method, head.uri.path(), reply.status.as_u16());
        // Who polls statuses must not flood the log; who changes something leaves a line.
        if head.method.is_safe() {
            tracing::debug!(%method, path, status, ?took, "request");
        } else {
            tracing::info!(%method, path, status, ?took, "request");
        }
        self.respond(entrance, &head, reply).await
    }

    async fn reply(&self, face: Face, head: &Parts, body: &mut Incoming) -> Reply {
        match self.route(face, head) {
            Ok(route) => self.serve(face, route, head, body).await,
            Err(reply) => reply,
        }
    }

    /// What a request is about, or the answer to one that is about nothing.
    fn route(&self, face: Face, head: &Parts) -> Result<Route, Reply> {
        if let Some(status) = self.refuse_length(head) {
            return Err(Reply::http_error(status).closing());
        }
        let typed = texts(&head.headers, CONTENT_TYPE).all(media::is_media_type);
        if !names_a_host(head) || !typed || head.method == Method::CONNECT {
            return Err(Reply::http_error(StatusCode::BAD_REQUEST).closing());
        }
        if let Some(status) = self.cors.preflight(&head.method, &head.headers) {
            return Err(Reply::empty(status));
        }
        if head.uri.path() == "*" {
            return Err(Reply::empty(StatusCode::NOT_FOUND));
        }
        let Some(segments) = path::segments(head.uri.path()) else {
            // Kafka Connect's server explains itself to these methods alone.
            return Err(match head.method {
                Method::GET | Method::HEAD | Method::POST => {
                    Reply::error(StatusCode::BAD_REQUEST, "Ambiguous URI path")
                }
                _ => Reply::empty(StatusCode::BAD_REQUEST),
            });
        };
        let found = Route::find(face, &segments);
        let served = found.filter(|route| !route.is_about_modules() || self.herder.modules().is_some());
        served.ok_or_else(|| Reply::http_error(StatusCode::NOT_FOUND))
    }

    async fn serve(&self, face: Face, route: Route, head: &Parts, body: &mut Incoming) -> Reply {
        if head.method == Method::OPTIONS {
            if let Some(refusal) = self.stop(face, &route, head) {
                return refusal;
            }
            let allow = route.allow();
            return Reply::text(StatusCode::OK, allow.replace(',', ", ")).with_allow(allow);
        }
        let method = if head.method == Method::HEAD {
            &Method::GET
        } else {
            &head.method
        };
        if !route.methods().contains(method) {
            let allow = route.allow();
            return Reply::http_error(StatusCode::METHOD_NOT_ALLOWED)
                .with_allow(allow)
                .closing();
        }
        if let Err(status) = check_media(&route, method, head, body) {
            return Reply::http_error(status);
        }
        // Who may not send a request need not send its body either.
        if let Some(refusal) = self.stop(face, &route, head) {
            return refusal;
        }
        let query = Query::parse(head.uri.query());
        let user = self.gate.user(&head.headers);
        if route.takes_module(method)
            && let Some(modules) = self.herder.modules()
        {
            let patience = Patience::of(&self.limits);
            return upload::receive(modules, body, patience, &query, user).await;
        }
        let body = match self.read(body).await {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        let signature = signature(&head.headers, &body);
        let hop = Hop::of(&query);
        let passed_on = head.method.is_safe().then(Vec::new).unwrap_or_else(|| body.clone());
        let call = Call {
            herder: self.herder.clone(),
            limits: self.limits,
            query,
            body,
            signature,
            user,
        };
        let reply = handlers::answer(route, method, call).await;
        match &reply.elsewhere {
            Some(url) => forward::forward(hop, url.as_deref(), (head, &passed_on), self.peers.as_ref()).await,
            None => reply,
        }
    }

    /// The refusal of a request whose first line is too long, or whose headers are.
    fn refuse_length(&self, head: &Parts) -> Option<StatusCode> {
        let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
        let line = head.method.as_str().len() + " ".len() + target;
        let header = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + ": \r\n".len() + value.len();
        let headers: usize = head.headers.iter().map(header).sum();
        if line > self.limits.head {
            return Some(StatusCode::URI_TOO_LONG);
        }
        (line + headers > self.limits.head).then_some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
    }

    /// The refusal of a request whose sender is not known. As in Kafka Connect, listeners for administration alone know no
    /// extensions, and what workers ask of each other is signed instead, which the herder checks.
    fn stop(&self, face: Face, route: &Route, head: &Parts) -> Option<Reply> {
        let open = face == Face::Admin || route.is_signed(&head.method);
        (!open && !self.gate.admits(&head.headers)).then(|| Reply::unauthorized().closing())
    }

    /// The whole body, within the limits of size and time.
    async fn read(&self, body: &mut Incoming) -> Result<Vec<u8>, Reply> {
        let too_large = || Reply::http_error(StatusCode::PAYLOAD_TOO_LARGE);
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > self.limits.body {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        let mut patience = Patience::of(&self.limits);
        while let Some(data) = patience.next(body).await? {
            if bytes.len() + data.len() > self.limits.body {
                return Err(too_large());
            }
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    }

    /// Reads what is left of the body of a refused request, so that the client is not cut off before it has read why;
    /// no more than a request may have, and not for one that waits to be told to go on. Whether it came to the end.
    async fn discard(&self, head: &Parts, mut body: Incoming) -> bool {
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if head.headers.contains_key(EXPECT) || announced > self.limits.body.saturating_mul(2) {
            return false;
        }
        let drain = async {
            let mut left = self.limits.body.saturating_mul(2);
            while let Some(Ok(frame)) = body.frame().await {
                match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                    Some(less) => left = less,
                    None => return false,
                }
            }
            body.is_end_stream()
        };
        tokio::time::timeout(self.limits.body_time, drain)
            .await
            .unwrap_or(false)
    }

    async fn respond(&self, entrance: &Entrance, head: &Parts, mut reply: Reply) -> Response<Payload> {
        let (content_type, payload) = match reply.body.take() {
            Some(Body::Json(bytes)) => (Some("application/json"), Payload::whole(bytes)),
            Some(Body::Text(text)) => (Some("text/plain"), Payload::whole(text)),
            Some(Body::Metrics(text)) => (Some(prometheus::CONTENT_TYPE), Payload::whole(text)),
            Some(Body::Module(file)) => match Payload::file(&file).await {
                Ok(payload) => (Some("application/wasm"), payload),
                Err(error) => {
                    tracing::error!(file = %file.display(), %error, "cannot read a module");
                    reply = Reply::http_error(StatusCode::INTERNAL_SERVER_ERROR);
                    (None, Payload::whole(Bytes::new()))
                }
            },
            None => (None, Payload::whole(Bytes::new())),
        };
        // To `HEAD` the server sends the headers of this body without it.
        let mut response = Response::new(payload);
        *response.status_mut() = reply.status;
        let headers = response.headers_mut();
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        let texts = [
            (LOCATION, reply.location.map(|path| absolute(entrance, head, &path))),
            (ALLOW, reply.allow),
            (CONNECTION, reply.close.then(|| "close".to_owned())),
        ];
        for (name, text) in texts {
            // A host that a client made up may hold what no header may; then there is none.
            if let Some(Ok(value)) = text.map(HeaderValue::try_from) {
                headers.insert(name, value);
            }
        }
        headers.extend(self.cors.headers(&head.method, &head.headers));
        self.response_headers.apply(headers);
        response
    }
}

fn check_media(route: &Route, method: &Method, head: &Parts, body: &Incoming) -> Result<(), StatusCode> {
    let content_type = head
        .headers
        .get(CONTENT_TYPE)
        .map(|value| media::parse(value.to_str().unwrap_or_default()));
    if route.takes_module(method) {
        let module = texts(&head.headers, CONTENT_TYPE).next().is_some_and(media::is_module);
        return if module {
            Ok(())
        } else {
            Err(StatusCode::UNSUPPORTED_MEDIA_TYPE)
        };
    }
    if matches!(route, Route::ModuleBytes(_) | Route::Metrics) {
        return Ok(());
    }
    let reads = route.reads_body(method);
    let taken = match content_type {
        _ if !route.consumes_json() => true,
        Some(Media::Json) => true,
        Some(Media::Range) => !reads,
        Some(Media::Other | Media::Malformed) => false,
        None => !reads || body.is_end_stream(),
    };
    if !taken {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    match media::accepts_json(texts(&head.headers, ACCEPT)) {
        Some(true) => Ok(()),
        Some(false) => Err(StatusCode::NOT_ACCEPTABLE),
        None => Err(StatusCode::BAD_REQUEST),
    }
}

/// Whether the request names one host, and that in a way which a host can be named. Caches and proxies in between act
/// upon it, so one that they could read differently is refused.
fn names_a_host(head: &Parts) -> bool {
    let mut hosts = head.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => head.version < Version::HTTP_11,
        (Some(_), Some(_)) => false,
        (Some(host), None) => {
            let authority = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
            let asked = head.uri.authority();
            authority.is_some_and(|host| {
                !host.as_str().contains('@') && port_is_valid(&host) && asked.is_none_or(|asked| *asked == host)
            })
        }
    }
}

fn port_is_valid(host: &Authority) -> bool {
    let rest = host.as_str().strip_prefix(host.host()).unwrap_or_default();
    rest.is_empty() || rest == ":" || host.port_u16().is_some()
}

fn texts(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
}

/// The address of something new, as the client knows this worker.
fn absolute(entrance: &Entrance, head: &Parts, path: &str) -> String {
    let host = head.uri.authority().map(|authority| authority.as_str());
    let host = host.or_else(|| head.headers.get(HOST).and_then(|host| host.to_str().ok()));
    format!(
        "{}://{}{path}",
        entrance.scheme.as_str(),
        host.filter(|host| !host.is_empty()).unwrap_or(&entrance.address)
    )
}

/// What another worker signed a request with; who signs at all is checked by the herder.
fn signature(headers: &HeaderMap, body: &[u8]) -> Option<RequestSignature> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let signature = text(SIGNATURE)?;
    Some(RequestSignature {
        algorithm: text(SIGNATURE_ALGORITHM)?.to_owned(),
        signature: signature.to_owned(),
        body: body.to_vec(),
    })
}
