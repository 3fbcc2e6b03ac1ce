import type { LucideIcon } from 'lucide-react';
import type { ReactElement } from 'react';
import { useMenu } from '../shell/use-menu.ts';

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
  const menu = useMenu();
  return (
    <div ref={menu.box} className="menu-box" onKeyDown={menu.onKeyDown}>
      <button
        type="button"
        className="button quiet film-menu-button"
        data-changed={isChanged}
        aria-haspopup="menu"
        aria-expanded={menu.isOpen}
        aria-controls={menu.id}
        aria-label={label === '' ? title : `${title}, ${label}`}
        title={shortcut === undefined ? title : `${title} (${shortcut})`}
        onClick={menu.toggle}
      >
        <Icon aria-hidden />
        {label !== '' && <span>{label}</span>}
      </button>
      {menu.isOpen && (
        <div id={menu.id} className="menu" role="menu" aria-label={title}>
          <p className="menu-title">{title}</p>
          {choices.map(({ key, name, detail, isChosen }) => (
            <button
              key={key}
              type="button"
              role="menuitemradio"
              aria-checked={isChosen}
              onClick={() => {
                onChoose(key);
                menu.close();
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
