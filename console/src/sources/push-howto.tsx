import type { ReactElement } from 'react';
import type { StreamJson } from '../api/client.ts';
import { sessionKey } from '../api/session-key.ts';
import { useStore } from '../api/store.ts';
import { AddressRow } from '../assets/copy-button.tsx';
import { Command } from '../shell/command.tsx';

/** Where an encoder of the stream pushes its playlist. */
export function pushAddress(id: string): string {
  return `${location.origin}/ingest/hls/${encodeURIComponent(id)}/live.m3u8`;
}

/** The ffmpeg line that pushes a file, or a camera, to a stream. */
export function pushCommand(id: string, hasKey: boolean): string {
  return [
    'ffmpeg -re -i INPUT',
    '-c:v libx264 -preset veryfast -g 50 -sc_threshold 0 -pix_fmt yuv420p -c:a aac',
    '-f hls -hls_time 2 -hls_flags program_date_time',
    ...(hasKey ? ["-headers $'Authorization: Bearer KEY\\r\\n'"] : []),
    `-method PUT ${pushAddress(id)}`,
  ].join(' \\\n  ');
}

function simulateCommand(what: 'encoder' | 'chunks', id: string, hasKey: boolean): string {
  return `npx zoetrope simulate ${what} \\\n  --url ${location.origin} --stream ${id}${hasKey ? ' --key KEY' : ''}`;
}

/** How to send to a stream, with what can be copied. */
export function PushHowto({ stream }: { readonly stream: Pick<StreamJson, 'id' | 'kind'> }): ReactElement {
  const hasKey = useStore(sessionKey) !== null;
  const { id, kind } = stream;
  if (kind === 'chunks') {
    const at = `${location.origin}/v1/streams/${encodeURIComponent(id)}/chunk-urls`;
    return (
      <div className="howto">
        <p className="muted">
          Ask for places with a POST to the first address, put the bytes of the chunks there, and announce each with a
          POST to the second.
        </p>
        <AddressRow label="Places" url={at} />
        <AddressRow label="Events" url={`${location.origin}/v1/events/chunks`} />
        <p className="muted">Or try it with an encoder that is simulated:</p>
        <Command text={simulateCommand('chunks', id, hasKey)} />
      </div>
    );
  }
  return (
    <div className="howto">
      <p className="muted">
        {hasKey
          ? 'Replace INPUT by a file, a device or an address, and KEY by a key with the scope ingest:'
          : 'Replace INPUT by a file, a device or an address:'}
      </p>
      <Command text={pushCommand(id, hasKey)} />
      <AddressRow label="PUT" url={pushAddress(id)} what="Push address" />
      <p className="muted">Or try it with an encoder that is simulated:</p>
      <Command text={simulateCommand('encoder', id, hasKey)} />
    </div>
  );
}
