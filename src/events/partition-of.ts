/**
 * The partition of a key: FNV-1a (32 bits) over the key's UTF-8 bytes, mixed with murmur3's finalizer so that keys that differ in their
 * last characters spread, modulo the number of partitions. It is part of the stored format: an event's place must never depend on the process.
 */
export function partitionOf(key: string, partitions: number): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(key, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % partitions;
}
