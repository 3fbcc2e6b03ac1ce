/** Which cameras the wall shows. */
export interface WallFilter {
  readonly text: string;
  readonly state: 'all' | 'online' | 'offline';
}

/** What the filter looks at. */
export interface Filterable {
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  readonly deviceId: string | null;
  readonly state: 'online' | 'offline' | 'new';
}

/** Whether a camera passes: every word must occur in its name, id, tenant or device; a new camera counts as offline. */
export function passes(camera: Filterable, filter: WallFilter): boolean {
  if (filter.state !== 'all' && (camera.state === 'online') !== (filter.state === 'online')) return false;
  const hay = `${camera.name} ${camera.id} ${camera.tenant} ${camera.deviceId ?? ''}`.toLowerCase();
  return filter.text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => hay.includes(word));
}
