import { Type } from 'typebox';
import { edgeAgentSettings } from './schema-edge-agent.ts';

/** Edges, and what control wants of them. */
export const EdgeSection = Type.Object({ ...edgeAgentSettings }, { default: {}, additionalProperties: false });
