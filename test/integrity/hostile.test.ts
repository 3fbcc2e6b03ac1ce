import assert from 'node:assert/strict';
import {
  mkdtempSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { problemOf } from '../fixtures/api-client.ts';
import { CameraFeed } from '../fixtures/camera-feed.ts';
import { assertDoctorClean } from '../fixtures/doctor-report.ts';
import { HostileRequests, type HostileOutcome } from '../fixtures/hostile-requests.ts';
import { makeJpeg } from '../fixtures/pictures.ts';
import { eventually } from '../fixtures/processes.ts';
import { createRandom, runSeed } from '../fixtures/random.ts';
import { sha256 } from '../fixtures/served-media.ts';
import { TestServer } from '../fixtures/server.ts';
import { assertExactlyOnce, sweepDrained, sweepTimeline } from '../fixtures/timeline-sweep.ts';

const INPUTS = Number(process.env['INTEGRITY_HOSTILE_INPUTS'] ?? 1000);
const HOUR_MS = 3_600_000;

test('whatever is sent is refused or dead-lettered with its cause, and harms nobody', async (t) => {
  const random = createRandom(runSeed());
  t.diagnostic(`INTEGRITY_SEED=${random.seed} repeats this run`);
  const place = mkdtempSync(join(tmpdir(), 'zoetrope-hostile-'));
  t.after(() => rmSync(place, { recursive: true, force: true }));
  const directory = (name: string): string => {
    const path = join(place, name);
    mkdirSync(path);
    return path;
  };
  const [rootDir, outsideDir, dataDir] = [directory('root'), directory('outside'), directory('data')];
  writeFileSync(join(rootDir, 'good.jpg'), makeJpeg({ width: 320, height: 240, seed: 7 }));
  writeFileSync(join(outsideDir, 'secret.jpg'), makeJpeg({ width: 320, height: 240, seed: 8 }));
  symlinkSync(join(outsideDir, 'secret.jpg'), join(rootDir, 'link.jpg'));
  symlinkSync(outsideDir, join(rootDir, 'folder'));
  const before = [printOf(rootDir), printOf(outsideDir), readdirSync(place).join()];

  await using server = await TestServer.start({
    dataDir,
    env: {
      ZOETROPE_FRAME_ROOTS: rootDir,
      ZOETROPE_FRAME_MAX_TRIES: '2',
      ZOETROPE_MAX_SEGMENT_WAIT_SECONDS: '0.5',
      ZOETROPE_OFFLINE_AFTER_SECONDS: '3600',
    },
  });
  const healthy = new CameraFeed(server.api, random, {
    device: 'healthy',
    startMs: Date.now() - HOUR_MS,
    intervalMs: 250,
    pauseMs: 250,
    sizes: [[320, 240]],
  });
  await healthy.postNext();
  const { id: streamId } = await server.api.streamOf('healthy');
  const stop = new AbortController();
  t.after(() => stop.abort());
  const posting = healthy.run(stop.signal);
  const pid = server.pid;

  const hostile = await HostileRequests.create(
    { api: server.api, url: () => server.url, streamId, rootDir, outsideDir },
    random,
  );
  const outcomes: HostileOutcome[] = [];
  const seen: number[] = [];
  for (let number = 0; number < INPUTS; number++) {
    outcomes.push(await hostile.send(number));
    if (number % Math.ceil(INPUTS / 4) !== 0) continue;
    seen.push(await server.api.frameCount(streamId, Date.now() - 2 * HOUR_MS, Date.now()));
    for (const path of ['/healthz', '/readyz']) assert.equal((await server.api.request(path)).status, 200, path);
  }
  assert.equal(server.pid, pid, 'the server lived through it');
  assert.deepEqual(
    seen,
    seen.toSorted((a, b) => a - b),
  );
  assert.ok((seen.at(-1) ?? 0) > (seen[0] ?? 0), `the healthy camera went on meanwhile: ${seen.join(', ')} frames`);
  for (const outcome of outcomes) assertRefused(outcome);

  stop.abort();
  await posting;
  assert.deepEqual(healthy.faults, []);
  assertExactlyOnce(
    'healthy',
    await sweepDrained(server, streamId, Date.now() - 2 * HOUR_MS, healthy.acknowledged),
    healthy.acknowledged,
    healthy.unsure,
  );

  const counts = await settle(server, outcomes);
  t.diagnostic(`${INPUTS} inputs: ${JSON.stringify(counts)}`);
  assert.deepEqual(
    [printOf(rootDir), printOf(outsideDir), readdirSync(place).join()],
    before,
    'nothing outside was touched',
  );
  await assertDoctorClean(server);
});

/** At the door: 4xx, with a problem document wherever HTTP itself was understood; or 202, to be judged later. */
function assertRefused(outcome: HostileOutcome): void {
  const { name, status, answer } = outcome;
  if (status === 202) return;
  const isRefusal = status === null ? answer === null : status >= 400 && status < 500;
  assert.ok(isRefusal, `${name}: answered ${status} ${answer?.bytes.toString().slice(0, 300) ?? ''}`);
  if (answer !== null) problemOf(answer);
}

/** What was let in must come to its end: in the dead letters with a cause, or on the timeline if it can be decoded after all. */
async function settle(
  server: TestServer,
  outcomes: readonly HostileOutcome[],
): Promise<{ readonly refused: number; readonly dead: number; readonly pictures: number }> {
  const accepted = outcomes.filter((outcome) => outcome.status === 202);
  let open: readonly HostileOutcome[] = accepted;
  let dead = 0;
  let pictures = 0;
  const look = async (): Promise<true | undefined> => {
    const letters = await server.api.deadLetters();
    for (const letter of letters) assert.ok(letter.code !== '' && letter.cause.length > 10, JSON.stringify(letter));
    const buried = new Set(letters.map(({ event }) => Date.parse(event.timestamp ?? '')));
    const shown = new Set<number>();
    for (const { id, deviceId } of await server.api.streams()) {
      if (deviceId === 'healthy') continue;
      if ((await server.api.frameCount(id, Date.now() - 24 * HOUR_MS, Date.now())) === 0) continue;
      const swept = await sweepTimeline(server.api, id, Date.now() - 24 * HOUR_MS, Date.now());
      for (const timeMs of swept.flatMap((segment) => segment.frameTimesMs)) shown.add(timeMs);
    }
    const isIn = (times: ReadonlySet<number>) => (outcome: HostileOutcome) => times.has(outcome.capturedAtMs ?? -1);
    dead = accepted.filter(isIn(buried)).length;
    const visible = accepted.filter(isIn(shown));
    pictures = visible.length;
    for (const { name, mayBecomePicture } of visible) assert.ok(mayBecomePicture, `${name} became a picture`);
    open = accepted.filter((outcome) => !isIn(buried)(outcome) && !isIn(shown)(outcome));
    return open.length === 0 ? true : undefined;
  };
  await eventually('everything that was let in comes to an end', look, {
    timeoutMs: 90_000,
    everyMs: 1000,
    describe: () =>
      `${open.length} left, e.g. ${open
        .slice(0, 3)
        .map((outcome) => outcome.name)
        .join('; ')}\n${server.logs}`,
  });
  return { refused: outcomes.length - accepted.length, dead, pictures };
}

/** Names, sizes, times and bytes of all files of a directory. */
function printOf(directory: string): string {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(directory, entry.name);
      const { size, mtimeMs } = statSync(path);
      return `${entry.name} ${size} ${mtimeMs} ${sha256(readFileSync(path))}`;
    })
    .sort()
    .join('\n');
}
