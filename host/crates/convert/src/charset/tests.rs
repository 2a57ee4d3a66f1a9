//! Fingerprints of what Java's charsets make of bytes and characters (JDK 17), and of ours.

use super::*;

const PRIME: u64 = 0x100_0000_01b3;

/// FNV-1a over everything that it is told, with a newline behind each.
struct Fingerprint(u64);

impl Fingerprint {
    fn new() -> Self {
        Fingerprint(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().chain(b"\n") {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
    }

    fn decoded(&mut self, charset: &Charset, bytes: &[u8]) {
        self.add(charset.decode(bytes).as_bytes());
    }

    fn encoded(&mut self, charset: &Charset, text: &str) {
        let mut out = Vec::new();
        charset.encode(text, &mut out);
        self.add(&out);
    }
}

/// A generator that is as short in Java.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// Bytes that begin something in one charset or another, and some that do not belong there.
const BYTES: [u8; 22] = [
    0x1b, 0x24, 0x28, 0x42, 0x4a, 0x49, 0x40, 0x0e, 0x0f, 0x81, 0x30, 0x39, 0x8f, 0x8e, 0xa1, 0xb0, 0xfe, 0xff, 0x80,
    0x41, 0x5c, 0x7e,
];
const CHARACTERS: [char; 10] = [
    'a', '\n', '\u{a5}', '\u{203e}', '\u{ff71}', '日', 'é', '😀', '\u{2014}', '丂',
];

/// All single bytes, all pairs and 20,000 longer sequences decoded; all characters of three planes and 2,000 texts encoded.
fn fingerprints(charset: &Charset) -> (u64, u64) {
    let mut decoded = Fingerprint::new();
    (0..=u8::MAX).for_each(|byte| decoded.decoded(charset, &[byte]));
    (0..=u16::MAX).for_each(|pair| decoded.decoded(charset, &pair.to_be_bytes()));
    let mut random = Random(1);
    for _ in 0..20_000 {
        let length = 1 + random.below(8);
        let bytes = (0..length).map(|_| match random.below(2) {
            0 => BYTES[random.below(BYTES.len())],
            _ => random.below(256) as u8,
        });
        decoded.decoded(charset, &bytes.collect::<Vec<_>>());
    }
    let mut encoded = Fingerprint::new();
    for character in (0..0x3_0000).filter_map(char::from_u32) {
        encoded.encoded(charset, character.encode_utf8(&mut [0; 4]));
    }
    let mut random = Random(1);
    for _ in 0..2_000 {
        let length = 1 + random.below(8);
        let text: String = (0..length)
            .map(|_| CHARACTERS[random.below(CHARACTERS.len())])
            .collect();
        encoded.encoded(charset, &text);
    }
    (decoded.0, encoded.0)
}

/// Every byte decoded, and the first 12,288 characters and some others encoded.
fn fingerprint(charset: &Charset) -> u64 {
    let mut both = Fingerprint::new();
    (0..=u8::MAX).for_each(|byte| both.decoded(charset, &[byte]));
    for character in (0..0x3000).filter_map(char::from_u32) {
        both.encoded(charset, character.encode_utf8(&mut [0; 4]));
    }
    both.encoded(charset, "\u{fb01}\u{f8ff}😀");
    both.0
}

#[test]
fn characters_of_several_bytes_are_read_and_written_as_java_does() {
    for (name, decoded, encoded) in SEVERAL_BYTES {
        let charset = Charset::for_name(name).unwrap();
        let (found_decoded, found_encoded) = fingerprints(&charset);
        assert_eq!(found_decoded, decoded, "{name} decoded");
        assert_eq!(found_encoded, encoded, "{name} encoded");
    }
}

#[test]
fn characters_of_one_byte_are_read_and_written_as_java_does() {
    for (name, expected) in ONE_BYTE {
        let charset = Charset::for_name(name).unwrap();
        assert_eq!(fingerprint(&charset), expected, "{name}");
    }
}

#[test]
fn charsets_go_by_javas_names_and_by_no_others() {
    for (name, same) in [
        ("CP037", "IBM037"),
        ("ms932", "windows-31j"),
        ("8859_15", "ISO-8859-15"),
        ("x-SJIS", "Shift_JIS"),
        ("euc_kr", "EUC-KR"),
        ("csISO2022JP", "ISO-2022-JP"),
    ] {
        let bytes: Vec<u8> = (0..=u8::MAX).collect();
        let decoded = |name| Charset::for_name(name).unwrap().decode(&bytes).into_owned();
        assert_eq!(decoded(name), decoded(same), "{name}");
    }
    for unknown in [
        "",
        "x-user-defined",
        "macintosh",
        "x-x-big5",
        "Big5-HKSCS",
        "ISO-2022-KR",
        "utf-7",
        "#",
        "IBM037 cp037",
    ] {
        assert!(Charset::for_name(unknown).is_none(), "{unknown}");
    }
}

#[test]
fn malformed_utf8_is_replaced_as_java_replaces_it() {
    for (bytes, text) in [
        (&b"a\xc3"[..], "a\u{fffd}"),
        (b"\xed\xa0\x80", "\u{fffd}"),
        (b"\xed\xa0x", "\u{fffd}x"),
        (b"\xf0\x9f\x98", "\u{fffd}"),
        (b"\xc0\x80", "\u{fffd}\u{fffd}"),
        (b"\xf5ab", "\u{fffd}ab"),
    ] {
        assert_eq!(decode_utf8(bytes), text, "{bytes:x?}");
    }
}

const SEVERAL_BYTES: [(&str, u64, u64); 12] = [
    ("Shift_JIS", 0x2d257775c3712556, 0xdfac3bc6e0135c20),
    ("windows-31j", 0x936fb3f96ab05280, 0xa161913a0075ae61),
    ("GBK", 0xa4402d0067276d42, 0x7af9806aa1ee0e32),
    ("x-mswin-936", 0xa64e38befde2b794, 0x38f31bed3de37795),
    ("GB18030", 0x40e50a3d5145a53e, 0xa58508e894b55e62),
    ("GB2312", 0xd842bc82b510ee28, 0x6b4bfb2a9c215399),
    ("Big5", 0xb62e2912fb95e6de, 0x4c0abdd2911e5a9e),
    ("x-windows-950", 0x5fba3578a8455b00, 0x53094287103b448e),
    ("EUC-KR", 0x1c1f64c8f97b558b, 0x6e117767cbffd4d0),
    ("x-windows-949", 0xece29d617216b04e, 0xc7dae4a2c7a4158c),
    ("EUC-JP", 0x57d3d0d4bc82a7b6, 0xadc1c7302e41e10c),
    ("ISO-2022-JP", 0x1971e3429716af01, 0xa5d784c6eada091f),
];

const ONE_BYTE: [(&str, u64); 76] = [
    ("IBM037", 0x046ea1fdba096d9f),
    ("IBM437", 0xa209451aadcc0956),
    ("windows-1252", 0xa6081793e2781ee3),
    ("ISO-8859-4", 0x619a7530d4887b32),
    ("x-MacRoman", 0x7123012f2ff7de94),
    ("IBM00858", 0xcfd866d5e5ce16d1),
    ("IBM01140", 0x7afa5515c5138161),
    ("IBM01141", 0x6e5aeda5a01dcdc7),
    ("IBM01142", 0x774e299804152811),
    ("IBM01143", 0xbcfe4dfb5f091123),
    ("IBM01144", 0xa3a7802214045bd1),
    ("IBM01145", 0x72087192e0f0909b),
    ("IBM01146", 0xb0945d14b395ab71),
    ("IBM01147", 0x7216909dee0d7ee1),
    ("IBM01148", 0x4bce6acae1d268e5),
    ("IBM01149", 0x8a3acbc731f32341),
    ("IBM1026", 0x6b7f6350fac72a16),
    ("IBM1047", 0x1bccee655a45a88e),
    ("IBM273", 0x8717cffa294b0599),
    ("IBM277", 0x610f5efa08dbfab9),
    ("IBM278", 0xcac54a188261cb4b),
    ("IBM280", 0x333cd11d608546a9),
    ("IBM284", 0xc0ef956e47f23dab),
    ("IBM285", 0x41eb701171cb5b19),
    ("IBM297", 0x14584649646b2503),
    ("IBM424", 0x55218538b182711a),
    ("IBM500", 0x2a618773e2bb3df7),
    ("IBM775", 0xd1cb67bf29da2d89),
    ("IBM850", 0x6e88b083a50c7b22),
    ("IBM852", 0x77bdabafa67fad79),
    ("IBM855", 0x70f9354fa434ad56),
    ("IBM857", 0xfcf61b0d8a8a33f3),
    ("IBM860", 0xb9ab41d297e4bc7e),
    ("IBM861", 0xe9a85cc89a394da7),
    ("IBM862", 0xdafe2a750e0c7188),
    ("IBM863", 0x089cd5ed0de3436e),
    ("IBM864", 0x4f47201726c0d0a2),
    ("IBM865", 0x6606bc356b3ff6de),
    ("IBM866", 0xb8fb05c7c6b166e5),
    ("IBM869", 0xcf244aedeb3ecf78),
    ("IBM870", 0x242002f80031e57a),
    ("IBM871", 0x1dbc1b1d0ecdcc9f),
    ("ISO-8859-13", 0xb5d382293b61b1ca),
    ("ISO-8859-15", 0x5999303cf90c9785),
    ("ISO-8859-16", 0x3624341d340dabcf),
    ("ISO-8859-2", 0x202cd46e494166cf),
    ("ISO-8859-3", 0x605685742b8a5764),
    ("ISO-8859-5", 0xf24aada1bf057c9a),
    ("ISO-8859-6", 0x167c8650c4b9008d),
    ("ISO-8859-7", 0x2145bb10f458e6a6),
    ("ISO-8859-8", 0x14678e5dc9127383),
    ("ISO-8859-9", 0x1469a9f671ef1c0b),
    ("KOI8-R", 0x0a460d77ac3aca82),
    ("KOI8-U", 0xeb2a579b12ccc7d2),
    ("TIS-620", 0x66f63a85e9cd94ee),
    ("windows-1250", 0x28eba1f71b7ef28c),
    ("windows-1251", 0xed37c41a3120cc06),
    ("windows-1253", 0x4fa8470dcd788065),
    ("windows-1254", 0xe0caf2790ac38ffb),
    ("windows-1255", 0x568868f95b66ed94),
    ("windows-1256", 0x2be68262e6879350),
    ("windows-1257", 0xefa56ed8d40c8e8b),
    ("windows-1258", 0x5638f1ae6b2cb88e),
    ("x-IBM1025", 0xf7f9c0f89a0f8011),
    ("x-IBM1112", 0x4ee83c5ae78177b7),
    ("x-IBM1122", 0x270cb8db7dad77a8),
    ("x-IBM1123", 0xc2fc06444c2685fd),
    ("x-IBM737", 0x3a043834a4b345d6),
    ("x-IBM874", 0x1fd0744a552eedea),
    ("x-IBM875", 0x5fa7f186a1865bef),
    ("x-iso-8859-11", 0x5be283b3c160202e),
    ("x-MacCentralEurope", 0x368a366f6d58ba24),
    ("x-MacCyrillic", 0xc8ee56f47b492555),
    ("x-MacGreek", 0x7e0894ace33052ad),
    ("x-MacTurkish", 0xec3d596ecd29022d),
    ("x-windows-874", 0xb2d3308bdd2b00dc),
];
