import type { ReactElement } from 'react';
import { shareKept } from '../api/recording-api.ts';
import { folderOf, type Kept } from './kept.ts';
import { ShareDialog } from './share-dialog.tsx';

/** A link to an archive or a recording. */
export function ShareKeptDialog({
  kept,
  onClose,
}: {
  readonly kept: Pick<Kept, 'kind' | 'id'>;
  readonly onClose: () => void;
}): ReactElement {
  const { kind, id } = kept;
  return (
    <ShareDialog
      noun={kind}
      make={async (expiresInS) => {
        const { url, expiresAt } = await shareKept(folderOf(kind), id, expiresInS);
        return { expiresAt, addresses: [{ label: 'HLS', url }] };
      }}
      onClose={onClose}
    />
  );
}
