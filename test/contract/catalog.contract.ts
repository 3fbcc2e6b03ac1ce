import { accessContract } from './catalog-access.contract.ts';
import { streamsContract } from './catalog-streams.contract.ts';
import { timelineContract } from './catalog-timeline.contract.ts';
import { upkeepContract } from './catalog-upkeep.contract.ts';
import { windowsContract } from './catalog-windows.contract.ts';
import type { MakeCatalog } from './catalog-world.ts';

/** Registers the contract of {@link Catalog} for an adapter. */
export function catalogContract(adapter: string, make: MakeCatalog): void {
  streamsContract(adapter, make);
  timelineContract(adapter, make);
  windowsContract(adapter, make);
  upkeepContract(adapter, make);
  accessContract(adapter, make);
}
