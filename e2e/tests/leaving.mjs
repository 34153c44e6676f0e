// A client that leaves in the middle of a save.

import {deepEqual} from '../lib/expect.mjs'
import {test} from '../lib/runner.mjs'

const SERVERS = ['axum', 'listener', 'sidereal']

// How the client leaves. A page that is left is kept whole by Chromium, open streams included, as long
// as they may stay open while it is hidden, which is the default of all actions but @get.
const WAYS = {
  'the tab is closed': {leave: (page) => page.close()},
  'the page is left': {leave: (page) => page.click('#away'), options: ', {openWhenHidden: false}'},
}

test('a client that stays sees the save finish', async (t) => {
  const page = await t.open('/leaving')
  for (const name of ['save', 'save-detached']) {
    await save(t, page, name)
    await page.becomes('#state', 'saved')
    const {finished, dropped} = await t.count(name)
    deepEqual([finished, dropped], [1, 0])
  }
})

for (const [way, {leave, options}] of Object.entries(WAYS)) {
  test(`${way}: a save is dropped`, {serve: SERVERS}, async (t) => {
    const page = await t.open('/leaving')
    await save(t, page, 'save', options)
    await leave(page)
    const {finished, dropped} = await t.counted('save', ({open}) => open === 0)
    deepEqual([finished, dropped], [0, 1])
  })

  test(`${way}: a detached save finishes`, {serve: SERVERS}, async (t) => {
    const page = await t.open('/leaving')
    await save(t, page, 'save-detached', options)
    await leave(page)
    const {finished, dropped} = await t.counted('save-detached', ({open}) => open === 0)
    deepEqual([finished, dropped], [1, 0])
  })
}

test('a page that is left with its @post open: Chromium keeps both', async (t) => {
  const page = await t.open('/leaving')
  await save(t, page, 'save')
  await page.click('#away')
  const {finished, dropped} = await t.counted('save', ({open}) => open === 0)
  deepEqual([finished, dropped], t.browser.name === 'chromium' ? [1, 0] : [0, 1])
})

async function save(t, page, name, options = '') {
  await page.act(`@post('/leaving/${name}?run=${t.run}'${options})`)
  await page.becomes('#state', 'saving')
}
