//! Who may ask.

use std::fmt;

use sha2::{Digest, Sha256};

/// The name and password that whoever asks has to give.
#[derive(Clone)]
pub struct Access {
    user: String,
    password: String,
}

// === impl Access ===

impl Access {
    /// Only this user with this password may ask.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self { user: user.into(), password: password.into() }
    }

    /// Whether they are the right ones.
    pub fn permits(&self, user: &str, password: &str) -> bool {
        Self::same(user, &self.user) & Self::same(password, &self.password)
    }

    /// Whether a token that stands for both is the password.
    pub fn permits_token(&self, token: &str) -> bool {
        Self::same(token, &self.password)
    }

    /// The password of a user, for protocols that do not send it; none of others than this one.
    pub fn password_of(&self, user: &str) -> Option<String> {
        Self::same(user, &self.user).then(|| self.password.clone())
    }

    /// Whether two secrets are equal; the time that it takes tells nothing of where they differ.
    pub fn same(a: &str, b: &str) -> bool {
        Sha256::digest(a) == Sha256::digest(b)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("user", &self.user).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: right and wrong names and passwords; the value is printed.
    /// Guarantees: only both right ones open; the password is not printed.
    #[test]
    fn both_must_be_right() {
        let access = Access::new("grafana", "secret");
        assert!(access.permits("grafana", "secret") && access.permits_token("secret"));
        assert!(
            !access.permits("grafana", "Secret") && !access.permits("other", "secret") && !access.permits_token("")
        );
        assert!(!format!("{access:?}").contains("secret"));
    }
}
