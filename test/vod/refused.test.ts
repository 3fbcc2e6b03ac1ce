import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { TestServer } from '../fixtures/server.ts';
import { ended, upload } from '../fixtures/vod-assets.ts';
import { beeps, ffmpeg, pictures } from '../fixtures/vod-sources.ts';

const X264 = '-c:v libx264 -preset ultrafast -pix_fmt yuv420p';

/** A file that cannot become an asset. */
interface Refusal {
  readonly name: string;
  readonly file: string;
  readonly make: (path: string) => Promise<void>;
  readonly codes: readonly string[];
  readonly says: RegExp;
}

async function patched(path: string, change: (bytes: Buffer) => Buffer): Promise<void> {
  await writeFile(path, change(await readFile(path)));
}

function film(path: string, ...more: readonly (string | readonly string[])[]): Promise<void> {
  return ffmpeg(pictures({ seconds: 1 }), beeps({ seconds: 1 }), X264, ...more, [path]);
}

const REFUSALS: readonly Refusal[] = [
  {
    name: 'text',
    file: 'letter.mp4',
    make: (path) => writeFile(path, 'Dear Sir or Madam,\n'.repeat(200)),
    codes: ['unsupported_media'],
    says: /text|media|recogni|known/i,
  },
  {
    name: 'HTML',
    file: 'page.mp4',
    make: (path) => writeFile(path, `<!doctype html><html><body>${'<p>Not found</p>'.repeat(100)}</body></html>`),
    codes: ['unsupported_media'],
    says: /text|html|markup|media/i,
  },
  {
    name: 'nothing',
    file: 'empty.mp4',
    make: (path) => writeFile(path, ''),
    codes: ['unsupported_media', 'corrupt_media', 'invalid_argument'],
    says: /empty|no bytes|0 bytes/i,
  },
  {
    name: 'a ZIP',
    file: 'archive.mp4',
    make: (path) =>
      writeFile(
        path,
        Buffer.concat([Buffer.from('PK\u0003\u0004\u0014\0\0\0\u0008\0', 'latin1'), Buffer.alloc(4000, 7)]),
      ),
    codes: ['unsupported_media'],
    says: /no known kind.*504b0304/,
  },
  {
    name: 'a picture',
    file: 'picture.mp4',
    make: (path) => ffmpeg(pictures(), '-frames:v 1 -f image2 -c:v png', [path]),
    codes: ['unsupported_media'],
    says: /no known kind.*89504e47/,
  },
  {
    name: 'an MP4 without its index',
    file: 'no-moov.mp4',
    make: async (path) => {
      await film(path);
      await patched(path, (bytes) => bytes.subarray(0, bytes.indexOf('moov') - 4));
    },
    codes: ['corrupt_media', 'unsupported_media'],
    says: /moov|index|cut|open|read/i,
  },
  {
    name: 'an MP4 whose index is cut off',
    file: 'half-moov.mp4',
    make: async (path) => {
      await film(path);
      await patched(path, (bytes) => bytes.subarray(0, bytes.indexOf('moov') + 300));
    },
    codes: ['corrupt_media', 'unsupported_media'],
    says: /moov|index|cut|open|read|track|picture|sound/i,
  },
  {
    name: 'an MP4 with absurd counts and sizes',
    file: 'absurd.mp4',
    make: async (path) => {
      await film(path, '-movflags +faststart');
      await patched(path, (bytes) => {
        for (const box of ['stsz', 'stco', 'stsc']) {
          for (let at = bytes.indexOf(box); at >= 0; at = bytes.indexOf(box, at + 4)) bytes.fill(0xff, at + 8, at + 20);
        }
        return bytes;
      });
    },
    codes: ['corrupt_media', 'unsupported_media', 'payload_too_large'],
    says: /\w{4}/,
  },
  {
    name: 'a video without pictures',
    file: 'no-pictures.mkv',
    make: (path) => ffmpeg(pictures({ seconds: 1 }), `-vf select=0 ${X264}`, [path]),
    codes: ['corrupt_media', 'unsupported_media'],
    says: /matroska.*End of file|picture/,
  },
  {
    name: 'sound in a codec that nobody knows',
    file: 'unknown.mp4',
    make: async (path) => {
      await ffmpeg(beeps({ seconds: 1 }), '-c:a aac -f mp4', [path]);
      await patched(path, (bytes) => {
        bytes.write('zzzz', bytes.indexOf('mp4a'), 'latin1');
        bytes.write('zzzz', bytes.indexOf('esds'), 'latin1');
        return bytes;
      });
    },
    codes: ['unsupported_media'],
    says: /codec|sound|track|zzzz/i,
  },
  {
    name: 'an encrypted MP4',
    file: 'protected.mp4',
    make: async (path) => {
      const plain = path.replace('.mp4', '-plain.mp4');
      await film(plain);
      const keys = [
        '-encryption_key',
        '76a6c65c5ea762046bd749a2e632ccbb',
        '-encryption_kid',
        'a7e61c373e219033c21091fa607bf3b8',
      ];
      await ffmpeg(['-i', plain], '-c copy -encryption_scheme cenc-aes-ctr', keys, [path]);
    },
    codes: ['unsupported_media'],
    says: /encrypt|protect|DRM/i,
  },
];

describe('files that cannot be played', { concurrency: 4 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'zoetrope-vod-refused-'));
  let server: TestServer;
  before(async () => {
    server = await TestServer.start();
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  for (const { name, file, make, codes, says } of REFUSALS) {
    test(`${name}: refused with the cause, nothing is left but the file`, async () => {
      const path = join(directory, file);
      await make(path);
      const answer = await server.api.request(`/v1/uploads/${file}`, { method: 'PUT', body: await readFile(path) });
      const body = JSON.parse(answer.bytes.toString()) as {
        readonly id: string;
        readonly code: string;
        readonly detail: string;
      };
      if (answer.status !== 202) {
        assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status}`);
        assert.ok(codes.includes(body.code), `${body.code}: ${body.detail}`);
        return assert.match(body.detail, says);
      }
      const { state, cause, outputs } = await ended(server, body.id, 60_000);
      assert.equal(state, 'failed');
      assert.ok(codes.includes(cause?.code ?? ''), JSON.stringify(cause));
      assert.match(cause?.message ?? '', says);
      assert.ok(outputs.every((output) => output.state === 'failed'));
      const objects = await objectsOf(server, body.id);
      assert.deepEqual(
        objects.filter((object) => !object.endsWith('/source')),
        [],
      );
    });
  }

  test('what plays is still taken', async () => {
    const path = join(directory, 'good.mp4');
    await film(path, '-c:a aac');
    const { id } = await upload(server, path, { filename: 'good.mp4' });
    assert.equal((await ended(server, id, 60_000)).state, 'ready');
  });
});

/** Files on disk that have to do with an asset. */
async function objectsOf({ dataDir }: TestServer, id: string): Promise<readonly string[]> {
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path.includes(id));
}
