use spanmill_config::Section;
use tokio::sync::mpsc;

use super::*;

fn extension(yaml: &str) -> Result<BasicAuth, ConfigError> {
    Config::read(&Section::from_yaml("extensions::basicauth", yaml).unwrap()).map(BasicAuth::new)
}

fn host() -> Host {
    Host::new(HashMap::new(), mpsc::unbounded_channel().0)
}

fn authenticator(extension: &BasicAuth) -> Arc<Authenticator> {
    extension.capability().unwrap().downcast().unwrap()
}

async fn verdict(extension: &BasicAuth, header: Option<&str>) -> Result<(), String> {
    let headers = header.map(|value| (AUTHORIZATION, HeaderValue::from_str(value).unwrap()));
    authenticator(extension)
        .server
        .clone()
        .unwrap()
        .authenticate(&headers.into_iter().collect())
        .await
        .map(drop)
        .map_err(|error| error.to_string())
}

fn basic(credentials: &str) -> String {
    format!("Basic {}", STANDARD.encode(credentials))
}

/// Scenario: users in a file and inline, one of them in both; requests with good, wrong and malformed credentials.
/// Guarantees: what is inline goes before; each mistake is told in the Collector's words; a good hashed password is good the second time as well,
/// and a wrong one after it is not.
#[tokio::test]
async fn servers() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(".htpasswd");
    std::fs::write(&file, "ann:$apr1$salty$GY3CpKmA8he0dDHlJp6hv0\nbob:old").unwrap();
    let yaml = format!("{{htpasswd: {{file: {}, inline: \"bob:new\\ncyd:a:b\"}}}}", file.display());
    let server = extension(&yaml).unwrap();
    server.start(&host()).await.unwrap();
    for (credentials, good) in [
        ("ann:secret", true),
        ("ann:secret", true),
        ("ann:wrong", false),
        ("bob:new", true),
        ("bob:old", false),
        ("cyd:a:b", true),
        ("dan:x", false),
        (":", false),
    ] {
        assert_eq!(verdict(&server, Some(&basic(credentials))).await.is_ok(), good, "{credentials}");
    }
    for (header, error) in [
        (None, "no basic auth provided"),
        (Some(""), "no basic auth provided"),
        (Some("Bearer x"), "invalid authorization scheme prefix"),
        (Some("Basic"), "invalid authorization scheme prefix"),
        (Some("Basic !"), "invalid authorization format"),
        (Some("Basic YWJj"), "invalid authorization format"),
        (Some("basic YWJjOmRlZg=="), "invalid credentials"),
    ] {
        assert_eq!(verdict(&server, header).await, Err(error.to_owned()), "{header:?}");
    }
    assert!(authenticator(&server).client.is_none());
}

/// Scenario: a file with an empty password, plain and as a hash; its users show an empty one.
/// Guarantees: refused; another user of the file is known.
#[tokio::test]
async fn nothing_is_no_password() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "ann:\nbob:{PLAIN}\ncyd:$apr1$ab$S8K6Sgp3W8c9Jb6LxgywZ.\ndan:d").unwrap();
    let server = extension(&format!("htpasswd: {{file: {}}}", file.path().display())).unwrap();
    server.start(&host()).await.unwrap();
    for name in ["ann", "bob", "cyd", "dan"] {
        let refused = Err("invalid credentials".to_owned());
        assert_eq!(verdict(&server, Some(&basic(&format!("{name}:")))).await, refused, "{name}");
    }
    assert_eq!(verdict(&server, Some(&basic("dan:d"))).await, Ok(()));
}

/// Scenario: passwords are guessed, so that all who may be verified are; users with a hashed password, of whom one was known before, and with a
/// plain one; a name that nobody has; the guesses are given up.
/// Guarantees: who was known, and whose password is plain, is served at once; all others are told to come again, whether there is such a
/// user or not, and are served once there is room.
#[tokio::test]
async fn guesses_are_in_nobodys_way() {
    let hash = "$apr1$salty$GY3CpKmA8he0dDHlJp6hv0";
    let yaml = format!("{{htpasswd: {{inline: \"ann:{hash}\\nbob:{hash}\\ncyd:c\"}}}}");
    let BasicAuth::Server(mut users) = extension(&yaml).unwrap() else { panic!("not a server") };
    Arc::get_mut(&mut users).unwrap().hashing = Hashing::with(1, 1);
    users.read();
    let server = BasicAuth::Server(Arc::clone(&users));
    assert_eq!(verdict(&server, Some(&basic("ann:secret"))).await, Ok(()));
    let guessed = users.hashing.turn().await.unwrap();
    for good in ["ann:secret", "cyd:c"] {
        assert_eq!(verdict(&server, Some(&basic(good))).await, Ok(()), "{good}");
    }
    for waits in ["bob:secret", "bob:wrong", "ann:wrong", "cyd:wrong", "dan:wrong"] {
        let told = users.authenticate(&HeaderMap::from_iter([(AUTHORIZATION, basic(waits).parse().unwrap())])).await;
        assert!(matches!(told, Err(AuthError::Busy(_))), "{waits}: {told:?}");
    }
    drop(guessed);
    assert_eq!(verdict(&server, Some(&basic("bob:secret"))).await, Ok(()));
    assert_eq!(verdict(&server, Some(&basic("dan:secret"))).await, Err("invalid credentials".to_owned()));
}

/// Scenario: a file of users loses one whose hashed password was good a moment ago, gets another one, and is emptied.
/// Guarantees: the first is refused and the second known without a restart, and nobody in the end; who is inline stays.
#[tokio::test(start_paused = true)]
async fn users_change() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(".htpasswd");
    std::fs::write(&file, "ann:$apr1$salty$GY3CpKmA8he0dDHlJp6hv0").unwrap();
    let yaml = format!("{{htpasswd: {{file: {}, inline: 'cyd:c'}}}}", file.display());
    let server = extension(&yaml).unwrap();
    server.start(&host()).await.unwrap();
    assert!(verdict(&server, Some(&basic("ann:secret"))).await.is_ok());
    std::fs::write(&file, "bob:b").unwrap();
    while verdict(&server, Some(&basic("bob:b"))).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(verdict(&server, Some(&basic("ann:secret"))).await.is_err());
    std::fs::write(&file, "").unwrap();
    while verdict(&server, Some(&basic("bob:b"))).await.is_ok() {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(verdict(&server, Some(&basic("cyd:c"))).await.is_ok());
    server.shutdown().await.unwrap();
}

/// Scenario: credentials written down, and in files that change.
/// Guarantees: the header carries what is good now.
#[tokio::test(start_paused = true)]
async fn clients() {
    let sent = |extension: &BasicAuth| {
        let mut headers = HeaderMap::new();
        authenticator(extension).client.clone().unwrap().apply(&mut headers).unwrap();
        headers[AUTHORIZATION].to_str().unwrap().to_owned()
    };
    let fixed = extension("{client_auth: {username: ann, password: 'a:b'}}").unwrap();
    fixed.start(&host()).await.unwrap();
    assert_eq!(sent(&fixed), basic("ann:a:b"));
    assert!(authenticator(&fixed).server.is_none());

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let yaml = format!("{{client_auth: {{username: ann, password: x, password_file: {}}}}}", file.display());
    assert!(extension(&yaml).unwrap().start(&host()).await.is_err(), "the file must be there at the start");
    std::fs::write(&file, "first\n").unwrap();
    let watching = extension(&yaml).unwrap();
    watching.start(&host()).await.unwrap();
    assert_eq!(sent(&watching), basic("ann:first"));
    std::fs::write(&file, "second").unwrap();
    while sent(&watching) != basic("ann:second") {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    watching.shutdown().await.unwrap();
    let colon = extension("{client_auth: {username: 'a:b'}}").unwrap();
    assert!(authenticator(&colon).client.clone().unwrap().apply(&mut HeaderMap::new()).is_err());
}

/// Scenario: configurations with mistakes, and a file that is not there.
/// Guarantees: the Collector's verdicts and words.
#[tokio::test]
async fn options() {
    for (yaml, expected) in [
        ("{}", "no credential source provided"),
        ("{htpasswd: {}}", "no credential source provided"),
        ("{htpasswd: {file: ''}}", "no credential source provided"),
        (
            "{htpasswd: {file: f}, client_auth: {username: u}}",
            "only one of `htpasswd` or `client_auth` can be specified",
        ),
        ("{htpasswd: {path: f}}", "unknown key"),
        ("{username: u}", "unknown key"),
        ("{htpasswd: {inline: 'u:'}}", "htpasswd::inline: line 1: the password must not be empty"),
        ("{htpasswd: {inline: \"a:b\\nu:{PLAIN}\"}}", "htpasswd::inline: line 2: the password must not be empty"),
    ] {
        let error = extension(yaml).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(expected), "{yaml}: {error}");
    }
    let error = extension("{htpasswd: {file: /no/such/file}}").unwrap().start(&host()).await.unwrap_err();
    assert!(
        error.to_string().starts_with("open htpasswd file: ") && error.to_string().contains("/no/such/file"),
        "{error}"
    );
}
