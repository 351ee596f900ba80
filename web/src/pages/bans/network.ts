// What a ban of an address covers: an IPv4 address alone, of IPv6 the /64 that it is in.

/** The network, as the list will show it; null: the text is no whole address yet. */
export function networkOf(text: string): string | null {
  const [address = "", length] = text.trim().split("/", 2);
  if (/^\d+(\.\d+){3}$/.test(address)) return length === undefined || length === "32" ? whole(address, "32") : null;
  return address.includes(":") && (length === undefined || length === "64") ? prefix(address) : null;
}

function whole(address: string, length: string): string | null {
  return address.split(".").every((part) => Number(part) < 256) ? `${address}/${length}` : null;
}

function prefix(address: string): string | null {
  const written = hostname(address);
  // An IPv4 address in the dress of IPv6 is one of IPv4.
  if (written === null || written.startsWith("::ffff:")) return null;
  const [head = "", tail = ""] = written.split("::", 2);
  const groups = (part: string) => (part === "" ? [] : part.split(":"));
  const zeros = 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array<string>(zeros).fill("0"), ...groups(tail)];
  const network = hostname(`${all.slice(0, 4).join(":")}::`);
  return network && `${network}/64`;
}

/** In its shortest form, as browsers write it. */
function hostname(address: string): string | null {
  const url = `http://[${address}]/`;
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : null;
}
