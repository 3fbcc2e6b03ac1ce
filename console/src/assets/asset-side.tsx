import { Download } from 'lucide-react';
import type { ReactElement, ReactNode } from 'react';
import { isFinal, type AssetJson } from '../api/asset-types.ts';
import { ownAddress } from '../api/own-address.ts';
import { useStore } from '../api/store.ts';
import { zone } from '../shell/preferences.ts';
import { duration, listTime } from '../time/format.ts';
import { useNow } from '../time/now.ts';
import { AddressRow, CopyButton } from './copy-button.tsx';
import { factsOf, outputText } from './facts.ts';
import { bytes } from './quantities.ts';
import '../styles/facts.css';

const absolute = (path: string): string => new URL(path, location.href).href;

function Panel({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactElement {
  return (
    <section className="side-panel" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** Addresses of the manifests. */
function Addresses({ asset }: { readonly asset: AssetJson }): ReactElement | null {
  const { playback } = asset;
  if (playback === null) return null;
  return (
    <Panel title="Play elsewhere">
      <div className="address-list">
        <AddressRow label="HLS" url={absolute(playback.hls)} />
        {playback.dash !== null && <AddressRow label="DASH" url={absolute(playback.dash)} />}
      </div>
    </Panel>
  );
}

/** Files to take along; `sign` makes their addresses ones that the browser may load. */
function Downloads({
  asset,
  sign,
}: {
  readonly asset: AssetJson;
  readonly sign: (url: string) => string;
}): ReactElement | null {
  const files = asset.outputs
    .filter(({ kind }) => kind === 'download' || kind === 'subtitles')
    .flatMap((output) => output.files.map((file) => ({ output, file })));
  if (files.length === 0) return null;
  return (
    <Panel title="Downloads">
      <ul className="download-list">
        {files.map(({ output, file }) => (
          <li key={file.url}>
            <a className="download-link" href={sign(ownAddress(file.url))} download>
              <Download aria-hidden />
              <span className="download-name">{output.kind === 'download' ? 'Film as MP4' : outputText(output)}</span>
              <span className="muted">{bytes(file.sizeBytes)}</span>
            </a>
            <CopyButton text={absolute(file.url)} what="the address" />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactElement {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** What was found in the file, and how its job went. */
function Facts({ asset }: { readonly asset: AssetJson }): ReactElement {
  const now = useNow();
  const shownZone = useStore(zone);
  const at = (iso: string): string => listTime(Date.parse(iso), now, shownZone);
  const { media, source, startedAt, playableAt, endedAt } = asset;
  return (
    <Panel title="Facts">
      <dl className="facts">
        {media === null ? (
          <Fact name="File">{isFinal(asset.state) ? 'nothing is known of it' : 'not looked into yet'}</Fact>
        ) : (
          factsOf(media).map(([name, value], index) => (
            <Fact key={index} name={name}>
              {value}
            </Fact>
          ))
        )}
        <Fact name="Came">{at(asset.createdAt)}</Fact>
        {startedAt !== null && playableAt !== null && (
          <Fact name="Played">after {duration(Date.parse(playableAt) - Date.parse(startedAt))}</Fact>
        )}
        {startedAt !== null && endedAt !== null && (
          <Fact name={asset.state === 'ready' ? 'Ready' : 'Ended'}>
            after {duration(Date.parse(endedAt) - Date.parse(startedAt))}
          </Fact>
        )}
        {source.kind === 'url' && <Fact name="From">{source.url}</Fact>}
        {source.kind === 'object' && <Fact name="From">{source.objectKey}</Fact>}
        {asset.referenceId !== null && <Fact name="Reference">{asset.referenceId}</Fact>}
        {asset.priority !== 0 && <Fact name="Priority">{asset.priority}</Fact>}
        <Fact name="Id">
          <span className="fact-id">
            <code>{asset.id}</code>
            <CopyButton text={asset.id} what="the id" />
          </span>
        </Fact>
      </dl>
    </Panel>
  );
}

/** What stands beside an asset's player. */
export function AssetSide({
  asset,
  sign,
}: {
  readonly asset: AssetJson;
  readonly sign: (url: string) => string;
}): ReactElement {
  return (
    <aside className="asset-side">
      <Addresses asset={asset} />
      <Downloads asset={asset} sign={sign} />
      <Facts asset={asset} />
    </aside>
  );
}
