// One-shot and long-lived streams, and when what they send is seen.

import {deepEqual, equal, ok} from '../lib/expect.mjs'
import {test} from '../lib/runner.mjs'

const SERVERS = ['axum', 'listener', 'sidereal']

test('one-shot: "Fetching…" is seen, and then the data', {serve: SERVERS}, async (t) => {
  const page = await t.open('/fetching')
  await page.record('#details')
  await page.click('#ask')
  await page.becomes('#details', 'the data')
  const texts = await page.texts('#details')
  deepEqual(texts.map(({text}) => text), ['Fetching…', 'the data'])
  const apart = texts[1].at - texts[0].at
  ok(apart > 200, `the first is seen long before the second, which takes 300 ms: ${apart} ms`)
  t.note(`${apart.toFixed(0)} ms apart`)
  const {requests, ended} = await t.counted('fetching', ({ended}) => ended.length === 1)
  deepEqual([requests, ended[0].reason], [1, 'finished'])
})

test('heartbeats between two patches are not seen', async (t) => {
  const page = await t.open('/fetching')
  await page.record('#details')
  await page.act(`@get('/fetching/quietly?run=${t.run}')`)
  await page.becomes('#details', 'after')
  deepEqual((await page.texts('#details')).map(({text}) => text), ['before', 'after'])
  deepEqual(await page.evaluate(() => window.fetches), ['started', 'datastar-patch-elements', 'datastar-patch-elements', 'finished'])
})

test('long-lived: ticks are seen one by one, at once', {serve: SERVERS}, async (t) => {
  const page = await t.open('/ticks')
  await page.record('#tick')
  await page.until('30 ticks', () => window.texts['#tick'].length >= 30, undefined, {within: 10_000})
  const texts = (await page.texts('#tick')).map(({text, at}) => ({tick: Number(text.split(' ')[0]), sent: Number(text.split(' ')[1]), at}))
  const late = texts.map(({sent, at}) => at - sent).sort((a, b) => a - b)
  const [median, most] = [late[late.length >> 1], late.at(-1)]
  t.note(`sent to shown: median ${median.toFixed(1)} ms, most ${most.toFixed(1)} ms of ${late.length}`)
  texts.reduce((before, {tick}) => (equal(tick, before + 1, 'no tick is missed'), tick), texts[0].tick - 1)
  // Nine of ten, as the machine may have others to serve.
  ok(late[Math.floor(late.length * 0.9)] < 50, `ticks are seen within 50 ms: ${late.map((ms) => ms.toFixed(0))}`)
})
