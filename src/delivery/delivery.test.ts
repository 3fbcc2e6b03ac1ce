import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { wallMs } from '../base/time.ts';
import { readByteRange } from './answer.ts';
import { playlistUri, STREAM_LISTING, withToken } from './child-uris.ts';
import { HotFiles, type HotFile } from './hot-files.ts';
import { noDeliveryMetrics, type DeliveryMetrics } from './metrics.ts';
import { matchesTag, Rendering } from './rendering.ts';
import { readVariant, variantOf } from './variant.ts';

function file(bytes: number): HotFile {
  return {
    bytes: new Uint8Array(bytes),
    tag: 'tag',
    contentType: 'video/mp4',
    streamId: 'str_1',
    startMs: wallMs(0),
    endMs: wallMs(1),
  };
}

describe('byte ranges', () => {
  test('are read as RFC 9110 says', () => {
    const cases: readonly (readonly [string | undefined, unknown])[] = [
      [undefined, null],
      ['bytes=0-', { start: 0, end: 99 }],
      ['bytes=10-19', { start: 10, end: 19 }],
      ['Bytes=90-500', { start: 90, end: 99 }],
      ['bytes=-7', { start: 93, end: 99 }],
      ['bytes=-700', { start: 0, end: 99 }],
      ['bytes=100-', 'unsatisfiable'],
      ['bytes=-0', 'unsatisfiable'],
      ['bytes=5-4', null],
      ['bytes=0-1,5-6', null],
      ['bytes=-', null],
      ['lines=1-2', null],
    ];
    for (const [header, expected] of cases) assert.deepEqual(readByteRange(header, 100), expected, String(header));
  });

  test('never reach outside the file', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 5000 }), (first, last, total) => {
        const range = readByteRange(`bytes=${first}-${last}`, total);
        if (range === null || range === 'unsatisfiable') return;
        assert.ok(range.start >= 0 && range.start <= range.end && range.end < total);
      }),
    );
  });
});

describe('renderings', () => {
  const headers = { contentType: 'text/plain', cacheControl: 'no-cache' };

  test('choose an encoding that the client takes', () => {
    const long = new Rendering('x'.repeat(4000), headers);
    for (const [accept, encoding] of [
      [undefined, 'identity'],
      ['gzip, deflate, br', 'br'],
      ['gzip', 'gzip'],
      ['br;q=0, GZIP;q=0.5', 'gzip'],
      ['br;q=0.0, gzip;q=0', 'identity'],
      ['*', 'identity'],
    ] as const) {
      assert.equal(long.choose(accept), encoding, String(accept));
    }
    assert.equal(new Rendering('short', headers).choose('gzip'), 'identity');
  });

  test('are compressed once, however many ask', async () => {
    const rendering = new Rendering('x'.repeat(4000), headers);
    assert.equal(rendering.encodedNow('gzip'), undefined);
    const [one, two] = await Promise.all([rendering.encoded('gzip'), rendering.encoded('gzip')]);
    assert.equal(one, two);
    assert.equal(rendering.encodedNow('gzip'), one);
  });

  test('have a tag for each encoding, and any of them is recognised', () => {
    const { tag } = new Rendering('a', headers);
    for (const header of [`"${tag}"`, `"x", W/"${tag}-gzip"`, `"${tag}-br"`, ' * ']) {
      assert.ok(matchesTag(header, tag), header);
    }
    for (const header of [undefined, '', tag, `"${tag}-zip"`, '"*"'])
      assert.ok(!matchesTag(header, tag), String(header));
  });
});

describe('variants and URIs', () => {
  test('a query is read or refused with what was wrong', () => {
    assert.deepEqual(readVariant({}, 5), variantOf(5, 'cmaf'));
    assert.deepEqual(readVariant({ speed: '0.5', container: 'ts' }, 1), variantOf(0.5, 'ts'));
    assert.equal(readVariant({ speed: '5' }, 1).key, readVariant({ speed: '5.0' }, 1).key);
    assert.throws(() => readVariant({ speed: ['1', '2'] }, 1), /once/);
    assert.throws(() => readVariant({ speed: '0.09' }, 1), { code: 'out_of_range' });
    for (const speed of ['', '-1', '1e3', '0x10', 'Infinity', '1,5']) {
      assert.throws(() => readVariant({ speed }, 1), { code: 'invalid_argument' }, speed);
    }
  });

  test('a token is put into every URI, and leaves no trace without', () => {
    const variants = [variantOf(1, 'cmaf'), variantOf(5, 'cmaf'), variantOf(1, 'ts'), variantOf(2.5, 'ts')];
    for (const variant of variants) {
      const uris = [
        STREAM_LISTING.segment('seg_1', variant),
        STREAM_LISTING.map('epo_1', variant) ?? '',
        playlistUri('live.m3u8', variant),
      ];
      for (const uri of uris.filter((one) => one !== '')) {
        assert.match(withToken(uri, undefined), /^[\w./?=&-]+$/);
        const url = new URL(withToken(uri, 'a b&c'), 'http://host/');
        assert.equal(url.searchParams.get('token'), 'a b&c');
        const { speed } = variant;
        const needsSpeed =
          uri.startsWith('live') || (speed !== 1 && !(uri.startsWith('segments') && uri.includes('m4s')));
        assert.equal(url.searchParams.get('speed'), needsSpeed ? String(speed) : null, uri);
      }
    }
  });
});

describe('hot files', () => {
  test('are loaded once for all who ask meanwhile, then come from memory', async () => {
    const seen: string[] = [];
    const metrics: DeliveryMetrics = { ...noDeliveryMetrics, fileRead: (from) => void seen.push(from) };
    const files = new HotFiles(100_000, metrics);
    const loading = Promise.withResolvers<HotFile>();
    let loads = 0;
    const load = (): Promise<HotFile> => {
      loads++;
      return loading.promise;
    };
    const all = [files.load('a', load), files.load('a', load), files.load('a', load)];
    loading.resolve(file(10));
    await Promise.all(all);
    await files.load('a', load);
    assert.equal(loads, 1);
    assert.deepEqual(seen, ['store', 'shared', 'shared', 'memory']);
  });

  test('a failed load is told to all and tried again by the next', async () => {
    const files = new HotFiles(100_000, noDeliveryMetrics);
    const failing = (): Promise<HotFile> => Promise.reject(new Error('no disk'));
    const results = await Promise.allSettled([files.load('a', failing), files.load('a', failing)]);
    assert.ok(results.every((result) => result.status === 'rejected'));
    assert.equal((await files.load('a', async () => file(3))).bytes.length, 3);
  });

  test('stay within their memory: the least recently used go, and what is too large is not kept', async () => {
    const files = new HotFiles(10_000, noDeliveryMetrics);
    for (const key of ['a', 'b', 'c']) await files.load(key, async () => file(4000));
    assert.equal(files.get('a'), undefined);
    assert.ok(files.get('b') !== undefined && files.get('c') !== undefined);
    await files.load('huge', async () => file(50_000));
    assert.equal(files.get('huge'), undefined);
  });
});
