//! `LiteLLM`'s proxy, when it is installed: one worker, a master key, no database.
//! It is asked in OpenAI's dialect, which is the one it is made for.

use super::{Contestant, Gateway, Setting, key};
use crate::load::MODEL;
use crate::load::Target;
use crate::run::lab::Lab;
use crate::run::ports::{free_addr, wait_until_ready};
use crate::run::process::{Program, on_core};

const MASTER_KEY: &str = "sk-bench-litellm";

pub(super) fn start(setting: &Setting<'_>, lab: &Lab) -> anyhow::Result<Contestant> {
    let addr = free_addr()?;
    let folder = lab.folder("litellm")?;
    let file = folder.join("config.yaml");
    let base = setting.upstream.base_url();
    let text = format!(
        "model_list:\n- model_name: {MODEL}\n  litellm_params:\n    model: gemini/{MODEL}\n    \
         api_base: {base}/v1beta/models/{MODEL}\n    api_key: {}\n\
         general_settings: {{ master_key: {MASTER_KEY} }}\n",
        key(0)
    );
    std::fs::write(&file, text)?;
    let Some(litellm) = &lab.tools.litellm else {
        anyhow::bail!("litellm is not installed")
    };
    let mut command = on_core(lab.gateway_core, litellm);
    command
        .arg("--config")
        .arg(&file)
        .args(["--host", "127.0.0.1", "--num_workers", "1"]);
    command
        .arg("--port")
        .arg(addr.port().to_string())
        .current_dir(&folder);
    command
        .env("LITELLM_LOG", "ERROR")
        .env("LITELLM_TELEMETRY", "False");
    let mut program = Program::start(&mut command, &folder.join("log"))?;
    let ready_ms = wait_until_ready(addr, "/health/liveliness", &mut program)?;
    let target = Target::openai(addr, MASTER_KEY);
    Ok(Contestant {
        gateway: Gateway::Litellm,
        target,
        program: Some(program),
        ready_ms,
    })
}
