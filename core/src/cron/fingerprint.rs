/// FNV-1a, 64 bits: the same on every machine and in every version, which the standard library's hasher does not promise.
/// Guards against accidents, not against people (<http://www.isthe.com/chongo/tech/comp/fnv/>).
#[derive(Clone, Copy)]
pub(super) struct Fingerprint(u64);

impl Fingerprint {
    pub(super) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds a part. Its length goes in too, so that parts cannot run into each other.
    pub(super) fn write(&mut self, part: &[u8]) {
        for byte in (part.len() as u64).to_le_bytes().iter().chain(part) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    pub(super) const fn finish(self) -> u64 {
        self.0
    }

    pub(super) fn of(part: &[u8]) -> u64 {
        let mut hash = Self::new();
        hash.write(part);
        hash.finish()
    }
}
