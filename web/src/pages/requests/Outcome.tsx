// The status that a caller got, told by word and shape.

import { type Tone, ToneBadge } from "@/components/StatusBadge";
import type { Request } from "./requests";

/** Whoever went away is nobody's failure. */
export function toneOf({ status, error }: Pick<Request, "status" | "error">): Tone {
  if (status === 499) return "off";
  if (status === 429) return "warn";
  return error || status >= 400 ? "bad" : "ok";
}

export function Outcome({ of: request }: { of: Pick<Request, "status" | "error"> }) {
  return <ToneBadge tone={toneOf(request)}>{request.status}</ToneBadge>;
}
