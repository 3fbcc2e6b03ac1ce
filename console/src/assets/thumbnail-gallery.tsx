import type { ReactElement } from 'react';
import type { AssetJson } from '../api/asset-types.ts';
import { mediaTime } from '../time/media-time.ts';
import { CopyButton } from './copy-button.tsx';
import { ServerPicture } from './server-picture.tsx';

/** The pictures that were asked for, each with its moment; null when there are none. */
export function ThumbnailGallery(props: {
  readonly asset: AssetJson;
  /** Goes to a moment of the film; left out while there is no player. */
  readonly onSeek?: ((toS: number) => void) | undefined;
}): ReactElement | null {
  const { asset, onSeek } = props;
  const pictures = asset.outputs
    .filter(({ kind }) => kind === 'thumbnails')
    .flatMap(({ id, name, spec, files }) =>
      files.map((file, index) => ({ id: `${id}-${file.name}`, name, file, atMs: spec.timesMs?.[index] ?? 0 })),
    );
  if (pictures.length === 0) return null;
  return (
    <section className="asset-section" aria-label="Pictures">
      <h2>Pictures</h2>
      <ul className="gallery">
        {pictures.map(({ id, name, file, atMs }) => (
          <li key={id}>
            <button
              type="button"
              className="gallery-picture"
              disabled={onSeek === undefined}
              aria-label={`Go to ${mediaTime(atMs / 1000)}`}
              title={`Go to ${mediaTime(atMs / 1000)}`}
              onClick={() => onSeek?.(atMs / 1000)}
            >
              <ServerPicture url={file.url} alt={`${name} at ${mediaTime(atMs / 1000)}`} />
            </button>
            <p className="gallery-foot">
              <span>{mediaTime(atMs / 1000, 'tenth')}</span>
              {name === 'poster' && <span className="muted">Poster</span>}
              <CopyButton text={new URL(file.url, location.href).href} what="the picture’s address" />
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}
