import { accessContract } from './catalog-access.contract.ts';
import { assetsContract } from './catalog-assets.contract.ts';
import { chunksContract } from './catalog-chunks.contract.ts';
import { claimsContract } from './catalog-claims.contract.ts';
import { clipsContract } from './catalog-clips.contract.ts';
import { ladderContract } from './catalog-ladder.contract.ts';
import { recordingsContract } from './catalog-recordings.contract.ts';
import { streamsContract } from './catalog-streams.contract.ts';
import { tasksContract } from './catalog-tasks.contract.ts';
import { timelineContract } from './catalog-timeline.contract.ts';
import { upkeepContract } from './catalog-upkeep.contract.ts';
import { webhooksContract } from './catalog-webhooks.contract.ts';
import { windowsContract } from './catalog-windows.contract.ts';
import type { MakeCatalog } from './catalog-world.ts';

/** Registers the contract of {@link Catalog} for an adapter. */
export function catalogContract(adapter: string, make: MakeCatalog): void {
  streamsContract(adapter, make);
  timelineContract(adapter, make);
  windowsContract(adapter, make);
  upkeepContract(adapter, make);
  recordingsContract(adapter, make);
  accessContract(adapter, make);
  assetsContract(adapter, make);
  claimsContract(adapter, make);
  clipsContract(adapter, make);
  chunksContract(adapter, make);
  ladderContract(adapter, make);
  tasksContract(adapter, make);
  webhooksContract(adapter, make);
}
