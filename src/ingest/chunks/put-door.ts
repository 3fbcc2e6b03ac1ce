import { createHash } from 'node:crypto';
import type { PutGrants } from '../../access/put-grants.ts';
import { isZoetropeError, ZoetropeError } from '../../base/errors.ts';
import type { ObjectStore } from '../../objects/object-store.ts';

/** What the door works with. */
export interface PutDoorDeps {
  readonly objects: Pick<ObjectStore, 'head' | 'open' | 'put'>;
  readonly grants: Pick<PutGrants, 'verify'>;
}

/** The door to an object store that has no URLs of its own: bytes go from the connection to the store, under a signed leave for one object. */
export class PutDoor {
  readonly #deps: PutDoorDeps;
  /** Puts under way, by key: a second one waits for the first. */
  readonly #underWay = new Map<string, Promise<unknown>>();

  constructor(deps: PutDoorDeps) {
    this.#deps = deps;
  }

  /**
   * Takes an object's bytes. What lies there is not replaced: the same bytes are known (false), others are a conflict. Resolves when it is durable.
   * @param sizeBytes as the sender says beforehand; null: it does not
   * @throws permission_denied, payload_too_large, conflict, storage_full, unavailable
   */
  async receive(token: string, body: AsyncIterable<Uint8Array>, sizeBytes: number | null): Promise<boolean> {
    const { key, maxBytes } = await this.#deps.grants.verify(token);
    if (sizeBytes !== null && sizeBytes > maxBytes) throw tooLarge(maxBytes);
    const before = this.#underWay.get(key);
    const work = (async () => {
      await before?.catch(() => undefined); // Its own sender hears of it.
      return await this.#receive(key, bounded(body, maxBytes));
    })();
    this.#underWay.set(key, work);
    try {
      return await work;
    } finally {
      if (this.#underWay.get(key) === work) this.#underWay.delete(key);
    }
  }

  async #receive(key: string, body: AsyncIterable<Uint8Array>): Promise<boolean> {
    const { objects } = this.#deps;
    if (!(await this.#isThere(key))) {
      await objects.put(key, body);
      return true;
    }
    const [there, sent] = [await sha256Of(objects.open(key)), await sha256Of(body)];
    if (there === sent) return false;
    throw new ZoetropeError(
      'conflict',
      'Other bytes were put here before; an object is written once. Ask for another URL: POST /v1/streams/{id}/chunk-urls.',
    );
  }

  async #isThere(key: string): Promise<boolean> {
    try {
      await this.#deps.objects.head(key);
      return true;
    } catch (error) {
      if (isZoetropeError(error, 'missing_input')) return false;
      throw error;
    }
  }
}

async function* bounded(body: AsyncIterable<Uint8Array>, maxBytes: number): AsyncIterable<Uint8Array> {
  let size = 0;
  for await (const piece of whole(body)) {
    size += piece.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    yield piece;
  }
}

/** A body that breaks off is its sender's doing, and nothing of ours. */
async function* whole(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw new ZoetropeError('cancelled', 'The connection broke off before all bytes were there. Send them again.', {
      cause: error,
    });
  }
}

async function sha256Of(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

function tooLarge(maxBytes: number): ZoetropeError {
  return new ZoetropeError('payload_too_large', `At most ${maxBytes} bytes may be put here. Make shorter chunks.`);
}
