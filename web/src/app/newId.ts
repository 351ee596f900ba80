// Ids that are not used twice. Browsers give `crypto.randomUUID` to pages that came by HTTPS or from this machine only, and
// keymux is often looked at by plain HTTP from another.

export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
