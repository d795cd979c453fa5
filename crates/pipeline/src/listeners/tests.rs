use super::*;

fn user(stage: Stage) -> Arc<Ties> {
    let ties = Arc::<Ties>::default();
    ties.set(stage);
    ties
}

fn listeners(sockets: &Arc<Sockets>, user: &Arc<Ties>) -> Listeners {
    Listeners::new(Some(Arc::clone(sockets)), Arc::clone(user))
}

/// Scenario: a component listens on a unix socket; another one wants to before and after the first is about to leave; a client connects
/// between the two; both stop.
/// Guarantees: the socket is shared only with who leaves; the client is served by the second; the file is there as long as anybody listens.
#[tokio::test]
async fn unix_sockets_change_hands() {
    let path = std::env::temp_dir().join(format!("spanmill-listeners-{}", std::process::id()));
    let (sockets, [first, second]) = (Arc::<Sockets>::default(), [(); 2].map(|()| user(Stage::Running)));
    let one = listeners(&sockets, &first).bind_unix(&path).await.unwrap();
    let refused = listeners(&sockets, &second).bind_unix(&path).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AddrInUse);

    sockets.begin_change();
    first.set(Stage::Stopped);
    sockets.release();
    drop(one);
    let client = UnixStream::connect(&path).await.unwrap();
    let two = listeners(&sockets, &second).bind_unix(&path).await.unwrap();
    sockets.end_change();
    two.listener().accept().await.unwrap();
    drop(client);

    second.set(Stage::Stopped);
    sockets.release();
    assert!(path.exists());
    drop(two);
    assert!(!path.exists());
}

/// Scenario: port 0 is asked for twice by one component; a port that another program has is asked for.
/// Guarantees: two ports; the refusal is the system's, and blames nobody who stays.
#[tokio::test]
async fn ports() {
    let (sockets, ties) = (Arc::<Sockets>::default(), user(Stage::Running));
    let listeners = listeners(&sockets, &ties);
    let [one, two] = [listeners.bind("127.0.0.1:0").await.unwrap(), listeners.bind("127.0.0.1:0").await.unwrap()];
    assert_ne!(one.local_addr().unwrap(), two.local_addr().unwrap());
    let other = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = listeners.bind(&other.local_addr().unwrap().to_string()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AddrInUse);
    assert!(!ties.is_in_the_way());
}
