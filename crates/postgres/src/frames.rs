//! Bounds what a client may send: messages are passed on whole, and none that is too long. pgwire takes a gigabyte from whoever connects.

use std::io;
use std::time::Duration;

use spanmill_tls::{Acceptor, Stream};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, copy, split};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// The first message of a connection is no longer.
const LONGEST_STARTUP: u32 = 10_000;

/// A client that says nothing at first is not waited for longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Code of a first message that asks for TLS.
const WANTS_TLS: u32 = 80_877_103;

/// Codes of first messages that ask for an encrypted connection, by TLS or by GSSAPI.
const WANTS_ENCRYPTION: [u32; 2] = [WANTS_TLS, 80_877_104];

/// Code of a first message that cancels a query of another connection. Its sender hangs up at once.
const CANCELS: u32 = 80_877_102;

/// The first message of a connection.
enum First {
    /// There was none, or none that makes sense.
    Nothing,
    /// It would have gone on without TLS.
    Unsafe,
    Startup,
    Cancel,
}

/// Why no more is passed on.
enum End {
    Closed,
    TooLong(u32),
}

/// Passes messages on in both directions until one side has enough. What a client sends is at most `longest` bytes a message. With `tls` it must
/// go over to that first.
pub(crate) async fn pass(
    mut client: Stream<TcpStream>,
    tls: Option<Acceptor>,
    mut server: UnixStream,
    longest: u32,
) -> io::Result<()> {
    match timeout(PATIENCE, begin(&mut client, tls.as_ref(), &mut server)).await {
        Ok(Ok(First::Startup)) => {}
        Ok(Ok(First::Cancel)) => {
            server.shutdown().await?;
            return copy(&mut server, &mut client).await.map(|_| ());
        }
        Ok(Ok(First::Unsafe)) => {
            client.write_all(&fatal("28000", "this server speaks TLS only: connect with sslmode=require")).await?;
            return client.flush().await;
        }
        Ok(Ok(First::Nothing)) | Err(_) => return Ok(()),
        Ok(Err(error)) => return Err(error),
    }
    let (read, mut write) = split(client);
    let (mut answers, questions) = server.split();
    let end = tokio::select! {
        end = messages(BufReader::new(read), questions, longest) => end?,
        done = copy(&mut answers, &mut write) => return done.map(|_| ()),
    };
    match end {
        End::Closed => Ok(()),
        End::TooLong(length) => {
            let problem = format!("a message of {length} bytes is too long: {longest} are allowed");
            write.write_all(&fatal("08P01", &problem)).await?;
            write.flush().await
        }
    }
}

/// Passes the first message on. TLS is spoken before it where there is any; other encryption is declined.
async fn begin(client: &mut Stream<TcpStream>, tls: Option<&Acceptor>, server: &mut UnixStream) -> io::Result<First> {
    let mut wanted = tls;
    // A client asks for each kind of encryption once.
    for _ in 0..=WANTS_ENCRYPTION.len() {
        let Ok(length) = client.read_u32().await else { return Ok(First::Nothing) };
        if !(8..=LONGEST_STARTUP).contains(&length) {
            return Ok(First::Nothing);
        }
        let mut body = vec![0; length as usize - 4];
        client.read_exact(&mut body).await?;
        let code = body.first_chunk().map(|code| u32::from_be_bytes(*code));
        if code == Some(WANTS_TLS)
            && let Some(tls) = wanted.take()
        {
            client.write_all(b"S").await?;
            tls.upgrade(client);
            continue;
        }
        if code.is_some_and(|code| WANTS_ENCRYPTION.contains(&code)) {
            client.write_all(b"N").await?;
            client.flush().await?;
            continue;
        }
        // Older clients cancel without TLS also where they ask by it. What they know for that is worth nothing else.
        if wanted.is_some() && code != Some(CANCELS) {
            return Ok(First::Unsafe);
        }
        server.write_u32(length).await?;
        server.write_all(&body).await?;
        return Ok(if code == Some(CANCELS) { First::Cancel } else { First::Startup });
    }
    Ok(First::Nothing)
}

async fn messages(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, longest: u32) -> io::Result<End> {
    loop {
        let Ok(kind) = from.read_u8().await else { return Ok(End::Closed) };
        let length = from.read_u32().await?;
        if !(4..=longest).contains(&length) {
            return Ok(End::TooLong(length));
        }
        let [a, b, c, d] = length.to_be_bytes();
        to.write_all(&[kind, a, b, c, d]).await?;
        let body = u64::from(length - 4);
        if copy(&mut (&mut from).take(body), &mut to).await? != body {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// A message that ends a connection with an error: section "ErrorResponse" of PostgreSQL's message formats.
fn fatal(code: &str, problem: &str) -> Vec<u8> {
    let fields = format!("SFATAL\0VFATAL\0C{code}\0M{problem}\0\0");
    let length = u32::try_from(fields.len() + 4).unwrap_or(u32::MAX);
    [b"E".as_slice(), &length.to_be_bytes(), fields.as_bytes()].concat()
}
