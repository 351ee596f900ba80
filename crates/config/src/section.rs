//! The two declarations of which every section file is made: `section!` for a mapping of fields, `choice!` for a set of names.
//! A field is declared once (name, type, default, bounds, when it changes, sentence): reading, checking, `settings.rs` and
//! `reference.rs` follow from it.

use serde_json::Value as Json;

use crate::Shape;
use crate::reader::Reader;
use crate::tree::Node;

/// A mapping of fields, as `reference.rs` shows it.
pub(crate) struct Section {
    pub(crate) fields: &'static [Field],
}

/// One field of a mapping.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static [&'static str],
    /// YAML text; none: the field is required.
    pub(crate) default: Option<&'static str>,
    /// The smallest and the largest value, written as they would be in the file.
    pub(crate) bounds: Option<(&'static str, &'static str)>,
    /// None: as the section that it is in.
    pub(crate) change: Option<Change>,
    pub(crate) shape: fn() -> Shape,
    /// The fields of its value, or of that value's elements.
    pub(crate) section: fn() -> Option<&'static Section>,
    /// Reads and lists a value for it; none after a problem was reported.
    pub(crate) read_listed: fn(&Node, &mut Reader<'_>) -> Option<Json>,
}

impl Field {
    /// Its documentation in one line.
    pub(crate) fn sentence(&self) -> String {
        let lines: Vec<&str> = self.doc.iter().map(|line| line.trim()).collect();
        lines.join(" ")
    }
}

/// When a field may change. The word in the declaration is the lower-case name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// At any time, through the admin API too: it is a run-time setting.
    Live,
    /// When the file is read again.
    Reload,
    /// At the next start only.
    Restart,
}

/// Declares a struct and how it is read from a mapping.
///
/// `field: Type = "default" in "lowest" ..= "highest"; live`: without a default it is required; the last word is one of
/// [`Change`], holds for all fields below, and stands for `reload` when it is left out.
/// After `or name`, a plain text stands for a mapping with that one field.
macro_rules! section {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident $(or $short:ident)? {
            $(
                $(#[doc = $field_doc:literal])*
                $field:ident: $type:ty $(= $default:literal $(in $low:literal ..= $high:literal)? $(; $change:ident)?)?,
            )*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[doc = $field_doc])* pub $field: $type,)*
        }

        impl $crate::value::Value for $name {
            fn shape() -> $crate::Shape {
                $crate::Shape::Fields { short: section!(@short $($short)?) }
            }

            fn section() -> Option<&'static $crate::section::Section> {
                static SECTION: $crate::section::Section = $crate::section::Section {
                    fields: &[$($crate::section::Field {
                        name: stringify!($field),
                        doc: &[$($field_doc),*],
                        default: section!(@default $($default)?),
                        bounds: section!(@bounds $($($low $high)?)?),
                        change: section!(@change $($($change)?)?),
                        shape: <$type as $crate::value::Value>::shape,
                        section: <$type as $crate::value::Value>::section,
                        read_listed: $crate::reader::read_listed::<$type>,
                    }),*],
                };
                Some(&SECTION)
            }

            fn read(
                node: &$crate::tree::Node,
                reader: &mut $crate::reader::Reader<'_>,
            ) -> Option<Self> {
                let section = Self::section()?;
                $(let node = &$crate::reader::written_out(node, stringify!($short));)?
                let map = reader.mapping(node, section.fields)?;
                let mut fields = section.fields.iter();
                // Every field is read before the first missing one is given up on, so that all problems are found.
                $(let $field = reader.field(&map, fields.next()?);)*
                Some(Self { $($field: $field?,)* })
            }

            fn listed(&self, path: &[&str]) -> serde_json::Value {
                let Some((name, rest)) = path.split_first() else {
                    let fields = [$((stringify!($field), $crate::value::Value::listed(&self.$field, &[]))),*];
                    return fields.into_iter().collect();
                };
                $(if *name == stringify!($field) {
                    return $crate::value::Value::listed(&self.$field, rest);
                })*
                serde_json::Value::Null
            }

            fn is_same(&self, other: &Self, path: &[&str]) -> bool {
                let Some((name, rest)) = path.split_first() else {
                    return self == other;
                };
                $(if *name == stringify!($field) {
                    return $crate::value::Value::is_same(&self.$field, &other.$field, rest);
                })*
                false
            }
        }
    };
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
    (@short) => { None };
    (@short $short:ident) => { Some(stringify!($short)) };
    (@change) => { None };
    (@change live) => { Some($crate::section::Change::Live) };
    (@change reload) => { Some($crate::section::Change::Reload) };
    (@change restart) => { Some($crate::section::Change::Restart) };
    (@bounds) => { None };
    (@bounds $low:literal $high:literal) => { Some(($low, $high)) };
}

/// Declares an enum and the names of its values.
macro_rules! choice {
    (
        $(#[doc = $doc:literal])*
        pub enum $name:ident {
            $($(#[doc = $variant_doc:literal])* $variant:ident = $text:literal,)*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[doc = $variant_doc])* $variant,)*
        }

        impl $name {
            const NAMES: &[&str] = &[$($text),*];

            /// Its name in the configuration.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl $crate::value::Leaf for $name {
            fn shape() -> $crate::Shape {
                $crate::Shape::Choice(Self::NAMES)
            }

            fn listed(&self) -> serde_json::Value {
                self.name().into()
            }

            fn parse(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err($crate::value::not_among(text, Self::NAMES)),
                }
            }
        }
    };
}

pub(crate) use {choice, section};
