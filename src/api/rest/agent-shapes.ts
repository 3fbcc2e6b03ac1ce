import { Type, type Static } from 'typebox';

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(shape: T) => Type.Union([shape, Type.Null()]);

/** How a server that is an edge fares with its control. */
export const AgentShape = Type.Object({
  id: Type.String({ description: 'Made once, and kept with its data.' }),
  name: Type.String(),
  control: Type.String({ description: 'The URL of its control.' }),
  connected: Type.Boolean(),
  since: nullable(Type.String({ format: 'date-time', description: 'Since when it is connected, or is not.' })),
  lastError: nullable(Type.String({ description: 'Why there is no link.' })),
  backlogRows: Type.Integer({ description: 'Segments that control does not know of yet.' }),
  backlogSegments: Type.Integer({ description: 'Segments that control wants and does not have yet.' }),
  backlogBytes: Type.Integer(),
  sentSegments: Type.Integer({ description: 'Since its start.' }),
  sentBytes: Type.Integer({ description: 'Of those segments.' }),
  liveStreams: Type.Integer({ description: 'Streams that are sent live now.' }),
  keptStretches: Type.Integer({ description: 'Stretches that are kept for control.' }),
  clockOffsetMs: nullable(Type.Number({ description: "How far control's clock is ahead." })),
  roundTripMs: nullable(Type.Number()),
});

/** A server that is an edge, as the API shows it. */
export type AgentJson = Static<typeof AgentShape>;
