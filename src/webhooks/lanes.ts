import type { DeliveryExceptions, WebhookDelivery } from '../catalog/webhook-store.ts';

/** Most deliveries under way at once. */
export interface LaneLimits {
  readonly total: number;
  readonly perTenant: number;
  /** To one endpoint, or to one host of assets' own addresses. */
  readonly perAddress: number;
}

/** Counts what is under way, so that a slow address holds up neither others nor, with more of its like, other tenants. */
export class Lanes {
  readonly #limits: LaneLimits;
  readonly #tenants = new Map<string, number>();
  readonly #endpoints = new Map<string, number>();
  readonly #hosts = new Map<string, number>();
  #total = 0;

  constructor(limits: LaneLimits) {
    this.#limits = limits;
  }

  get isFull(): boolean {
    return this.#total >= this.#limits.total;
  }

  /** Takes a place. Answers how to give it back. */
  enter({ tenant, endpointId, url }: Pick<WebhookDelivery, 'tenant' | 'endpointId' | 'url'>): () => void {
    const leave = [
      count(this.#tenants, tenant),
      endpointId === null ? count(this.#hosts, hostPrefix(url)) : count(this.#endpoints, endpointId),
    ];
    this.#total += 1;
    return () => {
      this.#total -= 1;
      for (const each of leave) each();
    };
  }

  /** What no further place is for just now. */
  busy(): DeliveryExceptions {
    const { perTenant, perAddress } = this.#limits;
    return {
      tenants: fullOnes(this.#tenants, perTenant),
      endpointIds: fullOnes(this.#endpoints, perAddress),
      urlPrefixes: fullOnes(this.#hosts, perAddress),
    };
  }
}

/** Scheme and authority as they are written: what the catalog compares letter for letter. */
function hostPrefix(url: string): string {
  return /^[^:]*:\/*[^/?#]*/.exec(url)?.[0] ?? url;
}

function count(counts: Map<string, number>, key: string): () => void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
  return () => {
    const left = (counts.get(key) ?? 0) - 1;
    if (left > 0) counts.set(key, left);
    else counts.delete(key);
  };
}

function fullOnes(counts: ReadonlyMap<string, number>, limit: number): readonly string[] {
  return [...counts].filter(([, under]) => under >= limit).map(([key]) => key);
}
