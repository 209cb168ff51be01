// C3: which receiver a press is for, where another one takes its place under the finger.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Seen } from '../../src/window/copy_look.ts';
import { type Later, SETTLES_MS, Settling } from '../../src/window/copy_settling.ts';

const seen = (letter: string, known = false): Seen => ({
  id: letter.repeat(32),
  kind_text: '휴대폰',
  browser: 'Android · Chrome',
  region: '서울',
  same_network: true,
  opened: '2026-11-22T12:00:00Z',
  known,
});
const [MINE, THEIRS] = [seen('a'), seen('b')];

class Hand implements Later {
  now = 0;
  due = new Map<number, () => void>();

  set(work: () => void, ms: number): number {
    this.due.set(this.now + ms, work);
    return this.now + ms;
  }

  clear(timer: number): void {
    this.due.delete(timer);
  }

  pass(ms: number): void {
    this.now += ms;
    for (const [at, work] of [...this.due]) {
      if (at > this.now) continue;
      this.due.delete(at);
      work();
    }
  }
}

function screen(): { settling: Settling; hand: Hand; buttons: () => boolean } {
  const hand = new Hand();
  let pressable = false;
  const settling = new Settling((may) => (pressable = may), hand);
  return { settling, hand, buttons: () => pressable };
}

test('C3 the first receiver may be answered at once', () => {
  const { settling, buttons } = screen();
  assert.equal(settling.answerable, null);
  assert.equal(settling.show(MINE), false);
  assert.equal(settling.answerable, MINE.id);
  assert.ok(buttons());
});

test('C3 a press just after another receiver took the place is for nobody, and 3 seconds later for that one', () => {
  const { settling, hand, buttons } = screen();
  settling.show(MINE);
  assert.equal(settling.show(THEIRS), true);
  assert.equal(settling.answerable, null);
  assert.ok(!buttons());
  hand.pass(SETTLES_MS - 1);
  assert.equal(settling.show(THEIRS), false); // each look says so again
  assert.equal(settling.answerable, null);
  hand.pass(1);
  assert.equal(settling.answerable, THEIRS.id);
  assert.ok(buttons());
});

test('C3 one more change begins the wait anew', () => {
  const { settling, hand, buttons } = screen();
  settling.show(MINE);
  settling.show(THEIRS);
  hand.pass(2_000);
  assert.equal(settling.show(MINE), true);
  hand.pass(2_000);
  assert.equal(settling.answerable, null);
  assert.ok(!buttons());
  hand.pass(1_000);
  assert.equal(settling.answerable, MINE.id);
});

test('C3 who goes for a moment and lets another one come is a change as well', () => {
  const { settling, hand, buttons } = screen();
  settling.show(MINE);
  settling.show(null);
  assert.equal(settling.answerable, null);
  assert.equal(settling.show(THEIRS), false); // nothing was there to be replaced
  assert.equal(settling.answerable, null);
  assert.ok(!buttons());
  settling.show(null); // it goes while the buttons wait: nothing is pressable later
  hand.pass(SETTLES_MS);
  assert.equal(settling.answerable, null);
});

test('C3 the wait is not got round by going and coming back', () => {
  const { settling, hand } = screen();
  settling.show(MINE);
  settling.show(THEIRS);
  settling.show(null);
  settling.show(THEIRS);
  assert.equal(settling.answerable, null);
  hand.pass(SETTLES_MS);
  assert.equal(settling.answerable, THEIRS.id);
});

test('C3 another word about the same receiver is read before it is answered', () => {
  const { settling, hand } = screen();
  settling.show(seen('a', true));
  settling.show(MINE);
  assert.equal(settling.answerable, null);
  hand.pass(SETTLES_MS);
  assert.equal(settling.answerable, MINE.id);
});
