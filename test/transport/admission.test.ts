import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { tokenRate } from '../../src/structures/token-bucket.js';
import { Admission, type AdmissionLimits, addressKey, Refusal } from '../../src/transport/admission.js';
import { createAdmissionMemory, forgetAdmitted } from '../../src/transport/admission-memory.js';

const generous: AdmissionLimits = {
  connectionsMax: 100,
  connectionsPerAddressMax: 3,
  addressRate: tokenRate(1000, 1000),
  nodeRate: tokenRate(1000, 1000),
};

test('limits that are changed hold for whoever comes from then on, at all listeners', () => {
  const memory = createAdmissionMemory(generous.connectionsMax, 3, 7);
  const [one, two] = [1, 2].map((place) => new Admission(generous, memory, place));
  const set = (limits: Partial<AdmissionLimits>) => {
    for (const admission of [one!, two!]) admission.setLimits({ ...generous, ...limits });
  };
  const come = (admission: Admission) => {
    const refusal = admission.arrive('7f000001', 0);
    const admitted = refusal === Refusal.none ? admission.admit('7f000001') : -1;
    if (admitted < 0) admission.leave();
    return admitted >= 0 ? 'open' : refusal;
  };
  assert.deepEqual([come(one!), come(two!)], ['open', 'open']);
  set({ connectionsPerAddressMax: 2 });
  assert.deepEqual([come(one!), come(two!)], [Refusal.none, Refusal.none], 'too many of the address');
  set({ connectionsMax: 2 });
  assert.deepEqual([come(one!), come(two!)], [Refusal.full, Refusal.full]);
  assert.equal(one!.open + two!.open, 2, 'who is there stays');
  set({ connectionsPerAddressMax: 9, addressRate: tokenRate(1, 1) });
  assert.deepEqual([come(one!), come(two!)], [Refusal.addressRate, Refusal.addressRate]);
  set({ connectionsPerAddressMax: 9, nodeRate: tokenRate(1, 1) });
  assert.equal(come(two!), Refusal.nodeRate);
  set({ connectionsPerAddressMax: 9 });
  assert.deepEqual([come(one!), come(two!)], ['open', 'open']);
});

test('counts connections of an address and lets them go again', () => {
  const admission = new Admission(generous);
  const admitted: number[] = [];
  for (let i = 0; i < 3; i++) {
    assert.equal(admission.arrive('7f000001', 0), Refusal.none);
    admitted.push(admission.admit('7f000001'));
  }
  assert.ok(admitted.every((one) => one >= 0));
  assert.equal(admission.arrive('7f000001', 0), Refusal.none);
  assert.equal(admission.admit('7f000001'), -1);
  admission.leave();
  assert.equal(admission.arrive('7f000002', 0), Refusal.none);
  assert.ok(admission.admit('7f000002') >= 0);
  admission.close(admitted[1]!);
  assert.equal(admission.arrive('7f000001', 0), Refusal.none);
  assert.ok(admission.admit('7f000001') >= 0);
});

test('handshakes under way count against the whole', () => {
  const admission = new Admission({ ...generous, connectionsMax: 2 });
  assert.equal(admission.arrive('0a000001', 0), Refusal.none);
  assert.equal(admission.arrive('0a000002', 0), Refusal.none);
  assert.equal(admission.arrive('0a000003', 0), Refusal.full);
  admission.leave();
  admission.leave();
  assert.equal(admission.arrive('0a000003', 0), Refusal.none);
});

test('a flood from one address leaves tokens to the others', () => {
  const admission = new Admission({ ...generous, addressRate: tokenRate(1, 5), nodeRate: tokenRate(1, 10) });
  const answers = Array.from({ length: 50 }, () => admission.arrive('0a000001', 0));
  assert.equal(answers.filter((answer) => answer === Refusal.none).length, 5);
  assert.equal(answers.filter((answer) => answer === Refusal.addressRate).length, 45);
  assert.equal(admission.arrive('0a000002', 0), Refusal.none);
});

test('many addresses together are held to the rate of the node', () => {
  const admission = new Admission({ ...generous, nodeRate: tokenRate(1, 10) });
  const answers = Array.from({ length: 50 }, (_, i) => admission.arrive(`0a0000${(i + 16).toString(16)}`, 0));
  assert.equal(answers.filter((answer) => answer === Refusal.none).length, 10);
  assert.equal(answers.filter((answer) => answer === Refusal.nodeRate).length, 40);
});

test('an address is an IPv4 address or an IPv6 /64', () => {
  assert.equal(addressKey('7f000001'), '7f000001');
  assert.equal(addressKey('00000000000000000000ffff7f000001'), '7f000001');
  assert.equal(addressKey('20010db8000100020000000000000001'), '20010db800010002');
  assert.equal(addressKey('20010db800010002ffffffffffffffff'), '20010db800010002');
  assert.notEqual(addressKey('20010db8000100030000000000000001'), '20010db800010002');
});

test('whatever comes and goes, nothing is left behind and no limit is passed', () => {
  const step = fc.record({ what: fc.constantFrom('arrive', 'admit', 'leave', 'close'), address: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (list) => {
      const limits = { ...generous, connectionsMax: 8 };
      const admission = new Admission(limits);
      const arrived: string[] = [];
      const open: { name: string; admitted: number }[] = [];
      for (const { what, address } of list) {
        const name = `0a00000${address}`;
        if (what === 'arrive') {
          if (admission.arrive(name, 0) === Refusal.none) arrived.push(name);
          else admission.leave();
        } else if (what === 'admit' && arrived.length > 0) {
          const name = arrived.shift()!;
          const admitted = admission.admit(name);
          if (admitted >= 0) open.push({ name, admitted });
          else admission.leave();
        } else if (what === 'leave' && arrived.pop() !== undefined) {
          admission.leave();
        } else if (what === 'close' && open.length > 0) {
          admission.close(open.shift()!.admitted);
        }
        assert.equal(admission.open, open.length);
        assert.equal(admission.arrived, arrived.length);
        assert.ok(admission.open + admission.arrived <= limits.connectionsMax);
        const names = open.map(({ name }) => name);
        assert.equal(admission.addresses, new Set(names).size);
        for (const one of names) {
          assert.ok(names.filter((other) => other === one).length <= limits.connectionsPerAddressMax);
        }
      }
    }),
  );
});

test('the limits hold for all listeners of a server together', () => {
  const limits = { ...generous, connectionsMax: 5, addressRate: tokenRate(1, 6), nodeRate: tokenRate(1, 12) };
  const memory = createAdmissionMemory(limits.connectionsMax, 3, 9);
  const [one, two] = [1, 2].map((place) => new Admission(limits, memory, place));
  for (const listener of [one!, two!, one!]) {
    assert.equal(listener.arrive('0a000001', 0), Refusal.none);
    assert.ok(listener.admit('0a000001') >= 0);
  }
  assert.equal(two!.arrive('0a000001', 0), Refusal.none);
  assert.equal(two!.admit('0a000001'), -1, 'three are open from this address');
  two!.leave();
  assert.deepEqual([one!.open, two!.open], [2, 1]);
  for (const listener of [one!, two!]) assert.equal(listener.arrive('0a000002', 0), Refusal.none);
  assert.equal(one!.arrive('0a000003', 0), Refusal.full, 'five in all');
  one!.leave();
  one!.leave();
  two!.leave();
  assert.equal(one!.arrive('0a000001', 0), Refusal.none);
  assert.equal(two!.arrive('0a000001', 0), Refusal.none);
  one!.leave();
  two!.leave();
  assert.equal(one!.arrive('0a000001', 0), Refusal.addressRate, 'six tokens were taken from both together');
  one!.leave();

  // A thread that is gone, or whose listener begins anew, has no connections any more.
  forgetAdmitted(memory, 1);
  assert.equal(two!.arrive('0a000004', 0), Refusal.none);
  assert.ok(two!.admit('0a000004') >= 0);
  assert.equal(two!.addresses, 2);
  const again = new Admission(limits, memory, 2);
  assert.equal(again.open, 0);
  assert.equal(again.addresses, 0);
});

test('crowded: more than a quarter of the places taken by what is no WebSocket', () => {
  const admission = new Admission({ ...generous, connectionsMax: 8 });
  for (let i = 0; i < 2; i++) admission.arrive('0a000001', 0);
  assert.equal(admission.crowded, false);
  admission.arrive('0a000001', 0);
  assert.equal(admission.crowded, true);
  assert.ok(admission.admit('0a000001') >= 0);
  assert.equal(admission.crowded, false, 'a WebSocket does not count');
});
