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
