import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { parseMediaPlaylist } from '../../../test/fixtures/strict-hls.ts';
import { wallMs } from '../../base/time.ts';
import { renderMediaPlaylist, type PlaylistHead, type PlaylistSegment } from './media-playlist.ts';
import { SlidingPlaylist } from './sliding-playlist.ts';

/** A `dvr` window as the catalog numbers it, with the playlist that shows it. */
class Model {
  segments: PlaylistSegment[] = [];
  mediaSequence = 0;
  discontinuitySequence = 0;
  canSkipUntilS = 60;
  renders = 0;
  playlist = new SlidingPlaylist(() => void this.renders++);
  #made = 0;

  #make(startMs: number, epoch: string, discontinuity: boolean): PlaylistSegment {
    const uri = `s${this.#made++}.m4s`;
    return { uri, mapUri: `${epoch}.mp4`, durationS: 6, startMs: wallMs(startMs), discontinuity, gap: false };
  }

  append(beginsEpoch: boolean): void {
    const last = this.segments.at(-1);
    const isNew = beginsEpoch || last === undefined;
    const epoch = isNew ? `e${this.#made}` : (last.mapUri ?? '').replace('.mp4', '');
    const made = this.#make((last?.startMs ?? 0) + 6000, epoch, isNew && this.#made > 0);
    this.segments.push(made);
    this.playlist.append(made);
  }

  retire(count: number): void {
    const gone = this.segments.splice(0, count);
    this.mediaSequence += gone.length;
    this.discontinuitySequence += gone.filter((one) => one.discontinuity).length;
    this.playlist.retire(count);
  }

  insertLate(at: number): void {
    const place = at % (this.segments.length + 1);
    this.mediaSequence += this.segments.length;
    this.discontinuitySequence += this.segments.filter((one) => one.discontinuity).length;
    const before = this.segments[place - 1]?.startMs ?? 0;
    const late = this.#make(before + 1, `e${this.#made}`, true);
    const next = this.segments[place];
    this.segments.splice(place, next === undefined ? 0 : 1, late);
    if (next !== undefined) this.segments.splice(place + 1, 0, { ...next, discontinuity: true });
    this.playlist = new SlidingPlaylist();
    for (const one of this.segments) this.playlist.append(one);
  }

  get head(): PlaylistHead & { readonly canSkipUntilS: number } {
    return {
      targetDurationS: 6,
      mediaSequence: this.mediaSequence,
      discontinuitySequence: this.discontinuitySequence,
      type: null,
      canSkipUntilS: this.canSkipUntilS,
      dateRanges: [],
    };
  }
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('append' as const), newEpoch: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('retire' as const), count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('late' as const), at: fc.nat({ max: 50 }) }) },
);

function chunks(text: string): { readonly head: string; readonly segments: readonly string[] } {
  const at = text.search(/#EXT-X-(DISCONTINUITY\n|MAP|PROGRAM|SKIP)/);
  const rest = at === -1 ? '' : text.slice(at).replace(/#EXT-X-SKIP.*\n/, '');
  return { head: at === -1 ? text : text.slice(0, at), segments: rest.match(/(#[^\n]*\n)+[^#\n]+\n/g) ?? [] };
}

describe('a sliding playlist', () => {
  test('obeys the reload rules and equals a playlist written anew, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const model = new Model();
        const named = new Map<number, string>();
        const discontinuities = new Map<number, number>();
        let lastSequence = 0;
        let lastDiscontinuity = 0;
        for (const one of steps) {
          if (one.do === 'append') model.append(one.newEpoch);
          else if (one.do === 'retire') model.retire(one.count);
          else model.insertLate(one.at);
          const text = model.playlist.full(model.head);
          assert.equal(text, renderMediaPlaylist(model.head, model.segments, false));
          if (model.segments.length === 0) continue;
          const read = parseMediaPlaylist(text);
          assert.ok((read.mediaSequenceBase ?? 0) >= lastSequence);
          assert.ok((read.discontinuitySequenceBase ?? 0) >= lastDiscontinuity);
          lastSequence = read.mediaSequenceBase ?? 0;
          lastDiscontinuity = read.discontinuitySequenceBase ?? 0;
          let discontinuity = lastDiscontinuity;
          for (const [index, segment] of read.segments.entries()) {
            const number = lastSequence + index;
            const name = `${segment.uri} ${segment.duration} ${segment.map?.uri}`;
            assert.equal(named.get(number) ?? name, name);
            named.set(number, name);
            if (segment.discontinuity) discontinuity++;
            assert.equal(discontinuities.get(number) ?? discontinuity, discontinuity);
            discontinuities.set(number, discontinuity);
          }
        }
      }),
    );
  });

  test('a delta update expands to the full playlist', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), fc.nat({ max: 30 }), (epochs, gone) => {
        const model = new Model();
        for (const newEpoch of epochs) model.append(newEpoch);
        model.retire(Math.min(gone, epochs.length - 1));
        const full = chunks(model.playlist.full(model.head));
        const text = model.playlist.delta(model.head);
        if (text === null) {
          assert.ok(model.segments.length * 6 <= model.canSkipUntilS);
          return;
        }
        const delta = chunks(text);
        const skipped = Number(/SKIPPED-SEGMENTS=(\d+)\n/.exec(text)?.[1]);
        assert.equal(delta.head, full.head);
        assert.ok(skipped > 0 && delta.segments.length * 6 >= model.canSkipUntilS);
        assert.deepEqual([...full.segments.slice(0, skipped), ...delta.segments], full.segments);
      }),
    );
  });

  test('an update renders the new segment alone, in a window of any length', () => {
    const model = new Model();
    for (let index = 0; index < 5000; index++) model.append(index % 100 === 0);
    model.playlist.full(model.head);
    model.renders = 0;
    for (let index = 0; index < 200; index++) {
      model.append(false);
      model.retire(1);
    }
    assert.equal(model.renders, 200);
    assert.equal(model.playlist.full(model.head), renderMediaPlaylist(model.head, model.segments, false));
    const delta = model.playlist.delta(model.head) ?? '';
    assert.equal(chunks(delta).segments.length, 10);
  });

  test('a strict parser accepts a delta update', () => {
    const model = new Model();
    for (let index = 0; index < 30; index++) model.append(false);
    const read = parseMediaPlaylist(model.playlist.delta(model.head) ?? '');
    assert.equal(read.skip, 20);
  });
});
