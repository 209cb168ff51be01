// C3: a receiver whose copy is over at the center stops showing its number at once.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { codeOf, Ending, onEnd } from '../../src/window/copy_ending.ts';

class Source extends EventTarget {
  static readonly all: Source[] = [];
  readonly url: string;
  closed = false;

  constructor(url: string) {
    super();
    this.url = url;
    Source.all.push(this);
  }

  over(data: string): void {
    this.dispatchEvent(Object.assign(new Event('over'), { data }));
  }

  close(): void {
    this.closed = true;
  }
}

const real = globalThis.EventSource;

function listening(): { ending: Ending; heard: string[]; source: () => Source } {
  Source.all.length = 0;
  globalThis.EventSource = Source as unknown as typeof EventSource;
  const heard: string[] = [];
  const ending = new Ending('/copying/receive', (code) => heard.push(code));
  ending.start();
  return { ending, heard, source: () => Source.all.at(-1)! };
}

afterEach(() => {
  globalThis.EventSource = real;
});

test('C3 a no is said at once wherever the frame is, unless the certificate is stored', () => {
  for (const frame of ['number', 'run', 'ended'] as const) {
    for (const code of ['copy-stopped', 'session-over', 'copy-other-session']) assert.equal(onEnd(code, frame), 'now');
  }
  assert.equal(onEnd('copy-stopped', 'copied'), 'nothing');
});

test('another end stops a number at once, and leaves it to a frame that hears it from the other device', () => {
  for (const code of ['copy-over', 'copy-expired', 'copy-other-certificate']) {
    assert.equal(onEnd(code, 'number'), 'now');
    assert.equal(onEnd(code, 'run'), 'later');
    assert.equal(onEnd(code, 'ended'), 'nothing');
    assert.equal(onEnd(code, 'copied'), 'nothing');
  }
});

test('the event is heard once, and the line is closed', () => {
  const { ending, heard, source } = listening();
  assert.equal(source().url, '/copying/receive/events');
  source().over('{"code":"copy-stopped"}');
  source().over('{"code":"copy-over"}');
  assert.deepEqual(heard, ['copy-stopped']);
  assert.ok(source().closed);
  ending.stop();
});

test('what is no code ends nothing', () => {
  const { ending, heard, source } = listening();
  for (const data of ['', 'null', '{}', '{"code":5}', '{"code":"<b>"}']) {
    assert.equal(codeOf(data), null);
    source().over(data);
  }
  assert.deepEqual(heard, []);
  assert.ok(!source().closed);
  ending.stop();
});

test('a line of an earlier copy says nothing about the next one', () => {
  const { ending, heard, source } = listening();
  const earlier = source();
  ending.start();
  assert.ok(earlier.closed);
  earlier.over('{"code":"copy-over"}');
  assert.deepEqual(heard, []);
  ending.stop();
});

test('a window that is forgotten stops listening', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { source } = listening();
  context.mock.timers.tick(600_000);
  assert.ok(source().closed);
});
