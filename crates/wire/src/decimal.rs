//! Decimal numbers as JSON writes them, scaled to whole ones without going through a float.

/// Powers of ten that fit.
const MOST_PLACES: u32 = 38;

/// The number times ten to the power of `places`, rounded to the nearest, halves up.
///
/// None for what is negative, no number, or does not fit.
pub(crate) fn scaled(text: &[u8], places: i32) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = whole.bytes().chain(fraction.bytes());
    let number = digits.clone().try_fold(0_u128, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| digit - b'0')?;
        number.checked_mul(10)?.checked_add(u128::from(digit))
    })?;
    digits.clone().next()?;
    let fraction = i32::try_from(fraction.len()).ok()?;
    let shift = exponent.checked_add(places)?.checked_sub(fraction)?;
    i64::try_from(shifted(number, shift)?).ok()
}

fn shifted(number: u128, shift: i32) -> Option<u128> {
    let power = shift.unsigned_abs();
    if number == 0 || (shift < 0 && power > MOST_PLACES) {
        return Some(0);
    }
    let factor = 10_u128.checked_pow(power)?;
    if shift >= 0 {
        return number.checked_mul(factor);
    }
    let (rest, half) = (number % factor, factor / 2);
    Some(number / factor + u128::from(rest >= half))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, places: i32, expected: Option<i64>) {
        assert_eq!(scaled(text.as_bytes(), places), expected, "{text}");
    }

    #[test]
    fn numbers_are_scaled_exactly() {
        check("0.000298", 9, Some(298_000));
        check("2980000", -1, Some(298_000));
        check("2.98e-4", 9, Some(298_000));
        check("1E+2", 9, Some(100_000_000_000));
        check("0.1", 1, Some(1));
        check("3", 0, Some(3));
        check("0", 9, Some(0));
        check("0e999999999", 9, Some(0));
    }

    #[test]
    fn what_is_between_is_rounded_to_the_nearest() {
        check("0.00000000049999999999", 9, Some(0));
        check("0.0000000005", 9, Some(1));
        check("0.00029800000000000003", 9, Some(298_000));
        check("14", -1, Some(1));
        check("15", -1, Some(2));
        check("1e-60", 9, Some(0));
    }

    #[test]
    fn what_is_no_amount_is_none() {
        for text in [
            "", ".", "-1", "+1", "1.2.3", "0x1", "NaN", "e5", "1e", "1e99", "true",
        ] {
            check(text, 9, None);
        }
        check(&"9".repeat(50), 0, None);
        check("9223372036854775808", 0, None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text: Vec<u8>, exponent: i32, places: i32) {
            let _ = scaled(&text, places);
            let _ = scaled(format!("12.5e{exponent}").as_bytes(), places);
        }

        #[test]
        fn amounts_are_those_of_a_float_where_it_is_exact(nanos in 0..1_000_000_000_000_i64) {
            let dollars = nanos as f64 / 1e9;
            proptest::prop_assert_eq!(scaled(dollars.to_string().as_bytes(), 9), Some(nanos));
        }
    }
}
