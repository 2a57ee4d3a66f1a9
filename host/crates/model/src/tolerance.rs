//! What a connector wants done about records that fail.

/// `errors.tolerance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tolerance {
    None,
    All,
}

/// `errors.log.enable` and `errors.log.include.messages`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorLog {
    Off,
    WithoutRecord,
    WithRecord,
}
