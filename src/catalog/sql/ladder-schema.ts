/** The live ladder of a stream that has, or had, the setting `ladder`. */
export interface LadderTable {
  stream_id: string;
  /** 1 while the setting asks for one. */
  wanted: number;
  /** Goes up with every owner. */
  fence: number;
  /** Names the process that makes it; null: nobody. */
  owner: string | null;
  /** When the owner's lease runs out; 0 without an owner. */
  until_ms: number;
  /** JSON of the LadderReport; null: nothing was made yet. */
  report: string | null;
}
