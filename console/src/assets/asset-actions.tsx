import type { ReactElement } from 'react';
import { assetApi } from '../api/asset-api.ts';
import type { AssetJson } from '../api/asset-types.ts';
import { describeError } from '../api/problem.ts';
import { DeleteDialog } from '../kept/delete-dialog.tsx';
import { toast } from '../shell/toasts.tsx';

/** Does something with an asset, and says so when it cannot be done. Null: it failed. */
export async function attempt<T>(what: string, run: () => Promise<T>): Promise<T | null> {
  try {
    return await run();
  } catch (error) {
    toast(`${what} ${describeError(error)}`, { tone: 'bad', forMs: 9000 });
    return null;
  }
}

/** Asks whether an asset is to go, and removes it. */
export function DeleteAssetDialog(props: {
  readonly asset: AssetJson;
  readonly onClose: () => void;
  readonly onDeleted: () => void;
}): ReactElement {
  const { asset, onClose, onDeleted } = props;
  return (
    <DeleteDialog
      noun="asset"
      what={asset.name}
      note="The file and everything made from it go, and links to it end."
      remove={async () => {
        await assetApi.remove(asset.id);
        onDeleted();
      }}
      onClose={onClose}
    />
  );
}
