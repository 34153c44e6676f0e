// Patches of signals.

import {deepEqual, equal} from '../lib/expect.mjs'
import {test} from '../lib/runner.mjs'

const BEFORE = {user: {name: 'Ada', age: 36}, list: [1, 2, 3], gone: 1, kept: 'k'}
const {gone: _, ...WITHOUT} = BEFORE

// Patch, and what the signals are after it.
const PATCHES = {
  merge: {...BEFORE, user: {name: 'Ada', age: 37, home: {city: 'Paris'}}},
  array: {...BEFORE, list: [9]},
  remove: {...WITHOUT, user: {age: 36}},
  null: WITHOUT,
  missing: {...BEFORE, fresh: 'yes', user: {name: 'Ada', age: 36, extra: 1}},
  paths: {...WITHOUT, user: {name: 'Ada', age: 38, home: {city: 'Rome'}}},
  json: {...BEFORE, kept: 'a\nb', list: [1, 2]},
}

for (const [name, expected] of Object.entries(PATCHES)) {
  test(`patch ${name}`, async (t) => {
    const page = await t.open('/signals')
    deepEqual(await page.signals(), BEFORE)
    await page.act(`@post('/signals/${name}')`)
    await page.done(name)
    deepEqual(await page.signals(), expected)
    await page.becomes('#age', String(expected.user.age))
  })
}

// A fact of the client: an expression is not told that a signal it reads was removed, and is deaf to
// it from then on. What a page shows is better patched to '' or false.
test('what shows a removed signal goes on showing it', async (t) => {
  const page = await t.open('/signals')
  await page.becomes('#gone', '1')
  for (const name of ['null', 'back']) {
    await page.act(`@post('/signals/${name}')`)
    await page.done(name)
    equal(await page.text('#gone'), '1')
  }
  deepEqual(await page.signals(), {...BEFORE, gone: 2})
})
