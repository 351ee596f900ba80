//! The two declarations of which every section file is made: `section!` for a mapping of fields, `choice!` for a set of names.
//! A field is declared once (name, type, default, bounds, sentence): reading, checking and `reference.rs` follow from it.

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
    pub(crate) kind: fn() -> String,
    pub(crate) section: fn() -> Option<&'static Section>,
}

/// Declares a struct and how it is read from a mapping.
///
/// `field: Type = "default" in "lowest" ..= "highest"`; without a default it is required.
/// After `or name`, a plain text stands for a mapping with that one field.
macro_rules! section {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident $(or $short:ident)? {
            $(
                $(#[doc = $field_doc:literal])*
                $field:ident: $type:ty $(= $default:literal $(in $low:literal ..= $high:literal)?)?,
            )*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[doc = $field_doc])* pub $field: $type,)*
        }

        impl $crate::value::Value for $name {
            fn kind() -> String {
                concat!("mapping" $(, " or just its `", stringify!($short), "`")?).to_owned()
            }

            fn section() -> Option<&'static $crate::section::Section> {
                static SECTION: $crate::section::Section = $crate::section::Section {
                    fields: &[$($crate::section::Field {
                        name: stringify!($field),
                        doc: &[$($field_doc),*],
                        default: section!(@default $($default)?),
                        bounds: section!(@bounds $($($low $high)?)?),
                        kind: <$type as $crate::value::Value>::kind,
                        section: <$type as $crate::value::Value>::section,
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
        }
    };
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
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
            fn kind() -> String {
                Self::NAMES.join(" | ")
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
