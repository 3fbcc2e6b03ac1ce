import type { ReactElement } from 'react';
import { clipApi } from '../api/clip-api.ts';
import { ShareDialog } from '../kept/share-dialog.tsx';

/** A link to a clip’s file. */
export function ShareClipDialog({ id, onClose }: { readonly id: string; readonly onClose: () => void }): ReactElement {
  return (
    <ShareDialog
      noun="clip"
      make={async (expiresInS) => {
        const { url, expiresAt } = await clipApi.share(id, expiresInS);
        return { expiresAt, addresses: [{ label: 'MP4', url }] };
      }}
      onClose={onClose}
    />
  );
}
