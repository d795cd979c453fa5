//! TLS of servers and clients as the Collector configures it.
