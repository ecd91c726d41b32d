use super::{MemoryFixture, Suite};
use crate::memory::SessionMode;
use crate::testing::block_on;

mod leased {
    crate::conformance_tests!(super::block_on, super::MemoryFixture::Leased);
}

mod session {
    use crate::memory::SessionMode::EndsWhenTold;

    crate::conformance_tests!(super::block_on, super::MemoryFixture::Session(EndsWhenTold));
}

mod kernel {
    use crate::memory::SessionMode::EndsWithHandle;

    crate::conformance_tests!(
        super::block_on,
        super::MemoryFixture::Session(EndsWithHandle)
    );
}

#[test]
fn every_check_has_a_test_of_its_name() {
    let listed: &[&str] = crate::conformance_tests!(@names @list);
    assert!(Suite::<MemoryFixture>::names().eq(listed.iter().copied()));
}

#[test]
fn the_report_names_each_check() {
    let fixture = MemoryFixture::Session(SessionMode::EndsWhenTold);
    let report = block_on(Suite::new(fixture).run_all());
    let text = report.to_string();
    assert!(
        Suite::<MemoryFixture>::names()
            .all(|name| text.contains(&format!("\n{name}: ")) || text.starts_with(name))
    );
    assert!(text.contains("left out: not about Session locks"), "{text}");
}
