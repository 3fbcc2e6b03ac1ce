import { readFile } from 'node:fs/promises';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { loadSync } from '@grpc/proto-loader';
import { HealthImplementation, protoPath as healthProtoPath } from 'grpc-health-check';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Component } from '../../base/component.ts';
import { messageOf, ZoetropeError } from '../../base/errors.ts';
import { AssetFeed } from '../rest/asset-feed.ts';
import { assetHandlers, type AssetHandlersDeps } from './asset-handlers.ts';
import { ASSET_SERVICE, loadDefinition, loadReflected } from './definition.ts';

/** Where it listens, and with which certificates. */
export interface GrpcListen {
  readonly host: string;
  readonly port: number;
  readonly tlsCertFile?: string;
  readonly tlsKeyFile?: string;
  /** Clients must show a certificate of this authority. */
  readonly tlsClientCaFile?: string;
}

/** What the gRPC server is made of. */
export interface GrpcServerDeps extends Omit<AssetHandlersDeps, 'feed'> {
  readonly catalog: AssetHandlersDeps['catalog'] & ConstructorParameters<typeof AssetFeed>[0]['catalog'];
  readonly clock: Clock;
  readonly listen: GrpcListen;
  /** Whether the server can do its work now, for `grpc.health.v1`. */
  readonly isReady: () => Promise<boolean>;
}

const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const HEALTH_MS = 5000;
/** How long calls under way may take to finish at shutdown. */
const DRAIN_MS = 5000;

/** The gRPC API with health checks and reflection. */
export class GrpcServer implements Component {
  readonly name = 'grpc';
  readonly #deps: GrpcServerDeps;
  readonly #feed: AssetFeed;
  readonly #health = new HealthImplementation({ '': 'NOT_SERVING', [ASSET_SERVICE]: 'NOT_SERVING' });
  #server: Server | undefined;
  #port = 0;
  #timer: Timer | undefined;

  constructor(deps: GrpcServerDeps) {
    this.#deps = deps;
    this.#feed = new AssetFeed(deps);
  }

  /** @throws invalid_configuration when the address cannot be listened on or a certificate cannot be read */
  async start(): Promise<void> {
    const { host, port } = this.#deps.listen;
    const definition = loadDefinition();
    const server = new Server({
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      'grpc.keepalive_time_ms': 60_000,
      'grpc.keepalive_timeout_ms': 20_000,
    });
    server.addService(definition.assetService, { ...assetHandlers({ ...this.#deps, feed: this.#feed }) });
    // Whoever asks what is here is to learn of the health checks too.
    new ReflectionService({ ...loadReflected(), ...loadSync(healthProtoPath) }).addToServer(server);
    this.#health.addToServer(server);
    const credentials = await credentialsFor(this.#deps.listen);
    this.#server = server;
    try {
      this.#port = await new Promise((resolve, reject) => {
        server.bindAsync(addressOf(host, port), credentials, (error, bound) => {
          if (error === null) resolve(bound);
          else reject(error);
        });
      });
    } catch (error) {
      throw new ZoetropeError(
        'invalid_configuration',
        `gRPC cannot listen on ${addressOf(host, port)}: ${messageOf(error)}. Free the port, or set ZOETROPE_GRPC_PORT (0 picks a free one).`,
        { cause: error },
      );
    }
    await this.#look();
  }

  /** Lets calls under way finish for a moment, then ends them. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#feed.close();
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    this.#setHealth(false);
    await new Promise<void>((resolve) => {
      const deadline = this.#deps.clock.schedule(DRAIN_MS, () => server.forceShutdown());
      server.tryShutdown(() => {
        deadline.cancel();
        resolve();
      });
    });
  }

  /** Where it listens. */
  address(): { readonly host: string; readonly port: number } {
    return { host: this.#deps.listen.host, port: this.#port };
  }

  async #look(): Promise<void> {
    const isReady = await this.#deps.isReady();
    if (this.#server === undefined) return;
    this.#setHealth(isReady);
    this.#timer = this.#deps.clock.schedule(HEALTH_MS, () => void this.#look());
  }

  #setHealth(isReady: boolean): void {
    for (const service of ['', ASSET_SERVICE]) this.#health.setStatus(service, isReady ? 'SERVING' : 'NOT_SERVING');
  }
}

async function credentialsFor(listen: GrpcListen): Promise<ServerCredentials> {
  const { tlsCertFile, tlsKeyFile, tlsClientCaFile } = listen;
  if (tlsCertFile === undefined && tlsKeyFile === undefined && tlsClientCaFile === undefined) {
    return ServerCredentials.createInsecure();
  }
  if (tlsCertFile === undefined || tlsKeyFile === undefined) {
    throw new ZoetropeError(
      'invalid_configuration',
      'TLS for gRPC needs a certificate and its key: set both ZOETROPE_GRPC_TLS_CERT and ZOETROPE_GRPC_TLS_KEY, or none of ZOETROPE_GRPC_TLS_….',
    );
  }
  const [cert_chain, private_key, authority] = await Promise.all([
    readPem(tlsCertFile, 'ZOETROPE_GRPC_TLS_CERT'),
    readPem(tlsKeyFile, 'ZOETROPE_GRPC_TLS_KEY'),
    tlsClientCaFile === undefined ? null : readPem(tlsClientCaFile, 'ZOETROPE_GRPC_TLS_CLIENT_CA'),
  ]);
  try {
    return ServerCredentials.createSsl(authority, [{ cert_chain, private_key }], authority !== null);
  } catch (error) {
    throw new ZoetropeError(
      'invalid_configuration',
      `The certificate ${tlsCertFile} and the key ${tlsKeyFile} do not make a TLS server: ${messageOf(error)}.`,
      { cause: error },
    );
  }
}

async function readPem(path: string, variable: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new ZoetropeError(
      'invalid_configuration',
      `${variable} names ${path}, which cannot be read: ${messageOf(error)}.`,
      {
        cause: error,
      },
    );
  }
}

function addressOf(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
