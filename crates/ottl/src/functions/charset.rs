//! Text in other encodings than UTF-8, under the names that the IANA has for them. What cannot be decoded becomes U+FFFD, for
//! as many bytes at a time as with Go's `golang.org/x/text`.

use encoding_rs::Encoding;

/// An encoding.
#[derive(Debug, Clone)]
pub(super) enum Charset {
    Utf8,
    /// Whatever it is, it stays.
    Raw,
    Ascii,
    /// One byte a character: what each byte stands for.
    Single(Box<[char]>),
    Utf16 {
        big_endian: bool,
        /// A mark at the beginning says which byte comes first, and is left out.
        mark: bool,
    },
    ShiftJis,
    EucJp,
    EucKr,
    Iso2022Jp,
    Gbk,
    Gb18030,
    Hz,
    Big5,
}

/// What a decoder made of the beginning of a text.
struct Step {
    /// Bytes that were read.
    len: usize,
    decoded: Decoded,
}

enum Decoded {
    Nothing,
    Char(char),
    /// A character of several bytes, looked up in the tables of `encoding_rs`.
    Unit(&'static Encoding, [u8; 4], usize),
}

/// What escape sequences have switched to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Ascii,
    Katakana,
    Jis0208,
    Jis0212,
    Gb,
}

// === impl Charset ===

impl Charset {
    pub(super) fn find(name: &str) -> Option<Self> {
        let lower = name.to_lowercase();
        Some(match lower.as_str() {
            "" | "utf-8" | "utf8" | "ascii" | "us-ascii" => return Some(Self::Utf8),
            "utf-16" | "utf16" => return Some(Self::Utf16 { big_endian: false, mark: false }),
            "utf-8-raw" | "utf8-raw" | "nop" => return Some(Self::Raw),
            _ => match lower.trim() {
                "utf-8" | "csutf8" => Self::Utf8,
                "utf-16" | "csutf16" => Self::Utf16 { big_endian: true, mark: true },
                "utf-16be" | "csutf16be" => Self::Utf16 { big_endian: true, mark: false },
                "utf-16le" | "csutf16le" => Self::Utf16 { big_endian: false, mark: false },
                "shift_jis" | "ms_kanji" | "csshiftjis" => Self::ShiftJis,
                "euc-jp" | "extended_unix_code_packed_format_for_japanese" | "cseucpkdfmtjapanese" => Self::EucJp,
                "euc-kr" | "cseuckr" => Self::EucKr,
                "iso-2022-jp" | "csiso2022jp" => Self::Iso2022Jp,
                "gbk" | "cp936" | "ms936" | "windows-936" | "csgbk" => Self::Gbk,
                "gb18030" | "csgb18030" => Self::Gb18030,
                "hz-gb-2312" => Self::Hz,
                "big5" | "csbig5" => Self::Big5,
                "ansi_x3.4-1968" | "ansi_x3.4-1986" | "cp367" | "csascii" | "ibm367" | "iso-ir-6" | "iso646-us"
                | "iso_646.irv:1991" | "us" | "us-ascii" => Self::Ascii,
                name => single(name)?,
            },
        })
    }

    pub(super) fn decode(&self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Utf8 => String::from_utf8_lossy(text).into_owned().into_bytes(),
            Self::Raw => text.to_vec(),
            Self::Ascii => {
                let ascii = |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { char::REPLACEMENT_CHARACTER };
                text.iter().map(ascii).collect::<String>().into_bytes()
            }
            Self::Single(table) => {
                let decode = |byte: &u8| table.get(usize::from(*byte)).copied().unwrap_or(char::REPLACEMENT_CHARACTER);
                text.iter().map(decode).collect::<String>().into_bytes()
            }
            Self::Utf16 { big_endian, mark } => utf16(text, *big_endian, *mark).into_bytes(),
            _ => self.decode_units(text).into_bytes(),
        }
    }

    fn decode_units(&self, text: &[u8]) -> String {
        let mut out = String::with_capacity(text.len());
        let mut mode = Mode::Ascii;
        let mut rest = text;
        while let Some(&first) = rest.first() {
            let step = match self {
                Self::ShiftJis => shift_jis(first, rest),
                Self::EucJp => euc_jp(first, rest),
                Self::EucKr => euc_kr(first, rest),
                Self::Iso2022Jp => iso_2022_jp(first, rest, &mut mode),
                Self::Gbk => gbk(first, rest, false),
                Self::Gb18030 => gbk(first, rest, true),
                Self::Hz => hz(first, rest, &mut mode),
                _ => big5(first, rest),
            };
            match step.decoded {
                Decoded::Nothing => {}
                Decoded::Char(c) => out.push(c),
                Decoded::Unit(encoding, unit, len) => {
                    out.push_str(&lookup(encoding, unit.get(..len).unwrap_or(&[])).unwrap_or("\u{fffd}".to_owned()));
                }
            }
            rest = rest.get(step.len.max(1)..).unwrap_or(&[]);
        }
        out
    }
}

/// `data/charsets.txt` has a line an encoding: its names, a tab, and what its bytes stand for, in hexadecimal. Where there are
/// 128 of them they are the upper half, and the lower one is ASCII.
fn single(name: &str) -> Option<Charset> {
    let lines = include_str!("data/charsets.txt").lines().filter_map(|line| line.split_once('\t'));
    let (_, table) = lines.into_iter().find(|(names, _)| names.split(' ').any(|known| known == name))?;
    let upper = table.split(' ').map(|code| u32::from_str_radix(code, 16).ok().and_then(char::from_u32));
    let upper: Vec<char> = upper.collect::<Option<_>>()?;
    let lower = if upper.len() == 128 { 0..128_u8 } else { 0..0 };
    Some(Charset::Single(lower.map(char::from).chain(upper).collect()))
}

fn utf16(text: &[u8], big_endian: bool, mark: bool) -> String {
    let (big_endian, text) = match text {
        [0xfe, 0xff, rest @ ..] if mark => (true, rest),
        [0xff, 0xfe, rest @ ..] if mark => (false, rest),
        _ => (big_endian, text),
    };
    let (pairs, odd) = text.as_chunks::<2>();
    let units = pairs.iter().map(|pair| if big_endian { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) });
    let decoded = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
    decoded.chain(odd.iter().map(|_| char::REPLACEMENT_CHARACTER)).collect()
}

/// The characters of one unit; nothing where the encoding has none, or only one for private use.
fn lookup(encoding: &'static Encoding, unit: &[u8]) -> Option<String> {
    let decoded = encoding.decode_without_bom_handling_and_without_replacement(unit)?;
    let private = |c: char| ('\u{e000}'..='\u{f8ff}').contains(&c) && encoding == encoding_rs::SHIFT_JIS;
    (!decoded.chars().any(private)).then(|| decoded.into_owned())
}

// === impl Step ===

impl Step {
    fn char(len: usize, c: char) -> Self {
        Self { len, decoded: Decoded::Char(c) }
    }

    fn wrong(len: usize) -> Self {
        Self::char(len, char::REPLACEMENT_CHARACTER)
    }

    fn ascii(byte: u8) -> Self {
        Self::char(1, char::from(byte))
    }

    fn switch(len: usize) -> Self {
        Self { len, decoded: Decoded::Nothing }
    }

    fn unit(len: usize, encoding: &'static Encoding, unit: &[u8]) -> Self {
        let mut bytes = [0; 4];
        for (byte, from) in bytes.iter_mut().zip(unit) {
            *byte = *from;
        }
        Self { len, decoded: Decoded::Unit(encoding, bytes, unit.len()) }
    }
}

fn katakana(byte: u8) -> char {
    char::from_u32(0xff61 + u32::from(byte) - 0xa1).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn shift_jis(first: u8, rest: &[u8]) -> Step {
    match (first, rest.get(1)) {
        (0..=0x80, _) => Step::ascii(first),
        (0xa1..=0xdf, _) => Step::char(1, katakana(first)),
        (0x81..=0x9f | 0xe0..=0xfc, Some(&second)) => match second {
            0..=0x3f | 0x7f => Step::wrong(1),
            0xfd..=0xff => Step::wrong(2),
            _ => Step::unit(2, encoding_rs::SHIFT_JIS, &[first, second]),
        },
        _ => Step::wrong(1),
    }
}

fn euc_jp(first: u8, rest: &[u8]) -> Step {
    match (first, rest.get(1), rest.get(2)) {
        (0..=0x7f, ..) => Step::ascii(first),
        (0x8e, Some(&second), _) => match second {
            0..=0xa0 | 0xff => Step::wrong(1),
            0xa1..=0xdf => Step::char(2, katakana(second)),
            _ => Step::wrong(2),
        },
        (0x8f, Some(&second @ 0xa1..=0xfe), Some(&third)) => match third {
            0xa1..=0xfe => Step::unit(3, encoding_rs::EUC_JP, &[first, second, third]),
            _ => Step::wrong(2),
        },
        (0x8f, Some(0xa1..=0xfd), None) => Step::wrong(2),
        (0xa1..=0xfe, Some(&second @ 0xa1..=0xfe), _) => Step::unit(2, encoding_rs::EUC_JP, &[first, second]),
        _ => Step::wrong(1),
    }
}

fn euc_kr(first: u8, rest: &[u8]) -> Step {
    match (first, rest.get(1)) {
        (0..=0x7f, _) => Step::ascii(first),
        (0x81..=0xfe, Some(&second)) => {
            let unit = [first, second];
            match lookup(encoding_rs::EUC_KR, &unit) {
                Some(_) => Step::unit(2, encoding_rs::EUC_KR, &unit),
                None => Step::wrong(if second.is_ascii() { 1 } else { 2 }),
            }
        }
        _ => Step::wrong(1),
    }
}

fn gbk(first: u8, rest: &[u8], gb18030: bool) -> Step {
    match (first, rest.get(1)) {
        (0..=0x7f, _) => Step::ascii(first),
        (0x80, _) => Step::char(1, '\u{20ac}'),
        (0x81..=0xfe, Some(&second)) => match second {
            0x40..=0x7e | 0x80..=0xfe => Step::unit(2, encoding_rs::GBK, &[first, second]),
            0x30..=0x3f if gb18030 => match (second, rest.get(2), rest.get(3)) {
                (_, Some(&third @ 0x81..=0xfe), Some(&fourth @ 0x30..=0x39)) => {
                    let linear = u32::from(first - 0x81) * 10 + u32::from(second - 0x30);
                    let linear = (linear * 126 + u32::from(third - 0x81)) * 10 + u32::from(fourth - 0x30);
                    if linear < 39_420 {
                        return Step::unit(4, encoding_rs::GB18030, &[first, second, third, fourth]);
                    }
                    let high = linear.checked_sub(189_000).and_then(|code| char::from_u32(code + 0x10000));
                    high.map_or(Step::wrong(1), |c| Step::char(4, c))
                }
                _ => Step::wrong(1),
            },
            _ => Step::wrong(1),
        },
        _ => Step::wrong(1),
    }
}

fn big5(first: u8, rest: &[u8]) -> Step {
    match (first, rest.get(1)) {
        (0..=0x7f, _) => Step::ascii(first),
        (0x81..=0xfe, Some(&second)) => match second {
            0x40..=0x7e | 0xa1..=0xfe => Step::unit(2, encoding_rs::BIG5, &[first, second]),
            0..=0x3f => Step::wrong(1),
            _ => Step::wrong(2),
        },
        _ => Step::wrong(1),
    }
}

fn iso_2022_jp(first: u8, rest: &[u8], mode: &mut Mode) -> Step {
    let high = |byte: u8| byte | 0x80;
    match (first, rest.get(1), rest.get(2), rest.get(3)) {
        (0x80.., ..) => Step::wrong(1),
        (0x1b, Some(b'$'), Some(b'@' | b'B'), _) => {
            *mode = Mode::Jis0208;
            Step::switch(3)
        }
        (0x1b, Some(b'$'), Some(b'('), Some(b'D')) => {
            *mode = Mode::Jis0212;
            Step::switch(4)
        }
        (0x1b, Some(b'('), Some(b'B' | b'J'), _) => {
            *mode = Mode::Ascii;
            Step::switch(3)
        }
        (0x1b, Some(b'('), Some(b'I'), _) => {
            *mode = Mode::Katakana;
            Step::switch(3)
        }
        (0x1b, ..) => Step::wrong(1),
        (_, second, ..) => match (*mode, first, second) {
            (Mode::Ascii | Mode::Gb, ..) => Step::ascii(first),
            (Mode::Katakana, 0x21..=0x5f, _) => Step::char(1, katakana(high(first))),
            (Mode::Katakana, ..) => Step::wrong(1),
            (_, b'\n', _) => {
                *mode = Mode::Ascii;
                Step::ascii(first)
            }
            (_, 0x21..=0x7e, Some(&second @ 0x21..=0x7e)) => {
                let unit = [0x8f, high(first), high(second)];
                let unit = if *mode == Mode::Jis0212 { &unit[..] } else { unit.get(1..).unwrap_or(&[]) };
                Step::unit(2, encoding_rs::EUC_JP, unit)
            }
            (_, _, Some(_)) => Step::wrong(2),
            (_, _, None) => Step::wrong(1),
        },
    }
}

fn hz(first: u8, rest: &[u8], mode: &mut Mode) -> Step {
    match (first, rest.get(1)) {
        (0x80.., _) | (b'~', None) => Step::wrong(1),
        (b'~', Some(second)) => match second {
            b'{' => {
                *mode = Mode::Gb;
                Step::switch(2)
            }
            b'}' => {
                *mode = Mode::Ascii;
                Step::switch(2)
            }
            b'~' => Step::char(2, '~'),
            b'\n' => Step::switch(2),
            _ => Step::wrong(2),
        },
        (_, _) if *mode != Mode::Gb => Step::ascii(first),
        (_, None) => Step::wrong(1),
        (0x21..=0x7d, Some(&second @ 0x21..=0x7e)) => Step::unit(2, encoding_rs::GBK, &[first | 0x80, second | 0x80]),
        (_, Some(second)) => Step::wrong(if *second > 0x80 { 1 } else { 2 }),
    }
}
