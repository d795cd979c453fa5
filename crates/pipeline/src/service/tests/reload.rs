use super::*;

/// Two pipelines behind one receiver, a connector to a third.
const WIRED: &str = "
receivers: {probe/@-in: $IN}
processors: {probe/@-a: $A, probe/@-b: , probe/@-c: $C}
exporters: {probe/@-1: $ONE, probe/@-2: , probe/@-3: }
connectors: {join/@-x: }
extensions: {probe/@-e: $E, probe/@-f: $F}
service:
  extensions: [probe/@-e, probe/@-f]
  telemetry: {metrics: {level: none}}
  pipelines:
    traces/one: {receivers: [probe/@-in], processors: [probe/@-a], exporters: [probe/@-1, probe/@-2]}
    traces/two: {receivers: [probe/@-in], processors: [probe/@-b], exporters: [probe/@-2, join/@-x]}
    traces/three: {receivers: [join/@-x], processors: [probe/@-c], exporters: [probe/@-3]}
";

/// The configuration with some components changed.
fn wired(changes: &[(&str, &str)]) -> String {
    let all = ["$IN", "$A", "$C", "$ONE", "$E", "$F"];
    let filled = changes.iter().fold(WIRED.to_owned(), |yaml, (name, options)| yaml.replace(name, options));
    all.iter().fold(filled, |yaml, name| yaml.replace(name, ""))
}

const CHANGED: &str = "{note: changed}";

/// Scenario: a component changes: nothing, the receiver, a processor, one behind a connector, an exporter of one pipeline of two, an extension
/// that nobody asked for.
/// Guarantees: that component and all that send to it are started and then stopped, in order, and nothing else.
#[tokio::test]
async fn only_what_changed() {
    let cases: [(&'static str, &str, &[&str]); 6] = [
        ("none", "", &[]),
        ("recv", "$IN", &["receiver in"]),
        ("proc", "$A", &["processor a", "receiver in"]),
        ("deep", "$C", &["processor c", "connector x", "processor b", "receiver in"]),
        ("expo", "$ONE", &["exporter 1", "processor a", "receiver in"]),
        ("exte", "$E", &["extension e"]),
    ];
    for (name, changed, parts) in cases {
        let mut rig = Rig::running(name, &wired(&[])).await;
        let (news, events) = rig.change(&wired(&[(changed, CHANGED)][..usize::from(!changed.is_empty())])).await;
        assert_eq!(news, News::Running);
        let starts = parts.iter().map(|part| format!("start {part}"));
        let stops: Vec<String> = events.iter().filter(|event| event.starts_with("stop ")).cloned().collect();
        let told = |event: &&String| !event.contains("ready");
        assert_eq!(
            events.iter().filter(told).take(parts.len()).cloned().collect::<Vec<_>>(),
            starts.collect::<Vec<_>>()
        );
        let mut stopped: Vec<String> = stops.iter().map(|stop| stop.replace("stop ", "")).collect();
        // Exporters stop last, whatever the order.
        stopped.sort();
        let mut expected: Vec<String> = parts.iter().map(ToString::to_string).collect();
        expected.sort();
        assert_eq!(stopped, expected, "{name}");
        if let Some(first) = stops.first().filter(|_| parts.contains(&"receiver in")) {
            assert_eq!(first, "stop receiver in");
        }
        rig.stop().await.unwrap();
    }
}

/// Scenario: the targets of a pipeline change their order; a pipeline more names an exporter; lines are put before everything.
/// Guarantees: another fan-out makes other senders, the exporters stay; who sends to an exporter does not matter to it; lines do not matter.
#[tokio::test]
async fn wires_and_lines() {
    let mut rig = Rig::running("wires", &wired(&[])).await;
    let (_, events) = rig.change(&wired(&[]).replace("[probe/@-1, probe/@-2]", "[probe/@-2, probe/@-1]")).await;
    let expected = ["start processor a", "start receiver in", "stop receiver in", "stop processor a"];
    assert_eq!(events, expected);

    let with = wired(&[]) + "    traces/four: {receivers: [probe/@-in], exporters: [probe/@-3]}\n";
    let with = with.replace("[probe/@-1, probe/@-2]", "[probe/@-2, probe/@-1]");
    let (_, events) = rig.change(&with).await;
    assert_eq!(events, ["start receiver in", "stop receiver in"]);
    let (_, events) = rig.change(&format!("# A line.\n\n{with}")).await;
    assert_eq!(events, [""; 0]);
    rig.stop().await.unwrap();
}

/// Scenario: an exporter asks for an extension, which asks for another one that changes; and a file that an exporter read changes.
/// Guarantees: whoever asked for what changes is started anew, and all that send to it; others stay.
#[tokio::test]
async fn what_was_asked_for_and_read() {
    let folder = std::env::temp_dir().join(format!("spanmill-reload-{}", std::process::id()));
    std::fs::write(&folder, "one").unwrap();
    let one = format!("{{asks: probe/asks-f, file: '{}'}}", folder.display());
    let with = |f: &'static str| wired(&[("$E", f), ("$F", "{asks: probe/asks-e}"), ("$ONE", &one)]);
    let mut rig = Rig::running("asks", &with("{}")).await;
    let (_, events) = rig.change(&with(CHANGED)).await;
    let started: Vec<&str> = events.iter().filter_map(|event| event.strip_prefix("start ")).collect();
    assert_eq!(started, ["extension e", "extension f", "exporter 1", "processor a", "receiver in"]);

    std::fs::write(&folder, "another").unwrap();
    let (_, events) = rig.change(&with(CHANGED)).await;
    let started: Vec<&str> = events.iter().filter_map(|event| event.strip_prefix("start ")).collect();
    assert_eq!(started, ["exporter 1", "processor a", "receiver in"]);
    std::fs::remove_file(&folder).unwrap();
    rig.stop().await.unwrap();
}

/// Scenario: an exporter that owns something changes; then an extension that owns something and that the exporter asked for; then the new one
/// does not start.
/// Guarantees: all that use it stop, it stops, the new one starts, then the others; what was stopped for nothing is started again.
#[tokio::test]
async fn exclusive_ones_go_first() {
    let exclusive = |note: &str| format!("{{exclusive: true, asks: probe/excl-e, note: '{note}'}}");
    let extension = |note: &str| format!("{{exclusive: true, note: '{note}'}}");
    let with = |e: &str, one: &str| wired(&[("$E", &extension(e)), ("$ONE", &exclusive(one))]);
    let mut rig = Rig::running("excl", &with("", "")).await;
    let (_, events) = rig.change(&with("", "x")).await;
    let stops = ["stop receiver in", "stop processor a", "stop exporter 1"];
    let starts = ["start exporter 1", "start processor a", "start receiver in"];
    assert_eq!(events, [stops, starts].concat());

    let (_, events) = rig.change(&with("y", "x")).await;
    let told: Vec<&String> = events.iter().filter(|event| !event.contains("ready")).collect();
    let stops = ["stop receiver in", "stop processor a", "stop exporter 1", "stop extension e"];
    let starts = ["start extension e", "start exporter 1", "start processor a", "start receiver in"];
    assert_eq!(told, [stops, starts].concat());

    let luckless = with("y", "x").replace("note: 'x'", "note: 'z', fails_to_start: true");
    let (news, events) = rig.change(&luckless).await;
    assert!(matches!(&news, News::Refused(why) if why.contains("no luck")), "{news:?}");
    let stops = ["stop receiver in", "stop processor a", "stop exporter 1", "stop exporter 1"];
    assert_eq!(events, [&stops[..], &["start exporter 1", "start processor a", "start receiver in"]].concat());
    let (_, events) = rig.change(&with("y", "x")).await;
    assert_eq!(events, [""; 0]);
    rig.stop().await.unwrap();
}

/// Scenario: an exporter that owns something changes; the new one does not start, and the old one not a second time.
/// Guarantees: the service ends and says both, after everything else was stopped.
#[tokio::test]
async fn nothing_to_bring_back() {
    let once = |note: &str| wired(&[("$ONE", &format!("{{exclusive: true, starts_once: true, note: '{note}'}}"))]);
    let rig = Rig::running("lost", &once("")).await;
    rig.reload(&once("x")).await;
    let error = rig.service.await.unwrap().unwrap_err().to_string();
    let expected = "cannot change the configuration: failed to start \"probe/lost-1\" exporter: once was enough; what ran before cannot be \
                    brought back: failed to start \"probe/lost-1\" exporter: once was enough";
    assert_eq!(error, expected);
    let stopped = rig.world.events().iter().filter(|event| event.starts_with("stop ")).count();
    // All ten, and the exporter twice more: each attempt to start is followed by a stop.
    assert_eq!(stopped, 12);
}

/// Scenario: an exporter that has a locked folder does not stop; then another one that has none, and loses spans by that; then both again
/// when the service stops.
/// Guarantees: what is given up lets go of its folder, so that the new one starts; what was lost makes the end of the service no success, much
/// later; what is on disk does not.
#[tokio::test(start_paused = true)]
async fn what_is_given_up_lets_go() {
    let locked = |note: &str| format!("{{exclusive: true, locks: true, never_stops: true, note: '{note}'}}");
    let with = |one: &str| wired(&[("$ONE", one)]);
    let mut rig = Rig::running("giveup", &with(&locked(""))).await;
    let (news, events) = rig.change(&with(&locked("x"))).await;
    assert_eq!(news, News::Running);
    assert!(events.contains(&"start exporter 1".to_owned()), "{events:?}");
    // Gone without a loss.
    let (news, _) = rig.change(&with("")).await;
    assert_eq!(news, News::Running);
    rig.stop().await.unwrap();

    let losing = "{never_stops: true, loses: 7}";
    let mut rig = Rig::running("loses", &with(losing)).await;
    rig.change(&with("")).await;
    let (news, _) = rig.change(&with("{note: y}")).await;
    assert_eq!(news, News::Running);
    let error = rig.stop().await.unwrap_err().to_string();
    let expected = "failed to shut down cleanly: when the configuration changed, \"probe/loses-1\" exporter was not done in time: 7 items in its \
                    queue were not delivered";
    assert_eq!(error, expected);
}

/// Scenario: a change of an exporter, with an extension that stays and one that is new; then a change that is refused.
/// Guarantees: both extensions hear of the change once all that it stops has stopped, and of none that is refused.
#[tokio::test]
async fn extensions_hear_of_changes() {
    let with = |f: &str, one: &str| wired(&[("$E", "{hears: true}"), ("$F", f), ("$ONE", one)]);
    let mut rig = Rig::running("hears", &with("", "")).await;
    let (_, events) = rig.change(&with("{hears: true}", CHANGED)).await;
    let last: Vec<&str> = events.iter().rev().take(4).rev().map(String::as_str).collect();
    assert_eq!(last, ["stop exporter 1", "stop extension f", "changed extension e", "changed extension f"]);
    let (_, events) = rig.change(&with("{hears: true}", "{fails_to_start: true}")).await;
    assert!(!events.iter().any(|event| event.starts_with("changed")), "{events:?}");
    rig.stop().await.unwrap();
}

/// Scenario: a service starts; a change does not, at its last part; another one does.
/// Guarantees: a component hears that all has started, once; none hears so of a change that is refused.
#[tokio::test]
async fn nothing_begins_before_all_has_started() {
    let mut rig = Rig::running("begins", PLAIN).await;
    assert_eq!(rig.world.until_begun(2).await, ["exporter out", "receiver in"]);
    let luckless = PLAIN.replace("RECEIVER", "{fails_to_start: true}").replace("EXPORTER", CHANGED);
    let (news, events) = rig.change(&luckless).await;
    assert!(matches!(news, News::Refused(_)), "{news:?}");
    assert!(events.contains(&"start exporter out".to_owned()), "{events:?}");
    rig.change(&PLAIN.replace("EXPORTER", "{note: other}")).await;
    let begun = rig.world.until_begun(4).await;
    assert_eq!(begun, ["exporter out", "exporter out", "receiver in", "receiver in"]);
    rig.stop().await.unwrap();
}

/// Scenario: reloads come while one is under way, whose old receiver takes long to stop; then the service is told to stop.
/// Guarantees: they are one reload; stopping waits for what is under way, no longer than the limit, and not at all when told twice.
#[tokio::test(start_paused = true)]
async fn reloads_gather() {
    let slow = |note: &str| wired(&[("$IN", &format!("{{never_stops: true, note: '{note}'}}"))]);
    let mut rig = Rig::running("gather", &slow("")).await;
    rig.reload(&slow("a")).await;
    rig.world.until("stop receiver in").await;
    for note in ["b", "c", "d"] {
        rig.reload(&slow(note)).await;
    }
    assert_eq!([rig.news().await, rig.news().await], [News::Running, News::Running]);
    let starts = rig.world.events().iter().filter(|event| *event == "start receiver in").count();
    assert_eq!(starts, 1);

    rig.reload(&slow("e")).await;
    rig.world.until("stop receiver in").await;
    let began = tokio::time::Instant::now();
    let error = rig.stop().await.unwrap_err();
    assert!(matches!(error, ServiceError::Stop(_) | ServiceError::Late), "{error}");
    assert!(began.elapsed() <= Duration::from_secs(6), "{:?}", began.elapsed());

    let rig = Rig::running("hurry", &slow("")).await;
    rig.reload(&slow("a")).await;
    rig.world.until("stop receiver in").await;
    let began = tokio::time::Instant::now();
    rig.events.send(Event::Stop("first")).await.unwrap();
    assert!(matches!(rig.stop().await, Err(ServiceError::Interrupted)));
    assert_eq!(began.elapsed(), Duration::ZERO);
}
