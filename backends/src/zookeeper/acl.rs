//! Who may do what with the nodes that are made.

use std::fmt;
use std::str::FromStr;

use zookeeper_client as client;

/// Who may do what with every node that is made: an access control list.
///
/// Read from the form of ZooKeeper's own shell, `scheme:id:permissions` with commas between: `auth::cdrwa,world:anyone:r`. The permissions
/// are `c`reate, `d`elete, `r`ead, `w`rite and `a`dmin. All candidates need all but `a`.
#[derive(Clone, PartialEq, Eq)]
pub struct Acl(Vec<client::Acl>);

const PERMISSIONS: [(char, client::Permission); 5] = [
    ('c', client::Permission::CREATE),
    ('d', client::Permission::DELETE),
    ('r', client::Permission::READ),
    ('w', client::Permission::WRITE),
    ('a', client::Permission::ADMIN),
];

impl Acl {
    /// Whoever is authenticated as the creator may do everything, and nobody else anything.
    pub fn creator_all() -> Self {
        Self(client::Acls::creator_all().to_vec())
    }

    /// Anybody may do everything.
    pub fn anyone_all() -> Self {
        Self(client::Acls::anyone_all().to_vec())
    }

    pub(crate) fn entries(&self) -> &[client::Acl] {
        &self.0
    }

    /// Whether it names who this is by its credentials.
    pub(crate) fn needs_credentials(&self) -> bool {
        self.0.iter().any(|entry| entry.scheme() == "auth")
    }
}

impl fmt::Display for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, entry) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(",")?;
            }
            write!(f, "{}:{}:", entry.scheme(), entry.id())?;
            for (letter, permission) in PERMISSIONS {
                if entry.permission().has(permission) {
                    write!(f, "{letter}")?;
                }
            }
        }
        Ok(())
    }
}

// The digest in an id is that of a password.
impl fmt::Debug for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schemes = self.0.iter().map(client::Acl::scheme);
        f.debug_list().entries(schemes).finish()
    }
}

impl FromStr for Acl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let entries: Result<Vec<_>, _> = text.split(',').map(entry).collect();
        entries.map(Self)
    }
}

fn entry(text: &str) -> Result<client::Acl, String> {
    let parts = text.split_once(':').and_then(|(scheme, rest)| {
        let (id, permissions) = rest.rsplit_once(':')?;
        Some((scheme, id, permissions))
    });
    let Some((scheme, id, permissions)) = parts else {
        return Err("an entry of the ACL is not scheme:id:permissions: write it as `auth::cdrwa` or `world:anyone:r`".to_owned());
    };
    let bad = |why: &str| Err(format!("the ACL's entry for scheme {scheme:?} {why}"));
    if scheme.is_empty() {
        return Err(
            "an entry of the ACL has no scheme: write world, auth, digest, ip, sasl or x509"
                .to_owned(),
        );
    }
    if scheme == "world" && id != "anyone" {
        return bad("is for another id than anyone: write `world:anyone:`");
    }
    if id.is_empty() && scheme != "auth" {
        return bad("names nobody: write an id between the colons");
    }
    if permissions.is_empty() {
        return bad("allows nothing: end it in some of `cdrwa`");
    }
    let mut allowed = client::Permission::NONE;
    for letter in permissions.chars() {
        let Some((_, permission)) = PERMISSIONS.iter().find(|(known, _)| *known == letter) else {
            return bad("has a permission that is none of `cdrwa`");
        };
        allowed = allowed | *permission;
    }
    Ok(client::Acl::new(allowed, client::AuthId::new(scheme, id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acl_is_read_as_the_shell_writes_it() {
        for text in [
            "world:anyone:cdrwa",
            "auth::cdrwa",
            "auth::cdrw,world:anyone:r",
            "digest:tenure:gG7s8t3oDEtIqF6DM9LlI/R+9Ss=:cdrwa",
            "ip:10.0.0.0/8:r",
        ] {
            let acl: Acl = text.parse().unwrap();
            assert_eq!(acl.to_string(), text);
        }
        assert_eq!("auth::cdrwa".parse(), Ok(Acl::creator_all()));
        assert_eq!("world:anyone:cdrwa".parse(), Ok(Acl::anyone_all()));
    }

    #[test]
    fn what_is_no_acl_says_what_to_write() {
        for (text, says) in [
            ("", "scheme:id:permissions"),
            ("world", "scheme:id:permissions"),
            ("world:anyone", "scheme:id:permissions"),
            ("::r", "no scheme"),
            ("world:me:r", "`world:anyone:`"),
            ("digest::r", "names nobody"),
            ("world:anyone:", "allows nothing"),
            ("world:anyone:x", "none of `cdrwa`"),
            ("world:anyone:r,", "scheme:id:permissions"),
        ] {
            let error = text.parse::<Acl>().unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn an_acl_is_printed_without_the_digests_of_passwords() {
        let acl: Acl = "digest:tenure:gG7s8t3oDEtIqF6DM9LlI/R+9Ss=:r"
            .parse()
            .unwrap();
        assert_eq!(format!("{acl:?}"), r#"["digest"]"#);
    }
}
