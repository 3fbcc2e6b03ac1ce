import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { isZoetropeError } from '../../base/errors.ts';
import { randomIds } from '../../base/ids.ts';
import { FrameRoots, framePrefix } from './frame-roots.ts';

let directory = '';
let roots: FrameRoots;
const streamId = randomIds.next('stream');

before(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'zoetrope-roots-')));
  await mkdir(join(directory, 'root', 'cam'), { recursive: true });
  await mkdir(join(directory, 'secret'));
  await writeFile(join(directory, 'root', 'cam', 'a.jpg'), '');
  await writeFile(join(directory, 'secret', 'key.jpg'), '');
  await symlink(join(directory, 'secret'), join(directory, 'root', 'way-out'));
  roots = await FrameRoots.open([join(directory, 'root')]);
});

after(() => rm(directory, { recursive: true }));

test('a file below a root is allowed, also before it is there', async () => {
  const path = join(directory, 'root', 'cam', 'a.jpg');
  assert.deepEqual(await roots.resolve(path, streamId), { path });
  const later = join(directory, 'root', 'new-folder', 'b.jpg');
  assert.deepEqual(await roots.resolve(later, streamId), { path: later });
});

test('what lies elsewhere, or leads elsewhere, is refused with the remedy', async () => {
  const outside = [
    '/etc/passwd',
    `${directory}/root/../secret/key.jpg`,
    `${directory}/root`,
    `${directory}/rooted/x.jpg`,
  ];
  for (const path of [...outside, `${directory}/root/way-out/key.jpg`, `${directory}/root/a\0.jpg`]) {
    await assert.rejects(roots.resolve(path, streamId), (error) => isZoetropeError(error, 'invalid_argument'), path);
  }
  await assert.rejects(roots.resolve('/etc/passwd', streamId), /ZOETROPE_FRAME_ROOTS/);
});

test("a relative path is an object key below frames/, and never another stream's", async () => {
  const own = `${framePrefix(streamId)}x.jpg`;
  assert.deepEqual(await roots.resolve(own, streamId), { objectKey: own });
  assert.deepEqual(await roots.resolve('frames/2026/x.jpg', streamId), { objectKey: 'frames/2026/x.jpg' });
  const others = `${framePrefix(randomIds.next('stream'))}x.jpg`;
  for (const key of [
    others,
    'frames',
    'frames/',
    'frames//x',
    'frames/../media/x',
    'media/x.m4s',
    './frames/x',
    'frames/.x',
    'frames\\x',
  ]) {
    await assert.rejects(roots.resolve(key, streamId), (error) => isZoetropeError(error, 'invalid_argument'), key);
  }
});

test('whatever a framePath says, a file that is allowed lies below the root', async () => {
  const part = fc.constantFrom('..', '.', 'root', 'cam', 'a.jpg', 'way-out', 'secret', 'key.jpg', '', '//', '~');
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 8 }), async (parts) => {
      const path = `${directory}/${parts.join('/')}`;
      const ref = await roots.resolve(path, streamId).catch(() => null);
      if (ref === null || !('path' in ref)) return;
      // The file itself is opened without following links, so it is its folder that must not lie outside.
      const real = await realpath(dirname(ref.path)).catch(() => dirname(ref.path));
      assert.ok(`${real}/`.startsWith(`${directory}/root/`), `${path} led to ${real}`);
    }),
  );
});

test('a root that is relative or missing stops the start', async () => {
  await assert.rejects(FrameRoots.open(['frames']), (error) => isZoetropeError(error, 'invalid_configuration'));
  await assert.rejects(FrameRoots.open([join(directory, 'nowhere')]), (error) =>
    isZoetropeError(error, 'invalid_configuration'),
  );
});
