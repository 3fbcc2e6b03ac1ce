import { useEffect, useEffectEvent } from 'react';
import { helpOpen } from '../shell/help-sheet.tsx';
import { isTyping } from '../shell/keys.ts';
import type { FilmPlayer } from './film-player.ts';

const MINUTE_S = 60;

/** Does what a key stands for over a film; false when it stands for nothing. */
function press(player: FilmPlayer, frameRate: number, fullscreen: () => void, event: KeyboardEvent): boolean {
  const { availableS, volume } = player.state.get();
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (/^\d$/.test(key)) {
    player.seek((Number(key) / 10) * availableS);
    return true;
  }
  switch (key) {
    case ' ':
    case 'k':
      player.toggle();
      return true;
    case 'ArrowLeft':
      player.skip(event.shiftKey ? -MINUTE_S : -5);
      return true;
    case 'ArrowRight':
      player.skip(event.shiftKey ? MINUTE_S : 5);
      return true;
    case ',':
      player.step(-1, frameRate);
      return true;
    case '.':
      player.step(1, frameRate);
      return true;
    case 'j':
      player.changeRate(-1);
      return true;
    case 'l':
      player.changeRate(1);
      return true;
    case 'ArrowUp':
      player.setVolume(volume + 0.1);
      return true;
    case 'ArrowDown':
      player.setVolume(volume - 0.1);
      return true;
    case 'm':
      player.toggleMuted();
      return true;
    case 'c':
      player.toggleCaptions();
      return true;
    case 'Home':
      player.seek(0);
      return true;
    case 'End':
      player.seek(availableS);
      return true;
    case 'f':
      fullscreen();
      return true;
    default:
      return false;
  }
}

/** Whether a key on the focused element means something to that element. */
function belongsToFocus(event: KeyboardEvent): boolean {
  if (!(event.target instanceof Element)) return false;
  if (event.target.closest('[role="menu"], input') !== null) return true;
  return event.target.closest('button, a, summary') !== null && (event.key === ' ' || event.key === 'Enter');
}

/** Whether the arrow up and down should scroll the page rather than change the volume. */
function isScrolling(event: KeyboardEvent): boolean {
  const isVertical = event.key === 'ArrowUp' || event.key === 'ArrowDown';
  const isOnFilm = event.target instanceof Element && event.target.closest('.film') !== null;
  return isVertical && !isOnFilm && document.fullscreenElement === null;
}

/** Listens to the keyboard while a film is on the page. */
export function useFilmShortcuts(player: FilmPlayer | null, frameRate: number, fullscreen: () => void): void {
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (player === null || isTyping(event) || belongsToFocus(event) || isScrolling(event)) return;
    if (helpOpen.get() || document.querySelector('dialog[open]') !== null) return;
    if (press(player, frameRate, fullscreen, event)) event.preventDefault();
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => onKey(event);
    window.addEventListener('keydown', listener);
    return () => window.removeEventListener('keydown', listener);
  }, []);
}
