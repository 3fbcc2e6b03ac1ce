import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { adtsHeader } from './adts.ts';
import { parseAudioSpecificConfig } from './audio-specific-config.ts';
import { silentPacket } from './silent-packet.ts';

test('FFmpeg decodes silence in every layout without a word', () => {
  for (const channelConfiguration of [1, 2, 3, 4, 5, 6, 7]) {
    // AAC-LC at 48 kHz.
    const config = parseAudioSpecificConfig(Uint8Array.of(0x11, 0x80 | (channelConfiguration << 3)));
    const packet = silentPacket(config);
    assert.ok(packet !== null);
    const frame = Buffer.concat([adtsHeader(config, packet.length), packet]);
    const input = Buffer.concat(Array.from({ length: 10 }, () => frame));
    const decoded = spawnSync('/usr/bin/ffmpeg', '-v warning -f aac -i - -c:a pcm_s16le -f s16le -'.split(' '), {
      input,
    });
    assert.equal(decoded.stderr.toString().replace(/.*Estimating duration.*\n/, ''), '');
    assert.equal(decoded.stdout.length, 10 * 1024 * config.channels * 2, `layout ${channelConfiguration}`);
    assert.ok(decoded.stdout.every((byte) => byte === 0));
  }
});

test('there is none for codecs of another build', () => {
  assert.equal(silentPacket({ ...parseAudioSpecificConfig(Uint8Array.of(0x11, 0x90)), objectType: 39 }), null);
});
