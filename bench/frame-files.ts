import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What pictures to make. */
export interface FrameFilesOptions {
  /** `640x480` */
  readonly size: string;
  readonly count: number;
  /** Footage to cut frames from; without it a noisy moving scene is generated. */
  readonly media?: string | undefined;
}

/** Writes real-looking JPEGs with Debian's ffmpeg. Answers their paths in order. */
export function makeFrameFiles(directory: string, options: FrameFilesOptions): readonly string[] {
  const folder = join(directory, `${options.size}-${options.count}`);
  mkdirSync(folder, { recursive: true });
  const [width, height] = options.size.split('x');
  const scale = `scale=${width}:${height}:force_original_aspect_ratio=increase,crop=${width}:${height}`;
  const input =
    options.media === undefined
      ? ['-f', 'lavfi', '-i', `mandelbrot=size=${options.size}:rate=2,noise=alls=10:allf=t`]
      : ['-stream_loop', '-1', '-i', options.media];
  execFileSync('ffmpeg', [
    '-v',
    'error',
    ...input,
    '-vf',
    options.media === undefined ? 'null' : `fps=2,${scale}`,
    '-frames:v',
    String(options.count),
    '-q:v',
    '4',
    '-pix_fmt',
    'yuvj420p',
    join(folder, '%04d.jpg'),
  ]);
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
}
