import type { AudioSpecificConfig } from './audio-specific-config.ts';

const [SCE, CPE, LFE, END] = [0, 1, 3, 7] as const;

/** Elements of a packet by channel configuration (ISO/IEC 14496-3 table 1.19). */
const ELEMENTS: readonly (readonly (typeof SCE | typeof CPE | typeof LFE)[])[] = [
  [],
  [SCE],
  [CPE],
  [SCE, CPE],
  [SCE, CPE, SCE],
  [SCE, CPE, CPE],
  [SCE, CPE, CPE, LFE],
  [SCE, CPE, CPE, CPE, LFE],
];

/**
 * A packet of AAC in which nothing is heard: long windows without a single coded band (`raw_data_block`, ISO/IEC 14496-3 §4.4.2.1). Null for object types
 * whose packets are built in other ways than AAC-LC's and those of its extensions by SBR and PS.
 */
export function silentPacket({ objectType, channelConfiguration }: AudioSpecificConfig): Uint8Array | null {
  const elements = ELEMENTS[channelConfiguration] ?? [];
  if (elements.length === 0 || ![2, 5, 29].includes(objectType)) return null;
  let bits = '';
  const tags = new Map<number, number>();
  for (const element of elements) {
    const tag = tags.get(element) ?? 0;
    tags.set(element, tag + 1);
    bits += binary(element, 3) + binary(tag, 4);
    bits += element === CPE ? `1${ICS_INFO}00${CHANNEL}${CHANNEL}` : binary(0, 8) + ICS_INFO + FLAGS;
  }
  bits += binary(END, 3);
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  for (let index = 0; index < bits.length; index++) {
    if (bits[index] === '1') bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (0x80 >> (index & 7));
  }
  return bytes;
}

/** `ics_info`: one long window with a sine slope, `max_sfb` 0, no prediction. */
const ICS_INFO = '0'.repeat(11);
/** No pulses, no noise shaping, no gain control. */
const FLAGS = '000';
/** Of a pair with a common window: `global_gain` and {@link FLAGS}. */
const CHANNEL = '0'.repeat(8) + FLAGS;

function binary(value: number, bits: number): string {
  return value.toString(2).padStart(bits, '0');
}
