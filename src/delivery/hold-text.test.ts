import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { pts90k, wallMs } from '../base/time.ts';
import type { AppendedSegment, Window } from '../catalog/catalog.ts';
import type { Hold } from '../timeline/hold.ts';
import { byWallOrder, segmentEndMs, type Segment } from '../timeline/segment.ts';
import { HoldText } from './hold-text.ts';
import { variantOf } from './variant.ts';

const RHYTHM = { framesPerSegment: 0, maxSegmentWaitS: 0 };
const READING_MS = 100;

/** Segments of 10 s from 0 on, that a slow catalog reads, and a recording of all of them. */
class World {
  readonly clock = new FakeClock();
  readonly segments: Segment[] = [];
  readonly hold: Hold;
  readonly text: HoldText;
  reads = 0;
  /** Called while a reading is under way. */
  meanwhile: () => void = () => undefined;

  constructor(toMs: number | null) {
    this.hold = {
      id: 'rec_1',
      streamId: 'str_1',
      kind: 'recording',
      name: '',
      metadata: {},
      fromMs: wallMs(0),
      toMs: toMs === null ? null : wallMs(toMs),
      sessionId: null,
      createdAtMs: wallMs(0),
      expiresAtMs: null,
      releasedAtMs: null,
      stoppedAtMs: null,
      extent: null,
    };
    const catalog = {
      segmentsBetween: async (_stream: string, fromMs: number, to: number): Promise<Window> => {
        this.reads++;
        const found = this.segments.filter((one) => one.startMs < to && segmentEndMs(one) > fromMs).sort(byWallOrder);
        await this.clock.advance(READING_MS);
        this.meanwhile();
        return { segments: found, epochs: [] } as unknown as Window;
      },
    };
    this.text = new HoldText(this.hold, 'main', variantOf(1, 'cmaf'), { catalog, clock: this.clock });
  }

  append(startS: number, late = false): void {
    const segment = {
      id: `seg_${startS}`,
      epochId: late ? `epo_${startS}` : 'epo_0',
      placement: late ? 'late' : 'onTime',
      sequence: startS / 10,
      startMs: wallMs(startS * 1000),
      mediaStart90k: pts90k(0),
      duration90k: pts90k(900_000),
      frameTimesMs: [wallMs(startS * 1000)],
      createdAtMs: wallMs(1),
      discontinuity: late,
      lost: false,
    } as unknown as Segment;
    this.segments.push(segment);
    this.text.change([{ segment, rendition: { name: 'main' } } as AppendedSegment], false);
  }

  async shown(isFinal: boolean): Promise<{ readonly starts: string; readonly isFresh: () => boolean }> {
    const { revision } = this.text;
    const list = await this.text.update({ hold: this.hold, isFinal, rhythm: RHYTHM });
    const head = {
      targetDurationS: 10,
      mediaSequence: 0,
      discontinuitySequence: 0,
      type: null,
      canSkipUntilS: null,
      dateRanges: [],
    };
    const starts = [...list.playlist.full(head, false).matchAll(/seg_(\d+)/g)].map((match) => match[1]).join(' ');
    return { starts, isFresh: () => this.text.isAt(revision) };
  }
}

describe('HoldText', () => {
  it('reads all once, and then what is new', async () => {
    const w = new World(null);
    for (const startS of [0, 10, 20]) w.append(startS);
    const first = await w.shown(false);
    assert.deepEqual([first.starts, first.isFresh(), w.reads], ['0 10 20', true, 1]);
    await w.shown(false);
    assert.equal(w.reads, 1);
    w.append(30);
    assert.equal(first.isFresh(), false);
    assert.equal((await w.shown(false)).starts, '0 10 20 30');
  });

  it('is not read as a whole all the time, and what it lacks meanwhile counts as fresh no longer than that', async () => {
    const w = new World(30_000);
    for (const startS of [0, 20, 30]) w.append(startS);
    assert.equal((await w.shown(true)).starts, '0 20');
    w.append(10, true);
    const soon = await w.shown(true);
    assert.deepEqual([soon.starts, soon.isFresh()], ['0 20', true]);
    await w.clock.advance(READING_MS * 50);
    assert.equal(soon.isFresh(), false);
    const later = await w.shown(true);
    assert.deepEqual([later.starts, later.isFresh()], ['0 10 20', true]);
  });

  it('does not look up for what comes behind its end', async () => {
    const w = new World(20_000);
    for (const startS of [0, 10]) w.append(startS);
    const shown = await w.shown(true);
    w.append(20);
    assert.equal(shown.isFresh(), true);
    assert.deepEqual([(await w.shown(true)).starts, w.reads], ['0 10', 1]);
  });

  it('is stale when something happens while it is read', async () => {
    const w = new World(null);
    w.append(0);
    w.meanwhile = () => {
      w.meanwhile = () => undefined;
      w.append(10);
    };
    const shown = await w.shown(false);
    assert.deepEqual([shown.starts, shown.isFresh()], ['0', false]);
    assert.equal((await w.shown(false)).starts, '0 10');
  });

  it('gives each of those who ask at once what they asked for', async () => {
    const w = new World(30_000);
    for (const startS of [0, 20]) w.append(startS);
    w.append(10, true);
    const [growing, final, again] = await Promise.all([w.shown(false), w.shown(true), w.shown(false)]);
    assert.deepEqual([growing.starts, final.starts, again.starts], ['0 20', '0 10 20', '0 20']);
  });
});
