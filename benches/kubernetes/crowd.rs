use std::time::Duration;

use rustix::process::Signal;
use tenure_testkit::{Rule, TestCluster, Told};

use crate::candidate::Task;
use crate::harness::is;
use crate::scene::Scene;

/// Whose candidates they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    ClientGo,
    Ours,
}

/// The candidates of one election, each a process of its own.
pub(crate) struct Crowd {
    leader: usize,
    /// The number and name of each that is there.
    present: Vec<(usize, String)>,
    scene: Scene<'static>,
    started: usize,
    whose: Whose,
}

impl Crowd {
    /// Starts so many candidates, and waits until one of them leads and all others know it.
    pub(crate) fn gather(whose: Whose, rules: &[Rule], size: usize) -> Self {
        let mut crowd = Self {
            leader: 0,
            present: Vec::new(),
            scene: Scene::new(TestCluster::shared(), rules),
            started: 0,
            whose,
        };
        crowd.leader = crowd.start();
        crowd.scene.cast.wait_for(|told| told.event == "leads");
        for _ in 1..size {
            let number = crowd.start();
            crowd.wait_until_known(number);
        }
        crowd
    }

    fn start(&mut self) -> usize {
        let identity = format!("c{}", self.started);
        self.started += 1;
        let number = match self.whose {
            Whose::Ours => self.scene.ours(&Task::new(&identity)),
            Whose::ClientGo => {
                let candidate = self
                    .scene
                    .client_go(&identity)
                    .with("release-on-cancel", true);
                self.scene.cast.start(&candidate.command())
            }
        };
        self.present.push((number, identity));
        number
    }

    fn identity(&self, number: usize) -> &str {
        let named = self.present.iter().find(|(other, _)| *other == number);
        named.map_or("nobody", |(_, identity)| identity)
    }

    fn knows_leader(&self, told: &Told) -> bool {
        told.event == "knows" && is(&told.whom, self.identity(self.leader))
    }

    fn wait_until_known(&self, number: usize) {
        self.scene
            .cast
            .wait_for(|told| told.by == number && self.knows_leader(told));
    }

    /// Has the leader give its Lease back, and says how long it took until the next one leads. Everybody else knows it then.
    pub(crate) fn hand_over(&mut self) -> Duration {
        let old = self.leader;
        match self.whose {
            Whose::Ours => self.scene.cast.say(old, "leave"),
            Whose::ClientGo => drop(self.scene.cast.signal(old, Signal::TERM)),
        }
        // What two processes say within a moment may be heard in either order.
        let (mut left, mut led) = (None, None);
        let mut unread = Vec::new();
        let (left, led) = loop {
            let told = self.scene.cast.next();
            if told.by == old && told.event == "leaves" {
                left = Some(told.at);
            } else if told.event == "leads" {
                led = Some(told);
            } else {
                unread.push(told);
            }
            if let Some(both) = left.zip(led.clone()) {
                break both;
            }
        };
        self.leader = led.by;
        if self.whose == Whose::ClientGo {
            self.scene.cast.wait_for_end(old);
            self.present.retain(|(number, _)| *number != old);
        }
        let mut ignorant: Vec<usize> = self.present.iter().map(|(number, _)| *number).collect();
        ignorant.retain(|number| *number != self.leader);
        let mut unread = unread.into_iter();
        while !ignorant.is_empty() {
            let told = unread.next().unwrap_or_else(|| self.scene.cast.next());
            if self.knows_leader(&told) {
                ignorant.retain(|number| *number != told.by);
            }
        }
        if self.whose == Whose::ClientGo {
            let number = self.start();
            self.wait_until_known(number);
        }
        led.at.saturating_sub(left)
    }
}
