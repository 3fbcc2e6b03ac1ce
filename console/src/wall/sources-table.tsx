import { ArrowDown, ArrowUp } from 'lucide-react';
import { useState, type ReactElement, type ReactNode } from 'react';
import type { StreamJson } from '../api/client.ts';
import type { Store } from '../api/store.ts';
import { bitRate } from '../assets/quantities.ts';
import { Link } from '../shell/router.tsx';
import { codecNames, driftWords, frameRateText, stateWords } from '../sources/source-state.ts';
import { ago } from '../time/format.ts';
import { useNow } from '../time/now.ts';
import { sortSources, type SortKey, type SourceOrder } from './source-order.ts';
import '../styles/sources.css';

const KINDS: Readonly<Record<StreamJson['kind'], string>> = {
  frames: 'Frames',
  push: 'HLS',
  chunks: 'Chunks',
  asset: 'File',
};

const COLUMNS: readonly (readonly [key: SortKey, name: string, isNumber: boolean])[] = [
  ['name', 'Name', false],
  ['state', 'State', false],
  ['kind', 'Kind', false],
  ['picture', 'Picture', false],
  ['bitRate', 'Bit rate', true],
  ['drift', 'Drift', true],
  ['faults', 'Gaps, rejected', true],
  ['edge', 'Edge', false],
  ['seen', 'Newest', true],
];

interface Cell {
  readonly name: string;
  /** Null: it has none. */
  readonly value: ReactNode;
  readonly isNumber?: boolean;
  readonly isBad?: boolean;
  readonly title?: string | undefined;
}

function cellsOf({ kind, source, edge, lastCapturedAt }: StreamJson, nowMs: number): readonly Cell[] {
  const rate = source?.frameRate == null ? '' : ` ${frameRateText(source.frameRate)}`;
  const picture = source === null ? null : (codecNames(source.codecs).picture ?? 'sound');
  return [
    { name: 'Kind', value: KINDS[kind] },
    { name: 'Picture', value: source === null ? null : `${picture} ${source.width}×${source.height}${rate}` },
    { name: 'Bit rate', value: source === null ? null : bitRate(source.bitsPerSecond), isNumber: true },
    {
      name: 'Drift',
      value: source === null ? null : `${Math.round(source.driftMs)} ms`,
      isNumber: true,
      title: source === null ? undefined : driftWords(source.driftMs),
    },
    {
      name: 'Gaps, rejected',
      value: source === null ? null : `${source.gaps}, ${source.rejected}`,
      isNumber: true,
      isBad: (source?.rejected ?? 0) > 0,
      title: source?.lastRejection?.message,
    },
    { name: 'Edge', value: edge === null ? null : <Link href="/edges">{edge.name}</Link> },
    { name: 'Newest', value: lastCapturedAt === null ? null : ago(Date.parse(lastCapturedAt), nowMs), isNumber: true },
  ];
}

function Row({ stream, nowMs }: { readonly stream: StreamJson; readonly nowMs: number }): ReactElement {
  return (
    <tr data-state={stream.state}>
      <th scope="row">
        <Link href={`/streams/${encodeURIComponent(stream.id)}`}>{stream.name}</Link>
      </th>
      <td data-name="State">
        <span className="state-dot" data-state={stream.state} aria-hidden /> {stateWords(stream, nowMs)}
      </td>
      {cellsOf(stream, nowMs).map(({ name, value, isNumber = false, isBad = false, title }) => (
        <td
          key={name}
          data-name={name}
          data-none={value === null}
          data-bad={isBad}
          className={isNumber ? 'number' : undefined}
          title={title}
        >
          {value ?? '–'}
        </td>
      ))}
    </tr>
  );
}

/** Sources as a table: fifty at a glance, sorted by what matters now. */
export function SourcesTable({
  stores,
  revision,
}: {
  readonly stores: readonly Store<StreamJson>[];
  /** Another one means that something was read anew. */
  readonly revision: number;
}): ReactElement {
  const [order, setOrder] = useState<SourceOrder>({ key: 'name', isDown: false });
  const now = useNow();
  const rows = sortSources(
    stores.map((store) => store.get()),
    order,
  );
  return (
    <div className="sources" data-revision={revision}>
      <table>
        <thead>
          <tr>
            {COLUMNS.map(([key, name, isNumber]) => {
              const isKey = order.key === key;
              const Arrow = order.isDown ? ArrowDown : ArrowUp;
              return (
                <th
                  key={key}
                  scope="col"
                  className={isNumber ? 'number' : undefined}
                  aria-sort={isKey ? (order.isDown ? 'descending' : 'ascending') : undefined}
                >
                  <button type="button" onClick={() => setOrder({ key, isDown: isKey ? !order.isDown : isNumber })}>
                    {name} <Arrow aria-hidden data-shown={isKey} />
                  </button>
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {rows.map((stream) => (
            <Row key={stream.id} stream={stream} nowMs={now} />
          ))}
        </tbody>
      </table>
    </div>
  );
}
