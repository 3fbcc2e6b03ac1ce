import { ZoetropeError } from '../../../base/errors.ts';
import type { EdgeAgent } from '../../../edge/agent/edge-agent.ts';
import { AgentShape } from '../agent-shapes.ts';
import type { RestApp } from '../deps.ts';
import { timeJson } from '../json.ts';

/** The edge itself, where this server is one. */
export function addAgentRoutes(app: RestApp, agent: Pick<EdgeAgent, 'status'>): void {
  app.get(
    '/v1/edge',
    {
      config: { access: ['read'] },
      schema: {
        tags: ['edges'],
        summary: 'How this edge fares with its control',
        description: 'Where this server is an edge; 404 anywhere else.',
        response: { 200: AgentShape },
      },
    },
    async () => {
      const { id, sinceMs, ...status } = agent.status();
      if (id === null) throw new ZoetropeError('unavailable', 'The edge is just starting. Ask again.');
      return { ...status, id, since: sinceMs === null ? null : timeJson(sinceMs) };
    },
  );
}
