import type { MetricSpec } from './metric-spec.ts';

/** What a server counts as an edge of another. */
export const AGENT_METRICS = {
  agentConnected: {
    type: 'gauge',
    name: 'zoetrope_edge_connected',
    help: '1 while this edge has a link to its control.',
    labels: [],
  },
  agentRows: {
    type: 'counter',
    name: 'zoetrope_edge_rows_total',
    help: 'Rows of segments that control has taken from this edge.',
    labels: [],
  },
  agentSegments: {
    type: 'counter',
    name: 'zoetrope_edge_segments_sent_total',
    help: 'Segments that control has taken from this edge, by why they were sent: somebody waited (urgent), somebody watches (live), or a recording or clip is filled up (fill).',
    labels: ['reason'],
  },
  agentBytes: {
    type: 'counter',
    name: 'zoetrope_edge_sent_bytes_total',
    help: 'Bytes of segments that control has taken from this edge, by why they were sent.',
    labels: ['reason'],
  },
  agentGone: {
    type: 'counter',
    name: 'zoetrope_edge_gone_total',
    help: 'Segments that control wanted and whose bytes were not here any more.',
    labels: [],
  },
  agentRetries: {
    type: 'counter',
    name: 'zoetrope_edge_retries_total',
    help: 'What this edge had to try again: a session with control, rows of a stream, a segment.',
    labels: ['what'],
  },
  agentBacklogRows: {
    type: 'gauge',
    name: 'zoetrope_edge_backlog_rows',
    help: 'Rows that control has not taken yet.',
    labels: [],
  },
  agentBacklogSegments: {
    type: 'gauge',
    name: 'zoetrope_edge_backlog_segments',
    help: 'Segments that control wants and does not have yet, as far as it has named them.',
    labels: [],
  },
  agentBacklogBytes: {
    type: 'gauge',
    name: 'zoetrope_edge_backlog_bytes',
    help: 'Bytes of those segments.',
    labels: [],
  },
  agentClockOffset: {
    type: 'gauge',
    name: 'zoetrope_edge_clock_offset_seconds',
    help: "How far control's clock is ahead of this edge's.",
    labels: [],
  },
} as const satisfies Readonly<Record<string, MetricSpec>>;
