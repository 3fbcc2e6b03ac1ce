/** Anything with a life: built without work, started in order, closed in reverse order. */
export interface Component {
  /** For logs, metrics and error messages. */
  readonly name: string;
  /** Acquires what it needs. `signal` aborts a start that is no longer wanted. Calling it twice is a mistake. */
  start(signal: AbortSignal): Promise<void>;
  /** Drains and releases. Idempotent; safe after a failed or missing start. */
  close(): Promise<void>;
}
