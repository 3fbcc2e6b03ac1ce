import type { Scope } from '../../src/catalog/catalog.ts';
import type { Call } from './api-harness.ts';

/** A route, and who may call it. */
export interface Route {
  readonly path: (own: Own) => string;
  readonly call?: (own: Own) => Call;
  readonly scopes: readonly Scope[];
  /** The status for a key that may. */
  readonly ok: number;
  /** The status for a key of another tenant that may otherwise; undefined: the route is not bound to a tenant's thing. */
  readonly foreign?: number;
}

/** Things of the tenant `acme` that routes are called for. */
export interface Own {
  readonly stream: string;
  readonly archive: string;
  readonly recording: string;
  readonly marker: string;
}

const JPEG = { 'content-type': 'image/jpeg', 'x-captured-at': '2026-11-20T10:30:00Z' };
const EVENT = {
  eventId: 'e',
  clientId: 'acme',
  deviceId: 'cam',
  timestamp: '2026-11-20T10:30:00Z',
  framePath: '/x.jpg',
};

/** Every route below /v1. The order matters little: what is removed is removed last. */
export const ROUTES: Readonly<Record<string, Route>> = {
  'POST /v1/streams': {
    path: () => '/v1/streams',
    call: () => ({ body: { name: 'x', tenant: 'acme' } }),
    scopes: ['manage'],
    ok: 201,
    foreign: 403,
  },
  'GET /v1/streams': { path: () => '/v1/streams', scopes: ['read'], ok: 200 },
  'GET /v1/streams/:id': { path: (own) => `/v1/streams/${own.stream}`, scopes: ['read'], ok: 200, foreign: 404 },
  'PATCH /v1/streams/:id': {
    path: (own) => `/v1/streams/${own.stream}`,
    call: () => ({ method: 'PATCH', body: { name: 'y' } }),
    scopes: ['manage'],
    ok: 200,
    foreign: 404,
  },
  'POST /v1/streams/:id/tokens': {
    path: (own) => `/v1/streams/${own.stream}/tokens`,
    call: () => ({ method: 'POST' }),
    scopes: ['read'],
    ok: 201,
    foreign: 404,
  },
  'POST /v1/streams/:id/frames': {
    path: (own) => `/v1/streams/${own.stream}/frames`,
    call: () => ({ body: Buffer.from('x'), headers: JPEG }),
    scopes: ['ingest'],
    ok: 202,
    foreign: 404,
  },
  'POST /v1/devices/:clientId/:deviceId/frames': {
    path: () => '/v1/devices/acme/cam/frames',
    call: () => ({ body: Buffer.from('x'), headers: JPEG }),
    scopes: ['ingest'],
    ok: 202,
    foreign: 403,
  },
  'POST /v1/events/frames': {
    path: () => '/v1/events/frames',
    call: () => ({ body: [EVENT] }),
    scopes: ['ingest'],
    ok: 202,
    foreign: 403,
  },
  'GET /v1/streams/:id/latest.jpg': {
    path: (own) => `/v1/streams/${own.stream}/latest.jpg`,
    scopes: ['read'],
    ok: 200,
    foreign: 404,
  },
  'GET /v1/streams/:id/frame.jpg': {
    path: (own) => `/v1/streams/${own.stream}/frame.jpg?at=2026-11-20T10:30:00Z`,
    scopes: ['read'],
    ok: 200,
    foreign: 404,
  },
  'GET /v1/streams/:id/timeline': {
    path: (own) => `/v1/streams/${own.stream}/timeline`,
    scopes: ['read'],
    ok: 200,
    foreign: 404,
  },
  'GET /v1/streams/:id/ladder': {
    path: (own) => `/v1/streams/${own.stream}/ladder`,
    scopes: ['read'],
    ok: 200,
    foreign: 404,
  },
  'GET /v1/streams/:id/clock': {
    path: (own) => `/v1/streams/${own.stream}/clock?pts90k=0`,
    scopes: ['read'],
    ok: 200,
    foreign: 404,
  },
  'POST /v1/streams/:id/markers': {
    path: (own) => `/v1/streams/${own.stream}/markers`,
    call: () => ({ body: { at: '2026-11-20T10:30:00Z', label: 'x' } }),
    scopes: ['ingest', 'manage'],
    ok: 201,
    foreign: 404,
  },
  'GET /v1/streams/:id/markers': {
    path: (own) => `/v1/streams/${own.stream}/markers`,
    scopes: ['read'],
    ok: 200,
    foreign: 404,
  },
  'GET /v1/streams/:id/markers/events': {
    path: (own) => `/v1/streams/${own.stream}/markers/events`,
    call: () => ({ method: 'HEAD' }),
    scopes: ['read'],
    ok: 200,
    foreign: 404,
  },
  'GET /v1/streams/events': {
    path: () => '/v1/streams/events',
    call: () => ({ method: 'HEAD' }),
    scopes: ['read'],
    ok: 200,
  },
  'GET /v1/archives': { path: () => '/v1/archives', scopes: ['read'], ok: 200 },
  'GET /v1/archives/:id': { path: (own) => `/v1/archives/${own.archive}`, scopes: ['read'], ok: 200, foreign: 404 },
  'POST /v1/archives/:id/tokens': {
    path: (own) => `/v1/archives/${own.archive}/tokens`,
    call: () => ({ body: { ttlSeconds: 60 } }),
    scopes: ['read'],
    ok: 201,
    foreign: 404,
  },
  'POST /v1/archives/:id/share': {
    path: (own) => `/v1/archives/${own.archive}/share`,
    call: () => ({ body: { expiresIn: 60 } }),
    scopes: ['read'],
    ok: 201,
    foreign: 404,
  },
  'POST /v1/streams/:id/share': {
    path: (own) => `/v1/streams/${own.stream}/share`,
    call: () => ({ body: { expiresIn: 60 } }),
    scopes: ['read'],
    ok: 201,
    foreign: 404,
  },
  'POST /v1/streams/:id/recordings': {
    path: (own) => `/v1/streams/${own.stream}/recordings`,
    call: () => ({ method: 'POST' }),
    scopes: ['manage'],
    ok: 201,
    foreign: 404,
  },
  'GET /v1/streams/:id/recordings': {
    path: (own) => `/v1/streams/${own.stream}/recordings`,
    scopes: ['read'],
    ok: 200,
    foreign: 404,
  },
  'GET /v1/recordings': { path: () => '/v1/recordings', scopes: ['read'], ok: 200 },
  'GET /v1/recordings/:id': {
    path: (own) => `/v1/recordings/${own.recording}`,
    scopes: ['read'],
    ok: 200,
    foreign: 404,
  },
  'PATCH /v1/recordings/:id': {
    path: (own) => `/v1/recordings/${own.recording}`,
    call: () => ({ method: 'PATCH', body: { title: 'y' } }),
    scopes: ['manage'],
    ok: 200,
    foreign: 404,
  },
  'POST /v1/recordings/:id/tokens': {
    path: (own) => `/v1/recordings/${own.recording}/tokens`,
    call: () => ({ method: 'POST' }),
    scopes: ['read'],
    ok: 201,
    foreign: 404,
  },
  'POST /v1/recordings/:id/share': {
    path: (own) => `/v1/recordings/${own.recording}/share`,
    call: () => ({ body: { expiresIn: 60 } }),
    scopes: ['read'],
    ok: 201,
    foreign: 404,
  },
  'POST /v1/recordings/:id/stop': {
    path: (own) => `/v1/recordings/${own.recording}/stop`,
    call: () => ({ method: 'POST' }),
    scopes: ['manage'],
    ok: 200,
    foreign: 404,
  },
  'DELETE /v1/recordings/:id': {
    path: (own) => `/v1/recordings/${own.recording}`,
    call: () => ({ method: 'DELETE' }),
    scopes: ['manage'],
    ok: 204,
    foreign: 404,
  },
  'GET /v1/server': { path: () => '/v1/server', scopes: ['read'], ok: 200 },
  'GET /v1/dead-letters': { path: () => '/v1/dead-letters', scopes: ['read'], ok: 200 },
  'DELETE /v1/streams/:id/markers/:markerId': {
    path: (own) => `/v1/streams/${own.stream}/markers/${own.marker}`,
    call: () => ({ method: 'DELETE' }),
    scopes: ['manage'],
    ok: 204,
    foreign: 404,
  },
  'DELETE /v1/archives/:id': {
    path: (own) => `/v1/archives/${own.archive}`,
    call: () => ({ method: 'DELETE' }),
    scopes: ['manage'],
    ok: 204,
    foreign: 404,
  },
  'DELETE /v1/streams/:id': {
    path: (own) => `/v1/streams/${own.stream}?force=true`,
    call: () => ({ method: 'DELETE' }),
    scopes: ['manage'],
    ok: 204,
    foreign: 404,
  },
};
