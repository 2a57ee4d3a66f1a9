//! Files of vectors.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

/// Why vectors could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {path}")]
    Read {
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("{path} is no file of vectors: {message}")]
    Format { path: PathBuf, message: String },
    #[error("cannot start a thread with a deep stack")]
    Thread(#[source] std::io::Error),
}

/// All vectors of one kind and group.
pub struct VectorFile {
    pub kind: String,
    pub vectors: Vec<Vector>,
}

/// An input and what Kafka Connect made of it.
pub struct Vector {
    pub id: String,
    pub input: Json,
    pub expect: Json,
}

impl VectorFile {
    /// The files of a directory, by name.
    pub fn read_directory(directory: &Path) -> Result<Vec<VectorFile>, Error> {
        let read_error = |cause| Error::Read {
            path: directory.to_owned(),
            cause,
        };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(directory).map_err(read_error)? {
            let path = entry.map_err(read_error)?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                paths.push(path);
            }
        }
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    pub fn read(path: &Path) -> Result<VectorFile, Error> {
        let text = std::fs::read_to_string(path).map_err(|cause| Error::Read {
            path: path.to_owned(),
            cause,
        })?;
        let format = |message: String| Error::Format {
            path: path.to_owned(),
            message,
        };
        let mut deserializer = serde_json::Deserializer::from_str(&text);
        // Some vectors are about nesting itself.
        deserializer.disable_recursion_limit();
        let mut file: Json =
            serde::Deserialize::deserialize(&mut deserializer).map_err(|error| format(error.to_string()))?;
        let kind = file["kind"]
            .as_str()
            .ok_or_else(|| format("it has no kind".to_owned()))?
            .to_owned();
        let Json::Array(vectors) = file["vectors"].take() else {
            return Err(format("it has no list of vectors".to_owned()));
        };
        let vectors = vectors.into_iter().map(Vector::read).collect::<Option<_>>();
        let vectors = vectors.ok_or_else(|| format("a vector has no id".to_owned()))?;
        Ok(VectorFile { kind, vectors })
    }
}

impl Vector {
    fn read(mut json: Json) -> Option<Vector> {
        let id = json["id"].as_str()?.to_owned();
        Some(Vector {
            id,
            input: json["input"].take(),
            expect: json["expect"].take(),
        })
    }
}
