import { expect, it } from "vitest";
import { networkOf } from "./network";

it.each([
  ["203.0.113.9", "203.0.113.9/32"],
  [" 203.0.113.9/32 ", "203.0.113.9/32"],
  ["203.0.113.0/24", null],
  ["203.0.113.900", null],
  ["203.0.113", null],
  ["2001:db8:1:2:3::1", "2001:db8:1:2::/64"],
  ["2001:DB8::1", "2001:db8::/64"],
  ["2001:db8:1:2::/64", "2001:db8:1:2::/64"],
  ["2001:db8::/32", null],
  ["::1", "::/64"],
  ["::ffff:203.0.113.9", null],
  ["2001:db8:", null],
  ["", null],
])("a ban of %s covers %s", (text, network) => expect(networkOf(text)).toBe(network));
