//! nginx as a plain proxy: one worker, keep-alive on both sides, no access log.

use std::net::SocketAddr;
use std::path::Path;

use super::{Contestant, Gateway, Setting, key};
use crate::load::Target;
use crate::run::lab::Lab;
use crate::run::ports::{free_addr, wait_for_port};
use crate::run::process::{Program, on_core};

pub(super) fn start(setting: &Setting<'_>, lab: &Lab) -> anyhow::Result<Contestant> {
    let addr = free_addr()?;
    let folder = lab.folder("nginx")?;
    let file = folder.join("nginx.conf");
    std::fs::write(&file, conf(setting, addr, &folder))?;
    let mut command = on_core(lab.gateway_core, &lab.tools.nginx);
    command.arg("-p").arg(&folder).arg("-c").arg(&file);
    command.arg("-e").arg(folder.join("error.log"));
    let mut program = Program::start(&mut command, &folder.join("log"))?;
    let ready_ms = wait_for_port(addr, &mut program)?;
    let target = Target::gemini(addr, &key(0));
    Ok(Contestant {
        gateway: Gateway::Nginx,
        target,
        program: Some(program),
        ready_ms,
    })
}

fn conf(setting: &Setting<'_>, addr: SocketAddr, folder: &Path) -> String {
    let upstream = setting.upstream;
    // Certificates are checked in handshakes only, of which there is one for each kept connection.
    let scheme = if upstream.ca_file.is_some() {
        "https"
    } else {
        "http"
    };
    let buffering = if setting.streams {
        "proxy_buffering off;"
    } else {
        ""
    };
    let user = if rustix::process::geteuid().is_root() {
        "user root;"
    } else {
        ""
    };
    let upstream = upstream.addr;
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {}/{name};\n", folder.display()))
        .concat();
    format!(
        "daemon off; worker_processes 1; {user}
        pid {folder}/pid;
        events {{ worker_connections 8192; }}
        http {{
            access_log off;
            {temporary}
            keepalive_requests 1000000000;
            client_max_body_size 0;
            upstream stand_in {{
                server {upstream};
                keepalive 2048;
                keepalive_requests 1000000000;
            }}
            server {{
                listen {addr} backlog=4096;
                location / {{
                    proxy_pass {scheme}://stand_in;
                    proxy_http_version 1.1;
                    proxy_set_header Connection \"\";
                    proxy_request_buffering off;
                    {buffering}
                }}
            }}
        }}\n",
        folder = folder.display(),
    )
}
