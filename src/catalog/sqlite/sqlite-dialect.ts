import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { isUniqueViolation, toStoreError } from '../../base/sqlite/database.ts';

/** Kysely over one open connection of node:sqlite. Statements are prepared once each; whoever opened the connection closes it. */
export function nodeSqliteDialect(database: DatabaseSync): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new NodeSqliteDriver(database),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class NodeSqliteDriver implements Driver {
  readonly #connection: NodeSqliteConnection;

  constructor(database: DatabaseSync) {
    this.#connection = new NodeSqliteConnection(database);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('rollback'));
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {}
}

interface CachedStatement {
  readonly statement: StatementSync;
  /** Makes a row of its columns' values; null for a statement that answers none. */
  readonly toRow: ((values: unknown) => unknown) | null;
}

/** Queries with lists of values differ by the lists' lengths, so the number of texts is not bounded by the code. */
const MAX_STATEMENTS = 400;

class NodeSqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, CachedStatement>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    try {
      const { statement, toRow } = this.#prepare(sql);
      const values = parameters as readonly SQLInputValue[];
      if (toRow !== null) return { rows: statement.all(...values).map(toRow) as R[] };
      const { changes, lastInsertRowid } = statement.run(...values);
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
    } catch (error) {
      // Whoever inserts asks for this one, to say what is taken.
      throw isUniqueViolation(error) ? error : toStoreError(error, 'query the catalog');
    }
  }

  async *streamQuery<R>({ sql, parameters }: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    const { statement, toRow } = this.#prepare(sql);
    for (const row of statement.iterate(...(parameters as readonly SQLInputValue[]))) {
      if (toRow !== null) yield { rows: [toRow(row) as R] };
    }
  }

  #prepare(sql: string): CachedStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    statement.setReturnArrays(true);
    const columns = statement.columns().map(({ name }) => name);
    const prepared = { statement, toRow: columns.length === 0 ? null : rowMaker(columns) };
    if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear();
    this.#statements.set(sql, prepared);
    return prepared;
  }
}

/**
 * A function from a row's values to an object with its columns' names. It is compiled for the statement, so that all rows share one hidden
 * class: node:sqlite's own row objects are dictionaries, and so are objects filled in a loop; with those, reading a day's window takes twice
 * the CPU (75 ms against 33 ms for 17,280 segments). Only names of our own columns get into the code, and as string literals.
 */
function rowMaker(columns: readonly string[]): (values: unknown) => unknown {
  const properties = columns.map((name, index) => `${JSON.stringify(name)}: values[${index}]`);
  // oxlint-disable-next-line typescript/no-implied-eval -- see above
  return new Function('values', `return { ${properties.join(', ')} };`) as (values: unknown) => unknown;
}
