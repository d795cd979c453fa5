//! `spanmill-ballista`: scheduler, executor and questions in one binary.

use std::borrow::Cow;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Args, Parser};
use datafusion::arrow::util::pretty::pretty_format_batches_with_schema;
use datafusion::error::DataFusionError;
use jiff::Timestamp;
use spanmill_ballista::{BallistaStoreError, ExecutorOptions, ask, execute, schedule};
use spanmill_config::ByteSize;
use spanmill_query::{Question, Request};
use spanmill_store::{Options, Store};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// Ballista over a span store
#[derive(Debug, Parser)]
#[command(version)]
enum Command {
    /// Cut plans into stages, and hand those out
    Scheduler(Scheduler),
    /// Run stages
    Executor(Executor),
    /// Ask a question with a name, or SQL
    Ask(Ask),
}

/// Options of `scheduler`.
#[derive(Debug, Args)]
struct Scheduler {
    /// The store: a folder, or a bucket such as s3://bucket/folder
    #[arg(long, value_name = "PATH|URL")]
    store: String,
    /// Address and port to listen on; whoever reaches it has executors read the store
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:50050")]
    listen: SocketAddr,
    /// The host under which executors reach it
    #[arg(long, value_name = "HOST", default_value = "localhost")]
    name: String,
}

/// Options of `executor`.
#[derive(Debug, Args)]
struct Executor {
    /// The store, as the scheduler has it
    #[arg(long, value_name = "PATH|URL")]
    store: String,
    /// Host of the scheduler
    #[arg(long, value_name = "HOST", default_value = "localhost")]
    scheduler: String,
    /// Port of the scheduler
    #[arg(long, value_name = "PORT", default_value_t = 50050)]
    scheduler_port: u16,
    /// Address and port to listen on; the next port is used as well
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:50051")]
    listen: SocketAddr,
    /// Stages that run at once; by default one a processor
    #[arg(long, value_name = "NUMBER")]
    threads: Option<usize>,
    /// Memory of all of them together
    #[arg(long, value_name = "SIZE", default_value = "512MiB")]
    memory: ByteSize,
}

/// Options of `ask`.
#[derive(Debug, Args)]
struct Ask {
    /// The name of a question, or SQL
    #[arg(value_name = "NAME|SQL")]
    question: String,
    /// The store, as the scheduler has it: its manifest says which files are read
    #[arg(long, value_name = "PATH|URL")]
    store: String,
    /// The scheduler
    #[arg(long, value_name = "URL", default_value = "http://localhost:50050")]
    scheduler: String,
    /// A parameter of the question, such as since=7d; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = pair)]
    parameters: Vec<(String, String)>,
    /// Files are read in so many parts at once, or fewer
    #[arg(long, value_name = "NUMBER", default_value_t = 8)]
    parts: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    match run(Command::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where stderr is closed, the exit code has to say it all.
            let _ = writeln!(io::stderr(), "Error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<(), BallistaStoreError> {
    match command {
        Command::Scheduler(options) => {
            let store = Store::open_to_read(Options::new(options.store)).await?;
            let bound = TcpListener::bind(options.listen).await;
            let listener = bound.map_err(|source| BallistaStoreError::Io { what: "--listen".to_owned(), source })?;
            schedule(listener, options.name, store).await
        }
        Command::Executor(options) => {
            let store = Store::open_to_read(Options::new(options.store)).await?;
            let processors = std::thread::available_parallelism().map_or(1, usize::from);
            let executor = ExecutorOptions {
                scheduler: options.scheduler,
                scheduler_port: options.scheduler_port,
                listen: options.listen,
                threads: options.threads.unwrap_or(processors),
                memory: options.memory.bytes(),
            };
            execute(store, executor).await
        }
        Command::Ask(options) => answer(options).await,
    }
}

async fn answer(options: Ask) -> Result<(), BallistaStoreError> {
    let store = Options { query_threads: options.parts, ..Options::new(options.store) };
    let store = Store::open_to_read(store).await?;
    let request = if options.question.contains(char::is_whitespace) {
        Request::of(options.question)
    } else {
        let given = options.parameters.iter().map(|(name, value)| (Cow::Borrowed(&**name), Cow::Borrowed(&**value)));
        Question::named(&options.question)?.request(given, Timestamp::now())?
    };
    let answer = ask(&options.scheduler, &store, request).await?;
    let table = pretty_format_batches_with_schema(answer.schema, &answer.batches).map_err(DataFusionError::from)?;
    writeln!(io::stdout(), "{table}")
        .map_err(|source| BallistaStoreError::Io { what: "cannot write to stdout".to_owned(), source })
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a name and a value are wanted, as in since=7d".to_owned()),
    }
}
