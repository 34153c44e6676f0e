// A tab that is hidden behind another one, and shows again.

import {deepEqual, equal} from '../lib/expect.mjs'
import {test} from '../lib/runner.mjs'

test('a hidden @get stream is aborted, and asked for again with current signals', {serve: ['axum', 'listener', 'sidereal']}, async (t) => {
  const page = await t.open('/hidden')
  const visibility = () => page.evaluate(() => document.visibilityState)
  await t.counted('hidden', ({open}) => open === 1)
  await page.until('ticks', () => Number(document.querySelector('#tick').textContent) > 2)
  await page.evaluate(() => document.querySelector('#note').select())
  await page.type('#note', 'second')

  const left = Date.now()
  await t.tab()
  equal(await visibility(), 'hidden')
  const {ended} = await t.counted('hidden', ({open, ended}) => open === 0 && ended.length === 1)
  equal(ended[0].reason, 'the client is gone')
  t.note(`gone ${(ended[0].at - left).toFixed(0)} ms after another tab was opened`)

  await page.front()
  equal(await visibility(), 'visible')
  const {requests, notes, open} = await t.counted('hidden', ({open}) => open === 1)
  deepEqual({requests, notes, open}, {requests: 2, notes: ['first', 'second'], open: 1})
  await page.until('the stream shows what the page last said', () => JSON.parse(document.querySelector('#signals').textContent).asked === 'second')
})

test('back at the page that was left, its stream is open again', async (t) => {
  const page = await t.open('/hidden')
  await t.counted('hidden', ({open}) => open === 1)
  await page.goto(`${t.server.url}/next?run=${t.run}`)
  await t.counted('hidden', ({open}) => open === 0)
  // Not puppeteer's way back, which waits for a load that a page from the cache does not have.
  await page.evaluate(() => void setTimeout(() => history.back()))
  await t.counted('hidden', ({requests, open}) => requests === 2 && open === 1)
  const tick = await page.text('#tick')
  await page.until('ticks', (tick) => document.querySelector('#tick').textContent !== tick, tick)
})

test('with openWhenHidden the stream stays', async (t) => {
  const page = await t.open('/fetching')
  await page.act(`$note = 'kept', $tick = 0, @get('/hidden/stream?run=${t.run}', {openWhenHidden: true})`)
  const tick = () => page.evaluate(() => JSON.parse(document.querySelector('#signals').textContent).tick)
  await t.counted('hidden', ({open}) => open === 1)
  await t.tab()
  equal(await page.evaluate(() => document.visibilityState), 'hidden')
  const before = await tick()
  await page.until('ticks while hidden', (before) => JSON.parse(document.querySelector('#signals').textContent).tick > before + 3, before)
  const {requests, open, ended} = await t.count('hidden')
  deepEqual({requests, open, ended}, {requests: 1, open: 1, ended: []})
})
