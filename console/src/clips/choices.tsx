import { useId, type ReactElement } from 'react';

/** A row of a form in which one of a few things is chosen, with what that means below. */
export function Choices<T extends string | number | null>(props: {
  readonly label: string;
  readonly value: T;
  readonly choices: readonly (readonly [T, string])[];
  readonly onChoose: (value: T) => void;
  readonly note: string;
}): ReactElement {
  const { label, value, choices, onChoose, note } = props;
  const id = useId();
  return (
    <div className="choices">
      <span id={id} className="choices-label">
        {label}
      </span>
      <div className="segmented" role="group" aria-labelledby={id}>
        {choices.map(([each, name]) => (
          <button key={name} type="button" aria-pressed={each === value} onClick={() => onChoose(each)}>
            {name}
          </button>
        ))}
      </div>
      <span className="choices-note muted">{note}</span>
    </div>
  );
}
