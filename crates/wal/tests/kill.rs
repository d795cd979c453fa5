//! A process that appends is killed, again and again.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use spanmill_wal::{OpenError, Options, Seq, Wal};

const DIR: &str = "SPANMILL_WAL_KILL_DIR";
const ROUND: &str = "SPANMILL_WAL_KILL_ROUND";
const ROUNDS: u64 = 30;
const SENDERS: u64 = 8;

fn options() -> Options {
    Options { segment_bytes: 256 << 10, max_bytes: 1 << 30, ..Options::default() }
}

fn payload(identity: u64) -> Bytes {
    let mut random = fastrand::Rng::with_seed(identity);
    let mut bytes = identity.to_le_bytes().to_vec();
    let length = random.usize(0..20_000);
    bytes.extend(std::iter::repeat_with(|| random.u8(..)).take(length));
    bytes.into()
}

fn command(round: u64, dir: &Path) -> std::io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--exact", "child", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env(DIR, dir).env(ROUND, round.to_string());
    Ok(command)
}

/// Appends until it is killed, reads and commits as well, and says what was acknowledged.
#[test]
#[ignore = "the other tests run it as a process of its own"]
fn child() {
    let (Ok(dir), Ok(round)) = (std::env::var(DIR), std::env::var(ROUND)) else { return };
    let round = round.parse::<u64>().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let wal = match Wal::open(&dir, options()).await {
            Ok(wal) => wal,
            Err(OpenError::Locked(_)) => std::process::exit(3),
            Err(error) => panic!("{error}"),
        };
        let mut reader = wal.reader("child").await.unwrap();
        for sender in 0..SENDERS {
            let wal = wal.clone();
            tokio::spawn(async move {
                for number in 0.. {
                    let identity = (round << 40) | (sender << 32) | number;
                    let seq = wal.append(0, payload(identity)).await.unwrap();
                    let line = format!("ack {seq} {identity}\n");
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            });
        }
        loop {
            let seq = reader.next().await.unwrap().seq;
            if seq.get().is_multiple_of(20) {
                reader.commit(seq).await.unwrap();
            }
        }
    });
}

/// Scenario: thirty times a process appends with eight senders, reads and commits, and is killed with SIGKILL at a random moment.
/// Guarantees: every record that it said was acknowledged is read again with its number, in order; records are whole, and none comes
/// twice or from nowhere.
#[tokio::test]
async fn kill_minus_nine() {
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    let mut last = Seq::new(0);
    // From the beginning, so that nothing is removed before it was checked.
    let wal = Wal::open(directory.path(), options()).await.unwrap();
    drop(wal.reader("parent").await.unwrap());
    wal.close().await.unwrap();

    for round in 0..ROUNDS {
        let mut child = command(round, directory.path()).unwrap().stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let lives = fastrand::usize(0..300);
        let mut told = lines.by_ref().take(lives).map(Result::unwrap).collect::<Vec<_>>();
        child.kill().unwrap();
        child.wait().unwrap();
        // The last line may be cut.
        told.extend(lines.map_while(Result::ok));
        let acks = told.iter().filter_map(|line| line.strip_prefix("ack ")?.split_once(' '));
        let acks = acks.filter_map(|(seq, identity)| Some((seq.parse().ok()?, identity.parse().ok()?)));
        let mut acks = acks.collect::<BTreeMap<u64, u64>>();
        acknowledged += acks.len();

        let wal = Wal::open(directory.path(), options()).await.unwrap();
        let mut reader = wal.reader("parent").await.unwrap();
        let mut seen = BTreeMap::new();
        while let Some(record) = reader.try_next().await.unwrap() {
            assert!(record.seq > last, "numbers rise");
            last = record.seq;
            let identity = u64::from_le_bytes(*record.payload.first_chunk().unwrap());
            assert_eq!(record.payload, payload(identity));
            assert_eq!(identity >> 40, round, "a record of another round");
            assert_eq!(seen.insert(identity, record.seq), None, "a record comes twice");
            if let Some(acknowledged) = acks.remove(&record.seq.get()) {
                assert_eq!(acknowledged, identity);
            }
        }
        assert_eq!(acks, BTreeMap::new(), "acknowledged records are lost");
        if last.get() > 0 {
            reader.commit(last).await.unwrap();
        }
        assert_eq!(wal.stats().quarantined_segments, 0);
        wal.close().await.unwrap();
    }
    assert!(acknowledged > 100, "{acknowledged} records only");
}

/// Scenario: a second process opens a log that is in use.
/// Guarantees: it is refused.
#[tokio::test]
async fn a_second_process_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let wal = Wal::open(directory.path(), options()).await.unwrap();
    let status = command(0, directory.path()).unwrap().stdout(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(3));
    wal.close().await.unwrap();
}
