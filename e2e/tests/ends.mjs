// How streams end, and whether the page asks again.

import {deepEqual, equal, ok} from '../lib/expect.mjs'
import {test} from '../lib/runner.mjs'

const SERVERS = ['axum', 'listener', 'sidereal']

// Which stream of the page /ends, and the reason that its on_disconnect gets.
const CLEAN = {
  finished: 'finished',
  closed: 'closed by the application',
  failed: 'failed',
  panicked: 'panicked',
}

test('clean ends, errors and panics are not asked for again; a broken end is', {serve: SERVERS}, async (t) => {
  const page = await t.open('/ends')
  // The broken one shows how long the others would have needed: its third request comes after 1 s
  // and 1 s more.
  await t.counted('broken', ({requests}) => requests >= 3, {within: 10_000})
  for (const [name, reason] of Object.entries(CLEAN)) {
    const {requests, ended} = await t.count(name)
    deepEqual({name, requests, reasons: ended.map(({reason}) => reason)}, {name, requests: 1, reasons: [reason]})
  }
  equal((await t.count('failed')).ended[0].error, 'the database is gone')
  ok((await t.count('panicked')).ended[0].error.includes('on purpose, for the test'))
  // What was accepted before the end arrived.
  deepEqual(await page.signals(), {finished: true, closed: true, failed: true, panicked: true, broken: true})
})

// A fact, and the reason to catch panics outside of streams too (tower-http has a layer for it): the
// server closes the connection without an answer, for which Firefox sends each try ten times.
test('a 500 is not asked for again; a handler that panics before it answers is', {problems: /500/}, async (t) => {
  const page = await t.open('/fetching')
  for (const name of ['handler-failed', 'handler-panicked']) await page.act(`@get('/ends/${name}?run=${t.run}')`)
  await page.until('two more tries', () => window.fetches.filter((type) => type === 'retrying').length >= 2)
  const {requests} = await t.counted('handler-panicked', ({requests}) => requests >= 2)
  equal((await t.count('handler-failed')).requests, 1)
  t.note(`the one that panics has been asked ${requests} times`)
})

test('a broken stream asks again with the id of the last event', async (t) => {
  await t.open('/ends')
  const {notes} = await t.counted('broken', ({requests}) => requests >= 3, {within: 10_000})
  deepEqual(notes.slice(0, 3), ['none', 'e-1', 'e-2'])
})

// Its length is known, so the server need not poll it to its end.
test('a reply of events at hand has finished', {serve: SERVERS}, async (t) => {
  const page = await t.open('/fetching')
  await page.act(`@get('/ends/reply?run=${t.run}')`)
  const {ended} = await t.counted('reply', ({ended}) => ended.length === 1)
  await page.signalsBecome({reply: true})
  equal(ended[0].reason, 'finished')
})

test("retry: 'always' asks again after a clean end", async (t) => {
  const page = await t.open('/fetching')
  await page.act(`@get('/ends/finished?run=${t.run}', {retry: 'always', retryInterval: 50})`)
  await t.counted('finished', ({requests}) => requests >= 3)
})

test('on_disconnect comes within a second of a tab that closes', {serve: SERVERS}, async (t) => {
  await leaves(t, (page) => page.close())
})

test('on_disconnect comes within a second of a page that is left', {serve: SERVERS}, async (t) => {
  await leaves(t, (page) => page.goto(`${t.server.url}/next?run=${t.run}`))
})

async function leaves(t, leave) {
  const page = await t.open('/ticks')
  await t.counted('ticks', ({open}) => open === 1)
  const left = Date.now()
  await leave(page)
  const {ended, open} = await t.counted('ticks', ({ended}) => ended.length === 1)
  const after = ended[0].at - left
  t.note(`${after.toFixed(0)} ms after`)
  deepEqual([open, ended[0].reason], [0, 'the client is gone'])
  ok(after < 1_000, `${after} ms`)
}
