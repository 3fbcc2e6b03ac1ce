import type { Clock } from '../../base/clock.ts';
import { isZoetropeError, messageOf } from '../../base/errors.ts';
import { formatRfc3339, wallMs } from '../../base/time.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { deadLetterTopic, type EventLog } from '../../events/event-log.ts';
import { INGEST_TOPICS, isIngestDrained } from '../../ingest/topics.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import { effectiveSettings, type Stream, type StreamSettings } from '../../timeline/stream.ts';
import { findOrphans } from '../orphans.ts';
import { allStreams } from '../streams.ts';
import { checkAsset, checkAssetObjects } from './asset-checks.ts';
import { allAssets, type AssetCatalog, readAssetSnapshot } from './asset-snapshot.ts';
import { checkClips } from './clip-checks.ts';
import { isSameFinding, type Finding, type Repair } from './finding.ts';
import { checkObjects } from './object-checks.ts';
import { checkPlaylists } from './playlist-checks.ts';
import { readSnapshot, type SnapshotCatalog } from './stream-snapshot.ts';
import { checkTimeline } from './timeline-checks.ts';

/** What the doctor works with. */
export interface DoctorDeps {
  readonly catalog: SnapshotCatalog &
    AssetCatalog &
    Pick<
      Catalog,
      | 'listStreams'
      | 'getStream'
      | 'getSegment'
      | 'objectKeysOf'
      | 'setSegmentLost'
      | 'totals'
      | 'getAsset'
      | 'outputsOf'
      | 'unsettleAsset'
      | 'settleAsset'
      | 'getClip'
      | 'listClips'
      | 'releaseHold'
    >;
  readonly objects: Pick<ObjectStore, 'list' | 'head' | 'get' | 'open' | 'delete'>;
  readonly events: Pick<EventLog, 'lag' | 'peek'>;
  readonly clock: Clock;
  readonly defaults: StreamSettings;
  readonly eventRetentionMs: number;
}

/** How thorough a visit is. */
export interface DoctorOptions {
  readonly signal: AbortSignal;
  /** Read every object, compare its hash and parse its media. */
  readonly deep?: boolean;
  /** Set right what can be set right without guessing. */
  readonly repair?: boolean;
}

/** A finding, and whether it was set right. */
export interface TreatedFinding extends Finding {
  readonly repaired: boolean;
}

/** What a visit came to. */
export interface DoctorReport {
  /** RFC 3339. */
  readonly checkedAt: string;
  readonly deep: boolean;
  readonly streams: number;
  readonly assets: number;
  /** Of streams and assets. */
  readonly segments: number;
  readonly epochs: number;
  /** Segments whose bytes are known to be lost: playlists name them as gaps, so they are no findings. */
  readonly lost: number;
  readonly findings: readonly TreatedFinding[];
  /** Whether nothing is wrong any more. */
  readonly clean: boolean;
}

/** What was seen of one stream or asset. */
interface Visit {
  readonly findings: readonly Finding[];
  readonly segments: number;
  readonly epochs: number;
  readonly lost: number;
}

/**
 * Checks every invariant on what is stored, beside a running server if there is one: what looks wrong is looked at twice before it is
 * reported, for the server may have changed it between two reads.
 */
export class Doctor {
  readonly #deps: DoctorDeps;

  constructor(deps: DoctorDeps) {
    this.#deps = deps;
  }

  /** One visit. @throws unavailable when a store cannot be reached at all. */
  async examine(options: DoctorOptions): Promise<DoctorReport> {
    const { catalog, clock } = this.#deps;
    const findings: Finding[] = [];
    const counts = { streams: 0, assets: 0, segments: 0, epochs: 0, lost: 0 };
    const visit = async (examine: () => Promise<Visit>): Promise<void> => {
      const first = await this.#examineIfThere(examine);
      counts.segments += first.segments;
      counts.epochs += first.epochs;
      counts.lost += first.lost;
      if (first.findings.length === 0) return;
      const second = await this.#examineIfThere(examine);
      findings.push(...first.findings.filter((one) => second.findings.some((other) => isSameFinding(one, other))));
    };
    for await (const stream of allStreams(catalog)) {
      counts.streams++;
      await visit(() => this.#examineStream(stream, options));
    }
    for await (const { id } of allAssets(catalog)) {
      counts.assets++;
      await visit(() => this.#examineAsset(id, options));
    }
    findings.push(...(await this.#orphans(options.signal)), ...(await this.#checkEvents()));
    const treated: TreatedFinding[] = [];
    for (const finding of findings) {
      const repaired = options.repair === true && finding.repair !== null && (await this.#apply(finding.repair));
      treated.push({ ...finding, repaired });
    }
    return {
      checkedAt: formatRfc3339(clock.nowMs()),
      deep: options.deep === true,
      ...counts,
      findings: treated,
      clean: treated.every(({ repaired }) => repaired),
    };
  }

  async #examineIfThere(examine: () => Promise<Visit>): Promise<Visit> {
    try {
      return await examine();
    } catch (error) {
      // It was removed since it was listed.
      if (isZoetropeError(error, 'not_found')) return { findings: [], segments: 0, epochs: 0, lost: 0 };
      throw error;
    }
  }

  async #examineStream(stream: Stream, { signal, deep = false }: DoctorOptions): Promise<Visit> {
    const { catalog, clock, defaults, objects } = this.#deps;
    const snapshot = await readSnapshot(catalog, stream, signal);
    const { futureToleranceMs } = effectiveSettings(stream, defaults);
    const latestMs = wallMs(clock.nowMs() + futureToleranceMs);
    return {
      findings: [
        ...checkTimeline(snapshot, { latestMs }),
        ...(await checkObjects(snapshot, { catalog, objects, deep, signal })),
        ...checkPlaylists(snapshot, defaults),
        ...(await checkClips(snapshot, { catalog, objects, deep, signal })),
      ],
      segments: snapshot.segments.length,
      epochs: snapshot.epochs.size,
      lost: snapshot.segments.filter((segment) => segment.lost).length,
    };
  }

  async #examineAsset(assetId: string, { signal, deep = false }: DoctorOptions): Promise<Visit> {
    const { catalog, objects } = this.#deps;
    const snapshot = await readAssetSnapshot(catalog, assetId);
    const windows = [...snapshot.windows.values()];
    const segments = windows.flatMap((window) => window.segments);
    return {
      findings: [...checkAsset(snapshot), ...(await checkAssetObjects(snapshot, { objects, deep, signal }))],
      segments: segments.length,
      epochs: windows.flatMap((window) => window.epochs).length,
      lost: segments.filter((segment) => segment.lost).length,
    };
  }

  async #orphans(signal: AbortSignal): Promise<readonly Finding[]> {
    const findings: Finding[] = [];
    const deps = { ...this.#deps, isLogDrained: () => isIngestDrained(this.#deps.events) };
    for await (const { key, sizeBytes } of findOrphans(deps, signal)) {
      findings.push({
        check: 'orphans',
        streamId: null,
        subject: key,
        message: `This object of ${sizeBytes} bytes is named by nothing.`,
        repair: { kind: 'deleteObject', key },
      });
    }
    return findings;
  }

  async #checkEvents(): Promise<readonly Finding[]> {
    const findings: Finding[] = [];
    const add = (topic: string, message: string | null): void => {
      if (message !== null) findings.push({ check: 'events', streamId: null, subject: topic, message, repair: null });
    };
    for (const { topic, group } of INGEST_TOPICS) {
      add(topic, await this.#topicFault(topic, group));
      add(deadLetterTopic(topic), await this.#topicFault(deadLetterTopic(topic), null));
    }
    return findings;
  }

  async #topicFault(topic: string, group: string | null): Promise<string | null> {
    try {
      await this.#deps.events.peek(topic, { limit: 1 });
      const lag = group === null ? 0 : await this.#deps.events.lag(topic, group);
      return lag < 0 ? `The group ${group} has committed ${-lag} events beyond its end.` : null;
    } catch (error) {
      return `It cannot be read: ${messageOf(error)}`;
    }
  }

  async #apply(repair: Repair): Promise<boolean> {
    const { catalog, objects } = this.#deps;
    switch (repair.kind) {
      case 'markLost':
      case 'markFound':
        await catalog.setSegmentLost(repair.segmentId, repair.kind === 'markLost');
        return true;
      case 'releaseHold':
        await catalog.releaseHold(repair.holdId);
        return true;
      case 'deleteObject':
        await objects.delete([repair.key]);
        return true;
      case 'settleAsset':
        await catalog.unsettleAsset(repair.assetId);
        return true;
      case 'cancelTasks': {
        const { assetId, taskIds, version } = repair;
        return (await catalog.settleAsset(assetId, version, { cancelTasks: taskIds })) !== null;
      }
    }
  }
}
