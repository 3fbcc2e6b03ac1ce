import type { ColumnDataType, Expression, Kysely } from 'kysely';

/** Where databases name a type differently. */
export interface DialectTypes {
  /** A column of bytes: `blob` or `bytea`. */
  readonly bytes: ColumnDataType | Expression<unknown>;
}

/** One step of the schema. Released ones never change. */
export interface Migration {
  readonly name: string;
  // A migration must not depend on today's schema types: they move on, it does not.
  up(db: Kysely<unknown>, types: DialectTypes): Promise<void>;
}
