//! The rules of options, and what a new channel of them is.

use std::hash::{BuildHasher, RandomState};

use super::{BarrierChoice, Channel, Growth, Options};
use crate::error::{ErrorKind, Failure};
use crate::inspect::Expected;
use crate::layout::{FLAG_ASYMMETRIC, GrowthShape, MOST_DELIVERIES, Shape};
use crate::member::Plan;
use crate::ring::reap::DeliveryPolicy;
use crate::sys::barrier;

fn invalid(why: &'static str) -> Failure {
    ErrorKind::InvalidOption(why).into()
}

impl<C: Channel> Options<C> {
    /// What a new channel's segment is.
    pub(super) fn plan(&self) -> Result<Plan<'_>, Failure> {
        if self.capacity == 0 {
            return Err(invalid("a capacity is at least 1"));
        }
        if self.message_len == 0 {
            return Err(invalid("a message_len is at least 1"));
        }
        self.basics.check()?;
        let shape = self.shape()?;
        check_growth(&shape)?;
        let slab = shape.slab();
        if slab.is_none_or(|slab| slab.blocks > 0 && shape.max_message <= shape.element_size) {
            return Err(invalid("blocks are for messages beyond message_len"));
        }
        Ok(self.basics.plan(shape))
    }

    fn shape(&self) -> Result<Shape, Failure> {
        let too_large = || invalid("the capacity makes the segment too large");
        let capacity = C::elements(self.capacity).checked_next_power_of_two();
        let capacity = capacity.ok_or_else(too_large)? as u64;
        let (delivery_limit, dead_letters) = self.plan_dead_letters()?;
        let (classes, max_message) = self.blocks.plan()?;
        let (size, align) = C::ELEMENT.unwrap_or((self.message_len, align_of::<u64>()));
        let asymmetric =
            !C::KIND.is_queue() && self.barrier == BarrierChoice::Auto && barrier::register();
        let growth = self.plan_growth(capacity)?;
        Ok(Shape {
            kind: C::KIND,
            element_size: size as u64,
            element_align: u32::try_from(align).unwrap_or(u32::MAX),
            type_id: self.basics.whole_type(),
            capacity,
            max_members: self.basics.max_members,
            flags: self.basics.flags()
                | C::flags(self)
                | if asymmetric { FLAG_ASYMMETRIC } else { 0 },
            features: C::features(self) | growth.feature(),
            delivery: if C::KIND.is_queue() { self.delivery.code() } else { 0 },
            delivery_limit,
            dead_letters,
            classes,
            max_message,
            growth,
        })
    }

    /// The limit of deliveries and the slots for what goes beyond.
    fn plan_dead_letters(&self) -> Result<(u32, u64), Failure> {
        match self.dead_letters {
            None => Ok((0, 0)),
            Some(_) if self.delivery != DeliveryPolicy::AtLeastOnce => {
                Err(invalid("dead letters are of a queue that delivers at least once"))
            }
            Some((limit, _)) if !(1..=MOST_DELIVERIES).contains(&limit) => {
                Err(invalid("a message goes to the dead letters after 1 to 15 deliveries"))
            }
            Some((_, 0)) => Err(invalid("there is room for at least 1 dead letter")),
            Some((limit, capacity)) => match capacity.checked_next_power_of_two() {
                Some(slots) => Ok((limit, slots as u64)),
                None => Err(invalid("the capacity makes the segment too large")),
            },
        }
    }

    /// The chain that a new queue of `capacity` begins, if it grows.
    fn plan_growth(&self, capacity: u64) -> Result<GrowthShape, Failure> {
        let (messages, bytes) = match self.growth {
            None => return Ok(GrowthShape::default()),
            // Whoever makes the next segment may be another user.
            Some(_) if self.basics.mode != 0o600 => {
                return Err(invalid("a queue that grows has mode 0o600"));
            }
            Some(Growth::Messages(most)) if most < capacity => {
                return Err(invalid(
                    "a queue holds no more messages at first than when it has grown",
                ));
            }
            Some(Growth::Bytes(0)) => return Err(invalid("a queue takes some bytes")),
            Some(Growth::Messages(most)) => (most, 0),
            Some(Growth::Bytes(most)) => (0, most),
            Some(Growth::UntilRefused) => (0, 0),
        };
        Ok(GrowthShape { chain_id: random(), chain: 0, bytes, messages })
    }

    pub(super) fn expected(&self) -> Expected {
        Expected::of(C::KIND, C::ELEMENT, self.basics.whole_type())
    }

    pub(super) fn check_type(&self) -> Result<(), Failure> {
        if C::NEEDS_TYPE && !self.basics.has_type() {
            let why = "messages of any type need the type's fingerprint or an agreed type_id";
            return Err(invalid(why));
        }
        Ok(())
    }
}

/// What a queue that grows may not be.
fn check_growth(shape: &Shape) -> Result<(), Failure> {
    let growth = &shape.growth;
    if growth.bytes > 0 && shape.total_len().is_some_and(|len| len > growth.bytes) {
        return Err(invalid("a queue takes no more bytes at first than when it has grown"));
    }
    if growth.is_some() && shape.max_message > 0 {
        return Err(invalid("a queue that grows has no blocks"));
    }
    Ok(())
}

/// A number that is not zero and that nobody else draws.
fn random() -> u64 {
    let drawn = || RandomState::new().hash_one(std::process::id());
    std::iter::repeat_with(drawn).find(|number| *number != 0).expect("it has no end")
}
