//! What a machine's power cut does to what it had not brought to stable storage.

use super::inode::{Content, Unsaved};
use super::tree::{Change, Place, Tree};
use crate::executor::NodeId;
use crate::random::Stream;

/// Undoes or tears what `node` has not synchronised. Changes of directories are kept up to some point in their order, as a journal
/// keeps them; the content of each file is lost, kept or torn by itself. The entries that were changed by it.
pub(super) fn cut(tree: &mut Tree, node: NodeId, draw: &mut Stream) -> Vec<(u64, String)> {
    let touched = undo_entries(tree, node, draw);
    for number in tree.unsaved_by(node) {
        let inode = tree.inode_mut(number);
        let unsaved = inode.unsaved.take().expect("it was just found");
        lose(&mut inode.state, unsaved, draw);
    }
    touched
}

fn undo_entries(tree: &mut Tree, node: NodeId, draw: &mut Stream) -> Vec<(u64, String)> {
    let changes = std::mem::take(&mut tree.changes);
    let (own, others): (Vec<Change>, Vec<Change>) =
        changes.into_iter().partition(|change| change.by == node);
    tree.changes = others.into();
    let mut groups: Vec<u64> = own.iter().map(|change| change.group).collect();
    groups.dedup();
    let kept = draw.index(groups.len() + 1);
    let last_kept = kept.checked_sub(1).map(|last| groups[last]);
    let mut touched = Vec::new();
    for change in own.iter().rev() {
        let place = Place {
            directory: change.directory,
            name: &change.name,
        };
        // What somebody else has changed since has been taken over by that machine.
        if Some(change.group) > last_kept && tree.at(place) == change.after {
            tree.set(place, change.before, None);
            touched.push((change.directory, change.name.clone()));
        }
    }
    for change in &own {
        tree.settle(change);
    }
    touched
}

fn lose(state: &mut Content, unsaved: Unsaved, draw: &mut Stream) {
    let Unsaved { saved, .. } = unsaved;
    if draw.happens(500) {
        state.attribute = saved.attribute;
    }
    let torn = draw.below(4);
    if state.bytes == saved.bytes {
        // What was not written cannot be torn.
        if torn == 0 {
            state.modified = saved.modified;
        }
        return;
    }
    match torn {
        0 => {}
        1 => {
            state.bytes = saved.bytes;
            state.modified = saved.modified;
        }
        2 => {
            let length = draw.index(state.bytes.len() + 1);
            state.bytes.truncate(length);
        }
        _ => {
            // The new length is there, the blocks are not.
            let from = draw.index(state.bytes.len() + 1);
            state.bytes[from..].fill(0);
        }
    }
}
