use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::ensemble::server::Ports;
use crate::ensemble::{Link, Security, Settings};

/// What the server of this number reads: it knows the others by the ways to them.
pub(crate) fn configuration(
    number: usize,
    settings: &Settings,
    lines: &[String],
    ports: &[Ports],
    links: &BTreeMap<(usize, usize), Link>,
) -> String {
    let mut text = format!(
        "tickTime={}\ninitLimit={}\nsyncLimit={}\n",
        settings.tick_ms, settings.init_limit, settings.sync_limit
    );
    text += "dataDir=./data\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n";
    text += "4lw.commands.whitelist=*\nmaxClientCnxns=0\n";
    writeln!(text, "clientPort={}", ports[number - 1].client).unwrap();
    if settings.security == Security::Tls {
        let port = ports[number - 1].secure;
        writeln!(
            text,
            "secureClientPort={port}\nsecureClientPortAddress=127.0.0.1"
        )
        .unwrap();
    }
    for line in settings.lines.iter().chain(lines) {
        writeln!(text, "{line}").unwrap();
    }
    if ports.len() == 1 {
        return text;
    }
    for (other, ports) in (1..).zip(ports) {
        let (quorum, election) = match links.get(&(number, other)) {
            Some(link) => (link.quorum.port(), link.election.port()),
            None => (ports.quorum, ports.election),
        };
        writeln!(text, "server.{other}=127.0.0.1:{quorum}:{election}").unwrap();
    }
    text
}
