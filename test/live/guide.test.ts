/** The commands of docs/guide/live.md, as they stand there, against a server as a user starts it. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { StreamJson } from '../../src/api/rest/shapes.ts';
import { guideCommands, GuideShell } from '../fixtures/guide-commands.ts';
import { eventually } from '../fixtures/processes.ts';
import { TestServer } from '../fixtures/server.ts';
import { parseMediaPlaylist } from '../fixtures/strict-hls.ts';

const GUIDE = new URL('../../docs/guide/live.md', import.meta.url);

test('the walk-through of the guide: make, push, watch, record from the past, stop, replay, end; then playlists alone', async (t) => {
  const place = mkdtempSync(join(tmpdir(), 'zoetrope-guide-'));
  t.after(() => rmSync(place, { recursive: true, force: true }));
  const segments = join(place, 'segments');
  mkdirSync(segments);
  await using server = await TestServer.start({ env: { ZOETROPE_PUSH_ROOTS: segments } });
  await using shell = new GuideShell({ 'http://127.0.0.1:8080': server.url, '/tmp/segments': segments });
  const commands = guideCommands(await readFile(GUIDE, 'utf8'));
  const kinds = new Map<string, number>();
  let recordedMs = 0;
  for (const command of commands) {
    const [program = ''] = command.text.split(/[ =]/);
    kinds.set(program, (kinds.get(program) ?? 0) + 1);
    if (program === 'ffmpeg') {
      await shell.interrupt();
      shell.start(command);
      // What follows in the guide is done when it is on: a recording from ten seconds ago needs as much of a past.
      if (command.text.includes('/v1/playlist')) await pushed(server, 'camera-0', 4);
      else await pushed(server, 'Studio', 12);
      continue;
    }
    if (program === 'ffplay') {
      // As ffplay, but without a window: two seconds are decoded.
      const url = command.text.slice('ffplay '.length);
      const played = await shell.run({ text: `ffmpeg -v error -i ${url} -t 2 -f null - -progress -`, output: '' });
      const frames = Number([...played.matchAll(/frame=(\d+)/g)].at(-1)?.[1] ?? 0);
      assert.ok(frames > 20, `${command.text}: ${frames} pictures`);
      continue;
    }
    if (command.text.endsWith('/end')) await shell.interrupt();
    const answer = await shell.run(command);
    if (command.text.includes('/stop')) {
      const { url, durationSeconds } = JSON.parse(answer) as { readonly url: string; readonly durationSeconds: number };
      const listed = parseMediaPlaylist(await server.api.text(url));
      recordedMs = listed.segments.reduce((sum, { duration }) => sum + duration * 1000, 0);
      t.diagnostic(`the recording has ${durationSeconds} s, its playlist ${recordedMs / 1000} s`);
    }
  }
  t.diagnostic(`${commands.length} commands: ${[...kinds].map(([name, count]) => `${count} ${name}`).join(', ')}`);
  assert.deepEqual([kinds.get('ffmpeg'), kinds.get('ffplay')], [2, 3], 'the guide still shows all of it');
  // It was stopped right after it was started.
  assert.ok(recordedMs >= 4000, `${recordedMs} ms were recorded: the past is in it`);
});

/** The stream of this name has so many seconds. */
async function pushed(server: TestServer, name: string, seconds: number): Promise<void> {
  await eventually(
    `${seconds} s are on the timeline`,
    async () => {
      const stream = (await server.api.streams()).find((one) => one.name === name);
      if (stream === undefined) return undefined;
      const { source } = await server.api.json<StreamJson>(`/v1/streams/${stream.id}`);
      return (source?.segments ?? 0) * 2 >= seconds ? true : undefined;
    },
    { timeoutMs: 60_000, describe: () => server.logs },
  );
}
