//! The way of `github.com/grafana/clusterurl` (Apache License 2.0), step by step, as the Collector uses it: the same parts must become stars.

use super::gibberish::is_gibberish;

/// Parts after that many separators are left out.
const MOST_PARTS: usize = 10;

const STAR: u8 = b'*';

/// Rewrites a path in its place.
struct Path {
    bytes: Vec<u8>,
    /// What is before it is written.
    written: usize,
    /// What is between `written` and it is the part being read, as far as it is made of words.
    ahead: usize,
    /// Whether the part becomes a star.
    star: bool,
    /// Whether the second byte of the part may still be one that words do not have.
    grace: bool,
}

/// The path with a star in the place of each part that is not made of words, without query and fragment.
pub(super) fn cluster(url: &[u8]) -> Vec<u8> {
    let mut path = Path { bytes: url.to_vec(), written: 0, ahead: 0, star: false, grace: true };
    let mut parts = 0;
    for byte in url {
        match byte {
            b'?' | b'&' | b'#' => {
                path.cut_off();
                break;
            }
            b'/' => {
                parts += 1;
                path.close();
                if parts >= MOST_PARTS {
                    break;
                }
                path.begin();
            }
            _ if path.star => {}
            _ => path.take(*byte),
        }
    }
    path.finish()
}

// === impl Path ===

impl Path {
    fn put(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.written) {
            *place = byte;
            self.written += 1;
        }
    }

    fn take(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.ahead) {
            *place = byte;
        }
        self.ahead += 1;
        if byte.is_ascii_alphabetic() || b"-_. ".contains(&byte) {
            return;
        }
        if self.grace && self.ahead - self.written == 2 {
            self.grace = false;
        } else {
            self.star = true;
        }
    }

    /// Ends a part.
    fn close(&mut self) {
        if self.star {
            self.put(STAR);
        } else if self.ahead > self.written {
            let part = self.bytes.get(self.written..self.ahead).unwrap_or_default();
            if is_gibberish(part) { self.put(STAR) } else { self.written = self.ahead }
        }
    }

    /// Begins another part.
    fn begin(&mut self) {
        self.put(b'/');
        self.ahead = self.written;
        (self.star, self.grace) = (false, true);
    }

    /// Ends the path before its query. What was read of the part stays as it is.
    fn cut_off(&mut self) {
        if self.star {
            self.put(STAR)
        } else {
            self.written = self.written.max(self.ahead)
        }
        self.bytes.truncate(self.written);
    }

    fn finish(mut self) -> Vec<u8> {
        self.close();
        self.bytes.truncate(self.written);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: paths with words, numbers, identifiers and queries.
    /// Guarantees: what the Collector makes of them.
    #[test]
    fn paths() {
        for (given, expected) in [
            ("", ""),
            ("/", "/"),
            ("/users/fdklsd/j4elk/23993/job/2", "/users/*/j4elk/*/job/*"),
            ("/v1/products/2", "/v1/products/*"),
            ("/api/hello.world?a=b", "/api/hello.world"),
            ("?a=b", ""),
        ] {
            assert_eq!(String::from_utf8(cluster(given.as_bytes())).unwrap(), expected, "{given}");
        }
    }
}
