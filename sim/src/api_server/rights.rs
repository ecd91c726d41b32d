use super::kind::Kind;
use super::request::Verb;

/// Who may do what, as roles and their bindings come to.
#[derive(Clone, Default, Debug)]
pub struct Rights {
    rules: Vec<Rule>,
}

/// One right of one subject.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Whose.
    pub subject: String,
    /// What may be done.
    pub verbs: Vec<Verb>,
    /// To objects of which kind.
    pub kind: Kind,
    /// Only to these; to all when there are none. A list, a watch or a create is of no name, unless a field selector names one.
    pub names: Vec<String>,
}

impl Rights {
    /// Gives a right.
    pub fn grant(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    /// Takes a verb on a kind from a subject, whatever role it comes from.
    pub fn withdraw(&mut self, subject: &str, verb: Verb, kind: Kind) {
        for rule in &mut self.rules {
            if rule.subject == subject && rule.kind == kind {
                rule.verbs.retain(|known| *known != verb);
            }
        }
    }

    /// Takes everything from a subject.
    pub fn withdraw_all(&mut self, subject: &str) {
        self.rules.retain(|rule| rule.subject != subject);
    }

    /// Whether the subject may do this to what has this name, which is empty for what has none.
    pub fn allow(&self, subject: &str, verb: Verb, kind: Kind, name: &str) -> bool {
        self.rules.iter().any(|rule| {
            rule.subject == subject
                && rule.kind == kind
                && rule.verbs.contains(&verb)
                && (rule.names.is_empty() || rule.names.iter().any(|known| known == name))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_on_a_name_is_none_on_others_and_can_be_withdrawn() {
        let mut rights = Rights::default();
        rights.grant(Rule {
            subject: "pod".to_owned(),
            verbs: vec![Verb::Get, Verb::Watch],
            kind: Kind::Lease,
            names: vec!["x".to_owned()],
        });
        let may = |rights: &Rights, verb, name| rights.allow("pod", verb, Kind::Lease, name);
        assert!(may(&rights, Verb::Watch, "x"));
        assert!(!may(&rights, Verb::Watch, ""));
        assert!(!may(&rights, Verb::Get, "y"));
        assert!(!may(&rights, Verb::Update, "x"));
        assert!(!rights.allow("other", Verb::Get, Kind::Lease, "x"));
        rights.withdraw("pod", Verb::Watch, Kind::Lease);
        assert!(!may(&rights, Verb::Watch, "x"));
        assert!(may(&rights, Verb::Get, "x"));
    }
}
