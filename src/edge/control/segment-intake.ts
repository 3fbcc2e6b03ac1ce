import { createHash } from 'node:crypto';
import { isZoetropeError, ZoetropeError } from '../../base/errors.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import type { Edge } from '../../timeline/edge.ts';
import type { Segment } from '../../timeline/segment.ts';
import { requireId } from './edge-control.ts';
import type { EdgeMetrics } from './edge-metrics.ts';

/** Bytes of segments under way that may be in memory at once, of all edges. */
const MOST_UNDER_WAY = 256 * 1024 * 1024;

/** What taking segments works with. */
export interface SegmentIntakeDeps {
  readonly catalog: Pick<Catalog, 'getSegment' | 'getStream' | 'noteArrived'>;
  readonly objects: Pick<ObjectStore, 'put' | 'delete'>;
  readonly metrics: EdgeMetrics;
}

/** A segment's bytes on their way. */
export interface SegmentUpload {
  readonly segmentId: string;
  /** Null: the sender did not say. */
  readonly sizeBytes: number | null;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Takes the bytes of segments whose rows are here. */
export class SegmentIntake {
  readonly #deps: SegmentIntakeDeps;
  #underWay = 0;

  constructor(deps: SegmentIntakeDeps) {
    this.#deps = deps;
  }

  /**
   * Resolves when the bytes are durable and noted; at once for those that are here.
   * @throws not_found when nobody wants them; checksum_mismatch; too_many
   */
  async take(edge: Edge, upload: SegmentUpload): Promise<void> {
    const { catalog, objects, metrics } = this.#deps;
    const segment = await this.#find(edge, upload.segmentId);
    // What is left of the body goes with the connection, or is read to nowhere.
    if (!segment.remote && !segment.lost) return;
    if (upload.sizeBytes !== null && upload.sizeBytes !== segment.sizeBytes)
      throw otherBytes(segment, upload.sizeBytes);
    if (this.#underWay + segment.sizeBytes > MOST_UNDER_WAY && this.#underWay > 0) {
      throw new ZoetropeError('too_many', 'Too many bytes are on their way here at once. Try again in a moment.');
    }
    this.#underWay += segment.sizeBytes;
    try {
      const bytes = await readAll(segment, upload.body);
      if (createHash('sha256').update(bytes).digest('hex') !== segment.sha256) throw otherBytes(segment, bytes.length);
      await objects.put(segment.objectKey, bytes);
      metrics.received(bytes.length);
    } finally {
      this.#underWay -= segment.sizeBytes;
    }
    if (await catalog.noteArrived(segment.id)) return;
    // Retention took its row meanwhile.
    await objects.delete([segment.objectKey]);
    throw noSuchSegment(segment.id);
  }

  async #find(edge: Edge, segmentId: string): Promise<Segment> {
    requireId('segment', segmentId);
    try {
      const segment = await this.#deps.catalog.getSegment(segmentId);
      const { edgeId } = await this.#deps.catalog.getStream(segment.streamId);
      if (edgeId === edge.id) return segment;
    } catch (error) {
      if (!isZoetropeError(error, 'not_found')) throw error;
    }
    throw noSuchSegment(segmentId);
  }
}

/** Never more than the row says, however much is sent. */
async function readAll(segment: Segment, body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const bytes = new Uint8Array(segment.sizeBytes);
  let at = 0;
  for await (const piece of body) {
    if (at + piece.length > bytes.length) throw otherBytes(segment, null);
    bytes.set(piece, at);
    at += piece.length;
  }
  if (at < bytes.length) throw otherBytes(segment, at);
  return bytes;
}

function otherBytes(segment: Segment, gotBytes: number | null): ZoetropeError {
  const got = gotBytes === null ? 'more' : gotBytes === segment.sizeBytes ? 'other bytes' : `${gotBytes} bytes`;
  return new ZoetropeError(
    'checksum_mismatch',
    `Segment ${segment.id} has ${segment.sizeBytes} bytes with the SHA-256 ${segment.sha256}. Got ${got}. Send it as it is stored, or tell with /gone that it is damaged.`,
  );
}

function noSuchSegment(segmentId: string): ZoetropeError {
  return new ZoetropeError(
    'not_found',
    `The row of segment ${segmentId} is not here, or was removed: nobody wants its bytes.`,
  );
}
