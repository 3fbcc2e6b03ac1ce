const two = (value: number): string => String(value).padStart(2, '0');

/** A running time as a recorder shows it: `0:07`, `12:30`, `1:02:03`, `3 d 04:05`. */
export function elapsed(lengthMs: number): string {
  const total = Math.max(0, Math.floor(lengthMs / 1000));
  const [days, hours] = [Math.floor(total / 86_400), Math.floor(total / 3600) % 24];
  const [minutes, seconds] = [Math.floor(total / 60) % 60, total % 60];
  if (days > 0) return `${days} d ${two(hours)}:${two(minutes)}`;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}
