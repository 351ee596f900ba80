//! Lists as they are found, and as they had better not be.

use proptest::prelude::*;

use super::*;

fn fields() -> SourceFields {
    SourceFields {
        host: "ip".to_owned(),
        port: "port".to_owned(),
        protocol: "protocol".to_owned(),
    }
}

fn reading(format: SourceFormat, fields: &SourceFields) -> Reading<'_> {
    Reading {
        format,
        protocol: ProxyProtocol::Http,
        fields,
        reach: Reach::Public,
        at_most: 100,
    }
}

fn read_text(list: &str, reach: Reach) -> Listing {
    let fields = fields();
    let reading = Reading {
        reach,
        ..reading(SourceFormat::Text, &fields)
    };
    read(list.as_bytes(), &reading).unwrap()
}

fn read_json(list: &str) -> Listing {
    let fields = fields();
    read(list.as_bytes(), &reading(SourceFormat::Json, &fields)).unwrap()
}

fn urls(listing: &Listing) -> Vec<&str> {
    listing.proxies.iter().map(ProxyUrl::expose).collect()
}

/// A line that is a proxy, and the URL it is.
fn check(line: &str, url: &str) {
    let listing = read_text(line, Reach::Public);
    assert_eq!(urls(&listing), [url], "{line}: {listing:?}");
}

/// A line that is none, and why.
fn check_malformed(line: &str, shown: &str, why: &str) {
    let listing = read_text(line, Reach::Anywhere);
    let found = listing.malformed.first().expect(line);
    assert_eq!(
        (found.text.as_str(), listing.left_out.malformed),
        (shown, 1)
    );
    assert!(found.why.contains(why), "{line}: {}", found.why);
}

#[test]
fn a_line_is_read_in_every_form() {
    check("1.1.1.1:8080", "http://1.1.1.1:8080");
    check("  1.1.1.1:8080\t\r", "http://1.1.1.1:8080");
    check("1.1.1.1:8080 NL-A +", "http://1.1.1.1:8080");
    check("1.1.1.1:8080,fast,elite", "http://1.1.1.1:8080");
    check("Proxy.Example.:8080", "http://proxy.example:8080");
    check("[2606:4700:0:0::1111]:1", "http://[2606:4700::1111]:1");
    check("[::ffff:1.1.1.1]:80", "http://1.1.1.1:80");
    check("socks5://1.1.1.1:1080", "socks5://1.1.1.1:1080");
    check("SOCKS5H://1.1.1.1:1080/", "socks5://1.1.1.1:1080");
    check("https://proxy.example", "https://proxy.example:443");
    check("http://me:p%40w@1.1.1.1:1", "http://me:p%40w@1.1.1.1:1");
    check("1.1.1.1:80:me:p@w", "http://me:p%40w@1.1.1.1:80");
    check("\u{feff}1.1.1.1:8080", "http://1.1.1.1:8080");
}

#[test]
fn what_is_no_proxy_says_why_and_shows_no_password() {
    check_malformed("hello world", "hello world", "neither host:port");
    check_malformed("1.1.1.1:99999", "1.1.1.1:99999", "port");
    check_malformed("1.1.1.1:0", "1.1.1.1:0", "port");
    check_malformed("me:hunter2", "me:…", "port");
    check_malformed("me:hunter2:1.1.1.1:80", "me:…", "port");
    check_malformed("1.1.1.1:x:me:hunter2", "1.1.1.1:…", "port");
    check_malformed("http://me:hunter2@:80", "…@:80", "url");
    check_malformed("http://1.1.1.1:99999", "http://1.1.1.1:99999", "port");
    check_malformed("http://[::1]:+80", "http://[::1]:…", "port");
    check_malformed("socks5://me:hunter2", "socks5://me:…", "port");
    check_malformed("12:30", "12:30", "url");
    check_malformed("300.1.1.1:80", "300.1.1.1:80", "url");
    check_malformed("<b>1.1.1.1</b>:80", "<b>1.1.1.1</b>:80", "host");
    check_malformed("2606:4700::1111", "2606:…", "neither host:port");
    check_malformed("a\u{1b}[31m:1", "a\\u{1b}[31m:1", "host");
    let long = "x".repeat(5_000);
    check_malformed(&long, &format!("{}…", "x".repeat(60)), "too long");
}

#[test]
fn what_is_left_out_is_counted() {
    let list = "# comment\r\n\r\n; another\r\n// a third\r\n1.1.1.1:80\r\nHTTP://1.1.1.1:80\r\n\
        socks4://1.1.1.1:1\r\nss://YWVz\r\n10.0.0.1:80\r\n127.0.0.1:80\r\n[::1]:80\r\n169.254.169.254:80\r\n\
        metadata.google.internal:80\r\nlocalhost:80\r\ngarbage\r\n1.1.1.1:81";
    let listing = read_text(list, Reach::Public);
    assert_eq!(urls(&listing), ["http://1.1.1.1:80", "http://1.1.1.1:81"]);
    let expected = LeftOut {
        malformed: 1,
        unsupported: 2,
        out_of_reach: 6,
        repeated: 1,
        too_many: 0,
    };
    assert_eq!(listing.left_out, expected);
    assert_eq!(listing.malformed[0].at, 15);
}

#[test]
fn private_addresses_are_taken_where_they_may_be_but_no_metadata_service() {
    let list = "10.0.0.1:80\nproxy:3128\n127.0.0.1:80\n169.254.169.254:80";
    let listing = read_text(list, Reach::Private);
    assert_eq!(
        (listing.proxies.len(), listing.left_out.out_of_reach),
        (3, 1)
    );
    assert_eq!(read_text(list, Reach::Anywhere).proxies.len(), 4);
}

#[test]
fn one_gateway_may_have_an_exit_for_each_user() {
    let listing = read_text("http://a:x@1.1.1.1:7\nhttp://b:x@1.1.1.1:7", Reach::Public);
    assert_eq!(listing.proxies.len(), 2);
}

#[test]
fn json_comes_as_an_array_or_in_an_object_with_strings_or_numbers() {
    let expected = ["http://1.1.1.1:80", "socks5://8.8.8.8:1080"];
    let entries = r#"[{"ip": "1.1.1.1", "port": 80}, {"ip": "8.8.8.8", "port": "1080", "protocol": "SOCKS5"}]"#;
    assert_eq!(urls(&read_json(entries)), expected);
    let object = format!(r#"{{"total": 2, "tags": ["x"], "data": {entries}}}"#);
    assert_eq!(urls(&read_json(&object)), expected);
    let several = r#"[{"ip": "1.1.1.1", "port": 80, "protocol": null}, {"ip": "8.8.8.8", "port": 1080, "protocol": ["socks4", "socks5"]}]"#;
    assert_eq!(urls(&read_json(several)), expected);
    let lines = r#"["1.1.1.1:80", "socks5://8.8.8.8:1080"]"#;
    assert_eq!(urls(&read_json(lines)), expected);
}

#[test]
fn json_fields_are_named_by_the_configuration() {
    let fields = SourceFields {
        host: "addr".to_owned(),
        port: "p".to_owned(),
        protocol: "type".to_owned(),
    };
    let list = br#"[{"addr": "1.1.1.1", "p": 1, "type": "https"}]"#;
    let listing = read(list, &reading(SourceFormat::Json, &fields)).unwrap();
    assert_eq!(urls(&listing), ["https://1.1.1.1:1"]);
}

#[test]
fn wrong_entries_of_json_are_left_out_one_by_one() {
    let list = r#"[1, [], {}, {"ip": 5, "port": 80}, {"ip": "1.1.1.1", "port": 70000, "password": "hunter2"},
        {"ip": "1.1.1.1", "port": 1.5}, {"ip": "1.1.1.1", "port": 80, "protocol": "socks4"},
        {"ip": "1.1.1.1", "port": 80, "protocol": 4}, {"ip": "10.1.1.1", "port": 80}, {"ip": "1.1.1.1", "port": 80}]"#;
    let listing = read_json(list);
    assert_eq!(urls(&listing), ["http://1.1.1.1:80"]);
    let left_out = listing.left_out;
    assert_eq!(
        (
            left_out.malformed,
            left_out.unsupported,
            left_out.out_of_reach
        ),
        (7, 1, 1)
    );
    let shown: Vec<_> = listing
        .malformed
        .iter()
        .map(|m| (m.at, m.text.as_str()))
        .collect();
    assert_eq!(shown, [(1, ""), (2, ""), (3, "?:…")]);
    assert!(!format!("{listing:?}").contains("hunter2"));
}

#[test]
fn what_is_no_list_says_so() {
    let no_list = |list: &[u8]| {
        let fields = fields();
        read(list, &reading(SourceFormat::Json, &fields))
            .unwrap_err()
            .to_string()
    };
    for garbage in [&b"<html>404</html>"[..], b"", b"[1, 2", b"\xff\xfe", b"[]x"] {
        assert!(
            no_list(garbage).starts_with("it is not JSON: "),
            "{garbage:?}"
        );
    }
    for other in [&b"{}"[..], b"7", b"null", br#"{"data": {}}"#, br#""x""#] {
        assert!(no_list(other).contains("neither a JSON array"), "{other:?}");
    }
}

#[test]
fn no_more_are_taken_than_wanted_and_the_rest_is_counted() {
    let lines: Vec<String> = (0..50_000)
        .map(|n| format!("1.{}.{}.1:80", n / 250, n % 250))
        .collect();
    let listing = read_text(&lines.join("\n"), Reach::Public);
    assert_eq!(
        (listing.proxies.len(), listing.left_out.too_many),
        (100, 49_900)
    );
    let json = serde_json::to_string(&lines).unwrap();
    let listing = read_json(&json);
    assert_eq!(
        (listing.proxies.len(), listing.left_out.too_many),
        (100, 49_900)
    );
}

#[test]
fn megabytes_of_garbage_are_passed_over() {
    let garbage = "\u{0}\u{7f}{[<\"\\:@".repeat(1_000_000);
    assert_eq!(read_text(&garbage, Reach::Public).left_out.malformed, 1);
    let lines = "@:/[]\n".repeat(1_000_000);
    let listing = read_text(&lines, Reach::Public);
    assert_eq!(
        (listing.left_out.malformed, listing.malformed.len()),
        (1_000_000, 3)
    );
    let deep = "[".repeat(5_000_000);
    let fields = fields();
    assert!(read(deep.as_bytes(), &reading(SourceFormat::Json, &fields)).is_err());
    let nested = format!("[{}1{}]", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(read_json(&nested).left_out.malformed, 1);
}

/// Pieces of which lists, and what looks like one, are made.
fn any_line() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ -~]{0,12}",
        any::<String>(),
        Just("://".to_owned()),
        Just("@".to_owned()),
        Just(":".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just("socks5".to_owned()),
        (any::<[u8; 4]>(), any::<u16>())
            .prop_map(|([a, b, c, d], port)| format!("{a}.{b}.{c}.{d}:{port}")),
        any::<u128>().prop_map(|bits| format!("[{}]", std::net::Ipv6Addr::from(bits))),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn whatever_comes_what_is_taken_is_in_reach_and_there_once(
        lines in prop::collection::vec(any_line(), 0..40),
        at_most in 0usize..20,
        is_json: bool,
        reach in prop::sample::select(vec![Reach::Public, Reach::Private, Reach::Anywhere]),
    ) {
        let fields = fields();
        let (format, list) = if is_json {
            (SourceFormat::Json, serde_json::to_string(&lines).unwrap())
        } else {
            (SourceFormat::Text, lines.join("\n"))
        };
        let reading = Reading { reach, at_most, ..reading(format, &fields) };
        let listing = read(list.as_bytes(), &reading).unwrap();
        prop_assert!(listing.proxies.len() <= at_most && listing.malformed.len() <= SHOWN);
        let urls = urls(&listing);
        let once: HashSet<&str> = urls.iter().copied().collect();
        prop_assert_eq!(once.len(), urls.len());
        for proxy in &listing.proxies {
            prop_assert!(is_in_reach(proxy.host(), reach));
            if let Ok(address) = proxy.host().parse::<IpAddr>() {
                prop_assert!(reach.check(address).is_ok());
            }
            // What is written anew is read as the same.
            let again = text::entry(proxy.expose(), ProxyProtocol::Http);
            prop_assert_eq!(again.as_ref(), Ok(proxy));
        }
        for malformed in &listing.malformed {
            prop_assert!(malformed.text.chars().all(|c| !c.is_control()));
        }
    }

    #[test]
    fn an_address_is_taken_however_it_is_written(bits: u32, port in 1u16.., zeros in "[0]{0,3}") {
        let address = std::net::Ipv4Addr::from(bits);
        let mapped = address.to_ipv6_mapped();
        let list = format!("{address}:{port}\nhttp://{address}:{zeros}{port}/\n[{mapped}]:{port}");
        let listing = read_text(&list, Reach::Anywhere);
        prop_assert_eq!((listing.proxies.len(), listing.left_out.repeated), (1, 2));
    }

    #[test]
    fn bytes_of_any_kind_are_no_reason_to_stop(list in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let fields = fields();
        let listing = read(&list, &reading(SourceFormat::Text, &fields)).unwrap();
        prop_assert!(listing.left_out.malformed <= list.len());
        let _ = read(&list, &reading(SourceFormat::Json, &fields));
    }
}
