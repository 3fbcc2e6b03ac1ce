import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, type ServerErrorResponse } from '@grpc/grpc-js';
import { silentLogger } from '../../base/logger.ts';
import { wallMs } from '../../base/time.ts';
import { randomIds } from '../../base/ids.ts';
import type { Asset, WorkState } from '../../timeline/asset.ts';
import type { AssetSubscriber } from '../rest/asset-feed.ts';
import { assetJson } from '../rest/asset-json.ts';
import type { Asset as AssetMessage } from './generated/zoetrope/v1/Asset.ts';
import { watchAsset, type WatchCall } from './watch-asset.ts';

const ASSET: Asset = {
  id: randomIds.next('asset'),
  tenant: 't',
  name: 'film',
  referenceId: null,
  source: { kind: 'url', url: 'https://media.example.org/film.mp4' },
  request: {
    video: null,
    audioBitrateKbps: null,
    captions: false,
    thumbnails: [],
    poster: false,
    storyboard: false,
    download: false,
    watermark: null,
    encryption: 'none',
    webhookUrl: null,
  },
  priority: 0,
  state: 'queued',
  cause: null,
  media: null,
  version: 1,
  round: 0,
  createdAtMs: wallMs(0),
  startedAtMs: null,
  playableAtMs: null,
  endedAtMs: null,
};

/** A client whose reading the test decides about. */
class HandCall implements WatchCall {
  readonly metadata = new Metadata();
  readonly request = { id: ASSET.id };
  readonly sent: AssetMessage[] = [];
  readonly errors: ServerErrorResponse[] = [];
  isReading = true;
  hasEnded = false;
  readonly #listeners = new Map<string, () => void>();

  write(message: AssetMessage): boolean {
    this.sent.push(message);
    return this.isReading;
  }

  end(): void {
    this.hasEnded = true;
  }

  emit(_event: 'error', error: ServerErrorResponse): boolean {
    return this.errors.push(error) > 0;
  }

  on(event: string, listener: () => void): void {
    this.#listeners.set(event, listener);
  }

  happen(event: 'cancelled' | 'drain'): void {
    this.#listeners.get(event)?.();
  }
}

async function watching(
  call: HandCall,
): Promise<{ readonly tell: (state: WorkState, name: string) => void; readonly left: () => number }> {
  const told: AssetSubscriber[] = [];
  let left = 0;
  await watchAsset(
    {
      access: { authenticate: async () => ({ tenant: null, scopes: new Set(['read'] as const), via: 'key' }) },
      catalog: { getAsset: async () => ASSET },
      feed: {
        subscribe: async (subscriber) => {
          told.push(subscriber);
          return () => void left++;
        },
      },
      logger: silentLogger,
    },
    call,
  );
  const tell = (state: WorkState, name: string): void => {
    const json = assetJson({ ...ASSET, state, name }, [], { publicUrl: undefined, nowMs: wallMs(0) });
    for (const subscriber of told) subscriber.changed(json);
  };
  return { tell, left: () => left };
}

test('a client that does not read is not written to: it gets the newest when it reads again, and the end', async () => {
  const call = new HandCall();
  const { tell, left } = await watching(call);
  call.isReading = false;
  for (let index = 0; index < 100; index++) tell('transcoding', `film ${index}`);
  assert.deepEqual(
    call.sent.map(({ name }) => name),
    ['film 0'],
  );
  call.happen('drain');
  assert.deepEqual(
    call.sent.map(({ name }) => name),
    ['film 0', 'film 99'],
  );
  tell('ready', 'whole film');
  assert.equal(call.hasEnded, false);
  call.isReading = true;
  call.happen('drain');
  assert.deepEqual([call.sent.at(-1)?.name, call.hasEnded, left()], ['whole film', true, 1]);
});

test('a client that goes away is forgotten, whatever happens then', async () => {
  const call = new HandCall();
  const { tell, left } = await watching(call);
  call.happen('cancelled');
  assert.equal(left(), 1);
  tell('ready', 'film');
  call.happen('drain');
  assert.deepEqual([call.sent, call.hasEnded, call.errors], [[], false, []]);
});
