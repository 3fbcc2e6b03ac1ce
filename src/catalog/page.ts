/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** Which page of a list: `limit` 1–1000. */
export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string;
}
