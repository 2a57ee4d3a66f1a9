//! `Content-Type` and `Accept`: the API speaks JSON and nothing else.

/// Whether a body of this type is taken. A missing type is taken where there is no body.
pub fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// Whether a client that sends these `Accept` headers takes JSON.
pub fn accepts_json<'a>(headers: impl Iterator<Item = &'a str>) -> bool {
    let mut any = false;
    for range in headers.flat_map(|header| header.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default().to_ascii_lowercase();
        if media.is_empty() {
            continue;
        }
        any = true;
        let refused = parts.any(|part| {
            let quality = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
            quality.and_then(|quality| quality.trim().parse::<f32>().ok()) == Some(0.0)
        });
        if !refused && ["application/json", "application/*", "*/*", "*"].contains(&media.as_str()) {
            return true;
        }
    }
    !any
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_accepted_where_a_range_holds_it() {
        for accepted in [
            "",
            "*/*",
            "application/json",
            "text/html, */*;q=0.1",
            "APPLICATION/JSON;charset=utf-8",
        ] {
            assert!(accepts_json([accepted].into_iter()), "{accepted}");
        }
        assert!(accepts_json(std::iter::empty()));
        for refused in ["application/xml", "text/plain", "application/json;q=0", "text/*"] {
            assert!(!accepts_json([refused].into_iter()), "{refused}");
        }
    }

    #[test]
    fn parameters_of_a_type_do_not_matter() {
        assert!(is_json("application/json; charset=UTF-8"));
        assert!(!is_json("text/plain") && !is_json("application/x-www-form-urlencoded") && !is_json(""));
    }
}
