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
    for mode in [PrintMode::Redacted, PrintMode::Unredacted] {
        let Ok(json) = print_config(&resolved, mode, PrintFormat::Json) else { continue };
        serde_json::from_str::<serde_json::Value>(&json).expect("what was printed is JSON");
    }
    let _ = print_config(&resolved, PrintMode::Redacted, PrintFormat::Yaml);
    if let Ok(printed) = print_config(&resolved, PrintMode::Unredacted, PrintFormat::Yaml)
        // Printed text has what `$$` became; and keys stay as they are written.
        && !printed.contains('$')
    {
        let again = read(&printed).expect("what was printed can be read");
        let twice =
            print_config(&again, PrintMode::Unredacted, PrintFormat::Yaml).expect("what was read can be printed");
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
