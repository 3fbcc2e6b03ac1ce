import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { canSee, requireTenant } from '../../../access/permission.ts';
import { isId } from '../../../base/ids.ts';
import type { WebhookDelivery, WebhookEndpoint } from '../../../catalog/webhook-store.ts';
import type { WebhookEndpoints } from '../../../webhooks/endpoints.ts';
import type { ApiDeps, RestApp } from '../deps.ts';
import { IdParams, notFound, orNull, PAGE_QUERY, pageOfQuery } from '../lookup.ts';
import { pageOf, text } from '../shapes.ts';
import {
  deliveryJson,
  DeliveryTryShape,
  endpointJson,
  EndpointWithSecretShape,
  JobSecretShape,
  NewWebhookEndpointShape,
  RotationShape,
  tryJson,
  WebhookDeliveryDetailShape,
  WebhookDeliveryShape,
  WebhookEndpointPatchShape,
  WebhookEndpointShape,
} from '../webhook-shapes.ts';
import { DEFAULT_TENANT, ownTenant } from './stream-routes.ts';

const OLD_VALID_HOURS = 24;
const MANAGE = { access: ['manage'] } as const;
const TAGS = ['webhooks'];
const TENANT_QUERY = Type.Optional({
  ...text(200),
  description: 'Only for admin keys and open servers; else the key’s own.',
});

type Asking = Pick<FastifyRequest, 'principal'>;

/** Webhooks: endpoints and their secrets, and what was sent to them. */
export function addWebhookRoutes(app: RestApp, deps: ApiDeps, endpoints: WebhookEndpoints): void {
  addEndpointRoutes(app, deps, endpoints);
  addSecretRoutes(app, deps, endpoints);
  addDeliveryRoutes(app, deps);
}

function addEndpointRoutes(app: RestApp, { catalog }: ApiDeps, endpoints: WebhookEndpoints): void {
  app.post(
    '/v1/webhooks',
    {
      config: MANAGE,
      schema: {
        tags: TAGS,
        summary: 'Make a webhook endpoint',
        description: 'Its secret is shown in this answer and never again.',
        body: NewWebhookEndpointShape,
        response: { 201: EndpointWithSecretShape },
      },
    },
    async (request, reply) => {
      const { url, types = [], description = '', tenant } = request.body;
      const owner = tenantFor(request, tenant);
      const { endpoint, secret } = await endpoints.create({ tenant: owner, url, types, description });
      void reply.code(201).header('location', `/v1/webhooks/${endpoint.id}`);
      return { ...endpointJson(endpoint), secret };
    },
  );

  app.get(
    '/v1/webhooks',
    {
      config: MANAGE,
      schema: {
        tags: TAGS,
        summary: 'List webhook endpoints, oldest first',
        querystring: Type.Object({ ...PAGE_QUERY, tenant: TENANT_QUERY }, { additionalProperties: false }),
        response: { 200: pageOf(WebhookEndpointShape) },
      },
    },
    async (request) => {
      const { tenant = ownTenant(request.principal) } = request.query;
      if (tenant !== undefined && !canSee(request.principal, tenant)) return { items: [], nextCursor: null };
      const filter = tenant === undefined ? {} : { tenant };
      const page = await catalog.listEndpoints(filter, pageOfQuery(request.query));
      return { items: page.items.map(endpointJson), nextCursor: page.nextCursor };
    },
  );

  app.get(
    '/v1/webhooks/:id',
    {
      config: MANAGE,
      schema: {
        tags: TAGS,
        summary: 'Read a webhook endpoint',
        params: IdParams,
        response: { 200: WebhookEndpointShape },
      },
    },
    async (request) => endpointJson(await loadEndpoint(catalog, request, request.params.id)),
  );

  app.patch(
    '/v1/webhooks/:id',
    {
      config: MANAGE,
      schema: {
        tags: TAGS,
        summary: 'Change, disable or enable a webhook endpoint',
        description: 'What is not named stays. A new URL also counts for what waits.',
        params: IdParams,
        body: WebhookEndpointPatchShape,
        response: { 200: WebhookEndpointShape },
      },
    },
    async (request) => {
      const { id } = await loadEndpoint(catalog, request, request.params.id);
      return endpointJson(await endpoints.update(id, request.body));
    },
  );

  app.delete(
    '/v1/webhooks/:id',
    {
      config: MANAGE,
      schema: {
        tags: TAGS,
        summary: 'Remove a webhook endpoint, and what waits for it',
        params: IdParams,
        response: { 204: Type.Null({ description: 'It is gone.' }) },
      },
    },
    async (request, reply) => {
      const { id } = await loadEndpoint(catalog, request, request.params.id);
      await catalog.deleteEndpoint(id);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/v1/webhooks/:id/test',
    {
      config: MANAGE,
      schema: {
        tags: TAGS,
        summary: 'Send a test event now',
        description:
          'Its type is `webhook.test`. It is sent once, signed, and the answer says how it went; the log does not.',
        params: IdParams,
        response: { 200: DeliveryTryShape },
      },
    },
    async (request) => {
      const endpoint = await loadEndpoint(catalog, request, request.params.id);
      return tryJson(await endpoints.sendTest(endpoint));
    },
  );
}

function addSecretRoutes(app: RestApp, { catalog }: ApiDeps, endpoints: WebhookEndpoints): void {
  app.post(
    '/v1/webhooks/:id/rotate',
    {
      config: MANAGE,
      schema: {
        tags: TAGS,
        summary: 'Replace the secret of a webhook endpoint',
        description:
          'The new secret is shown in this answer and never again. Those before go on to sign too for a day, or as long as you say.',
        params: IdParams,
        body: RotationShape,
        response: { 200: EndpointWithSecretShape },
      },
    },
    async (request) => {
      const { id } = await loadEndpoint(catalog, request, request.params.id);
      const { endpoint, secret } = await endpoints.rotate(id, request.body?.oldValidHours ?? OLD_VALID_HOURS);
      return { ...endpointJson(endpoint), secret };
    },
  );

  app.get(
    '/v1/webhooks/job-secret',
    {
      config: MANAGE,
      schema: {
        tags: TAGS,
        summary: 'Read what signs webhooks to assets’ own addresses',
        description: 'The `webhookUrl` of an asset has no endpoint with a secret: this one of the tenant signs.',
        querystring: Type.Object({ tenant: TENANT_QUERY }, { additionalProperties: false }),
        response: { 200: JobSecretShape },
      },
    },
    async (request, reply) => {
      const tenant = tenantFor(request, request.query.tenant);
      void reply.header('cache-control', 'no-store');
      return { tenant, secret: await endpoints.jobSecret(tenant) };
    },
  );
}

function addDeliveryRoutes(app: RestApp, { catalog }: ApiDeps): void {
  app.get(
    '/v1/webhooks/deliveries',
    {
      config: MANAGE,
      schema: {
        tags: TAGS,
        summary: 'List webhook deliveries, newest first',
        querystring: Type.Object(
          {
            ...PAGE_QUERY,
            endpointId: Type.Optional({ ...text(100), description: 'Only to this endpoint.' }),
            subjectId: Type.Optional({ ...text(100), description: 'Only about this asset or stream.' }),
            state: Type.Optional(WebhookDeliveryShape.properties.state),
            tenant: TENANT_QUERY,
          },
          { additionalProperties: false },
        ),
        response: { 200: pageOf(WebhookDeliveryShape) },
      },
    },
    async (request) => {
      const { endpointId, subjectId, state, tenant = ownTenant(request.principal) } = request.query;
      if (tenant !== undefined && !canSee(request.principal, tenant)) return { items: [], nextCursor: null };
      const page = await catalog.listDeliveries(
        {
          ...(tenant === undefined ? {} : { tenant }),
          ...(endpointId === undefined ? {} : { endpointId }),
          ...(subjectId === undefined ? {} : { subjectId }),
          ...(state === undefined ? {} : { state }),
        },
        pageOfQuery(request.query),
      );
      return { items: page.items.map(deliveryJson), nextCursor: page.nextCursor };
    },
  );

  app.get(
    '/v1/webhooks/deliveries/:id',
    {
      config: MANAGE,
      schema: {
        tags: TAGS,
        summary: 'Read a webhook delivery with what is sent',
        params: IdParams,
        response: { 200: WebhookDeliveryDetailShape },
      },
    },
    async (request) => deliveryDetail(await loadDelivery(catalog, request, request.params.id)),
  );

  app.post(
    '/v1/webhooks/deliveries/:id/redeliver',
    {
      config: MANAGE,
      schema: {
        tags: TAGS,
        summary: 'Deliver a webhook once more, now',
        description: 'Under the same `webhook-id`, whether it was taken or not. 409 while its endpoint is disabled.',
        params: IdParams,
        response: { 202: WebhookDeliveryDetailShape },
      },
    },
    async (request, reply) => {
      const { id } = await loadDelivery(catalog, request, request.params.id);
      const delivery = await catalog.redeliver(id);
      void reply.code(202);
      return deliveryDetail(delivery);
    },
  );
}

function deliveryDetail(delivery: WebhookDelivery) {
  return { ...deliveryJson(delivery), payload: delivery.payload };
}

function tenantFor({ principal }: Asking, named: string | undefined): string {
  const tenant = named ?? principal.tenant ?? DEFAULT_TENANT;
  requireTenant(principal, tenant);
  return tenant;
}

async function loadEndpoint(
  catalog: Pick<ApiDeps['catalog'], 'getEndpoint'>,
  request: Asking,
  id: string,
): Promise<WebhookEndpoint> {
  const endpoint = isId('endpoint', id) ? await orNull(catalog.getEndpoint(id)) : null;
  if (endpoint === null || !canSee(request.principal, endpoint.tenant)) throw notFound('webhook endpoint', id);
  return endpoint;
}

async function loadDelivery(
  catalog: Pick<ApiDeps['catalog'], 'getDelivery'>,
  request: Asking,
  id: string,
): Promise<WebhookDelivery> {
  const delivery = isId('delivery', id) ? await orNull(catalog.getDelivery(id)) : null;
  if (delivery === null || !canSee(request.principal, delivery.tenant)) throw notFound('webhook delivery', id);
  return delivery;
}
