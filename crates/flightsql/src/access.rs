//! Who may ask: found out before any call.

use std::sync::Arc;

use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};
use spanmill_config::Secret;
use spanmill_query::{Access, User};
use tonic::metadata::MetadataMap;
use tonic::service::Interceptor;
use tonic::{Request, Status};
use uuid::Uuid;

/// Lets calls through that say who asks, by name and password, or by the token that a handshake gave for them; and tells the calls.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    access: Option<Access>,
    /// The same users with tokens for passwords; one without a name, who sees everything, where everybody may ask.
    tokens: Access,
}

/// Who asks, with a token for a password.
#[derive(Debug, Clone)]
pub(crate) struct Asker(Arc<User>);

/// Go's drivers leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

// === impl Gate ===

impl Gate {
    /// A gate; without `access` everybody may ask.
    pub(crate) fn new(access: Option<Access>) -> Self {
        let token = || Secret::new(Uuid::new_v4().simple().to_string());
        let tokens = match &access {
            None => Access::new([User::operator("", token())]),
            Some(access) => Access::new(access.users().map(|user| User { password: token(), ..User::clone(user) })),
        };
        Self { access, tokens }
    }

    fn admit(&self, metadata: &MetadataMap) -> Option<&Arc<User>> {
        let Some(access) = &self.access else { return self.tokens.users().next() };
        let (kind, said) = metadata.get("authorization")?.to_str().ok()?.split_once(' ')?;
        if kind.eq_ignore_ascii_case("bearer") {
            let user = self.tokens.admit_token(said);
            return user.or_else(|| self.tokens.named(&access.admit_token(said)?.name));
        }
        if !kind.eq_ignore_ascii_case("basic") {
            return None;
        }
        let said = String::from_utf8(BASE64.decode(said.trim()).ok()?).ok()?;
        let (name, password) = said.split_once(':')?;
        self.tokens.named(&access.admit(name, password)?.name)
    }
}

impl Interceptor for Gate {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let Some(user) = self.admit(request.metadata()) else {
            return Err(Status::unauthenticated("the user's name and password are wanted"));
        };
        let asker = Asker(Arc::clone(user));
        request.extensions_mut().insert(asker);
        Ok(request)
    }
}

// === impl Asker ===

impl Asker {
    /// Who was let through with a request.
    pub(crate) fn of<T>(request: &Request<T>) -> Result<&Self, Status> {
        request.extensions().get().ok_or_else(|| Status::unauthenticated("it is not known who asks"))
    }

    /// What may be said instead of name and password, until this process ends.
    pub(crate) fn token(&self) -> &str {
        self.0.password.expose()
    }

    /// Empty where everybody may ask.
    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    /// Whose rows there are; those of all where it is nobody.
    pub(crate) fn tenant(&self) -> Option<Arc<str>> {
        self.0.tenant.clone()
    }
}
