// Several windows, side by side, on the same page.

import {equal} from '../lib/expect.mjs'
import {test} from '../lib/runner.mjs'

const hasTicks = (page) => page.until('ticks', () => Number(document.querySelector('#tick').textContent.split(' ')[0]) > 3)

async function sideBySide(t, path) {
  const first = await t.open(path)
  await hasTicks(first)
  const second = await t.open(path, await t.window())
  equal(await first.evaluate(() => document.visibilityState), 'visible')
  return [first, second]
}

test('windows with a tab id each stream at the same time', {serve: ['axum', 'listener', 'sidereal']}, async (t) => {
  const [first, second] = await sideBySide(t, '/tabs')
  await hasTicks(second)
  equal((await t.count('ticks')).open, 2)
  const third = await t.open('/tabs', await t.window())
  await hasTicks(third)
  equal((await t.count('ticks')).open, 3)
  const ids = await Promise.all([first, second, third].map(async (page) => (await page.signals()).tabId))
  equal(new Set(ids).size, 3)
})

// A fact: Firefox lets a request wait, for 20 s, while another window reads from the same address,
// whatever its headers say of caching. (Chromium does not.) Tab ids make the addresses differ.
test('windows whose streams have one address: Firefox lets the second one wait', async (t) => {
  const [first, second] = await sideBySide(t, '/ticks')
  if (t.browser.name === 'chromium') return hasTicks(second)
  const asked = performance.now()
  await t.counted('ticks', () => performance.now() - asked > 1_500)
  equal((await t.count('ticks')).requests, 1)
  await first.close()
  await hasTicks(second)
  equal((await t.count('ticks')).requests, 2)
})
