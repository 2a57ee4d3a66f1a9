//! What is said when a connection is made: versions, authentication, and who else is in the cluster.

use super::{Read, Reader, Request, Writer};

/// Which requests a broker takes, and in which versions.
pub(crate) struct ApiVersions;

/// A request's key, first and last version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ApiRange {
    pub key: i16,
    pub first: i16,
    pub last: i16,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ApiVersionsAnswer {
    pub code: i16,
    pub ranges: Vec<ApiRange>,
}

impl Request for ApiVersions {
    const NAME: &'static str = "ApiVersions";
    const KEY: i16 = 18;
    /// Every broker takes the first version, which is all that is needed.
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE: i16 = i16::MAX;
    type Answer = ApiVersionsAnswer;

    fn write(&self, _version: i16, _writer: &mut Writer) {}

    fn read(_version: i16, reader: &mut Reader<'_>) -> Read<ApiVersionsAnswer> {
        Ok(ApiVersionsAnswer {
            code: reader.i16()?,
            ranges: reader.array(|reader| {
                Ok(ApiRange {
                    key: reader.i16()?,
                    first: reader.i16()?,
                    last: reader.i16()?,
                })
            })?,
        })
    }
}

/// The brokers of the cluster, and no topics.
pub(crate) struct Metadata;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Broker {
    pub node: i32,
    pub host: String,
    pub port: i32,
}

impl Request for Metadata {
    const NAME: &'static str = "Metadata";
    const KEY: i16 = 3;
    const VERSIONS: (i16, i16) = (1, 1);
    const FLEXIBLE: i16 = 9;
    type Answer = Vec<Broker>;

    fn write(&self, _version: i16, writer: &mut Writer) {
        writer.array::<()>(&[], |_, ()| {});
    }

    fn read(_version: i16, reader: &mut Reader<'_>) -> Read<Vec<Broker>> {
        // What follows the brokers is of no interest.
        reader.array(|reader| {
            let broker = Broker {
                node: reader.i32()?,
                host: reader.string()?,
                port: reader.i32()?,
            };
            reader.nullable_string()?;
            Ok(broker)
        })
    }
}

/// Which mechanism authenticates.
pub(crate) struct SaslHandshake<'a> {
    pub mechanism: &'a str,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SaslHandshakeAnswer {
    pub code: i16,
    /// What the broker offers.
    pub mechanisms: Vec<String>,
}

impl Request for SaslHandshake<'_> {
    const NAME: &'static str = "SaslHandshake";
    const KEY: i16 = 17;
    /// Version 0 is followed by bare tokens instead of `SaslAuthenticate`.
    const VERSIONS: (i16, i16) = (1, 1);
    const FLEXIBLE: i16 = i16::MAX;
    type Answer = SaslHandshakeAnswer;

    fn write(&self, _version: i16, writer: &mut Writer) {
        writer.string(self.mechanism);
    }

    fn read(_version: i16, reader: &mut Reader<'_>) -> Read<SaslHandshakeAnswer> {
        Ok(SaslHandshakeAnswer {
            code: reader.i16()?,
            mechanisms: reader.array(Reader::string)?,
        })
    }
}

/// A token of the mechanism.
pub(crate) struct SaslAuthenticate<'a> {
    pub token: &'a [u8],
}

/// Holds the broker's token, which may be secret: it has no text form.
pub(crate) struct SaslAuthenticateAnswer {
    pub code: i16,
    pub message: Option<String>,
    pub token: Vec<u8>,
    /// How long the authentication holds, in milliseconds; 0: as long as the connection.
    pub lifetime: i64,
}

impl Request for SaslAuthenticate<'_> {
    const NAME: &'static str = "SaslAuthenticate";
    const KEY: i16 = 36;
    const VERSIONS: (i16, i16) = (0, 2);
    const FLEXIBLE: i16 = 2;
    type Answer = SaslAuthenticateAnswer;

    fn write(&self, _version: i16, writer: &mut Writer) {
        writer.bytes(self.token);
        writer.end();
    }

    fn read(version: i16, reader: &mut Reader<'_>) -> Read<SaslAuthenticateAnswer> {
        Ok(SaslAuthenticateAnswer {
            code: reader.i16()?,
            message: reader.nullable_string()?,
            token: reader.bytes()?,
            lifetime: if version >= 1 { reader.i64()? } else { 0 },
        })
    }
}
