import type { NewWebhookEvent, WebhookEventType } from '../catalog/webhook-store.ts';
import type { Asset, FailureCause, WorkState } from '../timeline/asset.ts';

/** What an event says about an output. */
export interface OutputSummary {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly state: WorkState;
  readonly cause: FailureCause | null;
}

/** An event about an asset for the tenant's endpoints and the asset's own address. Small: who wants more asks the API. */
export function assetEvent(
  type: Extract<WebhookEventType, `asset.${string}`>,
  asset: Pick<Asset, 'id' | 'tenant' | 'name' | 'referenceId' | 'state' | 'cause' | 'request' | 'media'>,
  outputs: readonly OutputSummary[],
): NewWebhookEvent {
  const { id, tenant, name, referenceId, state, cause, media, request } = asset;
  return {
    type,
    tenant,
    subjectId: id,
    data: {
      asset: {
        id,
        name,
        referenceId,
        state,
        cause,
        durationMs: media?.durationMs ?? null,
        outputs: outputs.map((output) => ({
          id: output.id,
          name: output.name,
          kind: output.kind,
          state: output.state,
          cause: output.cause,
        })),
      },
    },
    ...(request.webhookUrl === null ? {} : { extraUrl: request.webhookUrl }),
  };
}
