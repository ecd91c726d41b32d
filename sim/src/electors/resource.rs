use std::sync::{Arc, Mutex};

/// A resource that checks tokens, as all who write to one should have it. Clones are the same resource.
#[derive(Clone, Default, Debug)]
pub(super) struct Resource(Arc<Mutex<u64>>);

impl Resource {
    /// A write that shows `token`. Says whether the resource took it.
    pub(super) fn touch(&self, token: u64) -> bool {
        let mut newest = self
            .0
            .lock()
            .expect("one thread, and nothing panics under the lock");
        let accepted = token >= *newest;
        *newest = token.max(*newest);
        accepted
    }
}
