//! Which instructions a victim dies at: all of them, or some by lot.

/// How many of the possible points are taken.
#[derive(Clone, Copy, Debug)]
pub enum Choice {
    All,
    /// At most so many, by lot, the first and the last among them.
    Some(usize),
}

/// A source of lots that is the same for the same seed and purpose.
#[derive(Clone, Debug)]
pub struct Lots(u64);

impl Lots {
    pub fn new(seed: u64, purpose: &str) -> Self {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(purpose.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, step))
    }

    /// The generator `SplitMix64`.
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Some of `points`, which are in order, in order.
    pub fn choose(&mut self, choice: Choice, points: &[usize]) -> Vec<usize> {
        let count = match choice {
            Choice::Some(count) if count < points.len() => count,
            _ => return points.to_vec(),
        };
        let (mut rest, mut chosen) = (points.to_vec(), Vec::new());
        if count > 1 {
            chosen = vec![rest.remove(0), rest.remove(points.len() - 2)];
        }
        while chosen.len() < count {
            let lot = usize::try_from(self.draw() % rest.len() as u64).unwrap_or(0);
            chosen.push(rest.swap_remove(lot));
        }
        chosen.sort_unstable();
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_in_order_of_the_size_asked_for_and_has_both_ends() {
        let points: Vec<_> = (3..50).collect();
        for count in 0..60 {
            let chosen = Lots::new(7, "x").choose(Choice::Some(count), &points);
            assert_eq!(chosen.len(), count.min(points.len()));
            assert!(chosen.windows(2).all(|two| two[0] < two[1]));
            assert!(count < 2 || chosen.starts_with(&[3]) && chosen.ends_with(&[49]));
        }
        assert_eq!(Lots::new(7, "x").choose(Choice::All, &points), points);
    }
}
