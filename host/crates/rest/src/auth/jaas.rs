//! Login configurations of Java (JAAS): entries by name, each a list of login modules with options.
//!
//! ```text
//! KafkaConnect {
//!   org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required
//!   file="/etc/kafka/connect.password";
//! };
//! ```

use std::collections::BTreeMap;

/// One login module of an entry.
#[derive(Debug, PartialEq, Eq)]
pub struct LoginModule {
    pub class: String,
    pub options: BTreeMap<String, String>,
}

/// The login modules of an entry.
pub fn entry(text: &str, name: &str) -> Result<Vec<LoginModule>, &'static str> {
    let mut tokens = Tokens { rest: text };
    while let Some(found) = tokens.next()? {
        let modules = modules(&mut tokens)?;
        if found == Token::Word(name.to_owned()) {
            return Ok(modules);
        }
    }
    Err("it has no entry KafkaConnect")
}

fn modules(tokens: &mut Tokens<'_>) -> Result<Vec<LoginModule>, &'static str> {
    tokens.expect(Token::Open)?;
    let mut modules = Vec::new();
    loop {
        match tokens.required()? {
            Token::Close => {
                tokens.expect(Token::End)?;
                return Ok(modules);
            }
            Token::Word(class) => modules.push(module(class, tokens)?),
            Token::Open | Token::Equals | Token::End => return Err("a login module is expected"),
        }
    }
}

fn module(class: String, tokens: &mut Tokens<'_>) -> Result<LoginModule, &'static str> {
    // One of these modules is like another: who satisfies any of them is known.
    let flag = match tokens.required()? {
        Token::Word(flag) => flag.to_ascii_lowercase(),
        Token::Open | Token::Close | Token::Equals | Token::End => String::new(),
    };
    if !["required", "requisite", "sufficient", "optional"].contains(&flag.as_str()) {
        return Err("a login module is required, requisite, sufficient or optional");
    }
    let mut options = BTreeMap::new();
    loop {
        match tokens.required()? {
            Token::End => return Ok(LoginModule { class, options }),
            Token::Word(name) => {
                tokens.expect(Token::Equals)?;
                let Token::Word(value) = tokens.required()? else {
                    return Err("an option has no value");
                };
                options.insert(name, value);
            }
            Token::Open | Token::Close | Token::Equals => return Err("an option is expected"),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Open,
    Close,
    Equals,
    End,
}

struct Tokens<'a> {
    rest: &'a str,
}

impl Tokens<'_> {
    fn expect(&mut self, token: Token) -> Result<(), &'static str> {
        if self.required()? == token {
            Ok(())
        } else {
            Err("an entry looks like NAME { MODULE required option=\"value\"; };")
        }
    }

    fn required(&mut self) -> Result<Token, &'static str> {
        self.next()?.ok_or("it ends within an entry")
    }

    fn next(&mut self) -> Result<Option<Token>, &'static str> {
        self.skip_blanks();
        let Some(first) = self.rest.chars().next() else {
            return Ok(None);
        };
        let single = match first {
            '{' => Token::Open,
            '}' => Token::Close,
            '=' => Token::Equals,
            ';' => Token::End,
            '"' => return self.quoted().map(Some),
            _ => return Ok(Some(self.word())),
        };
        self.rest = &self.rest[1..];
        Ok(Some(single))
    }

    /// White space, and comments as in Java.
    fn skip_blanks(&mut self) {
        loop {
            let trimmed = self.rest.trim_start();
            let after = |start: &str, end: &str| {
                let body = trimmed.strip_prefix(start)?;
                Some(body.split_once(end).map_or("", |(_, after)| after))
            };
            match after("//", "\n").or_else(|| after("/*", "*/")) {
                Some(after) => self.rest = after,
                None => {
                    self.rest = trimmed;
                    return;
                }
            }
        }
    }

    fn quoted(&mut self) -> Result<Token, &'static str> {
        let mut text = String::new();
        let mut characters = self.rest[1..].char_indices();
        while let Some((at, c)) = characters.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[1 + at + 1..];
                    return Ok(Token::Word(text));
                }
                '\\' => text.extend(characters.next().map(|(_, c)| c)),
                _ => text.push(c),
            }
        }
        Err("a quotation has no end")
    }

    fn word(&mut self) -> Token {
        let ends = |c: char| c.is_whitespace() || "{}=;\"".contains(c);
        let (word, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        Token::Word(word.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_among_others_and_comments() {
        let text = "// file\nKafkaClient { a.B required x=y; };\n/* the\none */ KafkaConnect {\n  a.PropertyFile required\n  file=\"/etc/a \\\"b\\\".properties\" debug=true;\n  a.Other sufficient;\n};";
        let modules = entry(text, "KafkaConnect").unwrap();
        assert_eq!(modules[0].class, "a.PropertyFile");
        assert_eq!(modules[0].options["file"], "/etc/a \"b\".properties");
        assert_eq!(modules[0].options["debug"], "true");
        assert_eq!((modules.len(), modules[1].class.as_str()), (2, "a.Other"));
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        for text in [
            "",
            "KafkaConnect",
            "KafkaConnect {",
            "KafkaConnect { a.B; };",
            "KafkaConnect { a.B maybe; };",
            "KafkaConnect { a.B required file; };",
            "KafkaConnect { a.B required file=; };",
            "KafkaConnect { a.B required file=\"x; };",
            "KafkaConnect { a.B required; }",
            "Other { a.B required; };",
            "{ = } ;",
            "\"\\",
        ] {
            assert!(entry(text, "KafkaConnect").is_err(), "{text}");
        }
    }
}
