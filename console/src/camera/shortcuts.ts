import { useEffect, useEffectEvent } from 'react';
import { helpOpen } from '../shell/help-sheet.tsx';
import { isTyping } from '../shell/keys.ts';
import { RATES } from '../player/speed-menu.tsx';
import type { CameraModel } from './camera-model.ts';
import { JUMP_FIELD } from './jump-to.tsx';

/** What shortcuts do beyond the model. */
export interface ShortcutTarget {
  readonly addMarker: () => void;
  readonly fullscreen: () => void;
  readonly announce: (text: string) => void;
  readonly record: () => void;
  /** Makes a clip of the selection. */
  readonly clip: () => void;
}

function changeRate(model: CameraModel, direction: 1 | -1): void {
  const { rate } = model.player.state.get();
  const next = direction === 1 ? RATES.find((value) => value > rate) : RATES.findLast((value) => value < rate);
  if (next !== undefined) model.player.setRate(next);
}

/** Does what a key stands for on a camera's page; false when it stands for nothing. */
function press(model: CameraModel, target: ShortcutTarget, event: KeyboardEvent): boolean {
  const { player } = model;
  const atMs = player.playheadMs();
  switch (event.key.length === 1 ? event.key.toLowerCase() : event.key) {
    case ' ':
    case 'k':
      player.toggle();
      return true;
    case 'ArrowLeft':
    case ',':
    case '<':
      if (event.shiftKey && atMs !== null) model.seek(atMs - 60_000);
      else player.step(-1);
      return true;
    case 'ArrowRight':
    case '.':
    case '>':
      if (event.shiftKey && atMs !== null) model.seek(atMs + 60_000);
      else player.step(1);
      return true;
    case 'j':
      changeRate(model, -1);
      return true;
    case 'l':
      changeRate(model, 1);
      return true;
    case 'e':
    case 'End':
    case 'Home':
      model.goLive();
      return true;
    case 'r':
      if (!event.repeat) target.record();
      return true;
    case 's':
      if (player.state.get().hasSound) player.toggleMuted();
      return true;
    case 'm':
      target.addMarker();
      return true;
    case 'n':
    case 'p': {
      const marker = model.seekMarker(event.key.toLowerCase() === 'n' ? 1 : -1);
      target.announce(marker?.label ?? 'No more markers');
      return true;
    }
    case 'g':
      document.querySelector<HTMLInputElement>(`#${JUMP_FIELD}`)?.focus();
      return true;
    case '+':
    case '=':
      model.zoom(1 / 1.6);
      return true;
    case '-':
    case '_':
      model.zoom(1.6);
      return true;
    case 'f':
      target.fullscreen();
      return true;
    case 'i':
    case '[':
      model.marks.mark('from');
      return true;
    case 'o':
    case ']':
      model.marks.mark('to');
      return true;
    case 'c':
      target.clip();
      return true;
    case 'x':
      model.toggleLoop();
      return true;
    case 'Escape':
      model.selecting.set(false);
      if (model.selection.get() !== null) model.select(null);
      return true;
    default:
      return false;
  }
}

/** Whether a key on the focused element means something to that element. */
function belongsToFocus(event: KeyboardEvent): boolean {
  if (!(event.target instanceof Element)) return false;
  const isButton = event.target.closest('button, a, [role="menu"]') !== null;
  return isButton && (event.key === ' ' || event.key === 'Enter');
}

/** Listens to the keyboard while a camera's page is open. */
export function useShortcuts(model: CameraModel, target: ShortcutTarget): void {
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (isTyping(event) || belongsToFocus(event) || helpOpen.get() || document.querySelector('dialog[open]') !== null)
      return;
    if (press(model, target, event)) event.preventDefault();
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => onKey(event);
    window.addEventListener('keydown', listener);
    return () => window.removeEventListener('keydown', listener);
  }, []);
}
