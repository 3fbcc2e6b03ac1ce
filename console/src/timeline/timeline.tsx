import { useEffect, useEffectEvent, useRef, useState, type KeyboardEvent, type ReactElement } from 'react';
import { useStore } from '../api/store.ts';
import type { CameraModel } from '../camera/camera-model.ts';
import { zone, colourChanges } from '../shell/preferences.ts';
import { clockTime, duration, spokenTime } from '../time/format.ts';
import type { Zone } from '../time/zone.ts';
import { readColours, type TimelineColours } from './colours.ts';
import { followGestures } from './gestures.ts';
import { TimelinePainter } from './painter.ts';
import { Preview } from './preview.tsx';
import { lanesOf, recordingAt } from './recording-lane.ts';
import { heightOf, ROWS } from './rows.ts';
import { gapAt, type Hold, type Stretch } from './timeline-data.ts';
import { useSecondlyPlayhead } from './use-playhead.ts';
import { useWidth } from './use-width.ts';
import { contains, fit, panBy, spanOf, xOf } from './viewport.ts';

interface Hover {
  readonly atMs: number;
  readonly x: number;
  readonly y: number;
}

const SCRUB_EVERY_MS = 120;

/** The band of wall time under the player: shows what there is, and goes where it is told. */
export function Timeline({ model }: { readonly model: CameraModel }): ReactElement {
  const track = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useWidth(track);
  const [hover, setHover] = useState<Hover | null>(null);
  const painter = useRef<TimelinePainter | null>(null);
  const scrub = useRef<{ atMs: number; askedAt: number } | null>(null);
  const colours = useRef<TimelineColours | null>(null);
  const hoverMs = useRef<number | null>(null);
  const shownZone = useStore(zone);
  const selecting = useStore(model.selecting);
  const data = useStore(model.feed.data);
  const view = useStore(model.view);
  const playheadMs = useSecondlyPlayhead(model.player);

  const draw = useEffectEvent(() => {
    const element = canvas.current;
    if (element === null || width === 0) return;
    painter.current ??= new TimelinePainter(element);
    colours.current ??= readColours();
    painter.current.draw({
      view: model.view.get(),
      data: model.feed.data.get(),
      nowMs: model.feed.nowMs(),
      playheadMs: scrub.current?.atMs ?? model.player.playheadMs(),
      hoverMs: hoverMs.current,
      selection: model.selection.get(),
      zone: shownZone,
      colours: colours.current,
      width,
    });
  });

  useEffect(() => {
    let frame = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const plan = (): void => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => {
        follow(model);
        draw();
        clearTimeout(timer);
        // While it plays, as often as the playhead moves by a quarter of a pixel; else once a second, for the live edge.
        const { playing, rate, speed } = model.player.state.get();
        const msPerPx = spanOf(model.view.get()) / Math.max(1, width);
        const pace = playing ? msPerPx / 4 / (rate * speed) : 1000;
        timer = setTimeout(plan, Math.min(1000, Math.max(pace, 30)));
      });
    };
    const stores = [model.view, model.feed.data, model.selection, model.player.state];
    const forget = stores.map((store) => store.watch(plan));
    forget.push(
      colourChanges.watch(() => {
        colours.current = null;
        plan();
      }),
    );
    plan();
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      for (const each of forget) each();
    };
  }, [model, width]);
  useEffect(() => draw(), [hover, shownZone, width]);

  const click = useEffectEvent((atMs: number, x: number, y: number) => {
    const cluster = painter.current?.clusters.find((each) => Math.abs(each.x - x) <= 10);
    const first = cluster?.markers[0];
    const last = cluster?.markers.at(-1);
    if (y >= ROWS.ruler.height && y < ROWS.band.top && first !== undefined && last !== undefined) {
      // Pins that stand for several open up first, as long as they are apart at all.
      if (last.atMs - first.atMs > 1000 && spanOf(model.view.get()) > 60_000) {
        model.setView(fit({ fromMs: first.atMs - 2000, toMs: last.atMs + 2000 }, model.bounds()));
      } else model.seek(first.atMs);
      return;
    }
    model.seek(Math.min(atMs, model.feed.nowMs()));
  });
  const onScrub = useEffectEvent((atMs: number, done: boolean) => {
    const before = scrub.current?.askedAt ?? 0;
    const due = done || performance.now() - before > SCRUB_EVERY_MS;
    if (due) model.player.seek(Math.min(atMs, model.feed.nowMs()));
    scrub.current = done ? null : { atMs, askedAt: due ? performance.now() : before };
    if (done) model.seek(Math.min(atMs, model.feed.nowMs()));
    draw();
  });

  useEffect(() => {
    const element = track.current;
    if (element === null) return undefined;
    return followGestures(element, {
      view: () => model.view.get(),
      setView: (next) => model.setView(next),
      bounds: () => model.bounds(),
      playheadMs: () => model.player.playheadMs(),
      selection: () => model.selection.get(),
      isSelecting: () => model.selecting.get(),
      onHover: (atMs, x, y) => {
        hoverMs.current = atMs;
        setHover(atMs === null ? null : { atMs, x, y });
      },
      onClick: (atMs, x, y) => click(atMs, x, y),
      onScrub: (atMs, done) => onScrub(atMs, done),
      onSelect: (stretch, drag) => model.marks.drag(stretch, drag),
    });
  }, [model]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (!slideBy(model, event.key, event.shiftKey)) return;
    event.preventDefault();
    event.stopPropagation();
  };

  const bounds = model.bounds();
  const msPerPx = width === 0 ? 1000 : spanOf(view) / width;
  const cluster =
    hover === null ? undefined : painter.current?.clusters.find((each) => Math.abs(each.x - hover.x) <= 8);
  const lanes = lanesOf(data?.holds ?? []);
  const height = heightOf(lanes.length);
  const recording = hover === null ? undefined : recordingAt(lanes, hover.atMs, hover.y, model.feed.nowMs());
  const gaps = (data?.gaps ?? []).filter((gap) => gap.toMs > view.fromMs && gap.fromMs < view.toMs);
  return (
    <div className="timeline-frame">
      <div
        ref={track}
        className="timeline-track"
        data-selecting={selecting}
        style={{ height }}
        role="slider"
        tabIndex={0}
        aria-label="Timeline"
        aria-orientation="horizontal"
        aria-valuemin={Math.round(bounds.fromMs / 1000)}
        aria-valuemax={Math.round(bounds.toMs / 1000)}
        aria-valuenow={Math.round((playheadMs ?? bounds.toMs) / 1000)}
        aria-valuetext={playheadMs === null ? 'No picture yet' : spokenTime(playheadMs, shownZone)}
        onKeyDown={onKeyDown}
      >
        <canvas ref={canvas} style={{ width: '100%', height }} aria-hidden />
      </div>
      {hover !== null && width > 0 && (
        <Preview
          streamId={model.stream.get().id}
          atMs={hover.atMs}
          x={hover.x}
          width={width}
          grainMs={Math.max(1000, Math.round(msPerPx * 6))}
          gap={data === null ? undefined : gapAt(data, hover.atMs)}
          cluster={cluster}
          recording={recording}
          nowMs={model.feed.nowMs()}
          zone={shownZone}
        />
      )}
      <GapList gaps={gaps} shownZone={shownZone} />
      <RecordingList holds={lanes.flat()} shownZone={shownZone} />
    </div>
  );
}

/** Keeps the playhead in view while it plays, and the live edge while it is shown; never against the hand. */
function follow(model: CameraModel): void {
  const { playing, live } = model.player.state.get();
  const playheadMs = model.player.playheadMs();
  const kept = model.kept.get();
  if (!playing || playheadMs === null || (kept !== null && kept.toMs !== null)) return;
  const view = model.view.get();
  const nowMs = model.feed.nowMs();
  const share = xOf(nowMs, view, 1);
  const wasFollowing = share > 0.97 && share < 1.02;
  if (live && wasFollowing && contains(view, playheadMs)) {
    model.view.set(panBy(view, nowMs - view.fromMs - 0.97 * spanOf(view), model.bounds()));
    return;
  }
  // It just ran out at the right: the next page. Further away, it was left behind on purpose.
  const over = playheadMs - view.toMs;
  if (over > 0 && over < spanOf(view) * 0.05) model.view.set(panBy(view, spanOf(view) * 0.9, model.bounds()));
}

/** Does what a key does to the slider (WAI-ARIA slider pattern); false when it does nothing. */
function slideBy(model: CameraModel, key: string, shift: boolean): boolean {
  const atMs = model.player.playheadMs();
  const page = spanOf(model.view.get()) / 10;
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowDown':
    case 'ArrowRight':
    case 'ArrowUp': {
      const direction = key === 'ArrowLeft' || key === 'ArrowDown' ? -1 : 1;
      if (shift && atMs !== null) model.seek(atMs + direction * 60_000);
      else model.player.step(direction);
      return true;
    }
    case 'PageUp':
    case 'PageDown':
      if (atMs !== null) model.seek(atMs + (key === 'PageUp' ? page : -page));
      return true;
    case 'Home':
      model.seek(model.bounds().fromMs);
      return true;
    case 'End':
      model.goLive();
      return true;
    default:
      return false;
  }
}

/** The gaps in view, for those who cannot see the hatching. */
function GapList({ gaps, shownZone }: { readonly gaps: readonly Stretch[]; readonly shownZone: Zone }): ReactElement {
  return (
    <ul className="visually-hidden" aria-label="Gaps in view">
      {gaps.slice(0, 50).map((gap) => (
        <li
          key={gap.fromMs}
          data-gap-from={new Date(gap.fromMs).toISOString()}
          data-gap-to={new Date(gap.toMs).toISOString()}
        >
          No pictures from {clockTime(gap.fromMs, shownZone)} to {clockTime(gap.toMs, shownZone)},{' '}
          {duration(gap.toMs - gap.fromMs)}
        </li>
      ))}
    </ul>
  );
}

/** The recordings on the timeline, for those who cannot see their lane. */
function RecordingList({
  holds,
  shownZone,
}: {
  readonly holds: readonly Hold[];
  readonly shownZone: Zone;
}): ReactElement {
  return (
    <ul className="visually-hidden" aria-label="Recordings on the timeline">
      {holds.slice(0, 50).map(({ id, name, running, fromMs, toMs }) => (
        <li key={id} data-recording={id} data-running={running}>
          {name}: {running ? 'recording since' : 'from'} {clockTime(fromMs, shownZone)}
          {running ? '' : ` to ${clockTime(toMs, shownZone)}`}
        </li>
      ))}
    </ul>
  );
}
