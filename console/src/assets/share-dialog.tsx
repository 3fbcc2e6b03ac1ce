import type { ReactElement } from 'react';
import { assetApi } from '../api/asset-api.ts';
import type { AssetJson } from '../api/asset-types.ts';
import { ShareDialog } from '../kept/share-dialog.tsx';

/** Links to what an asset became. */
export function ShareAssetDialog({
  asset,
  onClose,
}: {
  readonly asset: AssetJson;
  readonly onClose: () => void;
}): ReactElement {
  const { id, playback } = asset;
  return (
    <ShareDialog
      noun="asset"
      make={async (expiresInS) => {
        const { token, expiresAt } = await assetApi.token(id, expiresInS);
        const offered = [
          ['HLS', playback?.hls],
          ['DASH', playback?.dash],
          ['MP4', playback?.download],
        ] as const;
        const addresses = offered.flatMap(([label, path]) => {
          if (path === undefined || path === null) return [];
          const url = new URL(path, location.href);
          url.searchParams.set('token', token);
          return [{ label, url: url.href }];
        });
        return { expiresAt, addresses };
      }}
      onClose={onClose}
    />
  );
}
