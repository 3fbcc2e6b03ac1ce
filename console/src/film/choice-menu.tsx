import { useEffect, useId, useRef, useState, type ReactElement } from 'react';
import type { LucideIcon } from 'lucide-react';

/** One thing to choose. */
export interface Choice {
  readonly key: string;
  readonly name: string;
  /** Beside it, quieter. */
  readonly detail?: string | undefined;
  readonly isChosen: boolean;
}

/** What a {@link ChoiceMenu} offers. */
export interface ChoiceMenuProps {
  readonly title: string;
  readonly icon: LucideIcon;
  /** What is chosen now, on the button; empty: the icon alone. */
  readonly label: string;
  readonly isChanged: boolean;
  readonly shortcut?: string;
  readonly choices: readonly Choice[];
  readonly onChoose: (key: string) => void;
}

/** A button that opens a menu with one of several things to choose. */
export function ChoiceMenu(props: ChoiceMenuProps): ReactElement {
  const { title, icon: Icon, label, isChanged, shortcut, choices, onChoose } = props;
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const menuId = useId();
  useEffect(() => {
    if (!open) return undefined;
    const onDown = (event: PointerEvent): void => {
      if (event.target instanceof Node && box.current?.contains(event.target) !== true) setOpen(false);
    };
    window.addEventListener('pointerdown', onDown);
    const menu = box.current?.querySelector('[role="menu"]');
    (menu?.querySelector<HTMLElement>('[aria-checked="true"]') ?? menu?.querySelector<HTMLElement>('button'))?.focus();
    return () => window.removeEventListener('pointerdown', onDown);
  }, [open]);
  const close = (): void => {
    const byKeyboard = box.current?.querySelector('[role="menu"] :focus-visible') !== null;
    setOpen(false);
    if (byKeyboard) box.current?.querySelector<HTMLElement>('button')?.focus();
  };
  return (
    <div
      ref={box}
      className="menu-box"
      onKeyDown={(event) => {
        if (!open) return;
        const items = [...(box.current?.querySelectorAll<HTMLElement>('[role="menuitemradio"]') ?? [])];
        const at = items.findIndex((item) => item === document.activeElement);
        if (event.key === 'ArrowDown') items[(at + 1) % items.length]?.focus();
        else if (event.key === 'ArrowUp') items.at(at - 1)?.focus();
        else if (event.key === 'Home') items[0]?.focus();
        else if (event.key === 'End') items.at(-1)?.focus();
        else if (event.key === 'Escape') close();
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}
    >
      <button
        type="button"
        className="button quiet film-menu-button"
        data-changed={isChanged}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={menuId}
        aria-label={label === '' ? title : `${title}, ${label}`}
        title={shortcut === undefined ? title : `${title} (${shortcut})`}
        onClick={() => setOpen(!open)}
      >
        <Icon aria-hidden />
        {label !== '' && <span>{label}</span>}
      </button>
      {open && (
        <div id={menuId} className="menu" role="menu" aria-label={title}>
          <p className="menu-title">{title}</p>
          {choices.map(({ key, name, detail, isChosen }) => (
            <button
              key={key}
              type="button"
              role="menuitemradio"
              aria-checked={isChosen}
              onClick={() => {
                onChoose(key);
                close();
              }}
            >
              {name} {detail !== undefined && <span className="muted">{detail}</span>}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
