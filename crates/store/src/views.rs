//! Tables that are computed from others.

/// A table that is a query.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

/// All of them.
pub(crate) const ALL: &[View] = &[
    View { name: "calls", sql: include_str!("views/calls.sql") },
    View { name: "traces", sql: include_str!("views/traces.sql") },
];
