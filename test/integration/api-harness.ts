import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import type { TSchema } from 'typebox';
import { createKey } from '../../src/access/api-keys.ts';
import { KeyAccess } from '../../src/access/key-access.ts';
import { streamDefaults } from '../../src/app/stream-defaults.ts';
import { Health, type HealthCheck } from '../../src/api/health.ts';
import type { HttpMetrics, Picture, PictureOptions, Pictures } from '../../src/api/rest/deps.ts';
import { createHttpServer, type HttpServer, type HttpServerDeps } from '../../src/api/rest/http-server.ts';
import { ProblemShape } from '../../src/api/rest/shapes.ts';
import { ZoetropeError } from '../../src/base/errors.ts';
import { randomIds } from '../../src/base/ids.ts';
import type { Logger } from '../../src/base/logger.ts';
import { wallMs, type WallMs } from '../../src/base/time.ts';
import type { Scope } from '../../src/catalog/catalog.ts';
import type { AcceptedFrame, FrameEventValue, FrameIntake, PostedFrame } from '../../src/ingest/frames/frame-intake.ts';
import type { Stream } from '../../src/timeline/stream.ts';
import { removeStream } from '../../src/upkeep/remove-stream.ts';
import { TimelineStore } from '../fixtures/timeline-store.ts';

/** A request, with what is usual left out. */
export interface Call {
  readonly method?: string;
  readonly body?: unknown;
  readonly key?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer with its JSON. */
export interface Reply<T = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: T;
}

/** A problem as tests look at it. */
export interface ProblemReply {
  readonly code: string;
  readonly detail: string;
  readonly requestId: string;
  readonly errors?: readonly { readonly field: string; readonly detail: string }[];
}

/** Keeps what it is given; makes devices' streams as the real one does. */
export class RecordingIntake implements FrameIntake {
  readonly frames: (PostedFrame & { readonly streamId: string })[] = [];
  readonly events: FrameEventValue[] = [];
  /** Thrown by the next call. */
  refusal: ZoetropeError | null = null;
  readonly #store: TimelineStore;

  constructor(store: TimelineStore) {
    this.#store = store;
  }

  async acceptFrame(stream: Stream, frame: PostedFrame): Promise<AcceptedFrame> {
    this.#refuse();
    this.frames.push({ ...frame, streamId: stream.id });
    return { eventId: frame.eventId ?? randomIds.next('event'), streamId: stream.id };
  }

  async acceptDeviceFrame(clientId: string, deviceId: string, frame: PostedFrame): Promise<AcceptedFrame> {
    return this.acceptFrame(await this.#streamOf(clientId, deviceId), frame);
  }

  async acceptEvents(events: readonly FrameEventValue[]): Promise<readonly AcceptedFrame[]> {
    this.#refuse();
    this.events.push(...events);
    return Promise.all(
      events.map(async ({ eventId, clientId, deviceId }) => ({
        eventId,
        streamId: (await this.#streamOf(clientId, deviceId)).id,
      })),
    );
  }

  #streamOf(tenant: string, deviceId: string): Promise<Stream> {
    const id = randomIds.next('stream');
    const stream = { id, tenant, kind: 'frames', name: deviceId, deviceId, settings: {} } as const;
    return this.#store.stores.catalog.ensureDeviceStream(stream);
  }

  #refuse(): void {
    const refusal = this.refusal;
    this.refusal = null;
    if (refusal !== null) throw refusal;
  }
}

/** One picture at one time. */
export class OnePicture implements Pictures {
  picture: Picture | null = null;
  readonly asked: (number | null)[] = [];

  async latest(stream: Stream, options: PictureOptions): Promise<Picture> {
    return this.#give(stream, options);
  }

  async at(stream: Stream, atMs: WallMs, options: PictureOptions): Promise<Picture> {
    if (this.picture !== null && this.picture.capturedAtMs > atMs) throw new ZoetropeError('not_found', 'A gap.');
    return this.#give(stream, options);
  }

  #give(stream: Stream, { widthPx }: PictureOptions): Picture {
    this.asked.push(widthPx);
    if (this.picture === null) throw new ZoetropeError('not_found', `No frame of ${stream.id} has arrived yet.`);
    return this.picture;
  }
}

/** Counts what the HTTP server counts. */
export class CountingMetrics implements HttpMetrics {
  readonly requests: { readonly route: string; readonly status: number; readonly seconds: number }[] = [];
  subscribers = 0;
  dropped = 0;

  request(observation: { readonly route: string; readonly status: number; readonly seconds: number }): void {
    this.requests.push(observation);
  }

  sseSubscribers(change: 1 | -1): void {
    this.subscribers += change;
  }

  sseDropped(): void {
    this.dropped += 1;
  }
}

/** Keeps error lines, so that a test can say that there are none. */
export class KeepingLogger implements Logger {
  readonly errors: object[] = [];

  debug(): void {}
  info(): void {}
  warn(): void {}

  error(fields: object, message: string): void {
    this.errors.push({ message, ...fields });
  }

  child(): Logger {
    return this;
  }
}

/** What a test may set otherwise. */
export interface HarnessOptions {
  readonly settings?: Partial<HttpServerDeps['settings']>;
  readonly consoleDir?: string;
  readonly checks?: readonly HealthCheck[];
  readonly playback?: HttpServerDeps['playback'];
  readonly deps?: (store: TimelineStore) => Partial<HttpServerDeps>;
}

/** A real server on real embedded stores, under a clock that the test moves. */
export class ApiHarness implements AsyncDisposable {
  readonly store: TimelineStore;
  readonly intake: RecordingIntake;
  readonly pictures = new OnePicture();
  readonly metrics = new CountingMetrics();
  readonly logger = new KeepingLogger();
  readonly access: KeyAccess;
  readonly server: HttpServer;
  readonly #scratch: string;

  private constructor(store: TimelineStore, scratch: string, options: HarnessOptions) {
    this.store = store;
    this.#scratch = scratch;
    this.intake = new RecordingIntake(store);
    const { catalog, events, objects } = store.stores;
    const { clock } = store;
    this.access = new KeyAccess({ catalog, clock, logger: this.logger, host: '127.0.0.1' });
    this.server = createHttpServer({
      clock,
      ids: randomIds,
      logger: this.logger,
      catalog,
      objects,
      events,
      access: this.access,
      intake: this.intake,
      pictures: this.pictures,
      removeStream: async ({ id }) => void (await removeStream(id, { catalog, objects })),
      defaults: streamDefaults(store.config),
      health: new Health({ checks: options.checks ?? [], clock }),
      metrics: this.metrics,
      settings: {
        version: '1.2.3',
        roles: ['api'],
        corsOrigins: ['https://app.example.org'],
        publicUrl: undefined,
        maxFrameBytes: 100_000,
        headerTimeoutSeconds: 20,
        bodyTimeoutSeconds: 120,
        maxPushedBodiesBytes: 1 << 28,
        tokenTtlSeconds: 3600,
        ...options.settings,
      },
      listen: { host: '127.0.0.1', port: 0 },
      consoleDir: options.consoleDir ?? join(scratch, 'no-console'),
      ...(options.playback === undefined ? {} : { playback: options.playback }),
      ...options.deps?.(store),
    });
  }

  static async start(options: HarnessOptions = {}): Promise<ApiHarness> {
    const scratch = await mkdtemp(join(tmpdir(), 'zoetrope-api-'));
    const harness = new ApiHarness(await TimelineStore.open(), scratch, options);
    try {
      await harness.access.start();
      await harness.server.start(AbortSignal.timeout(20_000));
    } catch (error) {
      await harness[Symbol.asyncDispose]();
      throw error;
    }
    return harness;
  }

  get url(): string {
    const { host, port } = this.server.address();
    return `http://${host}:${port}`;
  }

  /** A request with a JSON body, or with bytes. */
  async call<T = unknown>(path: string, { method, body, key, headers }: Call = {}): Promise<Reply<T>> {
    const isJson = body !== undefined && !(body instanceof Uint8Array);
    const response = await fetch(`${this.url}${path}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      signal: AbortSignal.timeout(20_000),
      redirect: 'manual',
      headers: {
        ...(isJson ? { 'content-type': 'application/json' } : {}),
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : (body as Uint8Array<ArrayBuffer>) }),
    });
    const text = await response.text();
    const isJsonAnswer = (response.headers.get('content-type') ?? '').includes('json');
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: (isJsonAnswer && text !== '' ? JSON.parse(text) : null) as T,
    };
  }

  /** A request that must end in a whole problem of this status and code. */
  async refused(status: number, code: string, path: string, call: Call = {}): Promise<ProblemReply> {
    const reply = await this.call<ProblemReply>(path, call);
    assertProblem(reply);
    assert.deepEqual([reply.status, reply.json.code], [status, code], `${call.method ?? ''} ${path}: ${reply.text}`);
    return reply.json;
  }

  /** Makes a key that opens one stream alone and lets the server notice. */
  async boundKey(streamId: string): Promise<string> {
    const request = { name: streamId, tenant: null, scopes: ['ingest'], streamId } as const;
    const { secret } = await createKey({ catalog: this.store.stores.catalog, ids: randomIds }, request);
    await this.store.clock.advance(1000);
    return secret;
  }

  /** Makes a key and lets the server notice. */
  async key(tenant: string | null, ...scopes: Scope[]): Promise<string> {
    const request = { name: 'test', tenant, scopes };
    const { secret } = await createKey({ catalog: this.store.stores.catalog, ids: randomIds }, request);
    await this.store.clock.advance(1000);
    return secret;
  }

  /** Follows server-sent events. */
  async follow(path: string, headers: Readonly<Record<string, string>> = {}): Promise<EventReader> {
    const abort = new AbortController();
    const response = await fetch(`${this.url}${path}`, { headers, signal: abort.signal });
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
    return new EventReader(response, abort);
  }

  /** Moves time on in steps, so that what is asked in between has time to be answered, until `isDone`. */
  async advanceUntil(isDone: () => boolean, what: string): Promise<void> {
    for (let step = 0; step < 500; step++) {
      if (isDone()) return;
      await this.store.clock.advance(250);
    }
    assert.fail(`never came: ${what}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.access.close();
    await this.store[Symbol.asyncDispose]();
    await rm(this.#scratch, { recursive: true });
  }
}

/** One server-sent event. */
export interface ServerEvent {
  readonly event: string;
  readonly id: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Reads server-sent events (WHATWG HTML 9.2.6) as they come. */
export class EventReader {
  readonly events: ServerEvent[] = [];
  readonly comments: string[] = [];
  readonly ended: Promise<void>;
  readonly #abort: AbortController;
  #waiting: (() => void)[] = [];

  constructor(response: Response, abort: AbortController) {
    this.#abort = abort;
    this.ended = this.#read(response);
  }

  /** The next event that fits, from those that came before on. */
  async next(fits: (event: ServerEvent) => boolean): Promise<ServerEvent> {
    for (;;) {
      const at = this.events.findIndex(fits);
      const found = this.events[at];
      if (found !== undefined) {
        this.events.splice(at, 1);
        return found;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(response: Response): Promise<void> {
    let text = '';
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) {
        text += decoder.decode(chunk, { stream: true });
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) this.#take(block);
        for (const wake of this.#waiting.splice(0)) wake();
      }
    } catch (error) {
      if (!this.#abort.signal.aborted) throw error;
    }
  }

  #take(block: string): void {
    const fields = new Map(
      block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
    );
    const comment = fields.get('');
    if (comment !== undefined) this.comments.push(comment);
    const data = fields.get('data');
    if (data === undefined) return;
    this.events.push({
      event: fields.get('event') ?? 'message',
      id: fields.get('id') ?? null,
      data: JSON.parse(data) as ServerEvent['data'],
    });
  }
}

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats.default(ajv);

/** Says that a value has a documented shape. */
export function assertShape(schema: TSchema, value: unknown): void {
  assert.ok(ajv.validate(schema, value), `${ajv.errorsText()} in ${JSON.stringify(value)}`);
}

/** Says that an answer is a whole problem document, and teaches nothing about our insides. */
export function assertProblem(reply: Reply): void {
  assert.equal(reply.headers.get('content-type'), 'application/problem+json; charset=utf-8', reply.text);
  assertShape(ProblemShape, reply.json);
  const problem = reply.json as { readonly status: number; readonly requestId: string };
  assert.equal(problem.status, reply.status);
  assert.equal(problem.requestId, reply.headers.get('x-request-id'));
  assert.doesNotMatch(reply.text, /node_modules|\.ts:\d|SQLITE|select .* from/i);
}

/** A wall time as requests write it. */
export function iso(atMs: number): string {
  return new Date(wallMs(atMs)).toISOString();
}
