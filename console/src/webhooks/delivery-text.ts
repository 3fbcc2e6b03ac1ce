import type { DeliveryJson } from '../api/webhook-api.ts';
import { duration } from '../time/format.ts';

/** How a delivery stands, in a few words: `Delivered, 200`, `2 tries, again in 9 min`. */
export function stateText(delivery: Pick<DeliveryJson, 'state' | 'tries' | 'nextTryAt'>, nowMs: number): string {
  const { state, tries, nextTryAt } = delivery;
  const count = `${tries.length} ${tries.length === 1 ? 'try' : 'tries'}`;
  const status = tries.at(-1)?.status ?? null;
  switch (state) {
    case 'delivered':
      return [`Delivered`, status !== null && String(status), tries.length > 1 && count]
        .filter((part) => part !== false)
        .join(', ');
    case 'failed':
      return `Failed after ${count}`;
    case 'waiting': {
      const leftMs = nextTryAt === null ? 0 : Date.parse(nextTryAt) - nowMs;
      const when = leftMs < 1000 ? 'on its way' : `again in ${duration(leftMs)}`;
      return tries.length === 0 ? when.replace('again', 'due') : `${count}, ${when}`;
    }
  }
}

/** A body as people read it: JSON with indents, other text as it is. */
export function bodyText(payload: string): string {
  try {
    return JSON.stringify(JSON.parse(payload), null, 2);
  } catch {
    return payload;
  }
}

/** The console's page of what a delivery is about; null where there is none. */
export function subjectHref({ type, subjectId }: Pick<DeliveryJson, 'type' | 'subjectId'>): string | null {
  const id = encodeURIComponent(subjectId);
  if (type === 'asset.deleted') return null;
  if (type.startsWith('asset.')) return `/assets/${id}`;
  return type.startsWith('stream.') || type.startsWith('recording.') ? `/streams/${id}` : null;
}
