//! Apache's files of users: `name:password`, the password hashed in one of many ways.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Digest as _;
use sha_crypt::PasswordVerifier as _;

use super::super::watched::same;

/// Users and their passwords.
#[derive(Default)]
pub(super) struct Htpasswd {
    users: HashMap<String, Password>,
    slowest: Option<Password>,
}

/// A password as the file has it.
#[derive(Clone)]
pub(super) enum Password {
    /// `$apr1$salt$hash` and `$1$salt$hash`.
    Md5 { prefix: &'static str, salt: String, hash: String },
    /// `{SHA}hash`, and `{SSHA}hash` with a salt.
    Sha1 { hash: Vec<u8>, salt: Vec<u8> },
    /// `$2a$`, `$2b$`, `$2x$` and `$2y$`.
    Bcrypt(String),
    /// `$5$` and `$6$`.
    ShaCrypt(String),
    /// As it is, also as `{PLAIN}password`.
    Plain(String),
}

const SHA1_LEN: usize = 20;

// === impl Htpasswd ===

impl Htpasswd {
    /// Reads lines; of two for one user the later counts. Lines that are none are passed over, and counted.
    pub(super) fn parse(text: &str) -> (Self, usize) {
        let (mut users, mut wrong) = (HashMap::new(), 0);
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.split_once(':').and_then(|(user, password)| Some((user, Password::parse(password)?))) {
                Some((user, password)) => drop(users.insert(user.to_owned(), password)),
                None => wrong += 1,
            }
        }
        let slow = users.values().filter(|password| password.cost() > 0);
        let slowest = slow.max_by_key(|password| password.cost()).cloned();
        (Self { users, slowest }, wrong)
    }

    /// The first line, counted from one, whose user has an empty password.
    pub(super) fn without_password(text: &str) -> Option<usize> {
        let empty = |line: &str| line.trim().split_once(':').is_some_and(|(_, password)| is_empty(password));
        text.lines().position(empty).map(|index| index + 1)
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// The password of a user.
    pub(super) fn get(&self, user: &str) -> Option<&Password> {
        self.users.get(user)
    }

    /// The one that takes longest to verify, where there is a slow one.
    pub(super) fn slowest(&self) -> Option<&Password> {
        self.slowest.as_ref()
    }
}

// === impl Password ===

impl Password {
    /// Nothing where it is empty, or no hash of its kind.
    fn parse(text: &str) -> Option<Self> {
        if is_empty(text) {
            return None;
        }
        for prefix in ["$apr1$", "$1$"] {
            if let Some(rest) = text.strip_prefix(prefix) {
                let (salt, hash) = rest.split_once('$')?;
                return Some(Self::Md5 { prefix, salt: salt.to_owned(), hash: hash.to_owned() });
            }
        }
        if let Some(encoded) = text.strip_prefix("{SHA}") {
            let hash = STANDARD.decode(encoded).ok().filter(|hash| hash.len() == SHA1_LEN)?;
            return Some(Self::Sha1 { hash, salt: Vec::new() });
        }
        if let Some(encoded) = text.strip_prefix("{SSHA}") {
            let decoded = STANDARD.decode(encoded).ok()?;
            let (hash, salt) = decoded.split_at_checked(SHA1_LEN)?;
            return Some(Self::Sha1 { hash: hash.to_vec(), salt: salt.to_vec() });
        }
        if ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|prefix| text.starts_with(prefix)) {
            return Some(Self::Bcrypt(text.to_owned()));
        }
        if text.starts_with("$5$") || text.starts_with("$6$") {
            return Some(Self::ShaCrypt(text.to_owned()));
        }
        Some(Self::Plain(text.to_owned()))
    }

    /// Whether it is this one. Some hashes take a tenth of a second on purpose.
    pub(super) fn is(&self, given: &str) -> bool {
        match self {
            Self::Md5 { prefix, salt, hash } => {
                same(md5_crypt(given.as_bytes(), prefix, salt).as_bytes(), hash.as_bytes())
            }
            Self::Sha1 { hash, salt } => {
                same(&sha1::Sha1::new().chain_update(given).chain_update(salt).finalize(), hash)
            }
            Self::Bcrypt(hash) => bcrypt::verify(given, hash).unwrap_or(false),
            Self::ShaCrypt(hash) => {
                sha_crypt::ShaCrypt::default().verify_password(given.as_bytes(), hash.as_str()).is_ok()
            }
            Self::Plain(password) => {
                let unmarked = password.strip_prefix("{PLAIN}");
                same(given.as_bytes(), password.as_bytes())
                    || unmarked.is_some_and(|password| same(given.as_bytes(), password.as_bytes()))
            }
        }
    }

    /// How long it takes to tell, beside others; 0 where it takes no time to speak of.
    pub(super) fn cost(&self) -> u32 {
        match self {
            Self::Plain(_) | Self::Sha1 { .. } => 0,
            Self::Md5 { .. } => 1,
            Self::ShaCrypt(_) => 2,
            Self::Bcrypt(hash) => {
                let rounds = hash.get(4..6).and_then(|rounds| rounds.parse::<u32>().ok());
                // What no rounds can be is no hash either, and told at once.
                2 + rounds.filter(|rounds| (4..32).contains(rounds)).unwrap_or(0)
            }
        }
    }
}

fn is_empty(password: &str) -> bool {
    matches!(password, "" | "{PLAIN}")
}

/// The hash of FreeBSD's `crypt`, which Apache has under another prefix. No crate that is kept up has it.
fn md5_crypt(password: &[u8], prefix: &str, salt: &str) -> String {
    let salt = salt.as_bytes();
    let mixed = digest(&[password, salt, password]);
    let mut first = [password, prefix.as_bytes(), salt].concat();
    for chunk in password.chunks(mixed.len()) {
        first.extend_from_slice(mixed.get(..chunk.len()).unwrap_or_default());
    }
    let mut bits = password.len();
    while bits > 0 {
        first.extend_from_slice(if bits & 1 == 1 { &[0] } else { password.get(..1).unwrap_or_default() });
        bits >>= 1;
    }
    let mut hash = digest(&[&first]);
    for round in 0..1000 {
        let (before, after) = if round & 1 == 1 { (password, &hash[..]) } else { (&hash[..], password) };
        let salt = if round % 3 != 0 { salt } else { &[] };
        let between = if round % 7 != 0 { password } else { &[] };
        hash = digest(&[before, salt, between, after]);
    }
    encode(&hash)
}

fn digest(parts: &[&[u8]]) -> [u8; 16] {
    parts.iter().fold(md5::Md5::new(), |digest, part| digest.chain_update(part)).finalize().into()
}

/// The digits of `crypt`, from the lowest bits on.
fn encode(hash: &[u8; 16]) -> String {
    const DIGITS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = hash.map(u32::from);
    let groups = [(a, g, m), (b, h, n), (c, i, o), (d, j, p), (e, k, f), (0, 0, l)];
    let words = groups.map(|(high, middle, low)| high << 16 | middle << 8 | low);
    let digits = words.iter().flat_map(|word| (0..4).map(move |digit| word >> (6 * digit) & 63));
    // The last group has one byte, which two digits hold.
    digits.take(22).filter_map(|digit| DIGITS.get(digit as usize).copied().map(char::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: passwords in all ways that the Collector reads, made by other programs; a line without a colon, empty lines, a
    /// user that is there twice, hashes that are cut, passwords that are empty.
    /// Guarantees: the password is known, another one is not; of two lines the later counts; what is no line is counted.
    #[test]
    fn all_ways() {
        let text = "
            plain:secret
            marked:{PLAIN}secret
            sha:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=
            ssha:{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0
            apr:$apr1$salty$GY3CpKmA8he0dDHlJp6hv0
            md5:$1$salty$imEDvbxFkbZYQI/2lKgu10
            sha256:$5$salty$Z0TPu7x7Yl1/ywzb5hd/Dhcq3xkwjDnvhMPLa.20GMA
            sha512:$6$salty$KvzWKWLYEXXyw/4wzxu854gkPY3lhi7u.wm/HJabfYGIHFFddhyZ3xA43wiP4pG2CNfejds7h3eeku.O.9PSx0
            bcrypt:$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW
            empty:$apr1$ab$S8K6Sgp3W8c9Jb6LxgywZ.
            long:$apr1$ab$8ItIMBWI2mJuA9q7tymP40
            colon:a:b
            twice:old
            twice:new

            nobody
            cut:{SHA}abc
            cut2:$apr1$salt
            nothing:
            nothing2:{PLAIN}
        ";
        let (users, wrong) = Htpasswd::parse(text);
        assert_eq!(wrong, 5);
        for user in ["plain", "marked", "sha", "ssha", "apr", "md5", "sha256", "sha512"] {
            let password = users.get(user).unwrap();
            assert!(password.is("secret") && !password.is("Secret") && !password.is(""), "{user}");
        }
        assert!(users.get("bcrypt").unwrap().is("U*U") && !users.get("bcrypt").unwrap().is("U*U*"));
        assert!(users.get("empty").unwrap().is(""));
        assert!(users.get("long").unwrap().is("a longer password than sixteen bytes"));
        assert!(users.get("colon").unwrap().is("a:b"));
        assert!(users.get("twice").unwrap().is("new") && !users.get("twice").unwrap().is("old"));
        for nobody in ["other", "cut", "nothing", "nothing2"] {
            assert!(users.get(nobody).is_none(), "{nobody}");
        }
        assert_eq!(Htpasswd::without_password("a:b\n\n c: \n"), Some(3));
        assert_eq!(Htpasswd::without_password("a:{PLAIN}"), Some(1));
        assert!(users.slowest().is_some_and(|slowest| matches!(slowest, Password::Bcrypt(_))));
        assert!(Htpasswd::parse("a:b").0.slowest().is_none());
        assert_eq!(Htpasswd::without_password("a:b\n\nc"), None);
    }
}
