// One kind of error for everything that the admin API can answer with, and for no answer at all.

/** What the API said, or that it could not be asked. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    /** The status; 0: keymux did not answer. */
    readonly status: number,
    /** A word for programs, such as `not_found`; `unreachable` when keymux did not answer. */
    readonly code: string,
    message: string,
    /** The field of the call that was wrong. */
    readonly field?: string,
    /** Seconds after which it is worth trying again. */
    readonly retryAfter?: number,
  ) {
    super(message);
  }

  /** Whether the same call may succeed later. */
  get isPassing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

const proxyFailures = [502, 503, 504];

/** The error of an answer. */
export async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text();
  const seconds = Number(response.headers.get("retry-after"));
  const retryAfter = Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
  const said = parsed(text);
  // A proxy in front of keymux answers so when keymux does not.
  if (!said && proxyFailures.includes(response.status)) return unreachable(new Error(`${response.status}`));
  return new ApiError(
    response.status,
    said?.code ?? "unexpected",
    said?.message ?? `${response.status} ${response.statusText}`.trim(),
    said?.field,
    retryAfter,
  );
}

export function unreachable(cause: unknown): ApiError {
  return new ApiError(0, "unreachable", cause instanceof Error ? cause.message : String(cause));
}

/** Whether an error says that keymux did not answer at all. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof ApiError && error.status === 0;
}

type Said = { code: string; message: string; field?: string };

function parsed(text: string): Said | undefined {
  try {
    const error: unknown = (JSON.parse(text) as { error?: unknown } | null)?.error;
    const isSaid = typeof error === "object" && error !== null && "code" in error && "message" in error;
    return isSaid ? (error as Said) : undefined;
  } catch {
    return undefined;
  }
}
