use std::fmt;

/// A kind of object that the simulated API server has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// `coordination.k8s.io/v1`, `Lease`.
    Lease,
    /// `v1`, `Pod`.
    Pod,
}

impl Kind {
    pub(super) const ALL: [Self; 2] = [Self::Lease, Self::Pod];

    pub(super) const fn api_version(self) -> &'static str {
        match self {
            Self::Lease => "coordination.k8s.io/v1",
            Self::Pod => "v1",
        }
    }

    pub(super) const fn group(self) -> &'static str {
        match self {
            Self::Lease => "coordination.k8s.io",
            Self::Pod => "",
        }
    }

    /// What `kind` says in an object.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Lease => "Lease",
            Self::Pod => "Pod",
        }
    }

    /// What a path says.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Lease => "leases",
            Self::Pod => "pods",
        }
    }

    /// Where a path of this kind begins.
    pub(super) const fn root(self) -> &'static str {
        match self {
            Self::Lease => "/apis/coordination.k8s.io/v1",
            Self::Pod => "/api/v1",
        }
    }

    /// The resource with its group, as errors name it.
    pub(super) const fn qualified_plural(self) -> &'static str {
        match self {
            Self::Lease => "leases.coordination.k8s.io",
            Self::Pod => "pods",
        }
    }

    /// The kind with its group, as errors of validation name it.
    pub(super) const fn qualified_name(self) -> &'static str {
        match self {
            Self::Lease => "Lease.coordination.k8s.io",
            Self::Pod => "Pod",
        }
    }
}

/// What identifies an object as long as it lives.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Key {
    /// The key of an object.
    pub fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        Self {
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind.plural(), self.namespace, self.name)
    }
}
