/** Why a segment was sent. */
export type SendReason = 'urgent' | 'live' | 'fill';

/** What an edge's agent counts. */
export interface AgentMetrics {
  /** Rows that control has taken. */
  rows(count: number): void;
  /** A segment that control has. */
  segment(reason: SendReason, sizeBytes: number): void;
  /** A segment that cannot be sent: its bytes are here no more. */
  gone(): void;
  /** A request, or all of a session, that is made again. */
  retry(what: 'session' | 'rows' | 'segment'): void;
}

/** Counts nothing. */
export const noAgentMetrics: AgentMetrics = {
  rows: () => undefined,
  segment: () => undefined,
  gone: () => undefined,
  retry: () => undefined,
};
