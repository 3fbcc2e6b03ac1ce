import { isZoetropeError, ZoetropeError } from '../base/errors.ts';
import type { IdSource } from '../base/ids.ts';
import type { RungSegment } from '../catalog/ladder-store.ts';
import type { EncodedRendition, Transcoder, VideoRung } from '../engine/transcoder.ts';
import type { Epoch } from '../timeline/epoch.ts';
import type { Segment } from '../timeline/segment.ts';
import type { PlannedRung } from './plan-rungs.ts';

/** What encoding needs. */
export interface MakeRungsDeps {
  readonly transcoder: Pick<Transcoder, 'encodeLadder'>;
  readonly ids: IdSource;
}

/** A segment of the source, and what is to become of it. */
export interface RungsRequest {
  readonly segment: Segment;
  readonly epoch: Epoch;
  readonly rungs: readonly PlannedRung[];
  readonly tenant: string;
  readonly signal: AbortSignal;
}

/** What a segment became. Objects are durable; rows are still to be written. */
export interface MadeRungs {
  readonly segments: readonly RungSegment[];
  readonly cpuMs: number;
}

/** A process may die for a reason of its own; what fails on two is the segment's. */
const TRIES = 2;

/** Encodes a segment to all its rungs. @throws cancelled; what went wrong at the last try */
export async function makeRungs(deps: MakeRungsDeps, request: RungsRequest): Promise<MadeRungs> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await encode(deps, request);
    } catch (error) {
      const isFinal = request.signal.aborted || (isZoetropeError(error) && FINAL_FAULTS.has(error.code));
      if (isFinal || attempt >= TRIES) throw error;
    }
  }
}

const FINAL_FAULTS: ReadonlySet<string> = new Set(['corrupt_media', 'unsupported_media', 'missing_input', 'cancelled']);

async function encode({ transcoder, ids }: MakeRungsDeps, request: RungsRequest): Promise<MadeRungs> {
  const { segment, epoch, tenant, signal } = request;
  const named = request.rungs.map(({ name, spec }) => ({ name, spec, id: ids.next('segment') }));
  const rungs = named.map(({ name, spec, id }): VideoRung => ({
    id: name,
    spec,
    outputPrefix: `media/${segment.streamId}/${id}.`,
  }));
  const { objectKey, mediaStart90k, duration90k } = segment;
  const { value, usage } = await transcoder.encodeLadder(
    { objectKey, init: epoch.init, mediaStart90k, duration90k, rungs },
    // What one tenant's media did to a process reaches no other's.
    { owner: `ladder ${tenant}`, signal },
  );
  const segments = named.map(({ name, id }) => rungSegment(name, id, value.rungs));
  return { segments, cpuMs: usage.cpuMs };
}

function rungSegment(name: string, id: string, made: readonly EncodedRendition[]): RungSegment {
  const rendition = made.find((one) => one.id === name);
  const media = rendition?.segments[0];
  if (rendition === undefined || media === undefined) {
    throw new ZoetropeError('engine_failed', `The engine gave nothing for the rung ${name}.`);
  }
  const { base64, sha256, codecs, width, height } = rendition.init;
  return {
    id,
    rendition: name,
    objectKey: media.objectKey,
    sizeBytes: media.sizeBytes,
    sha256: media.sha256,
    init: { bytes: new Uint8Array(Buffer.from(base64, 'base64')), sha256, codecs, width, height },
  };
}
