//! Where a worker is, as people write it: with or without a scheme, a name, a password and a path before the worker's own.

use hyper::Uri;

use crate::path::hex;

/// An address, and the credentials that stood in it.
#[derive(Debug, PartialEq, Eq)]
pub struct Address {
    /// Without credentials, and without a slash at its end.
    pub url: String,
    /// `name:password`.
    pub user: Option<String>,
}

/// Reads an address. What is wrong is said without repeating it: there may be a password in it.
pub fn parse(text: &str) -> Result<Address, &'static str> {
    let (scheme, rest) = text.trim().split_once("://").unwrap_or(("http", text.trim()));
    let scheme = scheme.to_ascii_lowercase();
    if scheme != "http" && scheme != "https" {
        return Err("it has to begin with http:// or https://");
    }
    if rest.contains(['?', '#']) {
        return Err("it has a query, or a password with a character that has to be escaped");
    }
    let rest = rest.trim_end_matches('/');
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if path.contains('@') {
        return Err("a slash in a password has to be written as %2F");
    }
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(credentials(user)?), host),
        None => (None, authority),
    };
    let url = format!("{scheme}://{host}{path}");
    let uri: Uri = url.parse().map_err(|_| "it is no address")?;
    let authority = uri.authority().filter(|authority| !authority.host().is_empty());
    let authority = authority.ok_or("it names no host")?;
    if authority.as_str() != authority.host() && authority.port_u16().is_none() {
        return Err("its port is no port");
    }
    Ok(Address { url, user })
}

fn credentials(user: &str) -> Result<String, &'static str> {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let decode = |text: &str| decode(text).ok_or("its credentials are not escaped as they should be");
    Ok(format!("{}:{}", decode(name)?, decode(password)?))
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex(rest.next()?)? << 4 | hex(rest.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// A name as one segment of a path, whatever is in it.
pub fn segment(name: &str) -> String {
    let mut segment = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~$".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, url: &str, user: Option<&str>) {
        let expected = Address {
            url: url.to_owned(),
            user: user.map(str::to_owned),
        };
        assert_eq!(parse(text).unwrap(), expected, "{text}");
    }

    #[test]
    fn addresses_are_read_as_people_write_them() {
        check("http://localhost:8083", "http://localhost:8083", None);
        check("localhost:8083/", "http://localhost:8083", None);
        check(
            " HTTPS://connect.example/team/a/ ",
            "https://connect.example/team/a",
            None,
        );
        check("http://[::1]:8083", "http://[::1]:8083", None);
        check("https://ann:s%40%2Fc@host", "https://host", Some("ann:s@/c"));
        check("ann@host:1", "http://host:1", Some("ann:"));
        check("http://a@b:c@d@host", "http://host", Some("a@b:c@d"));
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for wrong in [
            "",
            "http://",
            "ftp://host",
            "http://host:99999",
            "http://host:",
            "http://host:x",
            "http://ann:secret/word@host",
            "http://ann:secret?@host",
            "http://ann:%zz@host",
            "http://ann:%ff@host",
            "http://ann:secret@",
            "http://host name",
        ] {
            let problem = parse(wrong).unwrap_err();
            assert!(!problem.contains("secret"), "{wrong}: {problem}");
        }
    }

    #[test]
    fn a_segment_has_no_character_that_means_something() {
        assert_eq!(segment("a/b c%41;é"), "a%2Fb%20c%2541%3B%C3%A9");
        assert_eq!(segment("org.x.Y$Value"), "org.x.Y$Value");
    }
}
