// What a sender's page believes of its server's looks, and what it makes of a failed request.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { CopyAsking, failedBy } from '../../src/window/copy_asking.ts';
import { lookOf, sameSeen } from '../../src/window/copy_look.ts';

const SEEN = {
  id: 'a'.repeat(32),
  kind: 'phone',
  kind_text: '휴대폰',
  browser: 'Android · Chrome',
  region: '서울',
  same_network: true,
  opened: '2026-11-22T12:00:00Z',
  known: false,
};
const LOOK = { step: 'receiver', receiver: SEEN, code: null, sent_until: null, receiver_text: null, calling: false };
const fetched = globalThis.fetch;

afterEach(() => {
  globalThis.fetch = fetched;
});

test('a look is taken as it is', () => {
  assert.deepEqual(lookOf(LOOK), LOOK);
  assert.equal(lookOf({ ...LOOK, receiver: null, step: 'over', code: 'copy-expired' })?.code, 'copy-expired');
});

test('what is no look is none', () => {
  const wrong = [
    null,
    'receiver',
    {},
    { ...LOOK, step: 'done' },
    { ...LOOK, code: 5 },
    { ...LOOK, receiver: { ...SEEN, known: 'yes' } },
    { ...LOOK, receiver: { ...SEEN, browser: undefined } },
    { ...LOOK, receiver: 'phone' },
  ];
  for (const one of wrong) assert.equal(lookOf(one), null, JSON.stringify(one));
});

test('C3 another word of the receiver is another receiver to answer to', () => {
  assert.ok(sameSeen(SEEN, { ...SEEN }));
  // The page and the server's events tell the same in another order.
  assert.ok(sameSeen(SEEN, Object.fromEntries(Object.entries(SEEN).reverse()) as unknown as typeof SEEN));
  for (const changed of [{ id: 'b'.repeat(32) }, { same_network: false }, { region: '부산' }, { known: true }]) {
    assert.ok(!sameSeen(SEEN, { ...SEEN, ...changed }));
  }
  assert.ok(!sameSeen(SEEN, null) && sameSeen(null, null));
});

function answering(...answers: (() => Response | never)[]): () => number {
  let asked = 0;
  globalThis.fetch = async () => {
    const answer = answers[Math.min(asked, answers.length - 1)]!;
    asked += 1;
    return answer();
  };
  return () => asked;
}

const json = (status: number, told: unknown) => () => new Response(JSON.stringify(told), { status });
const gone = () => {
  throw new TypeError('network');
};
const ask = new CopyAsking({ base: '/copying/send', csrf: 'token' });
const kindOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (failure: unknown) => `${failedBy(failure).kind} ${failedBy(failure).code}`,
  );

test('a failure is final, passes, or means that nobody is logged in', async () => {
  const told = { code: 'copy-runs-spent', message: '…' };
  for (const [answer, kind] of [
    [json(409, { code: 'copy-order', message: '…' }), 'refused copy-order'],
    [json(429, told), 'refused copy-runs-spent'],
    [json(401, { code: 'session-over', message: '…' }), 'out session-over'],
    [json(503, { code: 'store-outage', message: '…' }), 'away store-outage'],
    [json(422, { code: '<b>', message: '…' }), 'refused outage'],
    [json(200, null), 'refused outage'],
    [() => new Response('<html>', { status: 502 }), 'away outage'],
    [gone, 'away outage'],
  ] as const) {
    answering(answer);
    assert.equal(await kindOf(ask.post('join')), kind);
  }
});

test('C13 a word that must arrive is said again while nobody answers, and not after a refusal', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const asked = answering(gone, json(503, { code: 'outage', message: '' }), json(200, {}));
  const done = kindOf(ask.insist('stored', {}, 5));
  for (let turn = 0; turn < 20; turn += 1) {
    await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    context.mock.timers.tick(5000);
  }
  assert.equal(await done, 'done');
  assert.equal(asked(), 3);
  const once = answering(json(409, { code: 'copy-over', message: '' }));
  assert.equal(await kindOf(ask.insist('stored', {}, 5)), 'refused copy-over');
  assert.equal(once(), 1);
});
