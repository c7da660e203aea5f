//! The word that says which segments are in a chain.

/// Which segments are in a chain: `[closed:1 | unsettled:1 | behind:11 | ahead:11 | last:40]`. Zero is the anchor alone.
///
/// `ahead`: how many come before the last. `behind`: how many generations the anchor is behind the last; all ones: it is not
/// in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainWord(pub u64);

const AHEAD_SHIFT: u32 = 40;
const BEHIND_SHIFT: u32 = 51;
const COUNT_MASK: u64 = (1 << 11) - 1;
const LAST_MASK: u64 = (1 << AHEAD_SHIFT) - 1;
const AWAY: u64 = COUNT_MASK;
const UNSETTLED: u64 = 1 << 62;
pub(super) const CLOSED: u64 = 1 << 63;
/// The most segments before the last.
const MOST_AHEAD: u64 = 1023;

impl ChainWord {
    /// Its parts and their bits.
    pub const PARTS: [(&'static str, u64); 5] = [
        ("closed", CLOSED),
        ("unsettled", UNSETTLED),
        ("behind", COUNT_MASK << BEHIND_SHIFT),
        ("ahead", COUNT_MASK << AHEAD_SHIFT),
        ("last", LAST_MASK),
    ];

    fn new(flags: u64, behind: u64, ahead: u64, last: u64) -> Self {
        Self(flags & (CLOSED | UNSETTLED) | behind << BEHIND_SHIFT | ahead << AHEAD_SHIFT | last)
    }

    /// The generation that senders fill.
    pub fn last(self) -> u64 {
        self.0 & LAST_MASK
    }

    /// How many segments come before it.
    pub fn ahead(self) -> u64 {
        self.0 >> AHEAD_SHIFT & COUNT_MASK
    }

    /// The generation that receivers drain.
    pub fn first(self) -> u64 {
        self.last().saturating_sub(self.ahead())
    }

    fn behind(self) -> u64 {
        self.0 >> BEHIND_SHIFT & COUNT_MASK
    }

    /// The anchor's generation, while it is in the chain.
    pub fn anchor(self) -> Option<u64> {
        (self.behind() != AWAY).then(|| self.last().saturating_sub(self.behind()))
    }

    /// Whether `generation` is the anchor's.
    pub fn is_anchor(self, generation: u64) -> bool {
        self.anchor() == Some(generation)
    }

    /// Whether there is one only, and it is not the anchor.
    pub fn is_away(self) -> bool {
        self.ahead() == 0 && self.anchor().is_none()
    }

    /// Whether the segment before the last may not be shut yet, or the last not be open.
    pub fn is_unsettled(self) -> bool {
        self.0 & UNSETTLED != 0
    }

    /// Whether the queue is closed for good.
    pub fn is_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    /// Whether a correct member writes such a word.
    pub fn is_possible(self) -> bool {
        let (ahead, behind, last) = (self.ahead(), self.behind(), self.last());
        ahead <= MOST_AHEAD.min(last)
            && (behind <= ahead || behind == AWAY && last > 0)
            && (ahead > 0 || !self.is_unsettled())
    }

    /// With another segment behind the last.
    #[must_use]
    pub fn appended(self) -> Option<Self> {
        let behind = if self.behind() == AWAY { AWAY } else { self.behind() + 1 };
        let more = self.ahead() < MOST_AHEAD && self.last() < LAST_MASK;
        let next = || Self::new(self.0 | UNSETTLED, behind, self.ahead() + 1, self.last() + 1);
        more.then(next)
    }

    /// With the anchor, which is away, behind the last.
    #[must_use]
    pub fn returning(self) -> Option<Self> {
        self.appended().map(|next| Self::new(next.0, 0, next.ahead(), next.last()))
    }

    /// With all but the last shut.
    #[must_use]
    pub fn settled(self) -> Self {
        Self(self.0 & !UNSETTLED)
    }

    /// Without the first, of at least two.
    #[must_use]
    pub fn passed(self) -> Self {
        let behind = if self.is_anchor(self.first()) { AWAY } else { self.behind() };
        Self::new(self.0, behind, self.ahead() - 1, self.last())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_grows_passes_and_comes_home() {
        let start = ChainWord(0);
        assert_eq!((start.first(), start.last(), start.anchor()), (0, 0, Some(0)));
        let grown = start.appended().unwrap();
        assert_eq!((grown.first(), grown.last(), grown.anchor()), (0, 1, Some(0)));
        assert!(grown.is_unsettled() && grown.is_possible());
        let passed = grown.settled().passed();
        assert_eq!((passed.first(), passed.last(), passed.anchor()), (1, 1, None));
        let back = passed.returning().unwrap();
        assert_eq!((back.first(), back.last(), back.anchor()), (1, 2, Some(2)));
        let home = back.settled().passed();
        assert_eq!((home.first(), home.last(), home.anchor()), (2, 2, Some(2)));
        let again = home.appended().unwrap().settled();
        assert_eq!((again.first(), again.last(), again.anchor()), (2, 3, Some(2)));
        assert!([passed, back, home, again].iter().all(|word| word.is_possible()));
    }

    #[test]
    fn a_closed_chain_stays_closed_and_a_long_one_ends() {
        let mut word = ChainWord(CLOSED);
        for count in 1..=MOST_AHEAD {
            word = word.appended().unwrap().settled();
            assert!(word.is_closed() && word.is_possible() && word.ahead() == count);
            assert!(word.is_anchor(0));
        }
        assert_eq!(word.appended(), None);
        assert_eq!(word.passed().anchor(), None);
    }

    #[test]
    fn words_that_nobody_writes_are_not_possible() {
        for word in [
            ChainWord::new(0, 0, 1, 0),
            ChainWord::new(0, 2, 1, 5),
            ChainWord::new(0, AWAY, 0, 0),
            ChainWord::new(UNSETTLED, 0, 0, 5),
            ChainWord::new(0, 0, 1024, 5000),
        ] {
            assert!(!word.is_possible(), "{word:x?}");
        }
    }
}
