/// Things that events refer to by a small number, kept as long as any event does. Places are used again, so that a long run
/// needs no more memory than a short one.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    free: Vec<u32>,
    places: Vec<Place<T>>,
}

#[derive(Clone, Debug)]
struct Place<T> {
    references: u32,
    thing: Option<T>,
}

const KEPT: &str = "a thing is kept while an event refers to it";

impl<T> Slab<T> {
    /// Nothing.
    pub(crate) fn new() -> Self {
        Self {
            free: Vec::new(),
            places: Vec::new(),
        }
    }

    /// Keeps `thing`, to which nothing refers yet.
    pub(crate) fn insert(&mut self, thing: T) -> u32 {
        let place = Place {
            references: 0,
            thing: Some(thing),
        };
        if let Some(slot) = self.free.pop() {
            self.places[slot as usize] = place;
            return slot;
        }
        self.places.push(place);
        u32::try_from(self.places.len() - 1).expect("a run has few things in flight")
    }

    /// One event more refers to it.
    pub(crate) fn refer(&mut self, slot: u32) {
        self.places[slot as usize].references += 1;
    }

    /// One event less refers to it.
    pub(crate) fn forget(&mut self, slot: u32) {
        let place = &mut self.places[slot as usize];
        place.references -= 1;
        self.sweep(slot);
    }

    /// Lets it go if nothing refers to it.
    pub(crate) fn sweep(&mut self, slot: u32) {
        let place = &mut self.places[slot as usize];
        if place.references == 0 && place.thing.take().is_some() {
            self.free.push(slot);
        }
    }

    /// All that is kept.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.places
            .iter_mut()
            .filter_map(|place| place.thing.as_mut())
    }

    /// How many places there are.
    pub(crate) fn places(&self) -> u32 {
        u32::try_from(self.places.len()).expect("a run has few things in flight")
    }

    /// What is kept there, if anything.
    pub(crate) fn get(&self, slot: u32) -> Option<&T> {
        self.places[slot as usize].thing.as_ref()
    }

    /// What is kept there.
    pub(crate) fn at(&self, slot: u32) -> &T {
        self.places[slot as usize].thing.as_ref().expect(KEPT)
    }

    /// What is kept there.
    pub(crate) fn at_mut(&mut self, slot: u32) -> &mut T {
        self.places[slot as usize].thing.as_mut().expect(KEPT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_used_again_once_nothing_refers_to_it() {
        let mut slab = Slab::new();
        let first = slab.insert('a');
        slab.refer(first);
        slab.refer(first);
        slab.forget(first);
        assert_eq!(*slab.at(first), 'a');
        assert_ne!(slab.insert('b'), first);
        slab.forget(first);
        assert_eq!(slab.insert('c'), first);
    }
}
