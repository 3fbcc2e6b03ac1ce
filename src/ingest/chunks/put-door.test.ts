import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PutGrant } from '../../access/put-grants.ts';
import { type ErrorCode, isZoetropeError, ZoetropeError } from '../../base/errors.ts';
import { PutDoor } from './put-door.ts';

const GRANT: PutGrant = { key: 'chunks/a', maxBytes: 10, expiresAtMs: 1 };

/** A door to objects in memory. */
function door(): { readonly objects: Map<string, string>; readonly door: PutDoor } {
  const objects = new Map<string, string>();
  const found = (key: string): string => {
    const text = objects.get(key);
    if (text === undefined) throw new ZoetropeError('missing_input', `There is no ${key}.`);
    return text;
  };
  return {
    objects,
    door: new PutDoor({
      grants: { verify: async () => GRANT },
      objects: {
        head: async (key) => ({ key, sizeBytes: found(key).length, modifiedAtMs: 0 }),
        async *open(key) {
          yield Buffer.from(found(key));
        },
        async put(key, data) {
          const pieces: Uint8Array[] = [];
          for await (const piece of data instanceof Uint8Array ? [data] : data) pieces.push(piece);
          objects.set(key, Buffer.concat(pieces).toString());
        },
      },
    }),
  };
}

async function* body(...pieces: readonly string[]): AsyncIterable<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}

async function throwsCode(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(work, (error) => isZoetropeError(error, code));
}

describe('the door for presigned puts', () => {
  test('an object is written once: the same bytes are known, others are refused', async () => {
    const { door: own, objects } = door();
    assert.equal(await own.receive('t', body('ab', 'cd'), null), true);
    assert.equal(await own.receive('t', body('abc', 'd'), 4), false);
    await throwsCode(own.receive('t', body('abcx'), 4), 'conflict');
    assert.equal(objects.get('chunks/a'), 'abcd');
  });

  test('of two at once the second waits for the first, whatever comes of it', async () => {
    const { door: own, objects } = door();
    const begun = Promise.withResolvers<void>();
    async function* slow(text: string, ends: Promise<void>): AsyncIterable<Uint8Array> {
      await ends;
      yield Buffer.from(text);
    }
    const first = own.receive('t', slow('first', begun.promise), null);
    const second = own.receive('t', body('other'), null);
    begun.resolve();
    assert.equal(await first, true);
    await throwsCode(second, 'conflict');
    objects.clear();
    const failing = own.receive('t', slow('x', Promise.reject(new Error('broke off'))), null);
    const again = own.receive('t', body('again'), null);
    await throwsCode(failing, 'cancelled');
    assert.equal(await again, true);
    assert.equal(objects.get('chunks/a'), 'again');
  });

  test('more bytes than allowed are refused, said beforehand or not, and leave nothing', async () => {
    const { door: own, objects } = door();
    await throwsCode(own.receive('t', body('0123456789x'), 11), 'payload_too_large');
    await throwsCode(own.receive('t', body('01234', '56789x'), null), 'payload_too_large');
    await throwsCode(own.receive('t', body('01234', '56789x'), 3), 'payload_too_large');
    assert.equal(objects.size, 0);
  });
});
