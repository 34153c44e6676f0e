// A topic that keeps its last 30 lines, and pages that come back to it: no line is missing, and none is there twice.

import {setTimeout as sleep} from 'node:timers/promises'

import {becomes, deepEqual, equal, eventually} from '../lib/expect.mjs'
import {test} from '../lib/runner.mjs'
import {AWAY} from '../lib/server.mjs'

async function say(t, text, padding = 0) {
  const query = `run=${t.run}&text=${encodeURIComponent(text)}&padding=${padding}`
  const answer = await fetch(`${t.server.url}/chat/say?${query}`, {method: 'POST', signal: AbortSignal.timeout(5_000)})
  equal(answer.status, 204)
}

// The numbers from one up to, and with, another: what is said, and then shown.
const numbers = (from, to) => Array.from({length: to - from + 1}, (_, index) => String(from + index))

async function sayAll(t, from, to) {
  for (const number of numbers(from, to)) await say(t, number)
}

const shows = (page, expected, options) =>
  becomes('the lines', () => page.evaluate(() => [...document.querySelectorAll('#lines li')].map(({textContent}) => textContent)), expected, options)

// What each stream of the page was.
const notes = async (t) => (await t.count('chat')).notes

test('a connection breaks: the page gets what it missed', {problems: AWAY}, async (t) => {
  const relay = await t.relay()
  await sayAll(t, 1, 5)
  const page = await t.open('/chat', undefined, relay.url)
  await shows(page, numbers(1, 5))
  await sayAll(t, 6, 10)
  await shows(page, numbers(1, 10))
  relay.cut()
  await t.counted('chat', ({open}) => open === 0)
  await sayAll(t, 11, 20)
  relay.mend()
  await shows(page, numbers(1, 20), {within: 10_000})
  await sayAll(t, 21, 25)
  await shows(page, numbers(1, 25))
  deepEqual(await notes(t), ['new', 'resumed'])
})

test('a page that missed more than is kept begins anew', {problems: AWAY}, async (t) => {
  const relay = await t.relay()
  const page = await t.open('/chat', undefined, relay.url)
  await sayAll(t, 1, 5)
  await shows(page, numbers(1, 5))
  relay.cut()
  await t.counted('chat', ({open}) => open === 0)
  await sayAll(t, 6, 40)
  relay.mend()
  await shows(page, numbers(11, 40), {within: 10_000})
  deepEqual(await notes(t), ['new', 'new'])
})

test('the server is started again: its lines are gone, and so are those of the page', {problems: AWAY}, async (t) => {
  const server = await t.ownServer()
  const page = await t.open('/chat')
  await sayAll(t, 1, 5)
  await shows(page, numbers(1, 5))
  await server.stop('SIGKILL')
  await server.start()
  await sayAll(t, 6, 7)
  await shows(page, numbers(6, 7), {within: 10_000})
  deepEqual(await notes(t), ['new'], 'an id of the process before is none of this one')
})

test('a hidden tab gets what it missed when it shows again', async (t) => {
  const page = await t.open('/chat')
  await sayAll(t, 1, 5)
  await shows(page, numbers(1, 5))
  await t.tab()
  await t.counted('chat', ({open}) => open === 0)
  await sayAll(t, 6, 10)
  await page.front()
  await shows(page, numbers(1, 10))
  deepEqual(await notes(t), ['new', 'resumed'])
})

test('breaks again and again while others write: every line once, in order', {problems: AWAY}, async (t) => {
  const relay = await t.relay()
  const page = await t.open('/chat', undefined, relay.url)
  let said = 0
  for (let cuts = 1; cuts <= 4; cuts += 1) {
    await t.counted('chat', ({open}) => open === 1)
    for (let lines = 0; lines < 7; lines += 1) {
      await say(t, String((said += 1)))
      // In the midst of it, and not after all are there.
      if (lines === cuts) relay.cut()
      await sleep(5)
    }
    relay.mend()
    await eventually('the page is back', async () => (await notes(t)).length > cuts, {within: 10_000})
  }
  await shows(page, numbers(1, said))
  t.note(`${(await notes(t)).join(', ')}`)
})

// The client takes an id as soon as it has read its line. Were that before the content, a page whose connection breaks in the
// middle of an event would have the id, and not the event.
test('a connection breaks in the middle of a line: the page gets the line', {problems: AWAY}, async (t) => {
  const relay = await t.relay({rate: 100_000})
  const page = await t.open('/chat', undefined, relay.url)
  await say(t, 'small')
  await shows(page, ['small'])
  const before = relay.passed
  await say(t, 'large', 400_000)
  await eventually('half of it has passed', () => relay.passed > before + 150_000, {within: 10_000})
  relay.cut()
  await t.counted('chat', ({open}) => open === 0)
  relay.rate = undefined
  relay.mend()
  await t.counted('chat', ({open, requests}) => open === 1 && requests === 2, {within: 10_000})
  await say(t, 'last')
  await shows(page, ['small', 'large', 'last'])
})
