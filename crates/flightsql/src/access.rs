//! Who may ask: checked before any call.

use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};
use spanmill_query::Access;
use tonic::metadata::MetadataMap;
use tonic::service::Interceptor;
use tonic::{Request, Status};
use uuid::Uuid;

/// Lets calls through that say who asks: by name and password, or by the token that a handshake gave for them.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    access: Option<Access>,
    token: String,
}

/// Go's drivers leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

// === impl Gate ===

impl Gate {
    /// A gate; without `access` everybody may ask.
    pub(crate) fn new(access: Option<Access>) -> Self {
        Self { access, token: Uuid::new_v4().simple().to_string() }
    }

    /// What a client may say instead of name and password, until this process ends.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    fn permits(&self, metadata: &MetadataMap) -> bool {
        let Some(access) = &self.access else { return true };
        let Some(header) = metadata.get("authorization").and_then(|value| value.to_str().ok()) else { return false };
        match header.split_once(' ') {
            Some((kind, token)) if kind.eq_ignore_ascii_case("bearer") => {
                Access::same(token, &self.token) || access.permits_token(token)
            }
            Some((kind, encoded)) if kind.eq_ignore_ascii_case("basic") => {
                let decoded = BASE64.decode(encoded.trim()).ok().and_then(|text| String::from_utf8(text).ok());
                decoded
                    .as_deref()
                    .and_then(|text| text.split_once(':'))
                    .is_some_and(|(user, password)| access.permits(user, password))
            }
            _ => false,
        }
    }
}

impl Interceptor for Gate {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        if self.permits(request.metadata()) {
            Ok(request)
        } else {
            Err(Status::unauthenticated("the user's name and password are wanted"))
        }
    }
}
