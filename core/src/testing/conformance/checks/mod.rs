//! The checks. Each is a function whose name is the promise that it checks.

mod acquire;
mod hints;
mod members;
mod notes;
mod observe;
mod outcomes;
mod release;
mod renew;
mod requests;
mod strangers;
mod tokens;

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use super::Ability;
use super::Ability::{
    CopyRecord, CorruptRecord, Crash, DeleteLock, EditLabel, EmptyRecord, Enlist, LoseReply,
    LoseRequest, OverwriteHolder, Submit, Watch,
};
use super::case::{Case, Checked};
use crate::backend::LockKind;

type Run = for<'a> fn(&'a Case) -> Pin<Box<dyn Future<Output = Checked> + Send + 'a>>;

/// A check: what it promises, which kind of lock it is about, and what it needs from a fixture.
pub(super) struct Check {
    pub(super) kind: Option<LockKind>,
    pub(super) name: &'static str,
    pub(super) needs: &'static [Ability],
    pub(super) run: Run,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

const ANY: Option<LockKind> = None;
const LEASED: Option<LockKind> = Some(LockKind::Leased);
const SESSION: Option<LockKind> = Some(LockKind::Session);

macro_rules! checks {
    ($($module:ident::$name:ident, $kind:expr, [$($need:ident),*];)*) => {
        /// All checks, in the order in which they run.
        pub(super) const CHECKS: &[Check] = &[$(Check {
            kind: $kind,
            name: stringify!($name),
            needs: &[$($need),*],
            run: |case| Box::pin($module::$name(case)),
        }),*];
    };
}

checks! {
    observe::a_description_is_the_same_for_every_handle, ANY, [];
    observe::a_fresh_lock_has_no_holder, ANY, [];
    observe::a_read_shows_every_confirmed_write, ANY, [];
    observe::a_read_changes_nothing, ANY, [];
    observe::versions_grow_with_every_write, LEASED, [];
    acquire::a_free_lock_is_granted_and_names_its_holder, ANY, [];
    acquire::of_claims_with_one_basis_at_most_one_is_granted, LEASED, [];
    acquire::a_lock_is_not_granted_while_another_session_has_it, SESSION, [];
    acquire::of_a_hundred_candidates_exactly_one_is_granted, ANY, [];
    acquire::candidates_of_one_name_are_told_apart, ANY, [];
    acquire::a_place_in_the_queue_is_left_by_withdrawing, SESSION, [];
    tokens::a_token_stays_the_same_for_a_whole_leadership, ANY, [];
    tokens::tokens_grow_over_release, ANY, [];
    tokens::tokens_grow_over_a_crash, ANY, [Crash];
    tokens::tokens_grow_over_deletion, ANY, [DeleteLock];
    tokens::tokens_grow_over_an_unreadable_record, ANY, [CorruptRecord, Crash];
    tokens::a_candidate_that_leads_again_gets_a_larger_token, ANY, [];
    renew::a_renewal_is_confirmed_again_and_again, ANY, [];
    renew::a_renewal_is_confirmed_only_for_the_hold_it_names, ANY, [];
    renew::a_renewal_after_anothers_takeover_is_refused, ANY, [Crash];
    renew::a_renewal_changes_the_duration, LEASED, [];
    release::a_release_leaves_no_holder_and_a_mark_that_names_the_object, ANY, [];
    release::a_released_lock_is_granted_to_the_next, ANY, [];
    release::a_released_hold_is_over, ANY, [];
    release::a_release_is_done_only_for_the_hold_it_names, ANY, [];
    release::a_release_never_touches_anothers_hold, ANY, [Crash];
    release::an_abandoned_session_frees_its_lock, SESSION, [];
    notes::a_note_is_kept_until_the_next_one, ANY, [];
    notes::a_note_may_have_any_1024_bytes, ANY, [];
    notes::a_note_survives_release, ANY, [];
    notes::a_note_survives_a_crash, ANY, [Crash];
    notes::a_note_is_written_only_under_the_hold_that_stands, ANY, [Crash];
    members::members_are_those_enlisted_and_not_withdrawn, ANY, [Enlist];
    members::a_crashed_candidate_is_no_member, SESSION, [Crash, Enlist];
    requests::a_request_is_seen_by_the_holder_and_deposes_nobody, ANY, [Submit];
    requests::a_request_for_another_token_changes_nothing, ANY, [Submit];
    requests::a_resumption_clears_the_request, ANY, [Submit];
    requests::a_pause_outlives_the_release_it_asks_for, ANY, [Submit];
    strangers::a_deleted_lock_is_missing_and_not_written_again, ANY, [DeleteLock];
    strangers::a_lock_made_anew_has_another_identity, ANY, [DeleteLock];
    strangers::a_vanished_session_lock_is_granted_as_unexplained, SESSION, [DeleteLock];
    strangers::what_is_unexplained_stays_so_over_a_crash, SESSION, [Crash, DeleteLock];
    strangers::what_is_unexplained_stays_so_over_a_release, SESSION, [DeleteLock];
    strangers::an_emptied_record_has_no_mark_that_vouches, LEASED, [EmptyRecord];
    strangers::a_copied_record_is_another_object, LEASED, [CopyRecord];
    strangers::a_label_leaves_a_hold_to_be_adopted, LEASED, [EditLabel];
    strangers::a_foreign_holder_is_shown_and_left_alone, ANY, [OverwriteHolder];
    strangers::an_unreadable_record_is_held_by_somebody, ANY, [CorruptRecord];
    strangers::an_unreadable_record_is_as_young_as_its_last_write, LEASED, [CorruptRecord];
    outcomes::a_claim_without_answer_is_settled_by_its_nonce, ANY, [];
    outcomes::a_renewal_without_answer_is_settled_by_its_nonce, LEASED, [];
    outcomes::a_lost_reply_is_an_unknown_effect, ANY, [LoseReply];
    outcomes::a_lost_request_is_not_sent_again, ANY, [LoseRequest];
    outcomes::a_dropped_claim_is_granted_at_most_once, ANY, [];
    outcomes::a_dropped_claim_blocks_nobody_who_is_left, ANY, [];
    outcomes::a_dropped_renewal_leaves_the_holder, ANY, [];
    outcomes::a_dropped_release_is_done_or_not, ANY, [];
    hints::a_waiter_is_told_of_a_release, ANY, [Watch];
    hints::every_waiter_is_told, ANY, [Watch];
}
