import type { Component } from '../../base/component.ts';
import type { Catalog } from '../catalog.ts';
import type { SqlBackend } from './backend.ts';
import { sqlStreamStore } from './stream-store.ts';
import { sqlTimelineStore } from './timeline-store.ts';
import { sqlHoldStore } from './hold-store.ts';
import { sqlRecordingStore } from './recording-store.ts';
import { sqlCopyStore } from './copy-store.ts';
import { sqlMarkerStore } from './marker-store.ts';
import { sqlUpkeepStore } from './upkeep-store.ts';
import { sqlAccessStore } from './access-store.ts';
import { sqlAssetStore } from './asset-store.ts';
import { sqlTaskStore } from './task-store.ts';
import { sqlClipStore } from './clip-store.ts';
import { sqlChunkStore } from './chunk-store.ts';
import { sqlEdgeStore } from './edge-store.ts';
import { sqlLadderStore } from './ladder-store.ts';
import { sqlWebhookStore } from './webhook-store.ts';

/** Makes a {@link Catalog} of a database. */
export function catalogOver(backend: SqlBackend & Component & Pick<Catalog, 'onChange'>): Catalog {
  return {
    name: backend.name,
    start: (signal) => backend.start(signal),
    close: () => backend.close(),
    onChange: (listener) => backend.onChange(listener),
    ...sqlStreamStore(backend),
    ...sqlTimelineStore(backend),
    ...sqlHoldStore(backend),
    ...sqlRecordingStore(backend),
    ...sqlCopyStore(backend),
    ...sqlMarkerStore(backend),
    ...sqlUpkeepStore(backend),
    ...sqlAccessStore(backend),
    ...sqlAssetStore(backend),
    ...sqlTaskStore(backend),
    ...sqlClipStore(backend),
    ...sqlChunkStore(backend),
    ...sqlEdgeStore(backend),
    ...sqlLadderStore(backend),
    ...sqlWebhookStore(backend),
  };
}
