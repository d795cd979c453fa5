//! Settings of a connection, as `SHOW` and `current_setting` tell them. `SET` changes none.

use pgwire::api::{ClientInfo, METADATA_APPLICATION_NAME, METADATA_DATABASE, METADATA_USER};

use crate::statement::words;

/// What a connection knows of itself.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) user: String,
    pub(crate) database: String,
    pub(crate) pid: i32,
    application: String,
}

/// The version whose behaviour clients may expect; what a connection is told at its beginning begins so as well.
pub(crate) const VERSION: &str = "16.6";

/// Those that are the same for all connections, with the names that PostgreSQL shows them by.
const SETTINGS: &[(&str, &str)] = &[
    ("server_version", VERSION),
    ("server_version_num", "160006"),
    ("server_encoding", "UTF8"),
    ("client_encoding", "UTF8"),
    ("search_path", "public"),
    ("standard_conforming_strings", "on"),
    ("transaction_isolation", "read committed"),
    ("default_transaction_isolation", "read committed"),
    ("transaction_read_only", "on"),
    ("default_transaction_read_only", "on"),
    ("transaction_deferrable", "off"),
    ("default_transaction_deferrable", "off"),
    ("TimeZone", "Etc/UTC"),
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "postgres"),
    ("integer_datetimes", "on"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("client_min_messages", "notice"),
    ("statement_timeout", "0"),
    ("lock_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("max_identifier_length", "63"),
    ("max_index_keys", "32"),
    ("in_hot_standby", "off"),
    ("is_superuser", "off"),
    ("row_security", "on"),
    ("jit", "off"),
    ("lc_collate", "C"),
    ("lc_ctype", "C"),
    ("lc_messages", "C"),
    ("lc_monetary", "C"),
    ("lc_numeric", "C"),
    ("lc_time", "C"),
];

// === impl Session ===

impl Session {
    pub(crate) fn of(client: &impl ClientInfo) -> Self {
        let told = |name: &str| client.metadata().get(name).cloned();
        let user = told(METADATA_USER).unwrap_or_default();
        Self {
            database: told(METADATA_DATABASE).unwrap_or_else(|| user.clone()),
            user,
            pid: client.pid_and_secret_key().0,
            application: told(METADATA_APPLICATION_NAME).unwrap_or_default(),
        }
    }

    /// A setting, and how PostgreSQL writes its name; none where it is unknown.
    pub(crate) fn setting(&self, name: &str) -> Option<(&'static str, &str)> {
        match name.to_ascii_lowercase().as_str() {
            "application_name" => Some(("application_name", &self.application)),
            "session_authorization" => Some(("session_authorization", &self.user)),
            "role" => Some(("role", "none")),
            name => SETTINGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).copied(),
        }
    }
}

/// Which setting a `SHOW` is about; none where it shows tables, columns, functions or the like.
pub(crate) fn shown(sql: &str) -> Option<String> {
    let words = words(sql);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["SHOW", "TRANSACTION", "ISOLATION", "LEVEL"] => Some("transaction_isolation".to_owned()),
        ["SHOW", "TIME", "ZONE"] => Some("TimeZone".to_owned()),
        ["SHOW", "SESSION", "AUTHORIZATION"] => Some("session_authorization".to_owned()),
        ["SHOW", "ALL" | "TABLES" | "COLUMNS" | "FUNCTIONS"] => None,
        ["SHOW", name] => Some(name.trim_matches('"').to_ascii_lowercase()),
        _ => None,
    }
}
