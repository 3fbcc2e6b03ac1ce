import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../fixtures/processes.ts';
import { TestServer } from '../fixtures/server.ts';
import { ended, upload } from '../fixtures/vod-assets.ts';
import { faultsOf, readMpd, type MpdElement } from '../fixtures/vod-mpd-rules.ts';
import { vodShape } from '../fixtures/vod-shapes.ts';

const SHORT = { ZOETROPE_VOD_SEGMENT_SECONDS: '1', ZOETROPE_VOD_CHUNK_SECONDS: '2', ZOETROPE_VOD_WORKERS: '1' };

/**
 * The schema of the standard (DASH-MPD.xsd) comes with no package of any registry, and tests fetch nothing: its rules for every element that is used here are
 * written down in vod-mpd-rules.ts, from the tables of ISO/IEC 23009-1, and xmllint reads the manifest.
 */
describe('manifests', () => {
  const directory = mkdtempSync(join(tmpdir(), 'zoetrope-vod-manifest-'));
  let server: TestServer;
  before(async () => {
    server = await TestServer.start({ env: SHORT });
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  async function send(file: string): Promise<string> {
    const { make, asset } = vodShape(file);
    const path = join(directory, file);
    await make(path);
    return (await upload(server, path, { filename: file, ...(asset === undefined ? {} : { asset }) })).id;
  }

  async function read(text: string, name: string): Promise<MpdElement> {
    const path = join(directory, name);
    await writeFile(path, text);
    return await readMpd(path);
  }

  for (const file of ['languages.mkv', 'codecs.mp4', 'turned-90.mp4', 'alone.flac', 'one.mp4']) {
    test(`${file}: static, with every attribute and element as the schema has it`, async () => {
      const id = await send(file);
      assert.equal((await ended(server, id, 120_000)).state, 'ready');
      const mpd = await read(await server.api.text(`/play/assets/${id}/manifest.mpd`), `${file}.mpd`);
      assert.deepEqual(faultsOf(mpd), []);
      assert.equal(mpd.attributes['type'], 'static');
      judgeMeaning(mpd);
    });
  }

  test('one that grows is dynamic, and as the schema has it', async () => {
    const id = await send('long-group.mp4');
    const text = await eventually(
      'the manifest is there',
      async () => {
        const { status, bytes } = await server.api.request(`/play/assets/${id}/manifest.mpd`);
        return status === 200 ? bytes.toString() : undefined;
      },
      { timeoutMs: 60_000, everyMs: 20 },
    );
    const mpd = await read(text, 'growing.mpd');
    assert.deepEqual(faultsOf(mpd), []);
    assert.equal(mpd.attributes['type'], 'dynamic');
    // §5.3.1.2: what a dynamic presentation must say.
    for (const name of ['availabilityStartTime', 'publishTime', 'minimumUpdatePeriod']) assert.ok(mpd.attributes[name]);
    await ended(server, id, 120_000);
  });

  test('the rules find what is wrong', async () => {
    const id = await send('silent.mp4');
    await ended(server, id, 120_000);
    const text = await server.api.text(`/play/assets/${id}/manifest.mpd`);
    for (const [from, to, fault] of [
      [/ minBufferTime="[^"]*"/, '', /@minBufferTime is missing/],
      [/ bandwidth="/, ' bandwidth="-', /@bandwidth="-/],
      [/ type="static"/, ' type="finished"', /@type/],
      [/<Role [^>]*\/>/, '', null],
      [/(<Role [^>]*\/>)(\s*)(<Representation[\s\S]*?<\/Representation>)/, '$3$2$1', /Role comes too late/],
      [/<S /, '<T ', /T is not allowed/],
      [/frameRate="25"/, 'frameRate="25.0"', /@frameRate/],
    ] as const) {
      const changed = text.replace(from, to);
      assert.notEqual(changed, text, `${from.source} is there`);
      const faults = faultsOf(await read(changed, 'changed.mpd'));
      if (fault === null) assert.deepEqual(faults, []);
      else assert.match(faults.join('\n'), fault);
    }
  });
});

/** What the schema cannot say: ids are unique, timelines have no holes, and as many times as addresses. */
function judgeMeaning(mpd: MpdElement): void {
  const representations = find(mpd, 'Representation');
  const ids = representations.map(({ attributes }) => attributes['id']);
  assert.equal(new Set(ids).size, ids.length);
  for (const list of find(mpd, 'SegmentList')) {
    const times = find(list, 'S');
    assert.equal(times.length, find(list, 'SegmentURL').length);
    let end = 0;
    for (const { attributes } of times) {
      assert.equal(Number(attributes['t'] ?? end), end, 'segments meet');
      end += Number(attributes['d']);
    }
  }
}

function find(element: MpdElement, name: string): readonly MpdElement[] {
  return element.children.flatMap((child) => [...(child.name === name ? [child] : []), ...find(child, name)]);
}
