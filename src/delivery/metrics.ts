/** A kind of playlist. */
export type PlaylistKind = 'master' | 'live' | 'dvr' | 'range' | 'hold' | 'asset' | 'manifest' | 'storyboard';

/** What delivery counts. */
export interface DeliveryMetrics {
  /** A playlist was sent; `hot`: from memory, past the router. */
  playlistSent(kind: PlaylistKind, hot: boolean): void;
  /** A segment or init segment was asked for: it was in memory, came from the store, or came with another's read. */
  fileRead(from: 'memory' | 'store' | 'shared'): void;
  /** Bytes of bodies that were sent. */
  bytesSent(count: number): void;
}

/** Counts nothing. */
export const noDeliveryMetrics: DeliveryMetrics = {
  playlistSent: () => undefined,
  fileRead: () => undefined,
  bytesSent: () => undefined,
};
