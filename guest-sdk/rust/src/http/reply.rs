//! Reading an answer that is there as a whole, after a connection that the server closes.

use super::Response;

/// Bytes of status line and headers.
pub(super) const MAX_HEAD: usize = 64 << 10;

/// `None`: it is not complete, or no answer of HTTP. `head`: there is no body, whatever the headers say.
pub(super) fn parse(bytes: &[u8], head: bool) -> Option<Response> {
    let end = bytes.windows(4).take(MAX_HEAD).position(|four| four == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = text.split("\r\n");
    let status: u16 = lines.next()?.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
    let rest = &bytes[end + 4..];
    if (100..200).contains(&status) {
        return parse(rest, head);
    }
    let mut headers = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':')?;
        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut response = Response {
        status,
        headers,
        body: Vec::new(),
    };
    if head || matches!(status, 204 | 304) {
        return Some(response);
    }
    response.body = match (response.header("transfer-encoding"), response.header("content-length")) {
        (Some("chunked"), _) => chunks(rest)?,
        (_, Some(length)) => rest.get(..length.parse().ok()?)?.to_vec(),
        (_, None) => rest.to_vec(),
    };
    Some(response)
}

fn chunks(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|two| two == b"\r\n")?;
        let size = std::str::from_utf8(&bytes[..end]).ok()?.split(';').next()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        let start = end + 2;
        let data_end = start.checked_add(size)?;
        body.extend_from_slice(bytes.get(start..data_end)?);
        bytes = bytes.get(data_end..)?.strip_prefix(b"\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_come_by_length_in_chunks_or_to_the_end() {
        let check = |text: &str, status, body: &str| {
            let response = parse(text.as_bytes(), false).map(|response| (response.status, response.body));
            assert_eq!(response, Some((status, body.as_bytes().to_vec())), "{text}");
        };
        check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, "hi");
        let chunked = "HTTP/1.1 429 Slow\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n4;x\r\n you\r\n0\r\n\r\n";
        check(chunked, 429, "hi you");
        check("HTTP/1.0 200 OK\r\n\r\nall of it", 200, "all of it");
        check("HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 204 None\r\n\r\n", 204, "");
    }

    #[test]
    fn what_is_cut_short_is_no_answer() {
        let whole = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
        for end in 0..whole.len() - 4 {
            assert_eq!(parse(&whole.as_bytes()[..end], false), None, "{end}");
        }
        for garbage in [
            "",
            "\r\n\r\n",
            "HTTP/1.1 x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        ] {
            assert_eq!(parse(garbage.as_bytes(), false), None, "{garbage}");
        }
    }
}
