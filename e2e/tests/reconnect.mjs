// The server goes away, and comes back on the same port: so do its pages.

import {deepEqual, equal, eventually, ok} from '../lib/expect.mjs'
import {test} from '../lib/runner.mjs'
import {AWAY} from '../lib/server.mjs'

const SERVERS = ['axum', 'listener', 'sidereal']

// Ends the server as `end` does it, starts it again, and waits for the page to show the new one.
async function restarts(t, end) {
  const server = await t.ownServer()
  const page = await t.open('/ticks')
  const first = String(server.child.pid)
  await page.becomes('#process', first)
  const ended = performance.now()
  const how = await end(server)
  await server.start()
  const started = performance.now()
  await page.becomes('#process', String(server.child.pid), {within: 20_000})
  const back = performance.now()
  t.note(`away for ${(started - ended).toFixed(0)} ms, the page is back ${(back - started).toFixed(0)} ms later`)
  const {requests, open} = await t.count('ticks')
  deepEqual([requests, open], [1, 1], 'the new server has one request of the page, not a storm')
  return how
}

test('killed and started again: the page comes back', {serve: SERVERS, problems: AWAY}, async (t) => {
  const how = await restarts(t, (server) => server.stop('SIGKILL'))
  equal(how.signal, 'SIGKILL')
})

test('graceful restart: a page with default retry comes back', {serve: SERVERS, problems: AWAY}, async (t) => {
  const how = await restarts(t, (server) => server.stop('SIGTERM'))
  deepEqual(how, {code: 0, signal: null}, 'the server has ended by itself, in good order')
})

test('away for longer: the page goes on asking', {problems: AWAY}, async (t) => {
  await restarts(t, async (server) => {
    await server.stop('SIGKILL')
    const page = t.pages[0]
    await page.until('three tries', () => window.fetches.filter((type) => type === 'retrying').length >= 3, undefined, {within: 15_000})
  })
})

test('graceful shutdown lets a one-shot reply finish', {serve: SERVERS, problems: AWAY}, async (t) => {
  const server = await t.ownServer()
  const page = await t.open('/fetching')
  await page.click('#ask-slow')
  await page.becomes('#details', 'Fetching…')
  const how = await server.stop('SIGTERM')
  deepEqual(how, {code: 0, signal: null})
  await page.becomes('#details', 'the data')
  ok(!(await page.evaluate(() => window.fetches)).includes('retrying'))
})

test('graceful shutdown with open streams is quick', {serve: SERVERS, problems: AWAY}, async (t) => {
  const server = await t.ownServer()
  for (let i = 0; i < 3; i += 1) await t.open('/ends')
  const page = await t.open('/ticks')
  await eventually('a tick', async () => (await page.text('#process')) === String(server.child.pid))
  const asked = performance.now()
  await server.stop('SIGTERM')
  const took = performance.now() - asked
  t.note(`${took.toFixed(0)} ms`)
  ok(took < 1_000, `${took} ms`)
})
