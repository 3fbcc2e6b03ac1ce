import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { Access, Principal } from '../../access/access.ts';
import type { Clock } from '../../base/clock.ts';
import type { IdSource } from '../../base/ids.ts';
import type { Logger } from '../../base/logger.ts';
import type { WallMs } from '../../base/time.ts';
import type { Catalog, Scope } from '../../catalog/catalog.ts';
import type { EdgeAgent } from '../../edge/agent/edge-agent.ts';
import type { EventLog } from '../../events/event-log.ts';
import type { FrameIntake } from '../../ingest/frames/frame-intake.ts';
import type { FilePlaylists } from '../../ingest/push/file-playlists.ts';
import type { ChunkIntake } from '../../ingest/chunks/chunk-intake.ts';
import type { PutDoor } from '../../ingest/chunks/put-door.ts';
import type { PushIntake } from '../../ingest/push/push-intake.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import type { ClipService } from '../../recordings/clips.ts';
import type { Stream, StreamSettings } from '../../timeline/stream.ts';
import type { AssetService } from '../../vod/asset-service.ts';
import type { Uploads } from '../../vod/uploads/uploads.ts';
import type { WebhookEndpoints } from '../../webhooks/endpoints.ts';
import type { Health } from '../health.ts';
import type { EdgeControl } from '../../edge/control/edge-control.ts';
import type { SegmentIntake } from '../../edge/control/segment-intake.ts';

/** A JPEG of a stream. */
export interface Picture {
  readonly jpeg: Uint8Array;
  readonly capturedAtMs: WallMs;
  /** A strong entity tag without quotes: the same bytes, the same tag. */
  readonly etag: string;
}

/** Single pictures of a stream. `widthPx` scales down, never up; null: as it is. */
export interface Pictures {
  /** The newest frame. @throws not_found when none has arrived. */
  latest(stream: Stream, options: PictureOptions): Promise<Picture>;
  /** The frame shown at a wall time. @throws not_found in a gap. */
  at(stream: Stream, atMs: WallMs, options: PictureOptions): Promise<Picture>;
}

/** How large a picture is wanted, and until when. */
export interface PictureOptions {
  readonly widthPx: number | null;
  readonly signal: AbortSignal;
}

/** What the HTTP server counts. */
export interface HttpMetrics {
  /** `route` is the pattern of the route, never the URL. */
  request(observation: { readonly route: string; readonly status: number; readonly seconds: number }): void;
  sseSubscribers(change: 1 | -1): void;
  /** A subscriber that read too slowly was cut off. */
  sseDropped(): void;
}

/** Settings of the HTTP interface. */
export interface ApiSettings {
  /** Of the program, for `/v1/server`. */
  readonly version: string;
  readonly roles: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly publicUrl: string | undefined;
  /** How long the header of a request may take to come, and its body. */
  readonly headerTimeoutSeconds: number;
  readonly bodyTimeoutSeconds: number;
  /** Of pushed files that are coming in, together. */
  readonly maxPushedBodiesBytes: number;
  readonly maxFrameBytes: number;
  /** Life of a playback token unless asked otherwise. */
  readonly tokenTtlSeconds: number;
}

/** What the routes of assets and uploads call. */
export interface VodApi {
  readonly assets: AssetService;
  readonly uploads: Uploads;
}

/** What the routes of chunks call. */
export interface ChunksApi {
  readonly intake: ChunkIntake;
  /** Where this server itself is in front of the object store. */
  readonly putDoor: PutDoor;
}

/** What the routes of edges call. */
export interface EdgeApi {
  readonly control: EdgeControl;
  readonly intake: SegmentIntake;
}

/** What the routes call. */
export interface ApiDeps {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  readonly catalog: Catalog;
  readonly objects: Pick<ObjectStore, 'freeBytes' | 'open'>;
  readonly events: Pick<EventLog, 'peek'>;
  readonly access: Access;
  readonly intake: FrameIntake;
  readonly pictures: Pictures;
  /** Removes a stream's rows and then its objects. */
  readonly removeStream: (stream: Stream) => Promise<void>;
  readonly defaults: StreamSettings;
  readonly health: Health;
  readonly metrics: HttpMetrics;
  readonly settings: ApiSettings;
  /** Absent where there are no assets. */
  readonly vod?: VodApi;
  /** Absent where nothing is pushed. */
  readonly push?: PushIntake;
  /** Playlists whose segments lie on this machine; absent where there are none. */
  readonly filePlaylists?: FilePlaylists;
  /** Absent where no chunks are announced. */
  readonly chunks?: ChunksApi;
  /** Absent where no edges come. */
  readonly edges?: EdgeApi;
  /** Absent where there are no clips. */
  readonly clips?: ClipService;
  /** Absent where this server is no edge. */
  readonly agent?: Pick<EdgeAgent, 'status'>;
  /** Absent where there are no webhooks. */
  readonly webhooks?: WebhookEndpoints;
}

/** The Fastify instance that routes are added to. */
export type RestApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/**
 * Who may call a route: everybody; who has one of these scopes; or, `playback`, who has `read` or a playback token for the
 * stream `:id`; `own`: the route judges for itself.
 */
export type RouteAccess = 'public' | 'playback' | 'own' | readonly Scope[];

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal;
  }
  interface FastifyContextConfig {
    access?: RouteAccess;
    /** The route names a stream elsewhere than in its path, and sees itself to it that a key bound to a stream touches no other. */
    checksStream?: boolean;
    /** The media type that the body must have. */
    consumes?: string;
  }
}
