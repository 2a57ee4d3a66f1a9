//! `Content-Type` and `Accept`: the API speaks JSON, and for modules WebAssembly.

/// What a header says about JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    Json,
    /// A range that holds JSON.
    Range,
    Other,
    /// No media type at all.
    Malformed,
}

/// Reads a media type or range; parameters do not matter.
pub fn parse(text: &str) -> Media {
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let mut parts = essence.split('/');
    let (Some(main), sub, None) = (parts.next(), parts.next(), parts.next()) else {
        return Media::Malformed;
    };
    if main.is_empty() || sub == Some("") {
        return Media::Malformed;
    }
    match (main, sub.unwrap_or("*")) {
        ("application", "json") => Media::Json,
        ("application" | "*", "*") | ("*", "json") => Media::Range,
        _ => Media::Other,
    }
}

/// Whether a `Content-Type` is that of a module.
pub fn is_module(text: &str) -> bool {
    let essence = text.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/wasm")
}

/// Whether a `Content-Type` is a media type at all.
pub fn is_media_type(text: &str) -> bool {
    let essence = text.split(';').next().unwrap_or_default().trim();
    essence.split('/').count() == 2 && essence.split('/').all(|part| !part.is_empty())
}

/// Whether a client that sends these `Accept` headers takes JSON; none if they cannot be understood. A quality of zero
/// means nothing to Kafka Connect, one beyond one is an error.
pub fn accepts_json<'a>(headers: impl Iterator<Item = &'a str>) -> Option<bool> {
    let (mut any, mut accepted) = (false, false);
    for range in headers
        .filter(|header| !header.trim().is_empty())
        .flat_map(|header| header.split(','))
    {
        any = true;
        accepted |= match parse(range) {
            Media::Json | Media::Range => true,
            Media::Other => false,
            Media::Malformed => return None,
        };
        for parameter in range.split(';').skip(1) {
            let quality = parameter
                .split_once('=')
                .filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
            let quality = quality.map_or(Ok(1.0), |(_, value)| value.trim().parse::<f32>());
            quality.ok().filter(|quality| (0.0..=1.0).contains(quality))?;
        }
    }
    Some(accepted || !any)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(header: &str) -> Option<bool> {
        accepts_json([header].into_iter())
    }

    #[test]
    fn json_is_accepted_where_a_range_holds_it() {
        let headers = [
            "",
            "*/*",
            "*",
            "*/json",
            "application/json",
            "text/html, */*;q=0.1",
            "APPLICATION/JSON;charset=utf-8",
        ];
        for header in headers {
            assert_eq!(accepted(header), Some(true), "{header}");
        }
        assert_eq!(accepts_json(std::iter::empty()), Some(true));
        for header in ["application/xml", "text/plain", "foo", "text/*", "application/*+json"] {
            assert_eq!(accepted(header), Some(false), "{header}");
        }
    }

    #[test]
    fn broken_ranges_are_noticed() {
        for header in [
            "foo/bar/baz",
            ", ,",
            "text/plain;q=x",
            "application/json;q=1.5",
            "/json",
        ] {
            assert_eq!(accepted(header), None, "{header}");
        }
    }

    #[test]
    fn parameters_of_a_type_do_not_matter() {
        assert_eq!(parse("application/json; charset=UTF-8"), Media::Json);
        assert_eq!(parse("application/vnd.x+json"), Media::Other);
        assert_eq!(parse(""), Media::Malformed);
        assert!(
            is_media_type("text/plain; x") && !is_media_type("text") && !is_media_type("a/b/c") && !is_media_type("")
        );
    }
}
