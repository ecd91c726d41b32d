//! An ensemble of ZooKeeper's own servers, each reachable by proxies, as each is for the others.

mod backup;
mod configuration;
mod link;
mod operator;
mod security;
mod server;
mod session;
mod settings;
mod shell;
mod words;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use zookeeper_client::SaslOptions;

pub use backup::Backup;
pub use link::{Link, Way};
pub use operator::Operator;
pub use security::{Authority, Identity, Security};
pub use server::Server;
pub use session::session_password;
pub use settings::Settings;
pub use words::{Connection, Mode};

use crate::directory::Directory;
use crate::ensemble::configuration::configuration;
use crate::ensemble::link::make_links;
use crate::ensemble::security::Demands;
use crate::ensemble::server::Ports;
use crate::ports::lasting_ports;
use crate::proxy::Proxy;
use crate::wait::until;

const STARTS_MAX: usize = 3;

/// Servers of ZooKeeper, numbered from 1 on as they number themselves. They end with the process that started them.
#[derive(Debug)]
pub struct Ensemble {
    authority: Option<Authority>,
    links: BTreeMap<(usize, usize), Link>,
    servers: Vec<Server>,
    settings: Settings,
    way: Way,
    #[expect(dead_code, reason = "it is removed when this goes")]
    directory: Directory,
}

fn address(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn start_server(
    number: usize,
    directory: &Path,
    ports: Ports,
    configuration: &str,
    arguments: &[String],
) -> Server {
    let directory = directory.join(number.to_string());
    let data = directory.join("data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("myid"), number.to_string()).unwrap();
    std::fs::write(directory.join("zoo.cfg"), configuration).unwrap();
    Server::start(number, directory, ports, arguments)
}

impl Ensemble {
    /// Starts so many servers, and waits until all of them serve: a second or two.
    ///
    /// # Panics
    /// When they do not start, with what they said.
    pub fn start(count: usize) -> Self {
        Settings::new(count).start()
    }

    pub(crate) fn with(settings: Settings) -> Self {
        // A port that was free may have been taken since.
        for _ in 0..STARTS_MAX {
            let this = Self::spawn(&settings);
            if this.all_serve() {
                return this;
            }
        }
        panic!("no ensemble could be started: see above")
    }

    fn spawn(settings: &Settings) -> Self {
        let directory = Directory::make();
        let free = lasting_ports(settings.count * 4);
        let each = free.chunks_exact(4).map(|four| Ports {
            client: four[0],
            quorum: four[1],
            election: four[2],
            secure: four[3],
        });
        let ports: Vec<Ports> = each.collect();
        let links = make_links(&ports);
        let Demands {
            authority,
            lines,
            mut arguments,
        } = Demands::of(&settings.security, &directory.path);
        arguments.extend(settings.arguments());
        let servers = (1..).zip(&ports).map(|(number, own)| {
            let configuration = configuration(number, settings, &lines, &ports, &links);
            start_server(number, &directory.path, *own, &configuration, &arguments)
        });
        let servers: Vec<Server> = servers.collect();
        let mut this = Self {
            authority,
            links,
            servers,
            settings: settings.clone(),
            way: Way {
                proxies: Vec::new(),
            },
            directory,
        };
        this.way = this.another_way();
        this
    }

    /// Whether all serve in the end; one may have ended instead.
    fn all_serve(&self) -> bool {
        until("an ensemble that serves", || {
            let mut ended = self.servers().filter_map(Server::ended);
            if let Some(said) = ended.next() {
                eprintln!("another start: {said}");
                return Some(false);
            }
            self.servers()
                .all(|server| server.mode().is_some())
                .then_some(true)
        })
    }

    /// The server of this number, from 1 on.
    pub fn server(&self, number: usize) -> &Server {
        &self.servers[number - 1]
    }

    /// All servers.
    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        self.servers.iter()
    }

    /// The way from one server to another.
    pub fn link(&self, from: usize, to: usize) -> &Link {
        &self.links[&(from, to)]
    }

    /// The way of clients that share one.
    pub fn way(&self) -> &Way {
        &self.way
    }

    /// A way of its own for a client.
    pub fn another_way(&self) -> Way {
        let has_tls = self.authority.is_some();
        let proxy = |server: &Server| match has_tls {
            true => Proxy::to(server.secure_port()),
            false => Proxy::to(server.port()),
        };
        Way {
            proxies: self.servers().map(proxy).collect(),
        }
    }

    /// The authority that its certificates are signed by, if it asks for TLS.
    ///
    /// # Panics
    /// When it does not.
    pub fn authority(&self) -> &Authority {
        let authority = self.authority.as_ref();
        authority.expect("only an ensemble with TLS has an authority")
    }

    /// Where clients connect to that share a way.
    pub fn connect_string(&self) -> String {
        self.way.connect_string()
    }

    /// Where whoever is disturbed by nothing connects to.
    pub fn direct_connect_string(&self) -> String {
        let addresses = self.servers().map(|server| address(server.port()));
        addresses.collect::<Vec<_>>().join(",")
    }

    /// Whoever may do everything, with a session of its own that asks for 20 s, by ways that nothing disturbs and without TLS.
    ///
    /// # Panics
    /// When it gets no session.
    pub fn operator(&self) -> Operator {
        let connector = Operator::connector(Duration::from_secs(20));
        let connector = match &self.settings.security {
            Security::Sasl(users) => {
                let (user, password) = users[0].clone();
                connector.with_sasl(SaslOptions::digest_md5(user, password))
            }
            Security::Open | Security::Tls => connector,
        };
        Operator::by(connector, &self.direct_connect_string()).unwrap()
    }

    /// The server that leads; none if there is none, or if two say that they do, as for a while after a cut.
    pub fn leader(&self) -> Option<&Server> {
        let leads =
            |server: &&Server| matches!(server.mode(), Some(Mode::Leader | Mode::Standalone));
        let mut leaders = self.servers().filter(leads);
        leaders.next().filter(|_| leaders.next().is_none())
    }

    /// The servers that follow.
    pub fn followers(&self) -> Vec<&Server> {
        let follows = |server: &&Server| server.mode() == Some(Mode::Follower);
        self.servers().filter(follows).collect()
    }

    /// Waits until a majority serves, with one leader among it, and says which.
    ///
    /// # Panics
    /// When none does.
    pub fn wait_for_quorum(&self) -> &Server {
        until("a quorum", || {
            let leader = self.leader()?;
            let serving = 1 + self.followers().len();
            (serving > self.servers.len() / 2).then_some(leader)
        })
    }

    /// Waits until all servers serve, with one leader, and says which.
    ///
    /// # Panics
    /// When not all of them do.
    pub fn wait_for_all(&self) -> &Server {
        self.servers().for_each(Server::wait_until_serving);
        until("one leader", || self.leader())
    }

    /// The links between this server and the others, in both directions.
    fn links_of(&self, number: usize) -> impl Iterator<Item = &Link> {
        let touch = move |(from, to): &(usize, usize)| *from == number || *to == number;
        self.links
            .iter()
            .filter(move |(pair, _)| touch(pair))
            .map(|(_, link)| link)
    }

    /// Cuts a server off from the others, as by a network that loses everything, while its clients stay connected.
    pub fn cut_off(&self, number: usize) {
        self.links_of(number).for_each(Link::hold);
    }

    /// Cuts all servers off from each other, so that there is no quorum.
    pub fn scatter(&self) {
        self.links.values().for_each(Link::hold);
    }

    /// Lets everything through between the servers. Does not wait until they serve.
    pub fn heal(&self) {
        self.links.values().for_each(Link::heal);
    }

    /// How many packets all servers that answer have received from clients, pings among them.
    pub fn packets_received(&self) -> u64 {
        let counts = self.servers().filter_map(|server| {
            let figures = server.figures();
            figures.get("zk_packets_received")?.parse::<u64>().ok()
        });
        counts.sum()
    }

    /// Closes a session, as an administrator can, by way of the server that leads.
    ///
    /// # Errors
    /// When the session is unknown, or nobody leads.
    pub fn close_session(&self, session: i64) -> std::io::Result<()> {
        let leader = self.leader();
        let leader = leader.ok_or_else(|| std::io::Error::other("no server leads"))?;
        session::close(leader.port(), session)
    }
}
