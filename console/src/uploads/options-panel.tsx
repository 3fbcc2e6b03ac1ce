import { useId, type ReactElement } from 'react';
import { CODECS, CORNERS, DEFAULT_FORM, faultsOf, RUNGS, type FormFaults, type RequestForm } from './request-form.ts';

/** What an {@link OptionsPanel} shows and changes. */
export interface OptionsPanelProps {
  readonly values: RequestForm;
  readonly onChange: (change: Partial<RequestForm>) => void;
}

type TextKey = {
  [K in keyof RequestForm]: RequestForm[K] extends string ? (string extends RequestForm[K] ? K : never) : never;
}[keyof RequestForm];

interface FieldProps extends OptionsPanelProps {
  readonly name: TextKey;
  readonly label: string;
  readonly placeholder: string;
  readonly faults: FormFaults;
  readonly inputMode?: 'numeric' | 'url' | 'text';
}

function Field({ name, label, placeholder, faults, inputMode = 'text', values, onChange }: FieldProps): ReactElement {
  const faultId = useId();
  const fault = faults[name];
  return (
    <label className="field">
      <span>{label}</span>
      <input
        value={values[name]}
        placeholder={placeholder}
        inputMode={inputMode}
        spellCheck={false}
        autoCapitalize="none"
        aria-invalid={fault !== undefined}
        aria-describedby={fault === undefined ? undefined : faultId}
        onChange={(event) => onChange({ [name]: event.target.value.trimStart() })}
      />
      {fault !== undefined && (
        <span id={faultId} className="field-error">
          {fault}
        </span>
      )}
    </label>
  );
}

function Slider(props: {
  readonly label: string;
  readonly value: number;
  readonly from: number;
  readonly to: number;
  readonly unit: string;
  readonly onChange: (value: number) => void;
}): ReactElement {
  const { label, value, from, to, unit, onChange } = props;
  return (
    <label className="slider-field">
      <span>{label}</span>
      <input
        type="range"
        min={from}
        max={to}
        value={value}
        aria-valuetext={`${value}${unit}`}
        onChange={(event) => onChange(Number(event.target.value))}
      />
      <output>
        {value}
        {unit}
      </output>
    </label>
  );
}

function Ladder({ values, onChange }: OptionsPanelProps): ReactElement {
  const toggle = (rung: number): void => {
    const next = values.rungs.includes(rung) ? values.rungs.filter((each) => each !== rung) : [...values.rungs, rung];
    onChange({ rungs: next.toSorted((a, b) => b - a) });
  };
  return (
    <fieldset className="options-group">
      <legend>Video</legend>
      <div className="chips" role="group" aria-label="Sizes">
        <button
          type="button"
          className="chip"
          aria-pressed={values.rungs.length === 0}
          onClick={() => onChange({ rungs: [] })}
        >
          Automatic
        </button>
        {RUNGS.map((rung) => (
          <button
            key={rung}
            type="button"
            className="chip"
            aria-pressed={values.rungs.includes(rung)}
            onClick={() => toggle(rung)}
          >
            {rung}p
          </button>
        ))}
      </div>
      <p className="muted options-note">Never larger than the file. Sizes above it become one of its own size.</p>
      <div className="segmented" role="group" aria-label="Codec">
        {CODECS.map(([value, name]) => (
          <button
            key={value}
            type="button"
            aria-pressed={values.codec === value}
            onClick={() => onChange({ codec: value })}
          >
            {name}
          </button>
        ))}
      </div>
      {values.codec !== 'h264' && (
        <p className="muted options-note">Not every device can play it. H.264 plays everywhere.</p>
      )}
    </fieldset>
  );
}

const EXTRAS = [
  ['captions', 'Captions of the file'],
  ['poster', 'Poster'],
  ['storyboard', 'Storyboard for hovering'],
  ['download', 'MP4 to download'],
  ['encrypted', 'Encrypt (AES-128, no DASH)'],
] as const;

function Watermark({ values, onChange, faults }: OptionsPanelProps & { readonly faults: FormFaults }): ReactElement {
  return (
    <fieldset className="options-group">
      <legend>Watermark</legend>
      <Field
        name="watermarkKey"
        label="Object key of the picture"
        placeholder="inputs/demo/logo.png"
        faults={faults}
        values={values}
        onChange={onChange}
      />
      {values.watermarkKey !== '' && (
        <>
          <label className="field">
            <span>Position</span>
            <select
              value={values.watermarkPosition}
              onChange={(event) => onChange({ watermarkPosition: event.target.value })}
            >
              {CORNERS.map(([value, name]) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <Slider
            label="Width"
            value={values.watermarkSize}
            from={1}
            to={100}
            unit=" %"
            onChange={(watermarkSize) => onChange({ watermarkSize })}
          />
          <Slider
            label="Opacity"
            value={values.watermarkOpacity}
            from={0}
            to={100}
            unit=" %"
            onChange={(watermarkOpacity) => onChange({ watermarkOpacity })}
          />
          <Slider
            label="Margin"
            value={values.watermarkMargin}
            from={0}
            to={50}
            unit=" %"
            onChange={(watermarkMargin) => onChange({ watermarkMargin })}
          />
        </>
      )}
    </fieldset>
  );
}

/** Everything that can be said of the next uploads. */
export function OptionsPanel({ values, onChange }: OptionsPanelProps): ReactElement {
  const faults = faultsOf(values);
  const shared = { faults, values, onChange };
  const isChanged = Object.entries(DEFAULT_FORM).some(([key, value]) => {
    const now: unknown = Reflect.get(values, key);
    return Array.isArray(now) ? now.length > 0 : now !== value;
  });
  return (
    <div className="options-panel">
      <Ladder values={values} onChange={onChange} />
      <fieldset className="options-group">
        <legend>Extras</legend>
        {EXTRAS.map(([name, label]) => (
          <label key={name} className="check">
            <input
              type="checkbox"
              checked={values[name]}
              onChange={(event) => onChange({ [name]: event.target.checked })}
            />
            {label}
          </label>
        ))}
      </fieldset>
      <fieldset className="options-group">
        <legend>Thumbnails and sound</legend>
        <Field name="thumbnailTimes" label="Pictures at" placeholder="0:05, 1:30, 12:00" {...shared} />
        <div className="options-pair">
          <Field
            name="thumbnailWidth"
            label="Their width, px"
            placeholder="as the file"
            inputMode="numeric"
            {...shared}
          />
          <Field name="audioKbps" label="Audio, kbit/s" placeholder="128" inputMode="numeric" {...shared} />
        </div>
      </fieldset>
      <Watermark {...shared} />
      <fieldset className="options-group">
        <legend>Yours</legend>
        <Field name="referenceId" label="Reference id" placeholder="your own name for it" {...shared} />
        <Field name="webhookUrl" label="Webhook" placeholder="https://…" inputMode="url" {...shared} />
        <Slider
          label="Priority"
          value={values.priority}
          from={-10}
          to={10}
          unit=""
          onChange={(priority) => onChange({ priority })}
        />
      </fieldset>
      <div className="options-foot">
        <p className="muted">For files that are added from now on.</p>
        <button type="button" className="button" disabled={!isChanged} onClick={() => onChange(DEFAULT_FORM)}>
          Back to the defaults
        </button>
      </div>
    </div>
  );
}
