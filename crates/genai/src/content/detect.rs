//! What secrets and personal data look like.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

/// A kind that is known from the start.
#[derive(Debug)]
pub(super) struct Builtin {
    pub(super) name: &'static str,
    /// What it is called in the replacement.
    pub(super) label: &'static str,
    pub(super) pattern: &'static str,
    pub(super) parts: fn(&str) -> Vec<Range<usize>>,
    pub(super) digits: bool,
}

pub(super) const BUILTIN: &[Builtin] = &[
    Builtin { name: "keys", label: "key", pattern: KEYS, parts: all, digits: false },
    Builtin { name: "email", label: "email", pattern: EMAIL, parts: all, digits: false },
    Builtin { name: "card", label: "card", pattern: CARD, parts: cards, digits: true },
    Builtin { name: "phone", label: "phone", pattern: PHONE, parts: phones, digits: true },
    Builtin { name: "ip", label: "ip", pattern: IP, parts: addresses, digits: true },
];

/// Prefixes of tokens that their issuers publish so that they can be found, and the forms of JWTs, private keys and HTTP authorisation.
const KEYS: &str = r"(?x)
      (?: \b | _ ) sk - (?: [A-Za-z0-9]+ - )* [A-Za-z0-9_-]{16,}            # OpenAI, Anthropic, OpenRouter, Langfuse, DeepSeek
    | (?: \b | _ ) [srp]k _ (?: live | test ) _ [A-Za-z0-9]{10,}            # Stripe
    | (?: \b | _ ) pk - lf - [A-Za-z0-9-]{16,}                              # Langfuse
    | (?: AKIA | ASIA | ABIA | ACCA ) [0-9A-Z]{16}                          # AWS
    | gh [pousr] _ [A-Za-z0-9]{20,} | github_pat_ [A-Za-z0-9_]{22,}         # GitHub
    | glpat - [A-Za-z0-9_-]{20,}                                            # GitLab
    | xox [abeoprs] - [A-Za-z0-9-]{10,} | xapp - [A-Za-z0-9-]{10,}          # Slack
    | AIza [0-9A-Za-z_-]{35} | ya29 \. [0-9A-Za-z_-]{20,}                   # Google
    | (?: \b | _ ) hf_ [A-Za-z0-9]{20,}                                     # Hugging Face
    | (?: \b | _ ) gsk_ [A-Za-z0-9]{20,}                                    # Groq
    | (?: \b | _ ) (?: xai | pplx | tgp_v1 | r8 | nvapi ) [-_] [A-Za-z0-9_-]{20,}
    | (?: \b | _ ) npm_ [A-Za-z0-9]{36} | pypi - [A-Za-z0-9_-]{50,} | dop_v1_ [a-f0-9]{64}
    | SG \. [A-Za-z0-9_-]{16,} \. [A-Za-z0-9_-]{16,}                        # SendGrid
    | lsv2_ (?: pt | sk ) _ [A-Za-z0-9_]{20,}                               # LangSmith
    | eyJ [A-Za-z0-9_-]{8,} \. eyJ [A-Za-z0-9_-]{8,} \. [A-Za-z0-9_-]*      # JWT
    | (?s: -----BEGIN\x20 [A-Z0-9\x20]* PRIVATE\x20KEY (?: \x20BLOCK )? -----
        .*? (?: -----END\x20 [A-Z0-9\x20]* PRIVATE\x20KEY (?: \x20BLOCK )? ----- | \z ) )
    | (?i: \b (?: bearer | basic ) \s+ [A-Za-z0-9._~+/-]{16,} =* )
";

const EMAIL: &str = r"[\p{L}\p{N}._%+'-]+@(?:[\p{L}\p{N}-]+\.)+\p{L}{2,}";

/// Runs of digits that single spaces or hyphens may part. What letters touch is part of a name, such as a hash.
const CARD: &str = r"\b[0-9](?:[ \-]?[0-9]){12,}\b";

/// With a country's code, or as North America writes them.
const PHONE: &str = r"(?x)
      \+ [0-9] (?: [\x20().\-/]{0,2} [0-9] ){6,14}
    | \( [0-9]{3} \) [\x20.-]? [0-9]{3} [\x20.-] [0-9]{4}
    | \b [0-9]{3} [\x20.-] [0-9]{3} [\x20.-] [0-9]{4} \b
    | [0-9]+
";

const IP: &str = r"(?x)
      \b (?: [0-9]{1,3} \. ){3} [0-9]{1,3} \b
    | [0-9A-Za-z_]* (?: : [0-9A-Za-z_]* ){2,} (?: \. [0-9]{1,3} ){0,3}
";

/// A match as a whole.
pub(super) fn all(found: &str) -> Vec<Range<usize>> {
    std::iter::once(0..found.len()).collect()
}

/// The card numbers in a run of digits: 13 to 19 of them, with a right check digit, that begin and end where groups do.
fn cards(run: &str) -> Vec<Range<usize>> {
    let bytes = run.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let digits: Vec<(usize, u8)> =
        run.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()).map(|(at, byte)| (at, byte - b'0')).collect();
    let mut found = Vec::new();
    let mut first = 0;
    'next: while let Some((start, _)) = digits.get(first) {
        if *start == 0 || !is_digit(start - 1) {
            for count in (13..=19).rev() {
                let Some(candidate) = digits.get(first..first + count) else { continue };
                let Some((end, _)) = candidate.last() else { continue };
                if !is_digit(end + 1) && passes_luhn(candidate) {
                    found.push(*start..end + 1);
                    first += count;
                    continue 'next;
                }
            }
        }
        first += 1;
    }
    found
}

/// The check of ISO/IEC 7812. Nobody has a card of zeros.
fn passes_luhn(digits: &[(usize, u8)]) -> bool {
    let doubled = |digit: u8| if digit > 4 { u32::from(digit) * 2 - 9 } else { u32::from(digit) * 2 };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, (_, digit))| if at % 2 == 1 { doubled(*digit) } else { u32::from(*digit) })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|(_, digit)| *digit != 0)
}

/// Longer runs of digits were taken for themselves, so that no number is found inside one.
fn phones(found: &str) -> Vec<Range<usize>> {
    if found.bytes().all(|byte| byte.is_ascii_digit()) { Vec::new() } else { all(found) }
}

/// The addresses of the Internet in a word: an IPv6 one as a whole, or IPv4 ones between colons.
fn addresses(word: &str) -> Vec<Range<usize>> {
    for candidate in [word, word.trim_end_matches(':')] {
        // `std::fs`, `a::b` and times read like addresses to some.
        let groups = candidate.split(':').filter(|group| !group.is_empty()).count();
        let telling = groups >= 3 || candidate.bytes().any(|byte| byte.is_ascii_digit());
        if telling && candidate.parse::<Ipv6Addr>().is_ok() {
            return all(candidate);
        }
    }
    let mut found = Vec::new();
    let mut at = 0;
    for piece in word.split(':') {
        if piece.parse::<Ipv4Addr>().is_ok() {
            found.push(at..at + piece.len());
        }
        at += piece.len() + 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    fn masked(name: &str, text: &str) -> String {
        let known = BUILTIN.iter().find(|known| known.name == name).unwrap();
        let mut out = text.to_owned();
        let found = Regex::new(known.pattern).unwrap();
        let ranges: Vec<Range<usize>> = found
            .find_iter(text)
            .flat_map(|hit| {
                (known.parts)(hit.as_str()).into_iter().map(move |at| hit.start() + at.start..hit.start() + at.end)
            })
            .collect();
        for range in ranges.into_iter().rev() {
            out.replace_range(range, "#");
        }
        out
    }

    /// Scenario: texts with secrets and personal data, and texts that only look so.
    /// Guarantees: the first are found with nothing around them, the others are left.
    #[test]
    fn what_is_secret_is_found_and_nothing_else() {
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl";
        let key = |prefix: &str| format!("{prefix}{}", "a1B2c3D4e5".repeat(4));
        for text in [
            key("sk-"),
            key("sk-ant-api03-"),
            key("sk-proj-"),
            key("sk-lf-"),
            key("ghp_"),
            key("github_pat_"),
            key("xoxb-"),
            key("hf_"),
            format!("AIza{}", "x".repeat(35)),
            "AKIAIOSFODNN7EXAMPLE".to_owned(),
            jwt.to_owned(),
            "Bearer abcdefghijklmnop0123".to_owned(),
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----".to_owned(),
        ] {
            assert_eq!(masked("keys", &format!("my {text}, please")), "my #, please", "{text}");
        }
        assert_eq!(masked("keys", "-----BEGIN PRIVATE KEY-----\nMIIE that was cut"), "#");
        for (kind, text, expected) in [
            ("keys", "ask-me-anything-about-tasks, risk-free desk-lamp, sk-1", None),
            ("email", "Write to jo.e+x@mail.example.co.uk.", Some("Write to #.")),
            ("email", "jürgen@bücher.example", Some("#")),
            ("email", "@home, a@b, git@host:path", None),
            ("card", "4111 1111 1111 1111 or 5500-0000-0000-0004!", Some("# or #!")),
            ("card", "12 4111111111111111 7", Some("12 # 7")),
            ("card", "4111 1111 1111 1112, 1234567890123, 20260101123456, ab0211738756918be", None),
            ("phone", "+49 (0)30 123456-7, call 555-123-4567 or (555) 123-4567", Some("#, call # or #")),
            ("phone", "1735689600123, 2026-01-01, 12345-678-9012345, 3.14159", None),
            ("ip", "from 10.0.0.1:8080, 2001:db8::1 and ::1.", Some("from #:8080, # and #.")),
            ("ip", "ip:192.168.0.1:80 ..10.0.0.2..", Some("ip:#:80 ..#..")),
            ("ip", "std::fs, a::b, 12:30:45, 1.2.3, 300.1.1.1, x:y, Vec3::add", None),
        ] {
            assert_eq!(masked(kind, text), expected.unwrap_or(text), "{kind}");
        }
    }
}
