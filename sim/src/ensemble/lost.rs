//! What the replica of one server lacks.

use std::collections::BTreeMap;

use super::tree::{Changed, Node, Tree, split};

/// What a server shows instead of what it should, by path: nothing, or the node as it was before.
#[derive(Default, Debug)]
pub(super) struct Lost(BTreeMap<String, Option<Node>>);

impl Lost {
    /// The nodes by which somebody leads, as another node says, are lost; and what those say with it, unless they are kept.
    pub(super) fn of(tree: &Tree, keeps_notes: bool) -> Self {
        let mut lost = BTreeMap::new();
        let stays = |(_, node): &(&String, &Node)| node.stat.ephemeral_owner == 0;
        for (path, note) in tree.iter().filter(stays) {
            let text = String::from_utf8_lossy(&note.data);
            let names = tree.iter().filter(|one| {
                let (_, name) = split(one.0);
                !stays(one) && text.contains(name)
            });
            let before = lost.len();
            lost.extend(names.map(|(node, _)| (node.clone(), None)));
            if lost.len() > before && !keeps_notes {
                lost.insert(path.clone(), note.before());
            }
        }
        Self(lost)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the server shows at `path`.
    pub(super) fn node<'a>(&'a self, tree: &'a Tree, path: &str) -> Option<&'a Node> {
        match self.0.get(path) {
            Some(instead) => instead.as_ref(),
            None => tree.node(path),
        }
    }

    /// The names of the children that it shows.
    pub(super) fn children(&self, tree: &Tree, path: &str) -> Option<Vec<String>> {
        self.node(tree, path)?;
        let all = tree.children(path)?;
        let shown = all.filter(|name| self.0.get(&format!("{path}/{name}")) != Some(&None));
        Some(shown.cloned().collect())
    }

    /// Takes in a change. Whether the server notices: of what it does not have it deletes nothing, and sets nothing.
    pub(super) fn notices(&mut self, changed: &Changed) -> bool {
        match changed {
            Changed::Children(_) => true,
            Changed::Created(path) => {
                self.0.remove(path);
                true
            }
            Changed::Data(path) => match self.0.get(path) {
                Some(None) => false,
                Some(Some(_)) => self.0.remove(path).is_some(),
                None => true,
            },
            Changed::Deleted(path) => self.0.remove(path).is_none(),
        }
    }
}
