/// Makes one `#[test]` for each check of the [suite](crate::testing::conformance), in the module where it stands.
///
/// `$block_on` runs a future to its end; `$fixture` is an expression that makes a [`Fixture`](crate::testing::conformance::Fixture).
/// A check that is left out says so, with its declared reason, on standard error.
#[macro_export]
macro_rules! conformance_tests {
    ($block_on:expr, $fixture:expr) => {
        $crate::conformance_tests! { @names @tests [$block_on] [$fixture] }
    };
    (@tests [$block_on:expr] [$fixture:expr] $($name:ident)*) => {$(
        #[test]
        fn $name() {
            use $crate::testing::conformance::{Outcome, Suite};
            match $block_on(Suite::new($fixture).run(stringify!($name))) {
                Outcome::Passed => {}
                Outcome::LeftOut(reason) => eprintln!("left out: {reason}"),
                Outcome::Failed(failure) => panic!("{failure}"),
            }
        }
    )*};
    (@list $($name:ident)*) => { &[$(stringify!($name)),*] };
    (@names $then:tt $($given:tt)*) => {
        $crate::conformance_tests! { $then $($given)*
            a_description_is_the_same_for_every_handle
            a_fresh_lock_has_no_holder
            a_read_shows_every_confirmed_write
            a_read_changes_nothing
            versions_grow_with_every_write
            a_free_lock_is_granted_and_names_its_holder
            of_claims_with_one_basis_at_most_one_is_granted
            a_lock_is_not_granted_while_another_session_has_it
            of_a_hundred_candidates_exactly_one_is_granted
            candidates_of_one_name_are_told_apart
            a_place_in_the_queue_is_left_by_withdrawing
            a_token_stays_the_same_for_a_whole_leadership
            tokens_grow_over_release
            tokens_grow_over_a_crash
            tokens_grow_over_deletion
            tokens_grow_over_an_unreadable_record
            a_candidate_that_leads_again_gets_a_larger_token
            a_renewal_is_confirmed_again_and_again
            a_renewal_is_confirmed_only_for_the_hold_it_names
            a_renewal_after_anothers_takeover_is_refused
            a_renewal_changes_the_duration
            a_release_leaves_no_holder_and_a_mark_that_names_the_object
            a_released_lock_is_granted_to_the_next
            a_released_hold_is_over
            a_release_is_done_only_for_the_hold_it_names
            a_release_never_touches_anothers_hold
            an_abandoned_session_frees_its_lock
            a_note_is_kept_until_the_next_one
            a_note_may_have_any_1024_bytes
            a_note_survives_release
            a_note_survives_a_crash
            a_note_is_written_only_under_the_hold_that_stands
            members_are_those_enlisted_and_not_withdrawn
            a_crashed_candidate_is_no_member
            a_request_is_seen_by_the_holder_and_deposes_nobody
            a_request_for_another_token_changes_nothing
            a_resumption_clears_the_request
            a_pause_outlives_the_release_it_asks_for
            a_deleted_lock_is_missing_and_not_written_again
            a_lock_made_anew_has_another_identity
            a_vanished_session_lock_is_granted_as_unexplained
            what_is_unexplained_stays_so_over_a_crash
            what_is_unexplained_stays_so_over_a_release
            an_emptied_record_has_no_mark_that_vouches
            a_copied_record_is_another_object
            a_label_leaves_a_hold_to_be_adopted
            a_foreign_holder_is_shown_and_left_alone
            an_unreadable_record_is_held_by_somebody
            an_unreadable_record_is_as_young_as_its_last_write
            a_claim_without_answer_is_settled_by_its_nonce
            a_renewal_without_answer_is_settled_by_its_nonce
            a_lost_reply_is_an_unknown_effect
            a_lost_request_is_not_sent_again
            a_dropped_claim_is_granted_at_most_once
            a_dropped_claim_blocks_nobody_who_is_left
            a_dropped_renewal_leaves_the_holder
            a_dropped_release_is_done_or_not
            a_waiter_is_told_of_a_release
            every_waiter_is_told
        }
    };
}
