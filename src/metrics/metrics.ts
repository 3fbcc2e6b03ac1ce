import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { HttpMetrics } from '../api/rest/deps.ts';
import type { CatalogTotals } from '../catalog/catalog.ts';
import type { DeliveryMetrics } from '../delivery/metrics.ts';
import type { EngineStats } from '../engine/engine.ts';
import type { EngineMetrics } from '../engine/task.ts';
import type { ChunkMetrics } from '../ingest/chunks/chunk-metrics.ts';
import type { FramesMetrics } from '../ingest/frames/metrics.ts';
import type { PushMetrics } from '../ingest/push/push-metrics.ts';
import type { LadderMetrics } from '../ladder/ladder-metrics.ts';
import type { OfflineReport } from '../upkeep/offline-checker.ts';
import type { RetentionReport } from '../upkeep/retention.ts';
import type { WorkerMetrics } from '../vod/worker.ts';
import type { WebhookMetrics } from '../webhooks/metrics.ts';
import { METRICS, type LabelOf, type MetricName, type MetricNameOf, type MetricSpec } from './catalogue.ts';

/** A scrape waits so long for a sample, in milliseconds, and then goes without. */
const SAMPLE_TIMEOUT_MS = 2000;

/** Gauges of prom-client's own that are named like counters, against Prometheus's naming rules. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** What upkeep tells of its runs. */
export interface UpkeepMetrics {
  retention(report: RetentionReport): void;
  offline(report: OfflineReport): void;
  run(task: string, outcome: { readonly ok: boolean; readonly durationMs: number }): void;
}

/** What is read when somebody scrapes. Each may fail or be left out: its metrics are then missing, and nothing else. */
export interface MetricSources {
  readonly engine?: () => EngineStats;
  readonly totals?: () => Promise<CatalogTotals>;
  readonly open?: () => { readonly frames: number; readonly segments: number };
  readonly eventLogLag?: () => Promise<number>;
  /** Null: the store knows no limit. */
  readonly freeBytes?: () => Promise<number | null>;
  readonly tasks?: () => Promise<{ readonly waiting: number; readonly running: number }>;
  readonly ladders?: () => { readonly streams: number; readonly lagMs: number };
}

/** The metrics of this process: handles for those who count, and the text for those who scrape. */
export class Metrics {
  readonly frames: FramesMetrics;
  readonly push: PushMetrics;
  readonly chunks: ChunkMetrics;
  readonly engine: EngineMetrics;
  readonly delivery: DeliveryMetrics;
  readonly http: HttpMetrics;
  readonly upkeep: UpkeepMetrics;
  readonly worker: WorkerMetrics;
  readonly webhooks: WebhookMetrics;
  readonly ladder: LadderMetrics;
  readonly #registry = new Registry();
  readonly #counters = new Map<MetricName, Counter>();
  readonly #gauges = new Map<MetricName, Gauge>();
  readonly #histograms = new Map<MetricName, Histogram>();
  #sources: MetricSources = {};

  constructor() {
    for (const [name, spec] of Object.entries(METRICS) as readonly (readonly [MetricName, MetricSpec])[]) {
      this.#add(name, spec);
    }
    collectDefaultMetrics({ register: this.#registry });
    for (const name of MISNAMED) this.#registry.removeSingleMetric(name);
    this.frames = this.#framesHandle();
    this.engine = {
      taskFinished: (kind, outcome, seconds) => this.#observe('engineTaskSeconds', seconds, { kind, outcome }),
      processLost: (cause) => this.#count('engineProcessesLost', 1, { cause }),
    };
    this.delivery = {
      playlistSent: (kind, hot) => this.#count('playlists', 1, { kind, hot: String(hot) }),
      fileRead: (from) => this.#count('files', 1, { from }),
      bytesSent: (count) => this.#count('deliveredBytes', count, {}),
    };
    this.http = {
      request: ({ route, status, seconds }) => {
        this.#count('httpRequests', 1, { route, status: `${Math.floor(status / 100)}xx` });
        this.#observe('httpSeconds', seconds, { route });
      },
      sseSubscribers: (change) => this.#gauges.get('sseSubscribers')?.inc(change),
      sseDropped: () => this.#count('sseDropped', 1, {}),
    };
    this.upkeep = this.#upkeepHandle();
    this.push = this.#pushHandle();
    this.chunks = { ...this.push, missing: (count) => this.#count('chunksMissing', count, {}) };
    this.worker = {
      taskEnded: (kind, outcome, seconds, cpuSeconds) => {
        this.#observe('vodTaskSeconds', seconds, { kind, outcome });
        this.#count('vodCpuSeconds', cpuSeconds, { kind });
      },
    };
    this.ladder = {
      made: (rungs, delaySeconds, cpuSeconds) => {
        this.#count('ladderSegments', rungs, {});
        this.#count('ladderCpuSeconds', cpuSeconds, {});
        this.#observe('ladderDelay', Math.max(0, delaySeconds), {});
      },
      missed: (cause, segments) => this.#count('ladderMissed', segments, { cause }),
    };
    this.webhooks = {
      tried: (outcome, seconds) => {
        this.#count('webhookTries', 1, { outcome });
        this.#observe('webhookSeconds', seconds, {});
      },
      endpointDisabled: () => this.#count('webhookEndpointsDisabled', 1, {}),
    };
  }

  /** Names where scrapes read what nobody counts. Those named earlier stay. */
  sample(sources: MetricSources): void {
    this.#sources = { ...this.#sources, ...sources };
  }

  /** The media type of {@link Metrics.scrape}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics in Prometheus's text format. */
  async scrape(): Promise<string> {
    await Promise.all([
      this.#read(
        ['engineProcesses', 'engineQueued', 'engineRunning', 'engineRestarts'],
        this.#sources.engine,
        (stats) => {
          this.#set('engineQueued', stats.queued, {});
          this.#set('engineRunning', stats.running, {});
          this.#set('engineRestarts', stats.restarts, {});
          this.#set('engineProcesses', stats.ready, { state: 'ready' });
          this.#set('engineProcesses', stats.processes - stats.ready, { state: 'starting' });
        },
      ),
      this.#read(
        ['streams', 'activeStreams', 'storedSegments', 'storedBytes', 'retiredSegments', 'retiredBytes'],
        this.#sources.totals,
        (totals) => {
          this.#set('streams', totals.streams, {});
          this.#set('activeStreams', totals.openSessions, {});
          this.#set('storedSegments', totals.segments, {});
          this.#set('storedBytes', totals.segmentBytes, {});
          this.#set('retiredSegments', totals.retiredSegments, {});
          this.#set('retiredBytes', totals.retiredBytes, {});
        },
      ),
      this.#read(['openFrames', 'openSegments'], this.#sources.open, (open) => {
        this.#set('openFrames', open.frames, {});
        this.#set('openSegments', open.segments, {});
      }),
      this.#read(['eventLogLag'], this.#sources.eventLogLag, (lag) => this.#set('eventLogLag', lag, {})),
      this.#read(['vodTasks'], this.#sources.tasks, ({ waiting, running }) => {
        this.#set('vodTasks', waiting, { state: 'waiting' });
        this.#set('vodTasks', running, { state: 'running' });
      }),
      this.#read(['ladderStreams', 'ladderLag'], this.#sources.ladders, ({ streams, lagMs }) => {
        this.#set('ladderStreams', streams, {});
        this.#set('ladderLag', lagMs / 1000, {});
      }),
      this.#read(['storageFree'], this.#sources.freeBytes, (bytes) => {
        if (bytes !== null) this.#set('storageFree', bytes, {});
      }),
    ]);
    return this.#registry.metrics();
  }

  #pushHandle(): PushMetrics {
    return {
      segment: (placement, sizeBytes) => {
        this.#count('segments', 1, { placement });
        this.#count('segmentBytes', sizeBytes, {});
      },
      duplicate: () => this.#count('pushDuplicates', 1, {}),
      rejected: (code) => this.#count('pushRejected', 1, { code }),
      gap: () => this.#count('pushGaps', 1, {}),
      playable: (seconds) => this.#observe('arrivalToPlayable', Math.max(0, seconds), {}),
    };
  }

  #framesHandle(): FramesMetrics {
    return {
      received: (count) => this.#count('framesReceived', count, {}),
      accepted: (count) => this.#count('framesAccepted', count, {}),
      late: (count) => this.#count('framesLate', count, {}),
      duplicate: (count) => this.#count('framesDuplicate', count, {}),
      dead: (code) => this.#count('framesDead', 1, { code }),
      segment: (placement, sizeBytes) => {
        this.#count('segments', 1, { placement });
        this.#count('segmentBytes', sizeBytes, {});
      },
      playable: (captureToPlayableS, arrivalToPlayableS) => {
        // A source's clock may be ahead: the histogram's sum must not fall.
        this.#observe('captureToPlayable', Math.max(0, captureToPlayableS), {});
        this.#observe('arrivalToPlayable', Math.max(0, arrivalToPlayableS), {});
      },
    };
  }

  #upkeepHandle(): UpkeepMetrics {
    return {
      retention: (report) => {
        if (report.dryRun) return;
        this.#count('retentionSegments', report.swept.segments, {});
        this.#count('retentionBytes', report.swept.bytes, {});
        this.#set('retentionUnmetBytes', report.unmetBytes, {});
      },
      offline: (report) => {
        if (report.dryRun) return;
        for (const session of report.ended) this.#count('sessionsEnded', 1, { by: session.by });
        this.#count('archivesMade', report.ended.filter((session) => session.archiveId !== null).length, {});
      },
      run: (task, { ok, durationMs }) => {
        this.#count('upkeepRuns', 1, { task, outcome: ok ? 'done' : 'failed' });
        this.#observe('upkeepRunSeconds', durationMs / 1000, { task });
      },
    };
  }

  #add(name: MetricName, spec: MetricSpec): void {
    const options = { name: spec.name, help: spec.help, labelNames: [...spec.labels], registers: [this.#registry] };
    switch (spec.type) {
      case 'counter':
        this.#counters.set(name, new Counter(options));
        break;
      case 'gauge': {
        const gauge = new Gauge(options);
        // A gauge that nobody has read shows nothing, rather than a nought that is not true.
        this.#gauges.set(name, gauge);
        if (name !== 'sseSubscribers') this.#hide(name);
        break;
      }
      case 'histogram':
        this.#histograms.set(name, new Histogram({ ...options, buckets: [...(spec.buckets ?? [])] }));
        break;
    }
  }

  #count<Name extends MetricNameOf<'counter'>>(name: Name, by: number, labels: Record<LabelOf<Name>, string>): void {
    this.#counters.get(name)?.inc(labels, by);
  }

  #set<Name extends MetricNameOf<'gauge'>>(name: Name, value: number, labels: Record<LabelOf<Name>, string>): void {
    this.#gauges.get(name)?.set(labels, value);
  }

  #observe<Name extends MetricNameOf<'histogram'>>(
    name: Name,
    value: number,
    labels: Record<LabelOf<Name>, string>,
  ): void {
    this.#histograms.get(name)?.observe(labels, value);
  }

  #hide(name: MetricName): void {
    const gauge = this.#gauges.get(name);
    if (METRICS[name].labels.length > 0) gauge?.reset();
    else gauge?.remove();
  }

  /** Reads a source into its gauges; when that fails they show nothing, the scrape counts it, and /readyz has the cause. */
  async #read<T>(
    names: readonly MetricNameOf<'gauge'>[],
    source: (() => T | Promise<T>) | undefined,
    use: (value: T) => void,
  ): Promise<void> {
    if (source === undefined) return;
    try {
      use(await withTimeout(source));
    } catch {
      for (const name of names) {
        this.#hide(name);
        this.#count('sampleFailures', 1, { metric: METRICS[name].name });
      }
    }
  }
}

async function withTimeout<T>(source: () => T | Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(SAMPLE_TIMEOUT_MS);
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  return Promise.race([source(), late]);
}
