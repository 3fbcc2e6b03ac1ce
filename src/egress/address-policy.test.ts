import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressPolicy } from './address-policy.ts';

const PUBLIC = ['8.8.8.8', '1.1.1.1', '172.15.255.255', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111'];

const REFUSED = [
  // Loopback, unspecified, "this network".
  ['127.0.0.1', '127.255.255.254', '0.0.0.0', '0.1.2.3', '::', '::1'],
  // Private, carrier-grade NAT, link-local with the clouds' metadata services, unique local, site-local.
  ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', '100.100.100.200', '169.254.169.254'],
  ['fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd00:ec2::254', 'fec0::1', '168.63.129.16'],
  // Multicast, broadcast, reserved, documentation, benchmarking, discard.
  ['224.0.0.1', '239.1.1.1', 'ff02::1', '255.255.255.255', '240.0.0.1', '192.0.0.1', '192.0.2.1', '198.18.0.1'],
  ['198.51.100.1', '203.0.113.1', '2001:db8::1', '2001:2::1', '100::1', '5f00::1', '4000::1'],
  // IPv4 within IPv6: mapped, compatible, translated, NAT64 (both prefixes), 6to4, Teredo, ISATAP; of private and of public ones.
  ['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:8.8.8.8', '::127.0.0.1', '::7f00:1', '::ffff:0:10.0.0.1'],
  ['64:ff9b::10.0.0.1', '64:ff9b::8.8.8.8', '64:ff9b:1::a00:1', '2002:7f00:1::', '2002:808:808::1'],
  ['2001:0:808:808::1', '2a00:1450:1:1:0:5efe:7f00:1', '2a00:1450:1:1:200:5efe:7f00:1'],
  // No addresses.
  ['', 'localhost', '1.2.3', '8.8.8.8.8', '[::1]'],
].flat();

test('public addresses are allowed, all for special use and all that carry another are refused', () => {
  const policy = new AddressPolicy([]);
  assert.deepEqual(
    PUBLIC.filter((address) => !policy.isAllowed(address)),
    [],
  );
  assert.deepEqual(
    REFUSED.filter((address) => policy.isAllowed(address)),
    [],
  );
});

test('a listed network is allowed, and no other', () => {
  const policy = new AddressPolicy(['10.1.0.0/16', 'fd00:1::/32', '127.0.0.2/32']);
  for (const address of ['10.1.2.3', 'fd00:1::5', '127.0.0.2', '8.8.8.8'])
    assert.ok(policy.isAllowed(address), address);
  for (const address of ['10.2.0.1', 'fd00:2::5', '127.0.0.1', '::ffff:10.1.2.3', '64:ff9b::a01:203']) {
    assert.ok(!policy.isAllowed(address), address);
  }
});

test('where NAT64 is listed, what it leads to must be allowed too', () => {
  const policy = new AddressPolicy(['64:ff9b::/96', '::ffff:0:0/96', '10.0.0.0/8']);
  for (const address of ['64:ff9b::8.8.8.8', '64:ff9b::10.0.0.1', '::ffff:10.0.0.1']) {
    assert.ok(policy.isAllowed(address), address);
  }
  for (const address of ['64:ff9b::127.0.0.1', '64:ff9b::192.168.0.1', '::ffff:169.254.169.254']) {
    assert.ok(!policy.isAllowed(address), address);
  }
});

test('a network that is none is refused with the setting that holds it', () => {
  assert.throws(() => new AddressPolicy(['10.0.0.0/8', '10.0.0.1']), /"10\.0\.0\.1": check ZOETROPE_ALLOWED_NETWORKS/);
});
