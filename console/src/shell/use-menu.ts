import { useEffect, useId, useRef, useState, type KeyboardEvent, type RefObject } from 'react';

/** A button's menu: see {@link useMenu}. */
export interface Menu {
  readonly isOpen: boolean;
  readonly id: string;
  /** Of the element around the button and the menu. */
  readonly box: RefObject<HTMLDivElement | null>;
  readonly toggle: () => void;
  /** Closes it; a keyboard that was in it goes back to the button. */
  readonly close: () => void;
  /** For the element around both: arrows, Home, End and Escape (WAI-ARIA menu button pattern). */
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

/** Lets a menu open and close, and the keyboard move in it. The button has `aria-haspopup`; it may not be the first one in the box. */
export function useMenu(): Menu {
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const menu = (): Element | null | undefined => box.current?.querySelector('[role="menu"]');
  useEffect(() => {
    if (!isOpen) return undefined;
    const onDown = (event: PointerEvent): void => {
      if (event.target instanceof Node && box.current?.contains(event.target) !== true) setOpen(false);
    };
    window.addEventListener('pointerdown', onDown);
    const list = menu();
    (
      list?.querySelector<HTMLElement>('[aria-checked="true"]') ?? list?.querySelector<HTMLElement>('button, a')
    )?.focus();
    return () => window.removeEventListener('pointerdown', onDown);
  }, [isOpen]);
  const close = (): void => {
    const byKeyboard = menu()?.querySelector(':focus-visible') !== null;
    setOpen(false);
    if (byKeyboard) box.current?.querySelector<HTMLElement>('[aria-haspopup]')?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!isOpen) return;
    const items = [...(menu()?.querySelectorAll<HTMLElement>('button, a') ?? [])];
    const at = items.findIndex((item) => item === document.activeElement);
    if (event.key === 'ArrowDown') items[(at + 1) % items.length]?.focus();
    else if (event.key === 'ArrowUp') items.at(at - 1)?.focus();
    else if (event.key === 'Home') items[0]?.focus();
    else if (event.key === 'End') items.at(-1)?.focus();
    else if (event.key === 'Escape') close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return { isOpen, id, box, toggle: () => setOpen(!isOpen), close, onKeyDown };
}
