//! Transactions that fail, statements that ask nothing, and cancellations in the middle of an answer.

use futures_util::TryStreamExt;
use pgwire::api::results::Response;
use pgwire::messages::response::{CommandComplete, TransactionStatus};

use super::*;
use crate::statement::Kind;

/// Its first rows are there at once, and no others ever.
const ENDLESS: &str =
    "SELECT value FROM generate_series(1, 30000000000) WHERE value <= 8192 OR (value % 5000 = 1 AND sin(value) > 2)";

/// Scenario: a statement fails in a transaction; others follow, savepoints are made, and it is committed all the same.
/// Guarantees: nothing is answered until the transaction ends or goes back to a savepoint; it is told that it was rolled back.
#[tokio::test(flavor = "multi_thread")]
async fn transactions_that_fail() {
    let server = Server::start(None).await;
    let client = server.client("anyone", "").await.unwrap();
    client.batch_execute("BEGIN; SAVEPOINT a").await.unwrap();
    client.batch_execute("SELECT nothing FROM spans").await.unwrap_err();
    for (text, prepared) in [
        (client.simple_query("SELECT 1").await.map(drop), client.query("SELECT 1", &[]).await.map(drop)),
        (client.simple_query("SAVEPOINT b").await.map(drop), client.query("SHOW search_path", &[]).await.map(drop)),
    ] {
        assert_eq!(*code(&text.unwrap_err()), SqlState::IN_FAILED_SQL_TRANSACTION);
        assert_eq!(*code(&prepared.unwrap_err()), SqlState::IN_FAILED_SQL_TRANSACTION);
    }
    client.batch_execute("ROLLBACK TO SAVEPOINT a; SELECT 1; RELEASE SAVEPOINT a; SAVEPOINT c").await.unwrap();
    client.query("SELECT nothing FROM spans", &[]).await.unwrap_err();
    client.execute("ROLLBACK TO c", &[]).await.unwrap();
    client.query("SELECT 1", &[]).await.unwrap();
    client.query("SELECT nothing FROM spans", &[]).await.unwrap_err();
    // What it is told by the tag shows only in the messages themselves.
    client.batch_execute("COMMIT; SELECT 1").await.unwrap();
    client.query("SELECT 1", &[]).await.unwrap();
    let error = client.batch_execute("SAVEPOINT d").await.unwrap_err();
    assert_eq!(*code(&error), SqlState::NO_ACTIVE_SQL_TRANSACTION);
    assert_eq!(done_tag("COMMIT", TransactionStatus::Error), "ROLLBACK");
    assert_eq!(done_tag("COMMIT", TransactionStatus::Transaction), "COMMIT");
}

fn done_tag(sql: &str, status: TransactionStatus) -> String {
    match crate::transaction::done(Kind::of(sql).unwrap(), status) {
        Response::TransactionEnd(tag) => CommandComplete::from(tag).tag,
        other => panic!("{other:?}"),
    }
}

/// Scenario: statements of nothing but a comment, as drivers send them to see whether a connection is good.
/// Guarantees: they are answered as empty, as text and prepared.
#[tokio::test(flavor = "multi_thread")]
async fn comments_alone() {
    let server = Server::start(None).await;
    let client = server.client("anyone", "").await.unwrap();
    assert!(client.query("-- ping", &[]).await.unwrap().is_empty());
    client.batch_execute("/* ping */").await.unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    let startup = [&21_u32.to_be_bytes()[..], &196_608_u32.to_be_bytes(), b"user\0anyone\0\0"].concat();
    stream.write_all(&startup).await.unwrap();
    stream.write_all(b"Q\0\0\0\x0c-- ping\0").await.unwrap();
    stream.write_all(b"X\0\0\0\x04").await.unwrap();
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await.unwrap();
    assert!(heard.ends_with(b"I\0\0\0\x04Z\0\0\0\x05I"), "{heard:?}");
}

/// Scenario: queries whose first rows are out are cancelled, one that was asked as text, and one that is fetched in parts; then another is
/// asked on the same connection.
/// Guarantees: they end at once, and say why; the connection stays good.
#[tokio::test(flavor = "multi_thread")]
async fn answers_are_cancelled() {
    let server = Server::start(None).await;
    let mut client = server.client("anyone", "").await.unwrap();
    let (token, begin) = (client.cancel_token(), std::time::Instant::now());
    let mut rows = std::pin::pin!(client.simple_query_raw(ENDLESS).await.unwrap());
    // The description of the rows, and the first of them.
    for _ in 0..2 {
        rows.try_next().await.unwrap().unwrap();
    }
    token.cancel_query(NoTls).await.unwrap();
    let error = rows.try_for_each(|_| std::future::ready(Ok(()))).await.unwrap_err();
    assert_eq!(*code(&error), SqlState::QUERY_CANCELED);

    let transaction = client.transaction().await.unwrap();
    let portal = transaction.bind(ENDLESS, &[]).await.unwrap();
    assert_eq!(transaction.query_portal(&portal, 10).await.unwrap().len(), 10);
    token.cancel_query(NoTls).await.unwrap();
    let error = transaction.query_portal(&portal, 0).await.unwrap_err();
    assert_eq!(*code(&error), SqlState::QUERY_CANCELED);
    transaction.rollback().await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(30), "they were cancelled, and not stopped by their time");
    assert_eq!(client.query_one("SELECT 1", &[]).await.unwrap().get::<_, i64>(0), 1);
}

/// Scenario: somebody gives a wrong password.
/// Guarantees: the refusal says for which user.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_name_the_user() {
    let server = Server::start(Some(Access::new([User::operator("grafana", Secret::new("secret"))]))).await;
    let error = server.client("grafana", "wrong").await.err().unwrap();
    assert!(error.as_db_error().unwrap().message().contains("\"grafana\""), "{error:?}");
}
