use crate::line::Run;
use crate::witness::{Witness, others_alive};

#[test]
fn a_living_process_of_another_run_is_seen_and_a_dead_one_is_not() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let run = |token| Run {
        token,
        first_pid: 1,
    };
    let witness = Witness::register(folder.path(), run(5));
    assert_eq!(others_alive(folder.path(), run(5)), []);
    assert_eq!(others_alive(folder.path(), run(6)), [run(5)]);
    drop(witness);
    assert_eq!(others_alive(folder.path(), run(6)), []);
}
