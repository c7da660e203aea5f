//! Calls of the server itself: names of objects.

use std::collections::HashMap;

use super::super::error::Refusal;
use super::super::item::ObjectNumber;
use super::super::ledger::Ledger;
use super::super::object::{Answer, Arguments};
use super::super::wire::LONGEST_NAME;
use super::objects::Objects;

/// Does what such a call asks for.
pub(super) fn keep(
    objects: &mut Objects,
    names: &mut HashMap<Box<str>, ObjectNumber>,
    ledger: &Ledger,
    method: &str,
    mut arguments: Arguments<'_>,
) -> Result<Answer, Refusal> {
    match method {
        // The object stays until its name is removed.
        "keep" => {
            let number: ObjectNumber = arguments.read()?;
            arguments.finish()?;
            let entry = objects.get_mut(number).ok_or(Refusal::UnknownObject)?;
            if entry.name.is_none() {
                return Err(Refusal::Nameless);
            }
            if !entry.kept {
                entry.kept = ledger.hold(number);
            }
            Ok(Answer::nothing())
        }
        // Nobody finds the object by that name any more. Whether there was one.
        "remove" => {
            let name: String = arguments.read()?;
            arguments.finish()?;
            let number = names.remove(name.as_str());
            if let Some(number) = number
                && let Some(entry) = objects.get_mut(number)
            {
                entry.name = None;
                if std::mem::take(&mut entry.kept) {
                    ledger.let_go(number);
                }
            }
            Answer::value(&number.is_some())
        }
        "find" => {
            let name: String = arguments.read()?;
            arguments.finish()?;
            let number = names.get(name.as_str()).ok_or(Refusal::UnknownObject)?;
            Answer::nothing().put_object(*number)
        }
        _ => Err(Refusal::UnknownMethod(method.chars().take(LONGEST_NAME).collect())),
    }
}
