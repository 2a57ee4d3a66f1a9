//! Headers that the operator adds to every answer (`response.http.headers.config`, KIP-577).
//!
//! A list of rules `[set|add|setDate|addDate] name: value`, separated by commas; a rule that holds a comma is quoted.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use crate::Error;
use crate::stage::civil;

/// The rules, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseHeaders(Vec<Rule>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    replace: bool,
    name: HeaderName,
    value: RuleValue,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum RuleValue {
    Fixed(HeaderValue),
    /// So long after now.
    Date(Duration),
}

impl ResponseHeaders {
    pub fn parse(text: &str) -> Result<ResponseHeaders, Error> {
        let rules = split(text)
            .iter()
            .map(|rule| parse_rule(rule.trim()))
            .collect::<Result<_, _>>();
        rules.map(ResponseHeaders).map_err(|problem| Error::ResponseHeaders {
            value: text.to_owned(),
            problem,
        })
    }

    pub fn apply(&self, headers: &mut HeaderMap) {
        for rule in &self.0 {
            let value = match &rule.value {
                RuleValue::Fixed(value) => value.clone(),
                RuleValue::Date(after) => date(SystemTime::now() + *after),
            };
            if rule.replace {
                headers.insert(rule.name.clone(), value);
            } else {
                headers.append(rule.name.clone(), value);
            }
        }
    }
}

/// Splits at commas outside of quotes, and takes the quotes off.
fn split(text: &str) -> Vec<String> {
    let mut rules = Vec::new();
    let (mut rule, mut quoted) = (String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => rules.push(std::mem::take(&mut rule)),
            _ => rule.push(c),
        }
    }
    rules.push(rule);
    rules.retain(|rule| !rule.trim().is_empty());
    rules
}

fn parse_rule(rule: &str) -> Result<Rule, String> {
    let (left, value) = rule
        .split_once(':')
        .ok_or_else(|| format!("no colon in the rule '{rule}'"))?;
    let (action, name) = left
        .trim()
        .split_once(char::is_whitespace)
        .ok_or_else(|| format!("no action before the name in '{rule}'"))?;
    let name = name
        .trim()
        .parse()
        .map_err(|_| format!("'{}' is no name of a header", name.trim()))?;
    let value = value.trim();
    let fixed = || {
        HeaderValue::from_str(value)
            .map(RuleValue::Fixed)
            .map_err(|_| format!("'{value}' is no value of a header"))
    };
    let after = || {
        let milliseconds = value
            .parse()
            .map_err(|_| format!("'{value}' is no number of milliseconds"))?;
        Ok::<_, String>(RuleValue::Date(Duration::from_millis(milliseconds)))
    };
    let (replace, value) = match action.to_ascii_lowercase().as_str() {
        "set" => (true, fixed()?),
        "add" => (false, fixed()?),
        "setdate" => (true, after()?),
        "adddate" => (false, after()?),
        _ => return Err(format!("'{action}' is none of set, add, setDate, addDate")),
    };
    Ok(Rule { replace, name, value })
}

/// A date as headers have it.
fn date(time: SystemTime) -> HeaderValue {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][(days % 7) as usize];
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month = months[(month - 1) as usize];
    let text = format!(
        "{weekday}, {day:02} {month} {year:04} {:02}:{:02}:{:02} GMT",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    );
    HeaderValue::from_str(&text).expect("a date consists of visible ASCII characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_set_and_add() {
        let text = "add Cache-Control: no-cache, set X-Frame-Options:DENY,\"add Cache-Control: private, max-age=5\"";
        let mut headers = HeaderMap::new();
        headers.insert("x-frame-options", HeaderValue::from_static("ALLOW"));
        ResponseHeaders::parse(text).unwrap().apply(&mut headers);
        assert_eq!(
            headers.get_all("cache-control").iter().collect::<Vec<_>>(),
            ["no-cache", "private, max-age=5"]
        );
        assert_eq!(headers["x-frame-options"], "DENY");
    }

    #[test]
    fn dates_are_written_as_headers_have_them() {
        assert_eq!(
            date(UNIX_EPOCH + Duration::from_secs(784_111_777)),
            "Sun, 06 Nov 1994 08:49:37 GMT"
        );
        assert!(ResponseHeaders::parse("setDate Expires: 1000").is_ok());
    }

    #[test]
    fn broken_rules_are_named() {
        for rule in ["x", "put A: b", "set A b", "set : b", "setDate A: soon"] {
            assert!(ResponseHeaders::parse(rule).is_err(), "{rule}");
        }
        assert_eq!(ResponseHeaders::parse("").unwrap(), ResponseHeaders::default());
    }
}
