//! What can be modelled of records in pieces, the mistakes that are caught, and by which configurations.

use clap::ValueEnum;

use super::Pieces;
use crate::catalogue::{Configuration, Title};

/// One model.
#[derive(Clone, Debug)]
pub struct Config {
    /// What it is called, and what is wrong with it.
    pub title: Title<Mutant>,
    /// Slots of the ring.
    pub slots: u8,
    /// The pieces of each record; one goes whole.
    pub records: Vec<u8>,
    /// A producer that finds no room may give its record up.
    pub impatient: bool,
    /// How many records consumers may give up.
    pub unwanted: u8,
    /// How often either side dies.
    pub crashes: u8,
}

/// A mistake made on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mutant {
    /// A record begins, and nobody says so.
    BeginningUnsaid,
    /// That it begins is said once it has.
    BeginningSaidLate,
    /// A record ends, and nobody says so.
    EndUnsaid,
    /// No room is kept for the mark that cuts a record short.
    MarkWithoutRoom,
    /// An heir leaves an unfinished record as it is.
    HeirCutsNothing,
    /// An heir leaves what was said of a record that was never visible.
    HeirClearsNothing,
    /// An heir takes the rest of a record for one.
    HeirTakesRest,
    /// An heir skips the rest of a record and tells nobody.
    HeirSkipsUnsaid,
    /// Who finds that the producer is dead does not look at the ring once more.
    GoneUnlooked,
}

impl Config {
    /// Whether the mistake is `mutant`.
    pub fn is(&self, mutant: Mutant) -> bool {
        self.title.mutant == Some(mutant)
    }

    /// Which slot `position` has.
    pub fn index(&self, position: u8) -> usize {
        usize::from(position % self.slots)
    }

    /// The number of the record that is next where `left` are left.
    pub fn next(&self, left: u8) -> u8 {
        u8::try_from(self.records.len()).unwrap_or(u8::MAX) - left
    }

    /// How many pieces it has.
    pub fn pieces(&self, record: u8) -> u8 {
        self.records[usize::from(record)]
    }
}

fn pieces(name: &'static str, slots: u8, records: &[u8], crashes: u8) -> Config {
    let records = records.to_vec();
    let (impatient, unwanted) = (false, 0);
    let title = Title { quick: true, ..Title::new(name) };
    Config { title, slots, records, impatient, unwanted, crashes }
}

impl Configuration for Config {
    type Model = Pieces;
    type Mutant = Mutant;

    const CAUGHT_BY: &'static [(Mutant, &'static str)] = &[
        (Mutant::BeginningUnsaid, "pieces-die"),
        (Mutant::BeginningSaidLate, "pieces-die"),
        (Mutant::EndUnsaid, "pieces-die-often"),
        (Mutant::MarkWithoutRoom, "pieces-die"),
        (Mutant::HeirCutsNothing, "pieces-die"),
        (Mutant::HeirClearsNothing, "pieces-die-often"),
        (Mutant::HeirTakesRest, "pieces-die"),
        (Mutant::HeirSkipsUnsaid, "pieces-die"),
        (Mutant::GoneUnlooked, "pieces-die"),
    ];

    fn all() -> Vec<Self> {
        let gives_up = |config| Config { impatient: true, unwanted: 2, ..config };
        vec![
            pieces("pieces-pair", 4, &[3, 1, 2, 1], 0),
            gives_up(pieces("pieces-give-up", 4, &[3, 1, 3, 2], 0)),
            pieces("pieces-die", 4, &[2, 3, 1, 2], 2),
            pieces("pieces-die-often", 2, &[2, 1, 1, 2, 3], 4),
            gives_up(pieces("pieces-give-up-die", 3, &[3, 2, 1, 3, 1], 3)),
        ]
    }

    fn title(&mut self) -> &mut Title<Mutant> {
        &mut self.title
    }

    fn model(self) -> Pieces {
        Pieces::new(self)
    }
}
