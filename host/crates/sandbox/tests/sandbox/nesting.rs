//! Modules that are small, and deep: whoever looks into them by calling itself runs out of stack.

use caisson_sandbox::Error;

use crate::common::*;

const HEADER: &[u8] = b"\0asm\x0d\0\x01\0";
const DEPTH: usize = 100_000;

fn leb(mut number: usize, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// A component in a component in a component, so many times.
fn nested(depth: usize) -> Vec<u8> {
    let mut heads: Vec<Vec<u8>> = Vec::new();
    let mut size = HEADER.len();
    for _ in 0..depth {
        let mut head = HEADER.to_vec();
        head.push(4);
        leb(size, &mut head);
        size += head.len();
        heads.push(head);
    }
    let mut bytes: Vec<u8> = heads.into_iter().rev().flatten().collect();
    bytes.extend(HEADER);
    bytes
}

/// A list of lists of lists, so many times, as the only type of a component.
fn listed(depth: usize) -> Vec<u8> {
    let mut types = Vec::new();
    leb(depth, &mut types);
    // A list of bytes, and then each a list of the one before.
    types.extend([0x70, 0x7d]);
    for before in 0..depth - 1 {
        types.push(0x70);
        leb(before, &mut types);
    }
    let mut bytes = HEADER.to_vec();
    bytes.push(7);
    leb(types.len(), &mut bytes);
    bytes.extend(types);
    bytes
}

/// A function of blocks in blocks, so many times.
fn blocked(depth: usize) -> Vec<u8> {
    let body = format!("{} {}", "block ".repeat(depth), "end ".repeat(depth));
    core("plain.wat", TRANSFORM, |text| {
        text.replace("(;more;)", &format!("(func $deep {body})"))
    })
}

#[tokio::test]
async fn components_in_components_are_refused_however_deep() {
    for depth in [1, 1_000, DEPTH] {
        let refused = sandbox().load("deep.wasm", nested(depth)).await;
        let error = refused.err().unwrap_or_else(|| panic!("{depth} deep was accepted"));
        assert!(error.to_string().contains("deep.wasm"), "{error}");
    }
}

#[tokio::test]
async fn types_of_types_are_refused_however_deep() {
    for depth in [1, 1_000, DEPTH] {
        let refused = sandbox().load("deep.wasm", listed(depth)).await;
        let error = refused.err().unwrap_or_else(|| panic!("{depth} deep was accepted"));
        assert!(error.to_string().contains("deep.wasm"), "{error}");
    }
}

#[tokio::test]
async fn blocks_in_blocks_are_compiled_or_refused() {
    match sandbox().load("deep.wasm", blocked(5_000)).await {
        Ok(module) => module.prepare().await.unwrap(),
        Err(error) => assert!(
            matches!(
                error,
                Error::Invalid { .. } | Error::Malformed { .. } | Error::CompileLimit { .. }
            ),
            "{error:?}"
        ),
    }
}
