import type { AssetJson, WorkState } from '../api/asset-types.ts';
import type { Page } from '../api/client.ts';

/** Which part of the assets is looked at. */
export type StateFilter = 'all' | 'working' | 'ready' | 'failed';

/** What the list is narrowed to. */
export interface AssetFilter {
  readonly state: StateFilter;
  readonly text: string;
}

/** A part of all assets: the newest ones, so far as they were asked for. */
export interface AssetList {
  /** Newest first. */
  readonly items: readonly AssetJson[];
  /** Null: there are no older ones. */
  readonly nextCursor: string | null;
}

/** The states behind a filter; none: all of them. */
export function statesOf(filter: StateFilter): readonly WorkState[] {
  switch (filter) {
    case 'all':
      return [];
    case 'working':
      return ['queued', 'probing', 'transcoding', 'packaging'];
    case 'ready':
      return ['ready'];
    case 'failed':
      return ['failed', 'cancelled'];
  }
}

/** Whether an asset belongs to what is looked at. */
export function passes(asset: AssetJson, { state, text }: AssetFilter): boolean {
  const states = statesOf(state);
  if (states.length > 0 && !states.includes(asset.state)) return false;
  const wanted = text.trim().toLowerCase();
  return [asset.name, asset.referenceId ?? ''].some((hay) => hay.toLowerCase().includes(wanted));
}

function compare(a: AssetJson, b: AssetJson): number {
  const [first, second] = [Date.parse(a.createdAt), Date.parse(b.createdAt)];
  return second - first || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

/** The list with another page at its end; what came by itself in the meantime is not there twice. */
export function append(list: AssetList, page: Page<AssetJson>): AssetList {
  const fresh = new Map(page.items.map((asset) => [asset.id, asset]));
  const kept = list.items.filter((asset) => !fresh.has(asset.id));
  return { items: [...kept, ...page.items].toSorted(compare), nextCursor: page.nextCursor };
}

/** The list after a change of one asset: new, other than before, or no longer what is looked at. */
export function upsert(list: AssetList, asset: AssetJson, filter: AssetFilter): AssetList {
  const at = list.items.findIndex(({ id }) => id === asset.id);
  if (!passes(asset, filter)) return at < 0 ? list : remove(list, asset.id);
  if (at >= 0) return { ...list, items: list.items.with(at, asset) };
  const oldest = list.items.at(-1);
  // Older than what was asked for so far: it comes with its page.
  if (list.nextCursor !== null && oldest !== undefined && compare(asset, oldest) > 0) return list;
  return { ...list, items: [...list.items, asset].toSorted(compare) };
}

/** The list without an asset. */
export function remove(list: AssetList, id: string): AssetList {
  const items = list.items.filter((asset) => asset.id !== id);
  return items.length === list.items.length ? list : { ...list, items };
}

/** Whether it can be made again: of one that was cancelled, the uploaded file is gone. */
export function canRetry({ state, source }: Pick<AssetJson, 'state' | 'source'>): boolean {
  return state === 'failed' || (state === 'cancelled' && source.kind !== 'upload');
}
