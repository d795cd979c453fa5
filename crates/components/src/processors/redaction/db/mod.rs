//! Database queries without their values.

mod lexer;
mod redis;
mod sql;

use std::collections::HashSet;

use spanmill_otlp::SpanRef;

use super::config::{Database, Databases};
use super::json::{Kind, Tokens, is_json};
use super::map::database;

/// Sanitises attributes that hold queries, and names of spans.
#[derive(Debug)]
pub(super) struct DbSanitizer {
    databases: Vec<(Language, HashSet<Vec<u8>>)>,
    /// Whether attributes are looked at: some database must name one.
    attributes: bool,
    names: bool,
}

/// A kind of query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Sql,
    Redis,
    Valkey,
    Memcached,
    Mongo,
    OpenSearch,
    Elasticsearch,
}

// === impl DbSanitizer ===

impl DbSanitizer {
    pub(super) fn new(config: &Databases) -> Self {
        let all = [
            (Language::Sql, &config.sql),
            (Language::Redis, &config.redis),
            (Language::Valkey, &config.valkey),
            (Language::Memcached, &config.memcached),
            (Language::Mongo, &config.mongo),
            (Language::OpenSearch, &config.opensearch),
            (Language::Elasticsearch, &config.es),
        ];
        let keys = |(language, database): (Language, &Database)| {
            // Attributes with queries to search engines are not looked at in the Collector either.
            let searches = matches!(language, Language::OpenSearch | Language::Elasticsearch);
            let named = database.attributes.iter().filter(|_| !searches);
            (language, named.map(|key| key.clone().into_bytes()).collect::<HashSet<_>>())
        };
        let databases: Vec<_> = all.into_iter().filter(|(_, database)| database.enabled).map(keys).collect();
        let attributes = databases.iter().any(|(_, keys)| !keys.is_empty());
        Self { databases, attributes, names: config.sanitize_span_name.unwrap_or(true) }
    }

    pub(super) fn looks_at_attributes(&self) -> bool {
        self.attributes
    }

    pub(super) fn looks_at_names(&self) -> bool {
        self.names && !self.databases.is_empty()
    }

    /// The query in an attribute, given the database that the attributes around name; none where that holds no query to one.
    pub(super) fn attribute(&self, key: &[u8], query: &[u8], system: &str) -> Option<Vec<u8>> {
        if system.is_empty() {
            return None;
        }
        let (language, _) =
            self.databases.iter().find(|(language, keys)| language.serves(system) && keys.contains(key))?;
        language.sanitize(query, system)
    }

    /// Another name for a span that names a database; none where it keeps its own.
    pub(super) fn name(&self, span: SpanRef<'_>) -> Option<Vec<u8>> {
        // 1 is internal, 2 a server, 3 a client.
        if !self.looks_at_names() || !matches!(span.kind(), 1..=3) {
            return None;
        }
        let system = database(span.attributes());
        let (language, _) = self.databases.iter().find(|(language, _)| language.serves(&system))?;
        language.sanitize(span.name(), &system).filter(|name| name != span.name())
    }
}

// === impl Language ===

impl Language {
    fn serves(self, system: &str) -> bool {
        match self {
            Self::Sql => matches!(system, "other_sql" | "mysql" | "postgresql" | "mariadb" | "sqlite"),
            Self::Redis => system == "redis",
            Self::Valkey => system == "valkey",
            Self::Memcached => system == "memcached",
            Self::Mongo => system == "mongodb",
            Self::OpenSearch => system == "opensearch",
            Self::Elasticsearch => system == "elasticsearch",
        }
    }

    fn sanitize(self, query: &[u8], system: &str) -> Option<Vec<u8>> {
        match self {
            Self::Sql => Some(sql::sanitize(query, system == "mysql")),
            Self::Redis | Self::Valkey => Some(redis::sanitize(query)),
            Self::Memcached => Some(first_line(query)),
            Self::Mongo | Self::OpenSearch | Self::Elasticsearch => without_values(query),
        }
    }
}

/// Values of memcached's commands stand on lines of their own.
fn first_line(command: &[u8]) -> Vec<u8> {
    let end = command.windows(2).position(|pair| pair == b"\r\n").unwrap_or(command.len());
    trim(command.get(..end).unwrap_or_default()).to_vec()
}

/// A JSON document in which every value is a question mark; none where it is no document.
fn without_values(query: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(query).ok().filter(|text| is_json(text))?;
    let mut out = Vec::with_capacity(text.len());
    for token in Tokens::new(text) {
        match token.kind {
            Kind::Mark(mark) => out.push(mark),
            Kind::Key => out.extend_from_slice(text.get(token.range).unwrap_or_default().as_bytes()),
            Kind::Text | Kind::Scalar => out.extend_from_slice(b"\"?\""),
        }
    }
    // As there, white space goes everywhere but at the end.
    let end = text.trim_end_matches([' ', '\t', '\r', '\n']).len();
    out.extend_from_slice(text.get(end..).unwrap_or_default().as_bytes());
    Some(out)
}

/// Without white space around, that of all alphabets where the text is UTF-8.
fn trim(text: &[u8]) -> &[u8] {
    std::str::from_utf8(text).map_or_else(|_| text.trim_ascii(), |text| text.trim().as_bytes())
}
