import { Type } from 'typebox';

/** Clips of timelines. */
export const ClipsSection = Type.Object(
  {
    maxHours: Type.Number({
      env: 'ZOETROPE_CLIP_MAX_HOURS',
      description: 'The longest stretch of time that one clip covers. Hours.',
      default: 24,
      exclusiveMinimum: 0,
      maximum: 8760,
    }),
    retentionDays: Type.Number({
      env: 'ZOETROPE_CLIP_RETENTION_DAYS',
      description: 'How long a clip is kept unless asked otherwise. Days.',
      default: 7,
      exclusiveMinimum: 0,
      maximum: 36_500,
    }),
  },
  { default: {}, additionalProperties: false },
);
