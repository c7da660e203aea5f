//! Mistakes that could be made in the protocol: each must be caught by the configuration beside it.

use clap::ValueEnum;

/// A mistake made on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mutant {
    /// A producer claims without certifying the claim before.
    PushWithoutCertify,
    /// A consumer claims without certifying the claim before.
    PopWithoutCertify,
    /// The reaper does not look whom `tail` names.
    ReapIgnoresTail,
    /// The reaper does not look whom `head` names.
    ReapIgnoresHead,
    /// The reaper puts a message back without counting the delivery.
    ReapCountsNoTry,
    /// The redelivery word is a flag without generations.
    RedeliverFlag,
    /// A message is announced before it is put back.
    AnnounceFirst,
    /// A member that puts a message back forgets to look at that slot again.
    SweepKeepsPlace,
    /// The owner stamps its batch from the top down.
    OwnerStampsDown,
    /// Helpers and reapers stamp from the top down.
    HelperStampsDown,
    /// Helpers and reapers look at the last slot of a claim only.
    ResolveLastOnly,
    /// Certification is skipped if the same member, not the same handle, made the last claim.
    SkipByMember,
    /// A handle that threads share remembers a claim before it has stamped it.
    LastBeforeStamp,
    /// At position zero there is nothing to certify or to resolve, even after the wrap.
    WrapGuard,
    /// Closing sets the flag, and no bit in `tail`.
    CloseIsFlag,
    /// A consumer that finds nothing and sees the flag does not look at `tail`.
    LeaveOnFlag,
    /// A batch reads its first slot a second time before it says why it got none.
    SlotReadTwice,
    /// Only in a ring of one slot, the last claim is expected to be of the very slot looked at.
    OwnClaimAtOneOnly,
    /// A number is used again while a reaper of it is still at work.
    ReuseUnderReaper,
    /// Who moves a message to the dead letters takes it out of the queue before it is complete there.
    AcknowledgeFirst,
    /// Who finds no room among the dead letters takes the message out of the queue all the same.
    LetterDropped,
    /// The reaper does not look at the dead letters.
    ReapForgetsLetters,
}
