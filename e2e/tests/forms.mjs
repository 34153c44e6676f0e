// Forms, files, and signals in both directions.

import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {deepEqual, equal, ok} from '../lib/expect.mjs'
import {test} from '../lib/runner.mjs'

test('a form post, urlencoded, with its validation shown on the page', async (t) => {
  const page = await t.open('/forms')
  await page.type('#name', 'Ada <b>& "co"')
  await page.type('#mail', 'nowhere')
  await page.click('#post')
  await page.becomes('#problem', 'nowhere is no address')
  equal(await page.evaluate(() => document.querySelector('#mail').value), 'nowhere')
  await page.type('#mail', '@example.org')
  await page.click('#post')
  await page.becomes('#answer', 'Welcome, Ada <b>& "co"! pressed')
  await page.becomes('#problem', '')
})

test('a form by GET, in the query', async (t) => {
  const page = await t.open('/forms')
  await page.click('#get')
  await page.becomes('#answer', 'Welcome, Grace! ')
})

test('a form post, multipart, with a file', async (t) => {
  const page = await t.open('/forms')
  await withFile(Buffer.from([0, 255, 13, 10, 7]), async (path) => {
    await page.setFiles('#file', path)
    await page.click('#upload')
    await page.becomes('#answer', 'note: "two\\r\\nlines"; file: data é.bin, 5 bytes, sum 285')
  })
})

test('a file as a signal, in base64', async (t) => {
  const page = await t.open('/forms')
  await withFile(Buffer.from([0, 255, 13, 10, 7]), async (path) => {
    await page.setFiles('#files', path)
    await page.until('the file is a signal', () => JSON.parse(document.querySelector('#signals').textContent).files.length === 1)
    await page.click('#send-files')
    await page.becomes('#answer', 'data é.bin application/octet-stream AP8NCgc=')
  })
})

for (const method of ['post', 'put', 'patch', 'get', 'delete']) {
  test(`signals both ways by ${method.toUpperCase()}`, async (t) => {
    const page = await t.open('/forms')
    await page.evaluate(() => {
      const inner = window.fetch
      window.asked = []
      window.fetch = (url, options) => (window.asked.push({url: String(url), body: options.body}), inner(url, options))
    })
    await page.type('#title', 'a&b=é "?#')
    await page.click(`#signals-${method}`)
    await page.becomes('#tags', `page ${method.toUpperCase()}`)
    const {title, tags, problem} = await page.signals()
    deepEqual({title, tags, problem}, {title: 'A&B=É "?#', tags: ['page', method.toUpperCase()], problem: ''})
    equal(await page.evaluate(() => document.querySelector('#title').value), 'A&B=É "?#')
    deepEqual((await t.count('signals')).notes, [`${method.toUpperCase()} a&b=é "?#`])
    const [{url, body}] = await page.evaluate(() => window.asked)
    const inQuery = method === 'get' || method === 'delete'
    equal(new URL(url).searchParams.has('datastar'), inQuery)
    equal(typeof body, inQuery ? 'undefined' : 'string')
    ok(!`${url}${body}`.includes('stays'), 'a signal that begins with _ stays in the browser')
  })
}

test('validation by a signal', async (t) => {
  const page = await t.open('/forms')
  const shown = () => page.evaluate(() => getComputedStyle(document.querySelector('#short')).display !== 'none')
  equal(await shown(), false)
  await page.type('#title', 'ab')
  await page.click('#signals-post')
  await page.becomes('#short', 'too short')
  equal(await shown(), true)
  await page.type('#title', 'c')
  await page.click('#signals-post')
  await page.until('the problem is gone', () => getComputedStyle(document.querySelector('#short')).display === 'none')
})

test('signals that do not fit are a 400, of which the page shows nothing', {problems: /400/}, async (t) => {
  const page = await t.open('/forms')
  await page.click('#strict')
  await page.until('the client says so', () => window.fetches.includes('error') && window.fetches.includes('finished'))
  deepEqual([await page.text('#problem'), await page.text('#answer')], ['', ''])
})

test('signals that do not fit are an event where the application asks for it', async (t) => {
  const page = await t.open('/forms')
  await page.click('#told')
  await page.until('the problem is shown', () => document.querySelector('#problem').textContent !== '')
  const shown = await page.evaluate(() => document.querySelector('#problem').dataset.status)
  equal(shown, '400')
  ok(!(await page.evaluate(() => window.fetches)).includes('error'))
  t.note(`shown: ${await page.text('#problem')}`)
  await page.act('$age = 36')
  await page.click('#told')
  await page.becomes('#answer', 'age 36')
  await page.becomes('#problem', '')
})

test('a body over the limit is an event too', async (t) => {
  const page = await t.open('/forms')
  await page.act(`@post('/told/strict', {payload: {age: 'x'.repeat(3_000_000)}})`)
  await page.until('the problem is shown', () => document.querySelector('#problem').dataset.status === '413')
})

async function withFile(bytes, work) {
  const folder = mkdtempSync(join(tmpdir(), 'e2e-'))
  try {
    const path = join(folder, 'data é.bin')
    writeFileSync(path, bytes)
    await work(path)
  } finally {
    rmSync(folder, {recursive: true})
  }
}
