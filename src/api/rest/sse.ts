import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock, Timer } from '../../base/clock.ts';
import { ZoetropeError } from '../../base/errors.ts';
import type { HttpMetrics } from './deps.ts';

/** Bytes that may wait for one subscriber to read them; who lets more gather is cut off and may come back. */
const MAX_WAITING_BYTES = 2 * 1024 * 1024;
const MAX_CONNECTIONS = 2000;
const HEARTBEAT_MS = 15_000;

/** One subscriber of server-sent events (WHATWG HTML 9.2). */
export interface SseConnection {
  /** Sends an event. Answers false when the subscriber is gone, or was cut off for reading too slowly. */
  send(event: string, data: unknown, id?: string): boolean;
  /** Ends it; what was sent before still arrives. */
  end(): void;
}

/** All subscribers of this server: keeps their connections warm, counts them, ends them at shutdown. */
export class SseHub {
  readonly #clock: Clock;
  readonly #metrics: Pick<HttpMetrics, 'sseSubscribers' | 'sseDropped'>;
  readonly #connections = new Set<Connection>();
  #heartbeat: Timer | undefined;
  #isClosed = false;

  constructor(deps: { readonly clock: Clock; readonly metrics: Pick<HttpMetrics, 'sseSubscribers' | 'sseDropped'> }) {
    this.#clock = deps.clock;
    this.#metrics = deps.metrics;
  }

  /** How many are connected. */
  get size(): number {
    return this.#connections.size;
  }

  /**
   * Makes the reply a stream of events. `subscribe` gets the connection, to which it may send at once, and answers how to stop; when it
   * throws, the reply is still unsent. @throws too_many, unavailable at shutdown, and what `subscribe` throws.
   */
  async open(
    request: FastifyRequest,
    reply: FastifyReply,
    subscribe: (connection: SseConnection) => Promise<() => void>,
  ): Promise<void> {
    this.#assertRoom();
    const connection = new Connection(reply.raw, () => this.#metrics.sseDropped());
    this.#connections.add(connection);
    this.#metrics.sseSubscribers(1);
    try {
      const unsubscribe = await subscribe(connection);
      if (request.method === 'HEAD' || reply.raw.destroyed) {
        unsubscribe();
        this.#forget(connection);
      } else {
        reply.raw.once('close', () => {
          unsubscribe();
          this.#forget(connection);
        });
        this.#heartbeat ??= this.#scheduleHeartbeat();
      }
    } catch (error) {
      this.#forget(connection);
      throw error;
    }
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    reply.hijack();
    connection.begin(request.method === 'HEAD' || this.#isClosed);
  }

  /** Ends all subscribers and takes no more. */
  close(): void {
    this.#isClosed = true;
    this.#stopHeartbeat();
    for (const connection of this.#connections) connection.end();
  }

  #assertRoom(): void {
    if (this.#isClosed)
      throw new ZoetropeError('unavailable', 'The server is shutting down. Connect again in a moment.');
    if (this.#connections.size < MAX_CONNECTIONS) return;
    throw new ZoetropeError('too_many', `${MAX_CONNECTIONS} subscribers are connected already. Try again later.`);
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection);
    this.#metrics.sseSubscribers(-1);
    if (this.#connections.size === 0) this.#stopHeartbeat();
  }

  #scheduleHeartbeat(): Timer {
    return this.#clock.schedule(HEARTBEAT_MS, () => {
      this.#heartbeat = this.#scheduleHeartbeat();
      for (const connection of this.#connections) connection.comment('still here');
    });
  }

  #stopHeartbeat(): void {
    this.#heartbeat?.cancel();
    this.#heartbeat = undefined;
  }
}

class Connection implements SseConnection {
  readonly #raw: ServerResponse;
  readonly #onDropped: () => void;
  /** What was sent before the answer began; null since. */
  #early: string[] | null = [];

  constructor(raw: ServerResponse, onDropped: () => void) {
    this.#raw = raw;
    this.#onDropped = onDropped;
  }

  begin(endsAtOnce: boolean): void {
    this.#raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      // nginx would hold events back otherwise.
      'x-accel-buffering': 'no',
    });
    const early = this.#early ?? [];
    this.#early = null;
    this.comment('connected');
    if (early.length > 0) this.#write(early.join(''));
    if (endsAtOnce) this.end();
  }

  send(event: string, data: unknown, id?: string): boolean {
    return this.#write(`event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`);
  }

  comment(text: string): void {
    this.#write(`: ${text}\n\n`);
  }

  end(): void {
    if (this.#early === null && !this.#raw.writableEnded) this.#raw.end();
  }

  #write(text: string): boolean {
    if (this.#raw.destroyed || this.#raw.writableEnded) return false;
    if (this.#early !== null) {
      this.#early.push(text);
      return true;
    }
    if (this.#raw.writableLength > MAX_WAITING_BYTES) {
      this.#onDropped();
      this.#raw.destroy();
      return false;
    }
    this.#raw.write(text);
    return true;
  }
}
