/** A run of chunks that are on a stream's timeline, without a hole. */
export interface ChunkRunTable {
  stream_id: string;
  first_index: number;
  last_index: number;
}

/** A chunk that could not be taken, as of its last announcement. */
export interface ChunkRejectionTable {
  stream_id: string;
  chunk_index: number;
  object_key: string;
  checksum: string;
  code: string;
  message: string;
  at_ms: number;
}
