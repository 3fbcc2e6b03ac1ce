/** What an error answer says (RFC 9457), or the console's own words when there was none. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** The error catalogue's code; `unreachable` when no answer came. */
  readonly code: string;

  constructor(status: number, code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
    this.code = code;
  }

  /** Whether the server did not answer, or answered that it cannot just now. */
  get isOutage(): boolean {
    return this.status === 0 || (this.status >= 502 && this.status <= 504);
  }
}

function textOf(body: unknown, key: string): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const value: unknown = Reflect.get(body, key);
  return typeof value === 'string' ? value : undefined;
}

/** Makes the error of an answer that is not 2xx. */
export async function readProblem(response: Response): Promise<ApiError> {
  let body: unknown = null;
  try {
    body = await response.json();
  } catch {
    // No JSON (a proxy's page, say): the status alone has to do.
  }
  const message = textOf(body, 'detail') ?? textOf(body, 'title') ?? `The server answered ${response.status}.`;
  return new ApiError(response.status, textOf(body, 'code') ?? 'unknown', message);
}

/** A message for people of anything thrown. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
