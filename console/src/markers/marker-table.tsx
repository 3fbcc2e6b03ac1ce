import { ArrowDownWideNarrow, ArrowUpNarrowWide, BookmarkPlus, Search, Trash2 } from 'lucide-react';
import {
  memo,
  useDeferredValue,
  useEffect,
  useMemo,
  useRef,
  useState,
  type CSSProperties,
  type ReactElement,
} from 'react';
import { useStore } from '../api/store.ts';
import type { CameraModel } from '../camera/camera-model.ts';
import { markerOrder, zone } from '../shell/preferences.ts';
import { clockTime, dayName, duration } from '../time/format.ts';
import type { Zone } from '../time/zone.ts';
import { markerColourVariable } from '../timeline/colours.ts';
import type { Marker } from '../timeline/timeline-data.ts';
import { useSecondlyPlayhead } from '../timeline/use-playhead.ts';
import { deleteMarker } from './marker-actions.ts';

const FIRST_ROWS = 300;

interface RowProps {
  readonly model: CameraModel;
  readonly marker: Marker;
  readonly isCurrent: boolean;
  readonly shownZone: Zone;
}

const Row = memo(function Row({ model, marker, isCurrent, shownZone }: RowProps): ReactElement {
  const time = clockTime(marker.atMs, shownZone);
  const day = dayName(marker.atMs, model.feed.nowMs(), shownZone);
  return (
    <tr
      className="marker-row"
      data-marker={marker.id}
      aria-current={isCurrent ? 'time' : undefined}
      style={{ '--marker': markerColourVariable(marker.type) } as CSSProperties}
      onClick={() => model.seek(marker.atMs)}
    >
      <td className="marker-time">
        <time dateTime={new Date(marker.atMs).toISOString()}>{time}</time>
        {day !== 'Today' && <span className="marker-day">{day}</span>}
      </td>
      <td className="marker-label">
        <button
          type="button"
          aria-label={`${marker.label}, ${marker.type}, ${time}${day === 'Today' ? '' : `, ${day}`}`}
        >
          {marker.label}
        </button>
        <span className="marker-type">
          {marker.type}
          {marker.untilMs !== null && ` · ${duration(marker.untilMs - marker.atMs)}`}
        </span>
      </td>
      <td className="marker-end">
        <button
          type="button"
          className="icon-button"
          aria-label={`Delete ${marker.label}`}
          title="Delete"
          onClick={(event) => {
            event.stopPropagation();
            deleteMarker(model, marker);
          }}
        >
          <Trash2 aria-hidden />
        </button>
      </td>
    </tr>
  );
});

/** The markers of what the timeline knows: find, go to, add, delete. */
export function MarkerTable({
  model,
  onAdd,
}: {
  readonly model: CameraModel;
  readonly onAdd: () => void;
}): ReactElement {
  const data = useStore(model.feed.data);
  const order = useStore(markerOrder);
  const shownZone = useStore(zone);
  const playheadMs = useSecondlyPlayhead(model.player);
  const [text, setText] = useState('');
  const wanted = useDeferredValue(text);
  const [limit, setLimit] = useState(FIRST_ROWS);
  const all = data?.markers;
  const shown = useMemo(() => {
    const words = wanted.toLowerCase().split(/\s+/);
    const found = (all ?? []).filter((marker) => {
      const hay = `${marker.label} ${marker.type}`.toLowerCase();
      return words.every((word) => hay.includes(word));
    });
    return order === 'newest' ? found.toReversed() : found;
  }, [all, wanted, order]);
  // The last one the playhead has passed, for as long as its range lasts, or for a point until the next one.
  const current = playheadMs === null ? undefined : all?.findLast((marker) => marker.atMs <= playheadMs + 999);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const box = list.current;
    const row = box?.querySelector<HTMLElement>('[aria-current]');
    // Not under somebody's pointer. And only the list: `scrollIntoView` would move the page too.
    if (box === null || row === null || row === undefined || box.matches(':hover')) return;
    if (row.offsetTop < box.scrollTop) box.scrollTop = row.offsetTop;
    else box.scrollTop = Math.max(box.scrollTop, row.offsetTop + row.offsetHeight - box.clientHeight);
  }, [current?.id]);
  const OrderIcon = order === 'newest' ? ArrowDownWideNarrow : ArrowUpNarrowWide;
  return (
    <section className="markers" aria-label="Markers">
      <header className="markers-header">
        <h2>
          Markers <span className="muted">{all?.length ?? ''}</span>
        </h2>
        <button
          type="button"
          className="icon-button"
          aria-label={order === 'newest' ? 'Newest first' : 'Oldest first'}
          title={order === 'newest' ? 'Newest first' : 'Oldest first'}
          onClick={() => markerOrder.set(order === 'newest' ? 'oldest' : 'newest')}
        >
          <OrderIcon aria-hidden />
        </button>
        <button type="button" className="button" onClick={onAdd} title="Add a marker here (M)">
          <BookmarkPlus aria-hidden /> Add
        </button>
      </header>
      <label className="search">
        <Search aria-hidden />
        <input
          type="search"
          placeholder="Filter"
          aria-label="Filter markers"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      <div ref={list} className="markers-list" tabIndex={-1}>
        {data === null ? (
          <div className="markers-loading" aria-busy="true" aria-label="Loading markers">
            {Array.from({ length: 6 }, (_, index) => (
              <div key={index} className="skeleton" />
            ))}
          </div>
        ) : shown.length === 0 ? (
          <p className="markers-empty muted">
            {text === '' ? 'No markers yet. Press M, or Add, to mark the picture on screen.' : 'No marker matches.'}
          </p>
        ) : (
          <table>
            <thead className="visually-hidden">
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Label and type</th>
                <th scope="col">Delete</th>
              </tr>
            </thead>
            <tbody>
              {shown.slice(0, limit).map((marker) => (
                <Row
                  key={marker.id}
                  model={model}
                  marker={marker}
                  isCurrent={marker.id === current?.id}
                  shownZone={shownZone}
                />
              ))}
            </tbody>
          </table>
        )}
        {shown.length > limit && (
          <button type="button" className="button markers-more" onClick={() => setLimit(limit + FIRST_ROWS)}>
            Show {Math.min(FIRST_ROWS, shown.length - limit)} more of {shown.length}
          </button>
        )}
      </div>
    </section>
  );
}
