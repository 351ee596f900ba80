//! In which content coding an answer may go out: `Accept-Encoding`, as RFC 9110, section 12.5.3, has it.
//! Only answers that are kept compressed are negotiated; what providers send passes as it is.

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// A content coding that we have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Gzip,
    /// As it is.
    Identity,
}

impl Coding {
    /// What the caller prefers of what we have; the smaller where it does not care.
    pub(super) fn accepted(headers: &HeaderMap) -> Self {
        let brotli = weight(headers, "br");
        let gzip = weight(headers, "gzip");
        if brotli > 0 && brotli >= gzip {
            Self::Brotli
        } else if gzip > 0 {
            Self::Gzip
        } else {
            Self::Identity
        }
    }

    /// Its name in `Content-Encoding`; none for what needs no such header.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }
}

/// How much the caller wants a coding, in thousandths; 0: not at all. `*` stands for those that are not named.
fn weight(headers: &HeaderMap, coding: &str) -> u16 {
    let mut of_others = 0;
    let lines = headers.get_all(ACCEPT_ENCODING).into_iter();
    for item in lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
    {
        let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
        let name = name.trim();
        if name.eq_ignore_ascii_case(coding) {
            return thousandths(parameters);
        }
        if name == "*" {
            of_others = thousandths(parameters);
        }
    }
    of_others
}

/// The value of `q=`; 1 where there is none, 0 where it is no number.
fn thousandths(parameters: &str) -> u16 {
    let Some((name, value)) = parameters.split_once('=') else {
        return 1000;
    };
    if !name.trim().eq_ignore_ascii_case("q") {
        return 1000;
    }
    let value = value.trim().parse::<f32>().unwrap_or_default();
    (value.clamp(0.0, 1.0) * 1000.0) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&'static str], expected: Coding) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT_ENCODING, line.parse().unwrap());
        }
        assert_eq!(Coding::accepted(&headers), expected, "{lines:?}");
    }

    #[test]
    fn the_smallest_coding_goes_out_that_the_caller_takes() {
        check(&["gzip, deflate, br, zstd"], Coding::Brotli);
        check(&["deflate", "BR"], Coding::Brotli);
        check(&["gzip"], Coding::Gzip);
        check(&["*"], Coding::Brotli);
        check(&[], Coding::Identity);
        check(&[""], Coding::Identity);
        check(&["zstd, identity"], Coding::Identity);
    }

    #[test]
    fn weights_are_heeded() {
        check(&["br;q=0.5, gzip;q=0.9"], Coding::Gzip);
        check(&["br; q=0.5 , gzip;Q=0.5"], Coding::Brotli);
        check(&["br;q=0, gzip;q=0.000"], Coding::Identity);
        check(&["*;q=0.2, br;q=0"], Coding::Gzip);
        check(&["gzip;q=0.3, *;q=0"], Coding::Gzip);
    }

    #[test]
    fn a_weight_that_is_no_number_is_a_no() {
        check(&["br;q=often, gzip;q=NaN"], Coding::Identity);
        check(&["br;q=-3"], Coding::Identity);
    }
}
