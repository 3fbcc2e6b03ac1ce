import type { Component } from '../base/component.ts';

/**
 * Bytes by key. The contract, whatever the store below it:
 *
 * - A key is 1–512 characters of `[A-Za-z0-9._/-]` whose parts are neither empty, `.` nor `..`, and do not start with `.`;
 *   anything else is `invalid_argument`. No key ever reaches outside the store.
 * - `put` resolves when the bytes are durable (they survive a kill -9 and a power cut). A reader sees all of them or none. Of a source in pieces little
 *   is in memory at a time; when it throws, `put` throws that, and nothing was put.
 *   Putting a key again replaces it as a whole; Zoetrope itself writes each key once.
 * - `get`, `open` and `head` of a missing key throw `missing_input`.
 * - `delete` of missing keys is no error. It resolves when they are gone.
 * - `list` is in key order and may be resumed with `after`.
 * - No reliance on conditional writes, renames or directories: S3 has none of these everywhere.
 * - `adopt` takes a finished file of this machine in: as `put` of its bytes, however many they are. It is gone from where it lay when the call
 *   resolves, and stays there whole when it fails. A path where no file lies is `missing_input`.
 * - `presignPut` makes a request by which whoever has it may put this one object until it expires, without a key of ours. The bytes are durable when it is answered with
 *   2xx. Past its time, or with another key or method, it is refused. Only where {@link ObjectStoreCapabilities.presign} is true.
 * - A full store throws `storage_full`; a store that cannot be reached throws `unavailable`. A failed `put` leaves nothing behind.
 */
export interface ObjectStore extends Component {
  /** What this store can do beyond the contract. */
  readonly capabilities: ObjectStoreCapabilities;
  put(key: string, data: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions): Promise<void>;
  presignPut(key: string, terms: PresignTerms): Promise<PresignedRequest>;
  /** Takes over the file at `path`, which nobody writes to any more and no symbolic link leads to. Moved without copying where the store can. */
  adopt(key: string, path: string): Promise<void>;
  /** The whole object, or the bytes `start` to `end` (inclusive; both inside the object, else `range_not_satisfiable`). */
  get(key: string, options?: GetOptions): Promise<Uint8Array>;
  /** As {@link ObjectStore.get}, in pieces. */
  open(key: string, options?: GetOptions): AsyncIterable<Uint8Array>;
  head(key: string): Promise<ObjectHead>;
  delete(keys: readonly string[]): Promise<void>;
  /** Keys that start with `prefix`, in order, `after` excluded. */
  list(prefix: string, options?: { readonly after?: string }): AsyncIterable<ObjectHead>;
  /**
   * Where an object's bytes lie as a file that may be read, and not written, at random: for large ones that an engine seeks in. Null when
   * {@link ObjectStoreCapabilities.localFiles} is false. @throws missing_input
   */
  localPath(key: string): Promise<string | null>;
  /** Bytes that may still be written; null when the store knows no limit. */
  freeBytes(): Promise<number | null>;
}

/** Optional abilities, asked for by flag and never by the adapter's name. */
export interface ObjectStoreCapabilities {
  /** URLs that let a client read or write one object without the server. */
  readonly presign: boolean;
  /** Objects are files on this machine, which {@link ObjectStore.localPath} names. */
  readonly localFiles: boolean;
}

/** When to stop. */
export interface PutOptions {
  readonly signal?: AbortSignal;
}

/** What a presigned request allows. */
export interface PresignTerms {
  readonly expiresInMs: number;
  /** Bytes that the object may have. A store that cannot look at sizes (S3) takes more: whoever reads the object judges it. */
  readonly maxBytes: number;
}

/** A request that is allowed by itself: to be sent as it stands, with the bytes as its body. */
export interface PresignedRequest {
  readonly method: 'PUT';
  /** Whole; or a path, where this server itself is in front of the store. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresAtMs: number;
}

/** Presigns for a store that lies behind this server. */
export type Presigner = (key: string, terms: PresignTerms) => Promise<PresignedRequest>;

/** What part to read, and when to stop. */
export interface GetOptions {
  readonly start?: number;
  readonly end?: number;
  readonly signal?: AbortSignal;
}

/** What is known of an object without reading it. */
export interface ObjectHead {
  readonly key: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}
