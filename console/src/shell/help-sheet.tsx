import type { ReactElement } from 'react';
import { Store, useStore } from '../api/store.ts';
import { Dialog } from './dialog.tsx';

/** Whether the help sheet shows. */
export const helpOpen = new Store(false);

type Row = readonly [keys: readonly string[], what: string];

const SECTIONS: readonly { readonly title: string; readonly rows: readonly Row[] }[] = [
  {
    title: 'Cameras',
    rows: [
      [['Space', 'K'], 'Play or pause'],
      [['J', 'L'], 'Slower, faster'],
      [['←', '→'], 'Previous, next frame'],
      [[',', '.'], 'Previous, next frame'],
      [['⇧ ←', '⇧ →'], 'One minute back, forward'],
      [['E', 'Home'], 'Go live'],
      [['R'], 'Record from now, stop'],
      [['S'], 'Sound on, off, where there is any'],
      [['F'], 'Full screen'],
    ],
  },
  {
    title: 'Assets',
    rows: [
      [['Space', 'K'], 'Play or pause'],
      [['J', 'L'], 'Slower, faster'],
      [['←', '→'], 'Five seconds back, on'],
      [['⇧ ←', '⇧ →'], 'One minute back, on'],
      [[',', '.'], 'Previous, next frame'],
      [['0', '9'], 'Start … nine tenths'],
      [['C'], 'Captions'],
      [['M'], 'Sound on, off'],
      [['F'], 'Full screen'],
    ],
  },
  {
    title: 'Timeline',
    rows: [
      [['G'], 'Jump to a time'],
      [['+', '−'], 'Zoom in, out'],
      [['I', 'O'], 'First, last picture of the selection'],
      [['X'], 'Play the selection in a loop'],
      [['C'], 'Make a clip of the selection'],
      [['Esc'], 'Clear the selection'],
      [['Wheel'], 'Zoom around the pointer'],
      [['⇧ drag'], 'Select a stretch'],
    ],
  },
  {
    title: 'Markers',
    rows: [
      [['M'], 'Add a marker here'],
      [['P', 'N'], 'Previous, next marker'],
    ],
  },
  {
    title: 'Everywhere',
    rows: [
      [['?'], 'This sheet'],
      [['T'], 'Dark or light'],
      [['/'], 'Search cameras or assets'],
    ],
  },
];

/** Lists the keyboard shortcuts; null while closed. */
export function HelpSheet(): ReactElement | null {
  const open = useStore(helpOpen);
  if (!open) return null;
  return (
    <Dialog title="Keyboard shortcuts" wide onClose={() => helpOpen.set(false)}>
      <div className="help-grid">
        {SECTIONS.map(({ title, rows }) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {rows.map(([keys, what]) => (
                <div key={what + keys.join('')}>
                  <dt>
                    {keys.map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p className="muted help-note">
        Jump to a time understands <code>14:32</code>, <code>14:32:05</code>, <code>-10m</code>, <code>5 min ago</code>,{' '}
        <code>yesterday 18:00</code>, <code>mon 9am</code>, <code>20 Nov 14:32</code>, and ISO 8601.
      </p>
    </Dialog>
  );
}
