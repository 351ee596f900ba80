//! The subcommands. Each is a file; what they print is for people, on standard output.

mod check_config;
mod healthcheck;
mod keys;
mod openapi;
mod rotate_master_key;
mod serve;
mod summary;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use config::{Config, Env, LoadOptions};

pub(crate) use summary::summary;

/// Exit code for a configuration that is wrong (sysexits: `EX_CONFIG`).
const WRONG_CONFIG: u8 = 78;

/// A self-hosted AI gateway: one dependable endpoint in front of your API keys.
#[derive(Debug, Parser)]
#[command(name = "keymux", version, about)]
struct Arguments {
    /// The configuration file; default: keymux.yaml, if it exists.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve callers (the default).
    Serve,
    /// Read the configuration, and say what is wrong with it.
    CheckConfig {
        /// Print a JSON Schema of the file instead, for editors.
        #[arg(long)]
        schema: bool,
    },
    /// Print the `OpenAPI` document of the admin API.
    Openapi,
    /// Exit with 0 when the local instance is ready.
    Healthcheck,
    /// Work with provider keys.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Encrypt every secret of the store under a new master key; instances go on serving meanwhile.
    RotateMasterKey,
}

/// Reads the command line and does what it says.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    if matches!(arguments.command, Some(Command::Openapi)) {
        return openapi::run();
    }
    let command = arguments.command.unwrap_or(Command::Serve);
    if matches!(command, Command::CheckConfig { schema: true }) {
        return check_config::print_schema();
    }
    let config = match load(arguments.config) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let done = match command {
        Command::Serve => serve::run(config),
        Command::CheckConfig { .. } => Ok(check_config::run(&config)),
        Command::Openapi => Ok(openapi::run()),
        Command::Healthcheck => healthcheck::run(&config),
        Command::Keys(command) => keys::run(command, &config),
        Command::RotateMasterKey => rotate_master_key::run(&config),
    };
    done.unwrap_or_else(|error| {
        complain(&format!("keymux: {error:#}"));
        ExitCode::FAILURE
    })
}

fn load(file: Option<PathBuf>) -> Result<Config, ExitCode> {
    let options = LoadOptions {
        file,
        dir: PathBuf::from("."),
    };
    config::load(&options, &Env::from_process()).map_err(|errors| {
        complain(&errors.to_string());
        ExitCode::from(WRONG_CONFIG)
    })
}

/// Runs asynchronous work of a subcommand on `workers` threads; 0: one for each core.
fn block_on<T>(workers: usize, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let mut runtime = match workers {
        // One thread needs no scheduler that shares work out.
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    if workers > 1 {
        runtime.worker_threads(workers);
    }
    runtime.enable_all().build()?.block_on(work)
}

/// Writes to standard output. Whoever reads it may have enough before its end.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Writes to standard error.
fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
