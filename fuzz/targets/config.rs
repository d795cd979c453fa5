//! Text as a configuration: what is read is read the same again after it was printed.

#![no_main]

use spanmill_config::{Document, Kind, PrintFormat, PrintMode, Providers, Uri, load, print_config};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Nothing is to be asked for over the network, nor read from this machine.
    if text.contains("http") || text.contains("file:") {
        return;
    }
    let Some(resolved) = read(text) else { return };
    for format in [PrintFormat::Yaml, PrintFormat::Json] {
        let _ = print_config(&resolved, PrintMode::Redacted, format);
        let Ok(printed) = print_config(&resolved, PrintMode::Unredacted, format) else { continue };
        // Printed text has what `$$` became; and keys stay as they are written.
        if printed.contains('$') {
            continue;
        }
        // JSON has keys of any length, YAML on one line of 1024 characters at most.
        if format == PrintFormat::Json && printed.lines().any(|line| line.len() > 1024) {
            continue;
        }
        let again = read(&printed).expect("what was printed can be read");
        let twice = print_config(&again, PrintMode::Unredacted, format).expect("what was read can be printed");
        assert_eq!(printed, twice, "printing and reading changes nothing");
    }
    let Ok(document) = Document::from_tree(resolved) else { return };
    for kind in Kind::ALL {
        for section in document.components(kind).values() {
            let _ = section.error("a::b", "nothing").to_string();
        }
    }
});

fn read(text: &str) -> Option<spanmill_config::Node> {
    let uri: Uri = format!("yaml:{text}").parse().ok()?;
    load(&[uri], &[], &Providers::with_environment(|name| Some(name.to_owned()))).ok().map(|resolved| resolved.tree)
}
