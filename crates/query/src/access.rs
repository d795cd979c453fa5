//! Who may ask, and whose rows they see.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use spanmill_config::Secret;

/// Somebody who may ask.
#[derive(Debug, Clone)]
pub struct User {
    /// The name, which no other user has.
    pub name: String,
    /// The password.
    pub password: Secret,
    /// For whom the user acts, and sees the rows of that tenant alone. Nobody: sees the rows of all.
    pub tenant: Option<Arc<str>>,
}

/// The users who may ask; everybody else may not.
#[derive(Debug, Clone)]
pub struct Access {
    users: Arc<[Known]>,
}

#[derive(Debug)]
struct Known {
    user: Arc<User>,
    name: Digest,
    password: Digest,
}

/// Is compared instead of what it is made of: the time that it takes tells nothing of where that differs.
type Digest = [u8; 32];

fn digest(text: &str) -> Digest {
    Sha256::digest(text).into()
}

// === impl User ===

impl User {
    /// One who sees the rows of all tenants.
    pub fn operator(name: impl Into<String>, password: Secret) -> Self {
        Self { name: name.into(), password, tenant: None }
    }
}

// === impl Access ===

impl Access {
    /// Only these users may ask.
    pub fn new(users: impl IntoIterator<Item = User>) -> Self {
        let known = |user: User| {
            let (name, password) = (digest(&user.name), digest(user.password.expose()));
            Known { user: Arc::new(user), name, password }
        };
        Self { users: users.into_iter().map(known).collect() }
    }

    /// All of them.
    pub fn users(&self) -> impl Iterator<Item = &Arc<User>> {
        self.users.iter().map(|known| &known.user)
    }

    /// Who has this name and this password.
    pub fn admit(&self, name: &str, password: &str) -> Option<&Arc<User>> {
        let (name, password) = (digest(name), digest(password));
        let known = self.users.iter().find(|known| (known.name == name) & (known.password == password));
        known.map(|known| &known.user)
    }

    /// Who shows a password alone, as a token that stands for the name as well. What several have tells of nobody who it is.
    pub fn admit_token(&self, token: &str) -> Option<&Arc<User>> {
        let token = digest(token);
        let mut holders = self.users.iter().filter(|known| known.password == token);
        holders.next().filter(|_| holders.next().is_none()).map(|known| &known.user)
    }

    /// Who has this name, for protocols that do not send passwords.
    pub fn named(&self, name: &str) -> Option<&Arc<User>> {
        let name = digest(name);
        self.users.iter().find(|known| known.name == name).map(|known| &known.user)
    }

    /// Whether two secrets are equal; the time that it takes tells nothing of where they differ.
    pub fn same(a: &str, b: &str) -> bool {
        digest(a) == digest(b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: three users, of whom two have the same password; right and wrong names and passwords; the value is printed.
    /// Guarantees: name and password of one user together open, for that user; a password alone does where one user has it; none is printed.
    #[test]
    fn both_must_be_right() {
        let user = |name: &str, password, tenant: Option<&str>| User {
            tenant: tenant.map(Arc::from),
            ..User::operator(name, Secret::new(password))
        };
        let access = Access::new([
            user("grafana", "secret", None),
            user("shop", "twice", Some("of-shop")),
            user("search", "twice", Some("of-search")),
        ]);
        let tenant = |user: Option<&Arc<User>>| user.map(|user| user.tenant.as_deref().unwrap_or("all").to_owned());
        for (name, password, whose) in [
            ("grafana", "secret", Some("all")),
            ("shop", "twice", Some("of-shop")),
            ("search", "twice", Some("of-search")),
            ("grafana", "Secret", None),
            ("grafana", "twice", None),
            ("other", "secret", None),
            ("", "", None),
        ] {
            assert_eq!(tenant(access.admit(name, password)).as_deref(), whose, "{name}");
        }
        for (token, whose) in [("secret", Some("all")), ("twice", None), ("", None)] {
            assert_eq!(tenant(access.admit_token(token)).as_deref(), whose, "{token}");
        }
        assert_eq!(tenant(access.named("shop")).as_deref(), Some("of-shop"));
        assert!(access.named("Shop").is_none());
        let printed = format!("{access:?}");
        assert!(!printed.contains("secret") && !printed.contains("twice"), "{printed}");
    }
}
