use super::*;

/// Written by Java 17's `ObjectOutputStream`.
const EMPTY: &str = "aced0005737200116a6176612e7574696c2e486173684d61700507dac1c31660d103000246000a6c6f6164466163746f\
    724900097468726573686f6c6478703f400000000000007708000000100000000078";
const TWO: &str = "aced0005737200116a6176612e7574696c2e486173684d61700507dac1c31660d103000246000a6c6f6164466163746f72\
    4900097468726573686f6c6478703f4000000000000c77080000001000000002757200025b42acf317f8060854e00200007870000000175b\
    2263222c7b2266696c656e616d65223a226630227d5d7571007e00020000000e7b22706f736974696f6e223a307d7571007e000200000017\
    5b2263222c7b2266696c656e616d65223a226631227d5d7571007e00020000000e7b22706f736974696f6e223a317d78";
/// With a null key, a null value, and one array that is key and value at once.
const ODD: &str = "aced0005737200116a6176612e7574696c2e486173684d61700507dac1c31660d103000246000a6c6f6164466163746f72\
    4900097468726573686f6c6478703f4000000000000c7708000000100000000670757200025b42acf317f8060854e0020000787000000001\
    787571007e0002000000175b2263222c7b2266696c656e616d65223a226630227d5d7571007e00020000000e7b22706f736974696f6e223a\
    307d7571007e000200000004676f6e65707571007e0002000000175b2263222c7b2266696c656e616d65223a226631227d5d7571007e0002\
    0000000e7b22706f736974696f6e223a317d7571007e0002000000175b2263222c7b2266696c656e616d65223a226632227d5d7571007e00\
    020000000e7b22706f736974696f6e223a327d7571007e00020000000473616d6571007e000b78";

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn pairs(count: usize) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let pair = |n| {
        (
            format!("[\"c\",{{\"filename\":\"f{n}\"}}]").into(),
            format!("{{\"position\":{n}}}").into(),
        )
    };
    (0..count).map(pair).collect()
}

#[test]
fn what_java_wrote_is_read() {
    assert_eq!(read(&hex(EMPTY)).unwrap(), BTreeMap::new());
    assert_eq!(read(&hex(TWO)).unwrap(), pairs(2));
}

#[test]
fn nulls_and_shared_arrays_are_read() {
    let mut expected = pairs(3);
    expected.insert(b"same".to_vec(), b"same".to_vec());
    assert_eq!(read(&hex(ODD)).unwrap(), expected);
}

#[test]
fn what_is_written_is_what_java_writes() {
    assert_eq!(write(&pairs(0)), hex(EMPTY));
    assert_eq!(write(&pairs(2)), hex(TWO));
}

#[test]
fn what_is_written_is_read() {
    for count in [0, 1, 12, 13, 1000] {
        assert_eq!(read(&write(&pairs(count))).unwrap(), pairs(count));
    }
}

#[test]
fn every_truncation_is_an_error() {
    let whole = hex(TWO);
    for length in 1..whole.len() {
        assert!(read(&whole[..length]).is_err(), "{length} bytes");
    }
}

/// No change of one byte may panic or allocate much; whether it is still a map depends on the byte.
#[test]
fn every_changed_byte_is_survived() {
    let whole = hex(ODD);
    for at in 0..whole.len() {
        for value in [0, 1, 0x70, 0x71, 0x75, 0x7f, 0x80, 0xff] {
            let mut changed = whole.clone();
            changed[at] = value;
            let _ = read(&changed);
        }
    }
}

#[test]
fn another_class_is_named() {
    let mut stream = hex(EMPTY);
    let at = stream.windows(7).position(|window| window == b"HashMap").unwrap();
    stream[at..at + 7].copy_from_slice(b"HashSet");
    let invalid = read(&stream).unwrap_err();
    assert_eq!(
        invalid.problem,
        "class java.util.HashSet where java.util.HashMap belongs"
    );
    assert_eq!(invalid.at, 8);
}

#[test]
fn garbage_is_refused() {
    assert_eq!(
        read(b"position=5\n").unwrap_err().problem,
        "no Java serialization header"
    );
    assert!(read(&[0xac, 0xed, 0x00, 0x05, 0x70]).is_err());
}
