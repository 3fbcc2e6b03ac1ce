import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { Health } from '../../src/api/health.ts';
import { systemClock } from '../../src/base/clock.ts';
import { ZoetropeError } from '../../src/base/errors.ts';
import { randomIds } from '../../src/base/ids.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { METRICS } from '../../src/metrics/catalogue.ts';
import { MetricsServer } from '../../src/metrics/metrics-server.ts';
import { Metrics } from '../../src/metrics/metrics.ts';

function usedMetrics(): Metrics {
  const metrics = new Metrics();
  metrics.frames.received(3);
  metrics.frames.accepted(2);
  metrics.frames.late(1);
  metrics.frames.duplicate(1);
  metrics.frames.dead('corrupt_media');
  metrics.frames.segment('onTime', 1000);
  metrics.frames.playable(31.5, -0.2);
  metrics.engine.taskFinished('encodeFrames', 'done', 0.03);
  metrics.engine.processLost('crash');
  metrics.delivery.playlistSent('live', true);
  metrics.delivery.fileRead('memory');
  metrics.delivery.bytesSent(500);
  metrics.http.request({ route: '/v1/streams/:id', status: 404, seconds: 0.002 });
  metrics.http.sseSubscribers(1);
  metrics.http.sseDropped();
  metrics.upkeep.run('retention', { ok: true, durationMs: 20 });
  metrics.webhooks.tried('delivered', 0.2);
  metrics.webhooks.endpointDisabled();
  metrics.sample({
    engine: () => ({ processes: 2, ready: 1, queued: 4, running: 1, stalled: 0, restarts: 0, pids: [] }),
    totals: async () => ({
      streams: 4,
      segments: 10,
      segmentBytes: 1000,
      retiredSegments: 1,
      retiredBytes: 100,
      openSessions: 3,
      assetSegmentBytes: 0,
      remoteBytes: 0,
    }),
    open: () => ({ frames: 7, segments: 2 }),
    eventLogLag: async () => 5,
    freeBytes: async () => 1_000_000,
  });
  return metrics;
}

async function serve(metrics: Metrics): Promise<{ readonly url: string; readonly server: MetricsServer }> {
  const server = new MetricsServer({
    metrics,
    health: new Health({
      checks: [
        { name: 'alive', kind: 'live', run: async () => 'It is.' },
        {
          name: 'engine',
          kind: 'ready',
          run: async () => {
            throw new ZoetropeError('unavailable', 'None is ready.');
          },
        },
      ],
      clock: systemClock,
    }),
    ids: randomIds,
    logger: silentLogger,
    listen: { host: '127.0.0.1', port: 0 },
  });
  await server.start();
  const { host, port } = server.address();
  return { url: `http://${host}:${port}`, server };
}

test('a scrape holds every metric of the catalogue and passes promtool', async (t) => {
  const { url, server } = await serve(usedMetrics());
  t.after(() => server.close());
  const response = await fetch(`${url}/metrics`);
  const text = await response.text();
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  for (const { name } of Object.values(METRICS)) assert.ok(text.includes(`# TYPE ${name} `), name);
  assert.match(text, /^zoetrope_frames_received_total 3$/m);
  assert.match(text, /^zoetrope_http_requests_total\{route="\/v1\/streams\/:id",status="4xx"\} 1$/m);
  assert.match(text, /^zoetrope_engine_processes\{state="ready"\} 1$/m);
  assert.match(text, /^zoetrope_event_log_lag_events 5$/m);
  assert.match(text, /^process_cpu_seconds_total/m);

  const promtool = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  if (promtool.error !== undefined && process.env['CI'] === undefined) return t.skip('promtool is not installed');
  assert.equal(promtool.error, undefined, 'promtool is needed: apt-get install prometheus');
  assert.equal(promtool.stderr + promtool.stdout, '');
  assert.equal(promtool.status, 0);
});

test('a source that fails leaves its metrics out and is counted; the others stay', async () => {
  const metrics = usedMetrics();
  await metrics.scrape();
  metrics.sample({
    eventLogLag: async () => {
      throw new ZoetropeError('unavailable', 'The broker is gone.');
    },
  });
  const text = await metrics.scrape();
  assert.doesNotMatch(text, /^zoetrope_event_log_lag_events /m);
  assert.match(text, /^zoetrope_metric_sample_failures_total\{metric="zoetrope_event_log_lag_events"\} 1$/m);
  assert.match(text, /^zoetrope_active_streams 3$/m);
});

test('the second port tells health, and refuses what it does not serve', async (t) => {
  const { url, server } = await serve(new Metrics());
  t.after(() => server.close());
  const healthz = await fetch(`${url}/healthz`);
  assert.equal(healthz.status, 200);
  assert.deepEqual(await healthz.json(), { status: 'ok', checks: { alive: { ok: true, detail: 'It is.' } } });
  const readyz = await fetch(`${url}/readyz`);
  assert.equal(readyz.status, 503);
  assert.deepEqual(await readyz.json(), {
    status: 'failing',
    checks: { engine: { ok: false, detail: 'None is ready.' } },
  });
  for (const [method, path, status, code] of [
    ['GET', '/v1/streams', 404, 'not_found'],
    ['POST', '/metrics', 405, 'method_not_allowed'],
  ] as const) {
    const response = await fetch(`${url}${path}`, { method });
    assert.equal(response.status, status);
    assert.equal(response.headers.get('content-type'), 'application/problem+json; charset=utf-8');
    assert.equal(((await response.json()) as { code: string }).code, code);
  }
});

test('a port that is taken is told with the remedy', async (t) => {
  const { server } = await serve(new Metrics());
  t.after(() => server.close());
  const second = new MetricsServer({
    metrics: new Metrics(),
    health: new Health({ checks: [], clock: systemClock }),
    ids: randomIds,
    logger: silentLogger,
    listen: { host: '127.0.0.1', port: server.address().port },
  });
  await assert.rejects(second.start(), { code: 'invalid_configuration', message: /ZOETROPE_METRICS_PORT/ });
  await second.close();
});
