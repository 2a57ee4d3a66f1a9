//! `HashMap<byte[], byte[]>` in the Java Object Serialization Stream Protocol, version 5: as much of it as Kafka
//! Connect's `FileOffsetBackingStore` reads and writes, and nothing else. Any other class in a stream is refused, as
//! `SafeObjectInputStream` does it.

use std::collections::BTreeMap;

const HEADER: [u8; 4] = [0xac, 0xed, 0x00, 0x05];
const TC_NULL: u8 = 0x70;
const TC_REFERENCE: u8 = 0x71;
const TC_CLASSDESC: u8 = 0x72;
const TC_OBJECT: u8 = 0x73;
const TC_ARRAY: u8 = 0x75;
const TC_BLOCKDATA: u8 = 0x77;
const TC_ENDBLOCKDATA: u8 = 0x78;
/// Objects and class descriptions are numbered from here on, in the order in which they begin.
const BASE_HANDLE: u32 = 0x7e_0000;

const HASH_MAP: &[u8] = b"java.util.HashMap";
const HASH_MAP_VERSION: [u8; 8] = [0x05, 0x07, 0xda, 0xc1, 0xc3, 0x16, 0x60, 0xd1];
const BYTES: &[u8] = b"[B";
const BYTES_VERSION: [u8; 8] = [0xac, 0xf3, 0x17, 0xf8, 0x06, 0x08, 0x54, 0xe0];
const SC_SERIALIZABLE: u8 = 0x02;
const SC_WRITE_METHOD: u8 = 0x01;
const LOAD_FACTOR: f32 = 0.75;
const SMALLEST_CAPACITY: u64 = 16;

/// What is wrong with a stream, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct Invalid {
    pub problem: String,
    pub at: usize,
}

/// Reads a file's bytes. An empty file counts as an empty map, as for Kafka Connect; a null value as no offset.
pub fn read(bytes: &[u8]) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, Invalid> {
    if bytes.is_empty() {
        return Ok(BTreeMap::new());
    }
    Reader {
        bytes,
        at: 0,
        handles: Vec::new(),
    }
    .map()
}

/// Something that a later part of the stream may refer to.
enum Handle<'a> {
    Map,
    MapClass,
    BytesClass,
    Bytes(&'a [u8]),
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    handles: Vec<Handle<'a>>,
}

impl<'a> Reader<'a> {
    fn map(mut self) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, Invalid> {
        self.expect(&HEADER, "no Java serialization header")?;
        self.expect(&[TC_OBJECT], "no object")?;
        self.map_class()?;
        self.handles.push(Handle::Map);
        self.take(8)?; // loadFactor and threshold, which Java's reader recomputes too
        self.expect(&[TC_BLOCKDATA, 8], "no size of the map")?;
        self.take(4)?; // the capacity, of no meaning for the content
        let size = self.int()?;
        let mut pairs = BTreeMap::new();
        for _ in 0..size {
            let key = self.byte_array()?;
            let value = self.byte_array()?;
            if let (Some(key), Some(value)) = (key, value) {
                pairs.insert(key.to_vec(), value.to_vec());
            }
        }
        self.expect(&[TC_ENDBLOCKDATA], "no end of the map")?;
        Ok(pairs)
    }

    fn map_class(&mut self) -> Result<(), Invalid> {
        self.class(HASH_MAP, HASH_MAP_VERSION, SC_SERIALIZABLE | SC_WRITE_METHOD)?;
        self.expect(&map_fields(), "unknown fields of java.util.HashMap")?;
        self.handles.push(Handle::MapClass);
        Ok(())
    }

    fn class(&mut self, name: &[u8], version: [u8; 8], flags: u8) -> Result<(), Invalid> {
        self.expect(&[TC_CLASSDESC], "no class description")?;
        let length = self.take(2)?;
        let at = self.at;
        let found = self.take(usize::from(u16::from_be_bytes([length[0], length[1]])))?;
        if found != name {
            let problem = format!("class {} where {} belongs", shown(found), shown(name));
            return Err(Invalid { problem, at });
        }
        self.expect(&version, "unknown version of a class")?;
        self.expect(&[flags], "unknown flags of a class")
    }

    /// A `byte[]`, null, or a reference to an earlier one.
    fn byte_array(&mut self) -> Result<Option<&'a [u8]>, Invalid> {
        match self.byte()? {
            TC_NULL => Ok(None),
            TC_REFERENCE => match self.referred()? {
                Handle::Bytes(bytes) => Ok(Some(bytes)),
                Handle::Map | Handle::MapClass | Handle::BytesClass => Err(self.invalid("reference to no byte array")),
            },
            TC_ARRAY => {
                self.byte_array_class()?;
                let length = self.int()?;
                let bytes = self.take(length)?;
                self.handles.push(Handle::Bytes(bytes));
                Ok(Some(bytes))
            }
            other => Err(self.invalid(&format!("type code {other:#04x} where a byte array belongs"))),
        }
    }

    fn byte_array_class(&mut self) -> Result<(), Invalid> {
        if self.bytes.get(self.at) == Some(&TC_REFERENCE) {
            self.at += 1;
            return match self.referred()? {
                Handle::BytesClass => Ok(()),
                Handle::Map | Handle::MapClass | Handle::Bytes(_) => Err(self.invalid("array of an unknown class")),
            };
        }
        self.class(BYTES, BYTES_VERSION, SC_SERIALIZABLE)?;
        self.expect(&[0, 0, TC_ENDBLOCKDATA, TC_NULL], "unknown form of a byte array")?;
        self.handles.push(Handle::BytesClass);
        Ok(())
    }

    fn referred(&mut self) -> Result<&Handle<'a>, Invalid> {
        let taken = self.take(4)?;
        let number = u32::from_be_bytes([taken[0], taken[1], taken[2], taken[3]]);
        let at = self.at;
        let index = number.checked_sub(BASE_HANDLE).map(|index| index as usize);
        index.and_then(|index| self.handles.get(index)).ok_or_else(|| Invalid {
            problem: "reference to nothing".to_owned(),
            at,
        })
    }

    fn expect(&mut self, wanted: &[u8], problem: &str) -> Result<(), Invalid> {
        let at = self.at;
        if self.take(wanted.len())? == wanted {
            Ok(())
        } else {
            Err(Invalid {
                problem: problem.to_owned(),
                at,
            })
        }
    }

    fn byte(&mut self) -> Result<u8, Invalid> {
        Ok(self.take(1)?[0])
    }

    /// A Java `int` that counts something.
    fn int(&mut self) -> Result<usize, Invalid> {
        let taken = self.take(4)?;
        let value = i32::from_be_bytes([taken[0], taken[1], taken[2], taken[3]]);
        usize::try_from(value).map_err(|_| self.invalid("negative size"))
    }

    /// The next bytes. All lengths pass here, so nothing is allocated for a length that the file does not have.
    fn take(&mut self, length: usize) -> Result<&'a [u8], Invalid> {
        let rest = &self.bytes[self.at..];
        if rest.len() < length {
            return Err(Invalid {
                problem: "end of the file".to_owned(),
                at: self.bytes.len(),
            });
        }
        self.at += length;
        Ok(&rest[..length])
    }

    fn invalid(&self, problem: &str) -> Invalid {
        Invalid {
            problem: problem.to_owned(),
            at: self.at,
        }
    }
}

fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(&name[..name.len().min(100)]).into_owned()
}

/// The fields of a hash map as its class description lists them, up to the end of that description.
fn map_fields() -> Vec<u8> {
    let mut bytes = vec![0, 2];
    for (kind, name) in [(b'F', "loadFactor"), (b'I', "threshold")] {
        bytes.push(kind);
        bytes.extend([0, name.len() as u8]);
        bytes.extend(name.as_bytes());
    }
    bytes.extend([TC_ENDBLOCKDATA, TC_NULL]);
    bytes
}

/// Writes a map as Java 17 would write the same map after putting its entries in one by one.
pub fn write(pairs: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
    let payload: usize = pairs.iter().map(|(key, value)| key.len() + value.len() + 20).sum();
    let mut bytes = Vec::with_capacity(payload + 128);
    bytes.extend(HEADER);
    bytes.push(TC_OBJECT);
    write_class(
        &mut bytes,
        HASH_MAP,
        HASH_MAP_VERSION,
        SC_SERIALIZABLE | SC_WRITE_METHOD,
    );
    bytes.extend(map_fields());
    let mut capacity = SMALLEST_CAPACITY;
    while pairs.len() as u64 * 4 > capacity * 3 {
        capacity *= 2;
    }
    let threshold = if pairs.is_empty() { 0 } else { capacity * 3 / 4 };
    bytes.extend(LOAD_FACTOR.to_be_bytes());
    bytes.extend((threshold as i32).to_be_bytes());
    bytes.extend([TC_BLOCKDATA, 8]);
    bytes.extend((capacity as i32).to_be_bytes());
    bytes.extend((pairs.len() as i32).to_be_bytes());
    let mut first = true;
    for array in pairs.iter().flat_map(|(key, value)| [key, value]) {
        write_array(&mut bytes, array, first);
        first = false;
    }
    bytes.push(TC_ENDBLOCKDATA);
    bytes
}

fn write_array(bytes: &mut Vec<u8>, array: &[u8], first: bool) {
    bytes.push(TC_ARRAY);
    if first {
        write_class(bytes, BYTES, BYTES_VERSION, SC_SERIALIZABLE);
        bytes.extend([0, 0, TC_ENDBLOCKDATA, TC_NULL]);
    } else {
        bytes.push(TC_REFERENCE);
        // The map's class is number 0, the map 1, the arrays' class 2.
        bytes.extend((BASE_HANDLE + 2).to_be_bytes());
    }
    bytes.extend((array.len() as i32).to_be_bytes());
    bytes.extend(array);
}

fn write_class(bytes: &mut Vec<u8>, name: &[u8], version: [u8; 8], flags: u8) {
    bytes.push(TC_CLASSDESC);
    bytes.extend((name.len() as u16).to_be_bytes());
    bytes.extend(name);
    bytes.extend(version);
    bytes.push(flags);
}

#[cfg(test)]
mod tests;
