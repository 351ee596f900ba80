//! Numbers and truth values.

use serde_json::Value as Json;

use crate::Shape;
use crate::value::{Leaf, is_between};

macro_rules! whole_number {
    ($($type:ty),*) => {$(
        impl Leaf for $type {
            fn shape() -> Shape {
                Shape::Integer
            }

            fn parse(text: &str) -> Result<Self, String> {
                text.parse::<i128>()
                    .map_err(|_| "is not a whole number".to_owned())?
                    .try_into()
                    .map_err(|_| "is out of range".to_owned())
            }

            fn listed(&self) -> Json {
                Json::from(*self)
            }

            fn is_within(&self, low: &str, high: &str) -> bool {
                is_between(self, low, high)
            }
        }
    )*};
}

whole_number!(u16, i16, u32, u64, usize);

impl Leaf for f64 {
    fn shape() -> Shape {
        Shape::Number
    }

    fn parse(text: &str) -> Result<Self, String> {
        let number = text.parse().ok().filter(|number: &Self| number.is_finite());
        number.ok_or_else(|| "is not a number".to_owned())
    }

    fn listed(&self) -> Json {
        Json::from(*self)
    }

    fn is_within(&self, low: &str, high: &str) -> bool {
        is_between(self, low, high)
    }
}

impl Leaf for bool {
    fn shape() -> Shape {
        Shape::Boolean
    }

    fn listed(&self) -> Json {
        Json::from(*self)
    }

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "true" | "True" | "TRUE" => Ok(true),
            "false" | "False" | "FALSE" => Ok(false),
            _ => Err("is not true or false".to_owned()),
        }
    }
}
