//! The letters of patterns.

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Text that stands for itself.
    Literal(String),
    /// A letter and how often it is there.
    Field(Field, usize),
}

/// What a letter stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Era,
    Year,
    WeekYear,
    Month,
    MonthStandalone,
    WeekOfYear,
    WeekOfMonth,
    DayOfYear,
    DayOfMonth,
    DayOfWeekInMonth,
    DayOfWeek,
    /// Monday is 1.
    IsoDayOfWeek,
    AmPm,
    /// 0 to 23
    HourOfDay,
    /// 1 to 24
    HourOfDayFrom1,
    /// 0 to 11
    Hour,
    /// 1 to 12
    HourFrom1,
    Minute,
    Second,
    Millisecond,
    ZoneName,
    /// `+0100`
    ZoneOffset,
    /// `Z`, `+01`, `+0100`, `+01:00`
    IsoZone,
}

impl Field {
    fn of(letter: char) -> Option<Self> {
        Some(match letter {
            'G' => Field::Era,
            'y' => Field::Year,
            'Y' => Field::WeekYear,
            'M' => Field::Month,
            'L' => Field::MonthStandalone,
            'w' => Field::WeekOfYear,
            'W' => Field::WeekOfMonth,
            'D' => Field::DayOfYear,
            'd' => Field::DayOfMonth,
            'F' => Field::DayOfWeekInMonth,
            'E' => Field::DayOfWeek,
            'u' => Field::IsoDayOfWeek,
            'a' => Field::AmPm,
            'H' => Field::HourOfDay,
            'k' => Field::HourOfDayFrom1,
            'K' => Field::Hour,
            'h' => Field::HourFrom1,
            'm' => Field::Minute,
            's' => Field::Second,
            'S' => Field::Millisecond,
            'z' => Field::ZoneName,
            'Z' => Field::ZoneOffset,
            'X' => Field::IsoZone,
            _ => return None,
        })
    }
}

/// Why a pattern is none (`IllegalArgumentException`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternError {
    Letter(char),
    Quote,
    IsoZone(usize),
    /// A limit: fields are not written with more digits than that.
    Length(usize),
}

impl std::fmt::Display for PatternError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PatternError::Letter(letter) => write!(f, "Illegal pattern character '{letter}'"),
            PatternError::Quote => f.write_str("Unterminated quote"),
            PatternError::IsoZone(length) => write!(f, "invalid ISO 8601 format: length={length}"),
            PatternError::Length(length) => write!(f, "{length} times the same letter are too many"),
        }
    }
}

impl std::error::Error for PatternError {}

/// So many zeros are enough for anybody, and do not fill the memory.
const MAX_LENGTH: usize = 1000;

/// The parts of a pattern. Text in quotes stands for itself, and so does all that is no letter; a quote is two quotes.
pub fn compile(pattern: &str) -> Result<Vec<Item>, PatternError> {
    let mut items = Vec::new();
    let mut quoted = false;
    let mut letters = pattern.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '\'' if letters.next_if_eq(&'\'').is_some() => literal(&mut items, '\''),
            '\'' => quoted = !quoted,
            c if quoted || !c.is_ascii_alphabetic() => literal(&mut items, c),
            c => {
                let mut count = 1;
                while letters.next_if_eq(&c).is_some() {
                    count += 1;
                }
                let field = Field::of(c).ok_or(PatternError::Letter(c))?;
                match field {
                    Field::IsoZone if count > 3 => return Err(PatternError::IsoZone(count)),
                    _ if count > MAX_LENGTH => return Err(PatternError::Length(count)),
                    _ => items.push(Item::Field(field, count)),
                }
            }
        }
    }
    if quoted { Err(PatternError::Quote) } else { Ok(items) }
}

fn literal(items: &mut Vec<Item>, c: char) {
    match items.last_mut() {
        Some(Item::Literal(text)) => text.push(c),
        Some(Item::Field(..)) | None => items.push(Item::Literal(c.into())),
    }
}
