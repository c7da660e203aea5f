//! `include/ringway.h`: the memory format for programs in C, and in what reads C headers, rendered from the library's
//! own description of it.

use std::fmt::Write;
use std::fs;

use ringway::format::{CONSTANTS, Constant, PARTED, STRUCTURES, Structure, Type, Word};

use crate::run::{self, Failure};

/// Where it lies in the workspace.
const PATH: &str = "include/ringway.h";
/// The longest line.
const COLUMNS: usize = 104;

/// Writes the file anew.
pub fn write() -> Result<(), Failure> {
    let path = run::root()?.join(PATH);
    fs::write(&path, render()).map_err(|why| Failure::new(format!("write {PATH}: {why}")))?;
    println!("xtask: wrote {PATH}");
    Ok(())
}

const OPENING: &str = "\
/* ringway.h - the memory format of ringway, version 1, for readers in other languages.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 * Made by cargo xtask header from what the library is compiled from: do not edit.
 *
 * A reader maps a segment's file read-only, and checks magic, version, layout_hash, checksum, features,
 * total_len and offsets of the header before it believes any of them. It loads what members change with
 * ringway_load or ringway_load32. A copy of a message counts only if the word that gave leave to read
 * it is the same afterwards. DESIGN.md section 4 has every valid value, and what a reader must not do;
 * tests/c/inspect.c is a reader. */
#ifndef RINGWAY_H
#define RINGWAY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

";

const LOADS: &str = "\
/* ---- Structures ---- */

/* Words that members change. */
typedef _Atomic uint32_t ringway_u32;
typedef _Atomic uint64_t ringway_u64;

_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2, \"words are words\");

/* What a word says now; what was written before it is visible after. */
static inline uint64_t ringway_load(const ringway_u64 *word) {
    return atomic_load_explicit((ringway_u64 *)word, memory_order_acquire);
}

static inline uint32_t ringway_load32(const ringway_u32 *word) {
    return atomic_load_explicit((ringway_u32 *)word, memory_order_acquire);
}
";

const PAYLOAD: &str = "
/* Bytes from the start of a queue's slot to its value. */
static inline uint64_t ringway_slot_payload(uint32_t element_align) {
    return element_align > RINGWAY_SLOT_PAYLOAD ? element_align : RINGWAY_SLOT_PAYLOAD;
}
";

const ASSERTING: &str = "
/* ---- Where everything lies, for the compiler to check ---- */

#define RINGWAY_SIZE(name, size) _Static_assert(sizeof(struct ringway_##name) == (size), #name)
#define RINGWAY_AT(name, field, at) \\
    _Static_assert(offsetof(struct ringway_##name, field) == (at), #name \".\" #field)
";

const CLOSING: &str = "
#undef RINGWAY_SIZE
#undef RINGWAY_AT

#endif
";

/// The whole file.
fn render() -> String {
    let mut text = String::from(OPENING);
    for (about, constants) in CONSTANTS {
        let _ = writeln!(text, "/* ---- {about} ---- */\n");
        for one in *constants {
            constant(&mut text, one);
        }
        text.push('\n');
    }
    text.push_str(LOADS);
    for one in STRUCTURES {
        structure(&mut text, one);
    }
    text.push_str("\n/* ---- Words that have parts ---- */\n");
    for one in PARTED {
        word(&mut text, one);
    }
    text.push_str(PAYLOAD);
    text.push_str(ASSERTING);
    for one in STRUCTURES {
        assertions(&mut text, one);
    }
    text.push_str(CLOSING);
    text
}

fn constant(text: &mut String, constant: &Constant) {
    comment(text, "", &said(constant.doc));
    let Constant { name, value, size, .. } = constant;
    let bits = size * 8;
    let _ = match value {
        0..=0xffff => writeln!(text, "#define RINGWAY_{name} UINT{bits}_C({value})"),
        _ => writeln!(text, "#define RINGWAY_{name} UINT{bits}_C({value:#x})"),
    };
}

fn structure(text: &mut String, structure: &Structure) {
    let name = in_c(structure.name);
    text.push('\n');
    comment(text, "", &said(structure.doc));
    let _ = writeln!(text, "struct {name} {{");
    for (number, field) in structure.fields.iter().enumerate() {
        comment(text, "    ", &said(field.doc));
        // Structures take whole lines, but for what may lie anywhere.
        let lines = structure.size.is_multiple_of(128);
        let aligned = if number == 0 && lines { "_Alignas(128) " } else { "" };
        let (of, counts) = declared(&field.ty);
        let _ = writeln!(text, "    {aligned}{of} {}{counts};", field.name);
    }
    text.push_str("};\n");
}

fn assertions(text: &mut String, structure: &Structure) {
    let name = in_c(structure.name);
    let name = name.trim_start_matches("ringway_");
    let _ = writeln!(text, "\nRINGWAY_SIZE({name}, {});", structure.size);
    for field in structure.fields {
        let _ = writeln!(text, "RINGWAY_AT({name}, {}, {});", field.name, field.offset);
    }
}

/// How a field is declared: before its name, and behind it.
fn declared(ty: &Type) -> (String, String) {
    match ty {
        Type::Number(bytes) => (format!("uint{}_t", bytes * 8), String::new()),
        Type::Atomic(bytes) => (format!("ringway_u{}", bytes * 8), String::new()),
        Type::Structure(name) => (format!("struct {}", in_c(name)), String::new()),
        Type::Array(of, count) => {
            let (of, counts) = declared(of);
            (of, format!("[{count}]{counts}"))
        }
    }
}

fn word(text: &mut String, word: &Word) {
    text.push('\n');
    comment(text, "", word.doc);
    for (part, mask) in word.parts {
        let shift = mask.trailing_zeros();
        let most = mask >> shift;
        let moved = if shift == 0 { "word".to_owned() } else { format!("word >> {shift}") };
        let value = match (shift, mask.leading_zeros()) {
            (_, 0) => moved,
            (0, _) => format!("word & UINT64_C({most:#x})"),
            _ => format!("{moved} & UINT64_C({most:#x})"),
        };
        let name = format!("static inline uint64_t ringway_{}_{part}(uint64_t word)", word.name);
        let _ = match name.len() + value.len() + "{ return ; }".len() {
            0..COLUMNS => writeln!(text, "{name} {{ return {value}; }}"),
            _ => writeln!(text, "{name} {{\n    return {value};\n}}"),
        };
    }
}

/// The lines of a documentation comment as one, with names as they are in C.
fn said(doc: &[&str]) -> String {
    let text = doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    let mut said = String::new();
    let mut pieces = text.split('`');
    said.push_str(pieces.next().unwrap_or_default().trim_end_matches('['));
    while let (Some(code), Some(plain)) = (pieces.next(), pieces.next()) {
        said.push_str(&named(code));
        said.push_str(plain.trim_start_matches(']').trim_end_matches('['));
    }
    said
}

/// What the code `path` is called in C.
fn named(path: &str) -> String {
    let parts: Vec<&str> =
        path.split("::").filter(|part| part.chars().any(char::is_alphabetic)).collect();
    let (last, before) =
        parts.split_last().map_or((path, None), |(last, rest)| (*last, rest.last()));
    let is_shared = |name: &str| STRUCTURES.iter().any(|structure| structure.name == name);
    match before {
        Some(owner) if is_shared(owner) => format!("{} of struct {}", last, in_c(owner)),
        _ if is_shared(last) => format!("struct {}", in_c(last)),
        _ if last.ends_with("Word") => format!("{}_*", in_c(last.trim_end_matches("Word"))),
        _ if last == "Kind" => "RINGWAY_KIND_*".to_owned(),
        _ if last.ends_with('_') => format!("RINGWAY_{last}*"),
        _ if last.len() > 2 && last == last.to_uppercase() => format!("RINGWAY_{last}"),
        _ => path.to_owned(),
    }
}

/// A structure's name in C.
fn in_c(name: &str) -> String {
    let mut snake = String::from("ringway");
    for letter in name.chars() {
        if letter.is_uppercase() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// A comment of as many lines as it takes.
fn comment(text: &mut String, indent: &str, said: &str) {
    let mut column = indent.len() + 2;
    let _ = write!(text, "{indent}/*");
    for word in said.split_whitespace() {
        if column + 1 + word.len() + 3 > COLUMNS {
            let _ = write!(text, "\n{indent} *");
            column = indent.len() + 2;
        }
        let _ = write!(text, " {word}");
        column += 1 + word.len();
    }
    text.push_str(" */\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_that_is_checked_in_is_the_one_that_the_layout_gives() {
        let path = run::root().unwrap().join(PATH);
        let found = fs::read_to_string(path).unwrap();
        for (number, (found, made)) in found.lines().zip(render().lines()).enumerate() {
            assert_eq!(found, made, "line {}: `cargo xtask header` makes it anew", number + 1);
        }
        assert!(found == render(), "`cargo xtask header` makes it anew");
    }

    #[test]
    fn lines_are_short_comments_close_and_nothing_is_left_of_rust() {
        for line in render().lines() {
            assert!(line.len() <= COLUMNS, "{line}");
            let is_rust = ["`", "::"].iter().any(|rust| line.contains(rust));
            assert!(!is_rust, "{line}");
        }
        assert_eq!(render().matches("/*").count(), render().matches("*/").count());
    }
}
