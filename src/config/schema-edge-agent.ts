import { Type } from 'typebox';
import { seconds } from './schema-parts.ts';

/** Settings of a server that is an edge (`zoetrope edge`), for the group `edge`. */
export const edgeAgentSettings = {
  control: Type.Optional(
    Type.String({
      env: 'ZOETROPE_EDGE_CONTROL',
      description: 'URL of the server that this one is an edge of. Looked at by `zoetrope edge` alone.',
      format: 'http-url',
    }),
  ),
  key: Type.Optional(
    Type.String({
      env: 'ZOETROPE_EDGE_KEY',
      description: 'Key of control with the scope ingest.',
      isSecret: true,
    }),
  ),
  name: Type.Optional(
    Type.String({
      env: 'ZOETROPE_EDGE_NAME',
      description: "What people call this edge. Default: the machine's name.",
      format: 'title',
    }),
  ),
  fillMbitPerS: Type.Number({
    env: 'ZOETROPE_EDGE_FILL_MBIT_PER_S',
    description:
      'Most that is sent of the past, for recordings and clips at control, behind what somebody watches. Mbit/s; 0: no limit.',
    default: 20,
    minimum: 0,
    maximum: 100_000,
  }),
  stallSeconds: {
    ...seconds('How long a connection to control may stand still before it counts as broken.', 30, 0.5, 600),
    env: 'ZOETROPE_EDGE_STALL_SECONDS',
  },
};
