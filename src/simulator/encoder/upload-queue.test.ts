import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../base/fake-clock.ts';
import type { Sent } from '../send-request.ts';
import { LiveTally } from './live-tally.ts';
import { UploadQueue, type UploadStep } from './upload-queue.ts';

const TAKEN: Sent = { outcome: 'accepted', text: '' };
const AWAY: Sent = { outcome: 'unavailable', reason: 'away', waitMs: null };

function open(): { clock: FakeClock; tally: LiveTally; queue: UploadQueue } {
  const [clock, tally] = [new FakeClock(), new LiveTally()];
  return { clock, tally, queue: new UploadQueue({ clock, tally, onComplaint: (reason) => void tally.note(reason) }) };
}

test('while the server is away at most thirty wait, the oldest are given up, and what was taken is not sent again', async () => {
  const { clock, tally, queue } = open();
  const sent: string[] = [];
  let isAway = true;
  const step = (name: string): UploadStep => ({
    send: () => {
      if (isAway && name !== 'segment 0') return Promise.resolve(AWAY);
      sent.push(name);
      return Promise.resolve(TAKEN);
    },
  });
  for (let number = 0; number < 40; number++) {
    queue.add({ steps: [step(`segment ${number}`), step(`playlist ${number}`)], segments: 1 });
    await clock.advance(0);
  }
  assert.equal(tally.lost, 10);
  isAway = false;
  await clock.advance(5000);
  await queue.close(0);
  const last = Array.from({ length: 30 }, (_, at) => [`segment ${at + 10}`, `playlist ${at + 10}`]).flat();
  assert.deepEqual(sent, ['segment 0', ...last]);
  assert.ok(tally.retries > 0);
});

test('at the end it waits so long and no longer', async () => {
  const { clock, tally, queue } = open();
  queue.add({ steps: [{ send: () => Promise.resolve(AWAY) }], segments: 2 });
  const closed = queue.close(3000);
  await clock.advance(3000);
  await closed;
  assert.equal(tally.lost, 2);
});
