use crate::memory::SessionMode;
use crate::testing::conformance::MemoryFixture;

const KERNEL: MemoryFixture = MemoryFixture::Session(SessionMode::EndsWithHandle);
const LEASED: MemoryFixture = MemoryFixture::Leased;
const QUEUE: MemoryFixture = MemoryFixture::Session(SessionMode::EndsWhenTold);

/// Each mistake with the right lock that it is planted into and the checks that find it.
macro_rules! mistakes {
    ($($(#[$doc:meta])* $name:ident in $base:ident, found by $found:expr;)*) => {
        /// One mistake that a backend can make, and that the conformance suite has to find.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[non_exhaustive]
        pub enum Mistake {
            $($(#[$doc])* $name),*
        }

        impl Mistake {
            /// All mistakes, in the order of their names.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The right locks that the mistake is planted into.
            pub(super) const fn base(self) -> MemoryFixture {
                match self {
                    $(Self::$name => $base),*
                }
            }

            /// The names of the checks that find it: these and no others fail.
            pub const fn found_by(self) -> &'static [&'static str] {
                match self {
                    $(Self::$name => &$found),*
                }
            }
        }
    };
}

mistakes! {
    /// `submit` takes a request whatever token it names.
    AcceptsAnyRequest in LEASED, found by [
        "a_request_for_another_token_changes_nothing",
    ];
    /// A lock that was released is not granted at once to another candidate.
    AgesTheReleased in LEASED, found by [
        "a_read_shows_every_confirmed_write",
        "of_claims_with_one_basis_at_most_one_is_granted",
        "tokens_grow_over_release",
        "tokens_grow_over_deletion",
        "a_released_lock_is_granted_to_the_next",
        "a_note_survives_release",
        "a_dropped_release_is_done_or_not",
        "a_waiter_is_told_of_a_release",
        "every_waiter_is_told",
    ];
    /// `acquire` replaces the record whatever version it has: a write without compare-and-swap.
    ClaimsWithoutComparing in LEASED, found by [
        "of_claims_with_one_basis_at_most_one_is_granted",
        "of_a_hundred_candidates_exactly_one_is_granted",
    ];
    /// `renew` answers a conflict as confirmed.
    ConfirmsConflicts in LEASED, found by [
        "candidates_of_one_name_are_told_apart",
        "a_renewal_is_confirmed_only_for_the_hold_it_names",
        "a_renewal_after_anothers_takeover_is_refused",
        "a_released_hold_is_over",
        "a_note_is_written_only_under_the_hold_that_stands",
        "a_deleted_lock_is_missing_and_not_written_again",
        "a_lock_made_anew_has_another_identity",
        "an_emptied_record_has_no_mark_that_vouches",
        "a_copied_record_is_another_object",
        "a_label_leaves_a_hold_to_be_adopted",
        "a_foreign_holder_is_shown_and_left_alone",
        "an_unreadable_record_is_held_by_somebody",
    ];
    /// All unreadable records carry the same nonce, so that a new one counts as old as one seen before.
    AgesTheUnreadable in LEASED, found by [
        "an_unreadable_record_is_as_young_as_its_last_write",
    ];
    /// Each handle describes the lock in another way.
    ConfusesDescriptions in LEASED, found by [
        "a_description_is_the_same_for_every_handle",
    ];
    /// Tokens count the grants of a handle, and not those of the election.
    CountsTokensByHandle in LEASED, found by [
        "tokens_grow_over_release",
        "tokens_grow_over_a_crash",
        "tokens_grow_over_deletion",
        "tokens_grow_over_an_unreadable_record",
    ];
    /// Of a long note only the beginning is kept.
    CutsNotes in LEASED, found by [
        "a_note_may_have_any_1024_bytes",
    ];
    /// `renew` and `release` clear an operator's request that they were not asked about.
    DropsRequests in LEASED, found by [
        "a_request_is_seen_by_the_holder_and_deposes_nobody",
        "a_pause_outlives_the_release_it_asks_for",
    ];
    /// A vanished lock is granted as if its former holder had released it.
    ExplainsEverything in KERNEL, found by [
        "a_vanished_session_lock_is_granted_as_unexplained",
        "what_is_unexplained_stays_so_over_a_crash",
        "what_is_unexplained_stays_so_over_a_release",
    ];
    /// A call that was dropped is done at the next one, against whatever stands then.
    FinishesDroppedCalls in LEASED, found by [
        "a_dropped_renewal_leaves_the_holder",
        "a_dropped_release_is_done_or_not",
    ];
    /// A release leaves no mark.
    ForgetsMarks in LEASED, found by [
        "a_release_leaves_no_holder_and_a_mark_that_names_the_object",
    ];
    /// `release` forgets the note.
    ForgetsNoteOnRelease in LEASED, found by [
        "a_note_survives_release",
    ];
    /// A held lock is granted again, as the locks of a process that excludes only other processes.
    GrantsTheHeld in KERNEL, found by [
        "a_lock_is_not_granted_while_another_session_has_it",
        "of_a_hundred_candidates_exactly_one_is_granted",
        "a_place_in_the_queue_is_left_by_withdrawing",
        "an_unreadable_record_is_held_by_somebody",
        "a_waiter_is_told_of_a_release",
        "every_waiter_is_told",
    ];
    /// `submit` leaves the request that it should clear.
    IgnoresResumption in LEASED, found by [
        "a_resumption_clears_the_request",
    ];
    /// The note stays in the process until it ends.
    KeepsNoteToItself in LEASED, found by [
        "a_note_is_kept_until_the_next_one",
        "a_note_survives_release",
        "a_note_survives_a_crash",
        "a_note_is_written_only_under_the_hold_that_stands",
    ];
    /// `abandon` lets go of nothing.
    KeepsWhatWasAbandoned in KERNEL, found by [
        "an_abandoned_session_frees_its_lock",
    ];
    /// `renew` and `release` compare the holder's name, and not its incarnation.
    KnowsHoldersByName in LEASED, found by [
        "candidates_of_one_name_are_told_apart",
    ];
    /// `withdraw` leaves place and member as they are.
    NeverWithdraws in QUEUE, found by [
        "a_place_in_the_queue_is_left_by_withdrawing",
        "members_are_those_enlisted_and_not_withdrawn",
        "a_dropped_claim_blocks_nobody_who_is_left",
    ];
    /// Every second `observe` is answered from memory.
    ObservesFromCache in LEASED, found by [
        "a_read_shows_every_confirmed_write",
        "versions_grow_with_every_write",
        "a_free_lock_is_granted_and_names_its_holder",
        "of_claims_with_one_basis_at_most_one_is_granted",
        "of_a_hundred_candidates_exactly_one_is_granted",
        "a_token_stays_the_same_for_a_whole_leadership",
        "tokens_grow_over_release",
        "a_renewal_is_confirmed_again_and_again",
        "a_renewal_changes_the_duration",
        "a_release_never_touches_anothers_hold",
        "a_note_may_have_any_1024_bytes",
        "a_note_survives_release",
        "a_request_is_seen_by_the_holder_and_deposes_nobody",
        "a_pause_outlives_the_release_it_asks_for",
        "an_emptied_record_has_no_mark_that_vouches",
        "a_copied_record_is_another_object",
        "a_label_leaves_a_hold_to_be_adopted",
        "an_unreadable_record_is_as_young_as_its_last_write",
        "a_claim_without_answer_is_settled_by_its_nonce",
        "a_renewal_without_answer_is_settled_by_its_nonce",
        "a_lost_reply_is_an_unknown_effect",
        "a_lost_request_is_not_sent_again",
        "a_dropped_claim_is_granted_at_most_once",
        "a_dropped_renewal_leaves_the_holder",
        "a_waiter_is_told_of_a_release",
    ];
    /// `release` takes the lock from whoever has it.
    ReleasesBlindly in LEASED, found by [
        "candidates_of_one_name_are_told_apart",
        "a_release_is_done_only_for_the_hold_it_names",
        "a_release_never_touches_anothers_hold",
        "a_lock_made_anew_has_another_identity",
        "a_copied_record_is_another_object",
    ];
    /// A member stays until it withdraws, also when its session has ended.
    RemembersTheDead in QUEUE, found by [
        "a_crashed_candidate_is_no_member",
    ];
    /// `renew` replaces the record whatever version it has, as long as the holder is the candidate.
    RenewsAnyVersion in LEASED, found by [
        "a_renewal_is_confirmed_only_for_the_hold_it_names",
        "a_note_is_written_only_under_the_hold_that_stands",
        "a_label_leaves_a_hold_to_be_adopted",
    ];
    /// Tokens count from one again when the lock was deleted.
    RestartsTokens in LEASED, found by [
        "tokens_grow_over_deletion",
    ];
    /// `renew` creates a record that was deleted.
    ResurrectsTheDeleted in LEASED, found by [
        "a_deleted_lock_is_missing_and_not_written_again",
    ];
    /// A call that failed is silently tried once more.
    RetriesSilently in LEASED, found by [
        "a_lost_reply_is_an_unknown_effect",
        "a_lost_request_is_not_sent_again",
    ];
    /// A candidate that leads again gets its last token again.
    ReusesTokens in LEASED, found by [
        "a_candidate_that_leads_again_gets_a_larger_token",
    ];
    /// A duration is told rounded down.
    RoundsDown in LEASED, found by [
        "a_read_shows_every_confirmed_write",
        "a_renewal_changes_the_duration",
    ];
    /// A write without answer is reported as not applied.
    SaysNotApplied in LEASED, found by [
        "a_lost_reply_is_an_unknown_effect",
    ];
    /// A record that cannot be understood is shown as free.
    ShowsCorruptAsVacant in LEASED, found by [
        "an_unreadable_record_is_held_by_somebody",
        "an_unreadable_record_is_as_young_as_its_last_write",
    ];
    /// A missing lock is shown as held by somebody.
    ShowsMissingAsHeld in LEASED, found by [
        "a_fresh_lock_has_no_holder",
        "a_deleted_lock_is_missing_and_not_written_again",
        "a_lost_request_is_not_sent_again",
    ];
    /// The token that a read shows is the version of the last write.
    ShowsVersionAsToken in LEASED, found by [
        "a_read_shows_every_confirmed_write",
        "a_token_stays_the_same_for_a_whole_leadership",
        "a_request_is_seen_by_the_holder_and_deposes_nobody",
        "a_pause_outlives_the_release_it_asks_for",
        "a_label_leaves_a_hold_to_be_adopted",
        "a_renewal_without_answer_is_settled_by_its_nonce",
        "a_lost_reply_is_an_unknown_effect",
        "a_dropped_renewal_leaves_the_holder",
    ];
    /// After the first hint, which says that it watches, nothing is ever told.
    TellsNothing in LEASED, found by [
        "a_waiter_is_told_of_a_release",
        "every_waiter_is_told",
    ];
    /// A release mark is believed whatever object it names.
    TrustsCopiedMarks in LEASED, found by [
        "a_copied_record_is_another_object",
    ];
    /// A record without holder is shown with a mark, whoever emptied it.
    TrustsTheEmptied in LEASED, found by [
        "an_emptied_record_has_no_mark_that_vouches",
    ];
    /// `observe` writes something when the lock is held.
    WritesOnRead in LEASED, found by [
        "a_read_shows_every_confirmed_write",
        "a_read_changes_nothing",
        "candidates_of_one_name_are_told_apart",
        "a_token_stays_the_same_for_a_whole_leadership",
        "tokens_grow_over_an_unreadable_record",
        "a_renewal_is_confirmed_again_and_again",
        "a_renewal_is_confirmed_only_for_the_hold_it_names",
        "a_release_never_touches_anothers_hold",
        "a_note_is_kept_until_the_next_one",
        "a_request_is_seen_by_the_holder_and_deposes_nobody",
        "a_request_for_another_token_changes_nothing",
        "a_pause_outlives_the_release_it_asks_for",
        "a_lock_made_anew_has_another_identity",
        "an_unreadable_record_is_held_by_somebody",
        "an_unreadable_record_is_as_young_as_its_last_write",
        "a_lost_request_is_not_sent_again",
        "a_dropped_renewal_leaves_the_holder",
        "a_dropped_release_is_done_or_not",
    ];
    /// Records carry a nonce of the backend's own.
    WritesOwnNonce in LEASED, found by [
        "a_free_lock_is_granted_and_names_its_holder",
        "a_renewal_is_confirmed_again_and_again",
        "a_claim_without_answer_is_settled_by_its_nonce",
        "a_renewal_without_answer_is_settled_by_its_nonce",
        "a_lost_reply_is_an_unknown_effect",
        "a_dropped_claim_is_granted_at_most_once",
    ];
}
