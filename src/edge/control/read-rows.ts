import { createHash } from 'node:crypto';
import { ZoetropeError } from '../../base/errors.ts';
import { isId } from '../../base/ids.ts';
import { pts90k, wallMs } from '../../base/time.ts';
import type { EdgeRowBatch, EdgeSegment } from '../../catalog/edge-store.ts';
import { readMuxedInit } from '../../packager/cmaf/muxed-reader.ts';
import type { EdgeEpoch, EdgeRow, EdgeRows } from '../protocol.ts';

/** Most bytes of one init segment. */
const MOST_INIT_BYTES = 256 * 1024;

/** What an edge sends of a rendition, checked: its ids can be in keys, its times are times, its init segments can be read. @throws invalid_argument, corrupt_media */
export function readRows(
  streamId: string,
  { rendition, epochs, rows }: EdgeRows,
): Omit<EdgeRowBatch, 'offlineAfterMs'> {
  checkOrder(rows);
  return {
    streamId,
    rendition,
    epochs: epochs.map(readEpoch),
    rows: rows.map((row) => readRow(streamId, row)),
  };
}

/** On-time ones by sequence, then late ones by theirs. */
function checkOrder(rows: readonly EdgeRow[]): void {
  rows.forEach((row, index) => {
    const before = rows[index - 1];
    if (before === undefined) return;
    const isRising =
      before.placement === row.placement ? before.sequence < row.sequence : before.placement === 'onTime';
    if (isRising) return;
    throw new ZoetropeError(
      'invalid_argument',
      `Rows come with the on-time ones first, then the late ones, each by rising sequence. Row ${index} is ${row.placement} ${row.sequence}, after ${before.placement} ${before.sequence}.`,
    );
  });
}

function readRow(streamId: string, row: EdgeRow): EdgeSegment {
  checkId('segment', row.id);
  checkId('epoch', row.epochId);
  const { frameTimesMs } = row;
  const isRising = frameTimesMs.every((time, index) => index === 0 || time > (frameTimesMs[index - 1] ?? time));
  if (!isRising) {
    throw new ZoetropeError(
      'invalid_argument',
      `The frame times of row ${row.id} do not rise. Each frame has its own.`,
    );
  }
  if (!row.lost && (row.sizeBytes === 0 || row.sha256 === '')) {
    throw new ZoetropeError(
      'invalid_argument',
      `Row ${row.id} has no bytes or no SHA-256, which only a lost one may. Send both.`,
    );
  }
  return {
    id: row.id,
    epochId: row.epochId,
    placement: row.placement,
    sequence: row.sequence,
    startMs: wallMs(row.startMs),
    mediaStart90k: pts90k(row.mediaStart90k),
    duration90k: pts90k(row.duration90k),
    frameTimesMs: frameTimesMs.map(wallMs),
    objectKey: `media/${streamId}/${row.id}.m4s`,
    sizeBytes: row.sizeBytes,
    sha256: row.sha256,
    keyframeBytes: row.keyframeBytes,
    lost: row.lost,
  };
}

function readEpoch(epoch: EdgeEpoch): EdgeRowBatch['epochs'][number] {
  checkId('epoch', epoch.id);
  const init = Uint8Array.from(Buffer.from(epoch.init, 'base64'));
  if (init.length === 0 || init.length > MOST_INIT_BYTES) {
    throw new ZoetropeError(
      'invalid_argument',
      `The init segment of epoch ${epoch.id} has ${init.length} bytes; it must have 1 to ${MOST_INIT_BYTES}, in base64.`,
    );
  }
  const { video, audio } = readMuxedInit(init);
  const codecs = [video, audio].flatMap((track) => (track === null ? [] : [track.codecs])).join(',');
  const { width, height } = video ?? { width: 0, height: 0 };
  if (codecs !== epoch.codecs || width !== epoch.width || height !== epoch.height) {
    throw new ZoetropeError(
      'invalid_argument',
      `The init segment of epoch ${epoch.id} is ${codecs} ${width}×${height}. Got ${epoch.codecs} ${epoch.width}×${epoch.height}.`,
    );
  }
  const { id, anchorMs } = epoch;
  const initSha256 = createHash('sha256').update(init).digest('hex');
  return { id, anchorMs: wallMs(anchorMs), init, initSha256, codecs, width, height };
}

function checkId(kind: 'segment' | 'epoch', id: string): void {
  if (isId(kind, id)) return;
  throw new ZoetropeError(
    'invalid_argument',
    `${JSON.stringify(id.slice(0, 100))} has not the shape of the id of a ${kind}.`,
  );
}
