import { ZoetropeError } from '../../base/errors.ts';
import { joinLengthPrefixed, NAL, nalType } from '../h264/nal.ts';
import { HEVC_NAL, hevcNalType, isIrap } from '../hevc/nal.ts';
import type { DemuxedPicture, DemuxedVideo } from './demuxed-media.ts';
import type { FaultLog } from './fault-log.ts';

/** An access unit as it was carried. */
export interface AccessUnit {
  /** NAL units without start code or length. */
  readonly units: readonly Uint8Array[];
  readonly pts90k: number;
  readonly dts90k: number;
  /** The container says that decoding can begin here. */
  readonly claimsSync: boolean;
}

interface Collected extends Omit<DemuxedPicture, 'isSync'> {
  readonly isCodedSync: boolean;
  readonly claimsSync: boolean;
}

/** Makes samples of access units: parameter sets go beside them, what a file must not or need not hold is left out. */
export class PictureCollector {
  readonly #codec: 'h264' | 'hevc';
  readonly #faults: FaultLog;
  readonly #maxPictures: number;
  readonly #sets = new Map<number, Uint8Array>();
  readonly #pictures: Collected[] = [];

  constructor(codec: 'h264' | 'hevc', faults: FaultLog, maxPictures: number) {
    this.#codec = codec;
    this.#faults = faults;
    this.#maxPictures = maxPictures;
  }

  /** Takes parameter sets that stand outside the pictures. */
  addSets(units: readonly Uint8Array[]): void {
    for (const unit of units) this.#takeSet(unit);
  }

  /** Takes the next access unit in decoding order. @throws payload_too_large when there are too many */
  add(unit: AccessUnit): void {
    const kept = unit.units.filter((nal) => !this.#isLeftOut(nal));
    if (!kept.some((nal) => this.#isPicture(nal))) {
      this.#faults.note('no picture', `An access unit at ${unit.pts90k} holds no picture and was left out.`);
      return;
    }
    if (this.#pictures.length >= this.#maxPictures) {
      throw new ZoetropeError(
        'payload_too_large',
        `A segment may hold ${this.#maxPictures} pictures. Got more; cut shorter segments.`,
      );
    }
    const { pts90k, dts90k, claimsSync } = unit;
    const isCodedSync = kept.some((nal) => (this.#codec === 'h264' ? nalType(nal) === NAL.idr : isIrap(nal)));
    this.#pictures.push({ data: joinLengthPrefixed(kept), pts90k, dts90k, isCodedSync, claimsSync });
  }

  /** All of it; null without a picture. @throws corrupt_media when a parameter set is missing */
  finish(end90k: number | null): DemuxedVideo | null {
    if (this.#pictures.length === 0) return null;
    // Containers that know nothing of it claim it of every picture; else it may be a recovery point, which the type of a slice does not show.
    const areClaimsEmpty = this.#pictures.every((picture) => picture.claimsSync);
    const samples = this.#pictures.map(({ data, pts90k, dts90k, isCodedSync, claimsSync }): DemuxedPicture => {
      return { data, pts90k, dts90k, isSync: isCodedSync || (claimsSync && !areClaimsEmpty) };
    });
    if (this.#codec === 'h264') {
      const sets = { sps: this.#set(NAL.sps, 'SPS'), pps: this.#set(NAL.pps, 'PPS') };
      return { codec: 'h264', sets, samples, end90k };
    }
    const sets = {
      vps: this.#set(HEVC_NAL.vps, 'VPS'),
      sps: this.#set(HEVC_NAL.sps, 'SPS'),
      pps: this.#set(HEVC_NAL.pps, 'PPS'),
    };
    return { codec: 'hevc', sets, samples, end90k };
  }

  #typeOf(nal: Uint8Array): number {
    return this.#codec === 'h264' ? nalType(nal) : hevcNalType(nal);
  }

  #isPicture(nal: Uint8Array): boolean {
    const type = this.#typeOf(nal);
    return this.#codec === 'h264' ? type >= 1 && type <= NAL.idr : type < HEVC_NAL.vps;
  }

  /** A further parameter set of a kind, which an init segment has no place for here, stays with its picture. */
  #isLeftOut(nal: Uint8Array): boolean {
    const type = this.#typeOf(nal);
    const isNoise =
      this.#codec === 'h264'
        ? type === NAL.aud || type === NAL.filler
        : type === HEVC_NAL.aud || type === HEVC_NAL.filler;
    return isNoise || this.#takeSet(nal);
  }

  /** Whether it is the parameter set of its kind. */
  #takeSet(nal: Uint8Array): boolean {
    const type = this.#typeOf(nal);
    const isSet =
      this.#codec === 'h264'
        ? type === NAL.sps || type === NAL.pps
        : type === HEVC_NAL.vps || type === HEVC_NAL.sps || type === HEVC_NAL.pps;
    if (!isSet) return false;
    const known = this.#sets.get(type);
    if (known === undefined) {
      this.#sets.set(type, nal);
      return true;
    }
    if (Buffer.compare(known, nal) === 0) return true;
    const isSps = type === (this.#codec === 'h264' ? NAL.sps : HEVC_NAL.sps);
    if (isSps) this.#faults.note('parameters', 'The parameters of the pictures change inside the segment.');
    return false;
  }

  #set(type: number, name: string): Uint8Array {
    const set = this.#sets.get(type);
    if (set !== undefined) return set;
    throw new ZoetropeError(
      'corrupt_media',
      `There is no ${name} in the segment: decoding could not begin. Let the encoder repeat it before every key frame.`,
    );
  }
}
