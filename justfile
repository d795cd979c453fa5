# The daily commands. `just --list` shows them.

# Everything that is tested, set-up included.
test *args:
    cargo xtask test {{args}}

# What is checked before a change lands.
ci:
    bash .ci/run

# Formatting and lints.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Unit tests of one crate.
check-crate name:
    cargo clippy -p spanmill-{{name}} --all-targets --no-deps -- -D warnings
    cargo test -p spanmill-{{name}}

# The demo: realistic traffic, then the slow small calls.
demo *args:
    cargo run -- demo {{args}}

# CPU per span beside other collectors; writes docs/benchmarks.md.
bench *args:
    cargo xtask bench relay {{args}}

# Traffic with faults at random; ends with a ledger.
soak minutes="30":
    cargo xtask soak --minutes {{minutes}}

# Fuzzing on the stable toolchain: `just fuzz scan 60`. Targets: config, json, messages, ottl, scan, sql, wal.
fuzz target seconds="60":
    RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir fuzz --sanitizer none {{ if target == "sql" { "--features sql" } else { "" } }} {{target}} -- \
        -max_total_time={{seconds}} -timeout=10 -rss_limit_mb=4096 {{ if target == "sql" { "-dict=fuzz/sql.dict" } else { "" } }}

# Ballista over the store's files: an example with a workspace of its own, and its test.
ballista *args:
    cargo test --locked --manifest-path examples/ballista/Cargo.toml {{args}}

# Licences, bans and sources of dependencies.
deny:
    cargo deny --offline check bans licenses sources
