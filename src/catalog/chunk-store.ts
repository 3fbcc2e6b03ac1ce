import type { ChunkRejection, ChunkRun } from '../timeline/chunk.ts';

/** How many runs of a stream's chunks are kept apart, and how many of its rejections. */
export const MAX_CHUNK_RUNS = 1000;

/**
 * Which chunks of streams were taken, and which were not. A segment that is appended with a `chunkIndex` takes that index in the same transaction, for good:
 * a second one is a `conflict`, whatever became of the first. Of more than {@link MAX_CHUNK_RUNS} runs the holes between the oldest close: what never came for so
 * long is not taken any more.
 */
export interface ChunkStore {
  /** Rising, with holes between them. */
  takenChunks(streamId: string): Promise<readonly ChunkRun[]>;
  /**
   * Notes that a chunk could not be taken, and publishes `chunk.rejected` with it (`streamId`, `deviceId`, `name`, `chunkIndex`, `objectKey`, `code`, `message`, `at`).
   * False, and nothing is told: its last announcement was rejected for the same already. Of a stream the newest {@link MAX_CHUNK_RUNS} are kept. Forgotten
   * when the index is taken. @throws not_found
   */
  rejectChunk(rejection: Omit<ChunkRejection, 'atMs'>): Promise<boolean>;
  /** By index, from `fromIndex` on. */
  rejectedChunks(streamId: string, fromIndex: number, limit: number): Promise<readonly ChunkRejection[]>;
}
