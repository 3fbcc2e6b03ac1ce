import type { ReactElement } from 'react';
import { Store, useStore } from '../api/store.ts';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'plain' | 'bad';
  readonly action?: { readonly label: string; readonly run: () => void };
}

const toasts = new Store<readonly Toast[]>([]);
let counter = 0;

function dismiss(id: number): void {
  toasts.set(toasts.get().filter((toast) => toast.id !== id));
}

/** Shows a short message for some seconds, with at most one thing to do about it. */
export function toast(
  text: string,
  options: Partial<Pick<Toast, 'tone' | 'action'>> & { readonly forMs?: number } = {},
): void {
  counter += 1;
  const id = counter;
  const { tone = 'plain', action, forMs = 5000 } = options;
  toasts.set([...toasts.get().slice(-2), { id, text, tone, ...(action === undefined ? {} : { action }) }]);
  setTimeout(() => dismiss(id), forMs);
}

/** The messages, at the foot of the page and read aloud. */
export function Toasts(): ReactElement {
  const list = useStore(toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {list.map(({ id, text, tone, action }) => (
        <div key={id} className="toast" data-tone={tone}>
          <span>{text}</span>
          {action !== undefined && (
            <button
              type="button"
              className="text-button"
              onClick={() => {
                action.run();
                dismiss(id);
              }}
            >
              {action.label}
            </button>
          )}
        </div>
      ))}
    </div>
  );
}
