//! URLs, as far as a client needs them apart.

/// An absolute `http` or `https` URL in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url<'a> {
    /// `https` and not `http`.
    pub secure: bool,
    /// Host and, if it is given, port.
    pub authority: &'a str,
    /// With the query; empty means `/`.
    pub path: &'a str,
}

impl<'a> Url<'a> {
    /// `None`: it is no such URL. Names and passwords in it are not taken; they belong into a header.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let secure = match scheme {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let path = path.split_once('#').map_or(path, |(path, _)| path);
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '@' | '\\' | '"' | '<' | '>');
        (!authority.is_empty() && authority.chars().all(plain) && path.chars().all(|c| c.is_ascii_graphic())).then_some(
            Url {
                secure,
                authority,
                path,
            },
        )
    }

    pub fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_come_apart() {
        let check = |text, secure, authority, path| {
            let expected = Url {
                secure,
                authority,
                path,
            };
            assert_eq!(Url::parse(text), Some(expected), "{text}");
        };
        check("http://es:9200/_bulk?a=b", false, "es:9200", "/_bulk?a=b");
        check("https://es", true, "es", "");
        check("http://[::1]:9200/", false, "[::1]:9200", "/");
        check("http://es?x=1#top", false, "es", "?x=1");
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for text in [
            "",
            "es:9200",
            "ftp://es/",
            "http://",
            "http:///x",
            "http://u:p@es/",
            "http://es/a b",
            "http://e\u{e9}/",
        ] {
            assert_eq!(Url::parse(text), None, "{text}");
        }
    }
}
