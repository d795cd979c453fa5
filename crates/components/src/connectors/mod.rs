//! What joins one pipeline to others.
