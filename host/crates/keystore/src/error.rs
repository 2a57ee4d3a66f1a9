//! What can be wrong with a store.

/// Why a store cannot be used. No text contains anything of what the store holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("it is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("it is no {format} store: {problem}")]
    Format {
        format: &'static str,
        problem: &'static str,
    },
    #[error("the password is wrong, or it was tampered with")]
    Password,
    #[error("it needs a password")]
    NoPassword,
    #[error("it holds no private key")]
    NoKey,
    #[error("it holds no certificate")]
    NoCertificate,
    #[error("none of the trusted certificates can vouch for a server")]
    NoAuthority,
}
