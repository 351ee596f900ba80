//! TLS between the gateway and the provider, as it is in life. nginx speaks HTTP/1.1 to its upstreams only.

use super::{SATURATING, add_cpu, remark_on_failures};
use crate::load::Ask;
use crate::run::figures::{TLS1_CPU, TLS2_CPU};
use crate::run::gateways::{Gateway, Setting};
use crate::run::lab::Lab;
use crate::run::results::Results;
use crate::run::upstream::Recipe;

pub(super) fn run(lab: &Lab, results: &mut Results) -> anyhow::Result<()> {
    let upstream = Recipe {
        tls: true,
        ..Recipe::plain()
    }
    .start(lab)?;
    for (http2, figure) in [(false, &TLS1_CPU), (true, &TLS2_CPU)] {
        let setting = Setting {
            http2,
            ..Setting::plain(&upstream)
        };
        let contestants = setting.start_all(&[Gateway::Keymux, Gateway::Nginx], lab)?;
        let rounds = lab.contest(&contestants, Ask::Unary, SATURATING, lab.pace.lasts)?;
        add_cpu(results, figure, &rounds, 1e4);
        remark_on_failures(results, figure.id, &rounds);
    }
    Ok(())
}
