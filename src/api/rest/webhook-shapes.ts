import { Type, type Static } from 'typebox';
import {
  WEBHOOK_EVENT_TYPES,
  type DeliveryTry,
  type WebhookDelivery,
  type WebhookEndpoint,
  type WebhookEventType,
} from '../../catalog/webhook-store.ts';
import { timeJson } from './json.ts';
import { text } from './shapes.ts';

const time = (description: string) => Type.String({ description, format: 'date-time' });
const orNull = <T extends ReturnType<typeof Type.String> | ReturnType<typeof Type.Integer>>(shape: T) =>
  Type.Union([shape, Type.Null()]);

/** What can be told, as a choice. */
export const WebhookEventTypeShape = Type.Unsafe<WebhookEventType>(
  Type.Union(WEBHOOK_EVENT_TYPES.map((type) => Type.Literal(type))),
);

const url = Type.String({
  minLength: 1,
  maxLength: 2048,
  description: 'http or https, without user and password, at a public address or in ZOETROPE_ALLOWED_NETWORKS.',
  examples: ['https://example.org/zoetrope'],
});
const types = Type.Array(WebhookEventTypeShape, {
  maxItems: WEBHOOK_EVENT_TYPES.length,
  uniqueItems: true,
  description: 'Which events; none named: all.',
});
const description = Type.String({ maxLength: 500, pattern: '^[^\\p{Cc}\\p{Cs}]*$', description: 'For people.' });

/** Who is told, as the API shows it. */
export const WebhookEndpointShape = Type.Object({
  id: Type.String(),
  tenant: Type.String(),
  url,
  types,
  description,
  enabled: Type.Boolean(),
  disabledCause: orNull(Type.String({ description: 'Why the server disabled it.' })),
  secrets: Type.Array(
    Type.Object({
      createdAt: time('When it was made.'),
      expiresAt: orNull(time('Until when it signs, once it is replaced.')),
    }),
    { description: 'What signs, newest first. The secrets themselves are shown when they are made.' },
  ),
  createdAt: time('When it was made.'),
});

/** An endpoint with its new secret. */
export const EndpointWithSecretShape = Type.Object({
  ...WebhookEndpointShape.properties,
  secret: Type.String({ description: 'Signs from now on. Keep it: it is not shown again.', examples: ['whsec_…'] }),
});

/** An endpoint to be made. */
export const NewWebhookEndpointShape = Type.Object(
  {
    url,
    types: Type.Optional(types),
    description: Type.Optional(description),
    tenant: Type.Optional(text(200)),
  },
  { additionalProperties: false, examples: [{ url: 'https://example.org/zoetrope', types: ['asset.ready'] }] },
);

/** A change of an endpoint. */
export const WebhookEndpointPatchShape = Type.Object(
  {
    url: Type.Optional(url),
    types: Type.Optional(types),
    description: Type.Optional(description),
    enabled: Type.Optional(
      Type.Boolean({ description: 'What waits for a disabled endpoint goes out once it is enabled.' }),
    ),
  },
  { additionalProperties: false, examples: [{ enabled: true }] },
);

/** How a secret is replaced. */
export const RotationShape = Type.Union([
  Type.Object(
    {
      oldValidHours: Type.Optional(
        Type.Number({
          minimum: 0,
          maximum: 168,
          default: 24,
          description: 'How long the secrets before go on to sign too; 0 when one has leaked.',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  Type.Null(),
]);

/** One try to deliver. */
export const DeliveryTryShape = Type.Object({
  at: time('When it began.'),
  status: orNull(Type.Integer({ description: 'Null: there was no answer.' })),
  durationMs: Type.Integer(),
  error: orNull(Type.String({ description: 'What went wrong; null when it was taken.' })),
});

/** An event on its way to one address. */
export const WebhookDeliveryShape = Type.Object({
  id: Type.String(),
  tenant: Type.String(),
  eventId: Type.String({ description: 'The header webhook-id: the same in every try.' }),
  type: WebhookEventTypeShape,
  subjectId: Type.String({ description: 'The asset or stream that it is about.' }),
  endpointId: orNull(Type.String({ description: 'Null: the own address of an asset.' })),
  url: Type.String(),
  state: Type.Union([Type.Literal('waiting'), Type.Literal('delivered'), Type.Literal('failed')]),
  tries: Type.Array(DeliveryTryShape),
  nextTryAt: orNull(time('When it is tried next.')),
  createdAt: time('When the event happened.'),
});

/** A delivery with what is sent. */
export const WebhookDeliveryDetailShape = Type.Object({
  ...WebhookDeliveryShape.properties,
  payload: Type.String({ description: 'The body, as it is signed and sent: JSON.' }),
});

/** The key of what goes to assets' own addresses. */
export const JobSecretShape = Type.Object({ tenant: Type.String(), secret: Type.String() });

/** An endpoint, as the API shows it. */
export type WebhookEndpointJson = Static<typeof WebhookEndpointShape>;

/** A delivery, as lists show it. */
export type WebhookDeliveryJson = Static<typeof WebhookDeliveryShape>;

/** An endpoint as the API shows it: without its secrets. */
export function endpointJson(endpoint: WebhookEndpoint): WebhookEndpointJson {
  return {
    id: endpoint.id,
    tenant: endpoint.tenant,
    url: endpoint.url,
    types: [...endpoint.types],
    description: endpoint.description,
    enabled: endpoint.enabled,
    disabledCause: endpoint.disabledCause,
    secrets: endpoint.secrets.map(({ createdAtMs, expiresAtMs }) => ({
      createdAt: timeJson(createdAtMs),
      expiresAt: timeJson(expiresAtMs),
    })),
    createdAt: timeJson(endpoint.createdAtMs),
  };
}

/** A delivery as lists show it. */
export function deliveryJson(delivery: WebhookDelivery): WebhookDeliveryJson {
  return {
    id: delivery.id,
    tenant: delivery.tenant,
    eventId: delivery.eventId,
    type: delivery.type,
    subjectId: delivery.subjectId,
    endpointId: delivery.endpointId,
    url: delivery.url,
    state: delivery.state,
    tries: delivery.tries.map(tryJson),
    nextTryAt: timeJson(delivery.nextTryAtMs),
    createdAt: timeJson(delivery.createdAtMs),
  };
}

/** A try as the API shows it. */
export function tryJson({ atMs, status, durationMs, error }: DeliveryTry): Static<typeof DeliveryTryShape> {
  return { at: timeJson(atMs), status, durationMs, error };
}
