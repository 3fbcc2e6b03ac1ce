import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Frames to be cut. */
export interface CutFrames {
  readonly directory: string;
  readonly size: string;
  readonly count: number;
  /** A video to cut from; null: a made scene with grain. */
  readonly media: string | null;
}

/**
 * Writes JPEGs `00001.jpg` … as a camera would send them and returns their paths. The made scene is a slow flight over fractal terrain with sensor
 * noise: about as hard to code as a street camera's picture.
 */
export function cutFrames({ directory, size, count, media }: CutFrames): readonly string[] {
  mkdirSync(directory, { recursive: true });
  const source =
    media === null
      ? [
          '-f',
          'lavfi',
          '-i',
          `mandelbrot=size=${size}:rate=1:end_scale=0.05:end_pts=${count * 3},noise=alls=7:allf=t,eq=contrast=0.7`,
        ]
      : ['-stream_loop', '-1', '-i', media];
  const filter = `scale=${size.replace('x', ':')}:out_range=pc,format=yuvj420p`;
  const step = media === null ? [] : ['-r', '2'];
  const out = ['-vf', filter, ...step, '-frames:v', String(count), '-q:v', '4', '-y', join(directory, '%05d.jpg')];
  execFileSync('ffmpeg', ['-v', 'error', ...source, ...out], { stdio: ['ignore', 'ignore', 'inherit'] });
  return Array.from({ length: count }, (_, index) => join(directory, `${String(index + 1).padStart(5, '0')}.jpg`));
}
