/** What one metric is. Labels are bounded: never an id, a name or a URL from outside. */
export interface MetricSpec {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

/** From a playlist in memory to a slow answer. */
const REQUEST_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** From one small batch to the deadline of a task. */
const TASK_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** From one-frame segments to a segment that waited its longest. */
const PLAYABLE_SECONDS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 32, 35, 40, 50, 60, 75, 90, 120, 300];

/** From a still to a chunk of a tall ladder on a busy machine. */
const VOD_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640];

/** Every metric of Zoetrope. */
export const METRICS = {
  framesReceived: {
    type: 'counter',
    name: 'zoetrope_frames_received_total',
    help: 'Frames that arrived, by HTTP or as events.',
    labels: [],
  },
  framesAccepted: {
    type: 'counter',
    name: 'zoetrope_frames_accepted_total',
    help: 'Frames that lie in a durable segment.',
    labels: [],
  },
  framesLate: {
    type: 'counter',
    name: 'zoetrope_frames_late_total',
    help: 'Frames that came after a newer segment was durable.',
    labels: [],
  },
  framesDuplicate: {
    type: 'counter',
    name: 'zoetrope_frames_duplicate_total',
    help: 'Frames that were on the timeline already.',
    labels: [],
  },
  framesDead: {
    type: 'counter',
    name: 'zoetrope_frames_dead_total',
    help: 'Frames in the dead letters, by error code.',
    labels: ['code'],
  },
  pushDuplicates: {
    type: 'counter',
    name: 'zoetrope_push_duplicates_total',
    help: 'Pushed segments and chunks that were on the timeline already.',
    labels: [],
  },
  pushRejected: {
    type: 'counter',
    name: 'zoetrope_push_rejected_total',
    help: 'Pushed segments and chunks that could not be taken, by error code.',
    labels: ['code'],
  },
  pushGaps: {
    type: 'counter',
    name: 'zoetrope_push_gaps_total',
    help: 'Holes between two pushed segments or chunks.',
    labels: [],
  },
  chunksMissing: {
    type: 'counter',
    name: 'zoetrope_chunks_missing_total',
    help: 'Chunks that were given up because later ones came, whether they came after all or not.',
    labels: [],
  },
  segments: {
    type: 'counter',
    name: 'zoetrope_segments_total',
    help: 'Segments that were appended, by placement.',
    labels: ['placement'],
  },
  segmentBytes: {
    type: 'counter',
    name: 'zoetrope_segment_bytes_total',
    help: 'Bytes of the segments that were appended.',
    labels: [],
  },
  captureToPlayable: {
    type: 'histogram',
    name: 'zoetrope_capture_to_playable_seconds',
    help: "From the capture of a segment's first frame to the segment being playable.",
    labels: [],
    buckets: PLAYABLE_SECONDS,
  },
  arrivalToPlayable: {
    type: 'histogram',
    name: 'zoetrope_arrival_to_playable_seconds',
    help: "From the arrival of a segment's last frame to the segment being playable.",
    labels: [],
    buckets: PLAYABLE_SECONDS,
  },
  openFrames: {
    type: 'gauge',
    name: 'zoetrope_open_frames',
    help: 'Frames that wait in open segments.',
    labels: [],
  },
  openSegments: { type: 'gauge', name: 'zoetrope_open_segments', help: 'Segments that are still open.', labels: [] },
  streams: { type: 'gauge', name: 'zoetrope_streams', help: 'Streams in the catalog.', labels: [] },
  activeStreams: {
    type: 'gauge',
    name: 'zoetrope_active_streams',
    help: 'Streams whose session is open: their source is sending.',
    labels: [],
  },
  storedSegments: {
    type: 'gauge',
    name: 'zoetrope_stored_segments',
    help: 'Segments in the retained windows.',
    labels: [],
  },
  storedBytes: {
    type: 'gauge',
    name: 'zoetrope_stored_segment_bytes',
    help: 'Bytes of the segments in the retained windows.',
    labels: [],
  },
  retiredSegments: {
    type: 'gauge',
    name: 'zoetrope_retired_segments',
    help: 'Segments outside the retained windows that a hold keeps or that wait to be removed.',
    labels: [],
  },
  retiredBytes: {
    type: 'gauge',
    name: 'zoetrope_retired_segment_bytes',
    help: 'Bytes of the segments outside the retained windows.',
    labels: [],
  },
  eventLogLag: {
    type: 'gauge',
    name: 'zoetrope_event_log_lag_events',
    help: 'Frame events that wait to become segments.',
    labels: [],
  },
  storageFree: {
    type: 'gauge',
    name: 'zoetrope_storage_free_bytes',
    help: 'Bytes that the object store can still take.',
    labels: [],
  },
  engineTaskSeconds: {
    type: 'histogram',
    name: 'zoetrope_engine_task_seconds',
    help: 'From asking the engine for a task to its end, by kind and outcome (done or an error code).',
    labels: ['kind', 'outcome'],
    buckets: TASK_SECONDS,
  },
  engineProcessesLost: {
    type: 'counter',
    name: 'zoetrope_engine_processes_lost_total',
    help: 'Engine processes that ended without having been asked to, by cause.',
    labels: ['cause'],
  },
  engineQueued: {
    type: 'gauge',
    name: 'zoetrope_engine_queued_tasks',
    help: 'Tasks that wait for an engine process.',
    labels: [],
  },
  engineRunning: {
    type: 'gauge',
    name: 'zoetrope_engine_running_tasks',
    help: 'Tasks that engine processes work on.',
    labels: [],
  },
  engineProcesses: {
    type: 'gauge',
    name: 'zoetrope_engine_processes',
    help: 'Engine processes, by state.',
    labels: ['state'],
  },
  engineRestarts: {
    type: 'gauge',
    name: 'zoetrope_engine_restarts',
    help: 'Starts of engine processes beyond the first, since the server started.',
    labels: [],
  },
  retentionSegments: {
    type: 'counter',
    name: 'zoetrope_retention_removed_segments_total',
    help: 'Segments that retention removed for good.',
    labels: [],
  },
  retentionBytes: {
    type: 'counter',
    name: 'zoetrope_retention_removed_bytes_total',
    help: 'Bytes of the segments that retention removed for good.',
    labels: [],
  },
  retentionUnmetBytes: {
    type: 'gauge',
    name: 'zoetrope_retention_unmet_bytes',
    help: 'Bytes above a ceiling that nothing is left to remove for.',
    labels: [],
  },
  sessionsEnded: {
    type: 'counter',
    name: 'zoetrope_sessions_ended_total',
    help: 'Sessions that upkeep ended, by reason.',
    labels: ['by'],
  },
  archivesMade: {
    type: 'counter',
    name: 'zoetrope_archives_made_total',
    help: 'Archives that were made of ended sessions.',
    labels: [],
  },
  upkeepRuns: {
    type: 'counter',
    name: 'zoetrope_upkeep_runs_total',
    help: 'Runs of upkeep tasks, by task and outcome.',
    labels: ['task', 'outcome'],
  },
  upkeepRunSeconds: {
    type: 'histogram',
    name: 'zoetrope_upkeep_run_seconds',
    help: 'How long runs of upkeep tasks took.',
    labels: ['task'],
    buckets: TASK_SECONDS,
  },
  httpRequests: {
    type: 'counter',
    name: 'zoetrope_http_requests_total',
    help: 'HTTP requests, by route pattern and class of status.',
    labels: ['route', 'status'],
  },
  httpSeconds: {
    type: 'histogram',
    name: 'zoetrope_http_request_seconds',
    help: 'From the arrival of a request to the end of its answer, by route pattern.',
    labels: ['route'],
    buckets: REQUEST_SECONDS,
  },
  sseSubscribers: {
    type: 'gauge',
    name: 'zoetrope_sse_subscribers',
    help: 'Clients that follow server-sent events.',
    labels: [],
  },
  sseDropped: {
    type: 'counter',
    name: 'zoetrope_sse_dropped_total',
    help: 'Followers of server-sent events that were cut off for reading too slowly.',
    labels: [],
  },
  playlists: {
    type: 'counter',
    name: 'zoetrope_playlists_sent_total',
    help: 'Playlists that were sent, by kind; hot ones came from memory, past the router.',
    labels: ['kind', 'hot'],
  },
  files: {
    type: 'counter',
    name: 'zoetrope_delivery_files_total',
    help: "Segments and init segments that were asked for, by where they came from: memory, the store, or another request's read.",
    labels: ['from'],
  },
  deliveredBytes: {
    type: 'counter',
    name: 'zoetrope_delivered_bytes_total',
    help: 'Bytes of playlists and segments that were sent.',
    labels: [],
  },
  vodTaskSeconds: {
    type: 'histogram',
    name: 'zoetrope_vod_task_seconds',
    help: 'Time of tries of asset tasks, by kind and how they ended.',
    labels: ['kind', 'outcome'],
    buckets: VOD_SECONDS,
  },
  vodCpuSeconds: {
    type: 'counter',
    name: 'zoetrope_vod_cpu_seconds_total',
    help: 'CPU time that tries of asset tasks have cost, by kind.',
    labels: ['kind'],
  },
  vodTasks: {
    type: 'gauge',
    name: 'zoetrope_vod_tasks',
    help: 'Tasks of assets that wait and run, in all processes.',
    labels: ['state'],
  },
  ladderSegments: {
    type: 'counter',
    name: 'zoetrope_ladder_segments_total',
    help: 'Segments of rungs that were made for live ladders.',
    labels: [],
  },
  ladderMissed: {
    type: 'counter',
    name: 'zoetrope_ladder_missed_total',
    help: 'Segments of live sources without rungs: they did not encode, or this machine was too slow.',
    labels: ['cause'],
  },
  ladderDelay: {
    type: 'histogram',
    name: 'zoetrope_ladder_delay_seconds',
    help: 'From when a live segment was on its timeline to when its rungs were.',
    labels: [],
    buckets: TASK_SECONDS,
  },
  ladderCpuSeconds: {
    type: 'counter',
    name: 'zoetrope_ladder_cpu_seconds_total',
    help: 'CPU time that live ladders have cost.',
    labels: [],
  },
  ladderStreams: {
    type: 'gauge',
    name: 'zoetrope_ladder_streams',
    help: 'Streams whose live ladders this process makes.',
    labels: [],
  },
  ladderLag: {
    type: 'gauge',
    name: 'zoetrope_ladder_lag_seconds',
    help: 'How far the slowest live ladder of this process is behind its source.',
    labels: [],
  },
  webhookTries: {
    type: 'counter',
    name: 'zoetrope_webhook_tries_total',
    help: 'Tries to deliver a webhook, by how they ended: delivered, to be tried again, given up.',
    labels: ['outcome'],
  },
  webhookSeconds: {
    type: 'histogram',
    name: 'zoetrope_webhook_try_seconds',
    help: 'From the beginning of a try to deliver a webhook to the answer or its absence.',
    labels: [],
    buckets: TASK_SECONDS,
  },
  webhookEndpointsDisabled: {
    type: 'counter',
    name: 'zoetrope_webhook_endpoints_disabled_total',
    help: 'Webhook endpoints that answered 410 and were disabled.',
    labels: [],
  },
  sampleFailures: {
    type: 'counter',
    name: 'zoetrope_metric_sample_failures_total',
    help: 'Metrics that could not be read for a scrape and are missing from it.',
    labels: ['metric'],
  },
} as const satisfies Readonly<Record<string, MetricSpec>>;

/** What the code calls a metric. */
export type MetricName = keyof typeof METRICS;

/** Names of the metrics of one type. */
export type MetricNameOf<Type extends MetricSpec['type']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[MetricName];

/** The labels of a metric. */
export type LabelOf<Name extends MetricName> = (typeof METRICS)[Name]['labels'][number];
