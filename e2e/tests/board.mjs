// One board of 1,600 checkboxes: a view that all pages share.

import {Browser, NAMES} from '../lib/browser.mjs'
import {becomes, deepEqual, equal, ok} from '../lib/expect.mjs'
import {test} from '../lib/runner.mjs'
import {AWAY} from '../lib/server.mjs'

const CELLS = 1600

// So many different cells, the same at every run.
function random(count, seed) {
  const cells = Array.from({length: CELLS}, (_, cell) => cell)
  for (let at = 0; at < count; at += 1) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    const other = at + Math.floor((seed / 2 ** 32) * (CELLS - at))
    ;[cells[at], cells[other]] = [cells[other], cells[at]]
  }
  return cells.slice(0, count)
}

const sorted = (cells) => cells.toSorted((a, b) => a - b)

// Clicks one box after the other, as a user does, if a fast one.
const click = (page, cells) =>
  page.evaluate(async (cells) => {
    for (const cell of cells) {
      document.querySelector('#board').children[cell].click()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }, cells)

// The boxes that are checked, as the page shows them: whatever its HTML says.
const shown = (page) =>
  page.evaluate(() => [...document.querySelector('#board').children].flatMap((box, cell) => (box.checked ? [cell] : [])))

const boxes = (page) => page.until('the board', () => document.querySelector('#board').children.length === 1600)

async function state(t) {
  const answer = await fetch(`${t.server.url}/board/state?run=${t.run}`, {signal: AbortSignal.timeout(5_000)})
  return answer.json()
}

// All pages show this, and the server has it.
async function all(t, pages, cells, options) {
  const expected = sorted(cells)
  await becomes('the cells that are on at the server', async () => (await state(t)).on, expected, options)
  for (const page of pages) await becomes('the cells that are on', () => shown(page), expected, options)
}

const pictures = (page) => page.evaluate(() => window.fetches.filter((type) => type === 'datastar-patch-elements').length)

// At most 20 renders a second, however many click and watch. Two may seem closer than they began where the machine held one
// of them up, so 20 are looked at together.
function isPaced(t, {renders}) {
  const twenty = renders.slice(20).map((at, index) => at - renders[index])
  t.note(`${renders.length} renders, at least ${Math.min(...twenty).toFixed(0)} ms for 20`)
  ok(twenty.length > 0 && Math.min(...twenty) > 950, `${twenty.map((ms) => ms.toFixed(0))}`)
}

test('Chromium and Firefox on one board: both show 500 clicks', {browser: false, needs: NAMES}, async (t) => {
  const browsers = await Promise.all(NAMES.map((name) => Browser.launch(name)))
  try {
    const pages = []
    for (const browser of browsers) pages.push(await t.open('/board', t.keep(await browser.tab())))
    await Promise.all(pages.map(boxes))
    const cells = random(500, 1)
    await Promise.all(pages.map((page, index) => click(page, cells.filter((_, at) => at % 2 === index))))
    await all(t, pages, cells)
    isPaced(t, await state(t))
    // And off again, each what the other one has clicked.
    await Promise.all(pages.map((page, index) => click(page, cells.slice(0, 100).filter((_, at) => at % 2 !== index))))
    await all(t, pages, cells.slice(100))
    equal((await state(t)).watchers, 2)
  } finally {
    await Promise.all(browsers.map((browser) => browser.close()))
  }
})

test('a page on a slow network leaves pictures out, and ends up right', {serve: ['sidereal']}, async (t) => {
  // A picture has some 60 kB, so that this is about two a second.
  const relay = await t.relay({rate: 128 << 10})
  const fast = await t.open('/board')
  const slow = await t.open('/board?codec=identity', await t.window(), relay.url)
  await Promise.all([fast, slow].map(boxes))
  const cells = random(250, 2)
  await click(fast, cells)
  const clicked = performance.now()
  await all(t, [fast], cells)
  const fastAfter = performance.now() - clicked
  await all(t, [slow], cells, {within: 10_000})
  const slowAfter = performance.now() - clicked
  const [many, few] = [await pictures(fast), await pictures(slow)]
  t.note(`${many} pictures and ${few}, the last one ${fastAfter.toFixed(0)} and ${slowAfter.toFixed(0)} ms after the last click`)
  ok(few < many / 2, `${few} of ${many}`)
  equal((await t.count('board')).requests, 2, 'nobody had to come back')
  isPaced(t, await state(t))
})

test('the server is started again: both pages come back, and show its board', {problems: AWAY}, async (t) => {
  const server = await t.ownServer()
  const pages = [await t.open('/board'), await t.open('/board', await t.window())]
  await Promise.all(pages.map(boxes))
  const before = random(50, 3)
  await click(pages[0], before)
  await all(t, pages, before)
  await server.stop('SIGKILL')
  await server.start()
  // A board that is new has nothing on.
  await all(t, pages, [], {within: 15_000})
  deepEqual(await t.count('board').then(({requests, open}) => [requests, open]), [2, 2])
  const after = random(50, 4)
  await click(pages[1], after)
  await all(t, pages, after)
})

test('polled: the board as it is now', async (t) => {
  // A page without a stream: what is polled is rendered for that.
  const page = await t.open('/fetching')
  await page.evaluate(() => (document.querySelector('#details').outerHTML = '<div id="board"></div>'))
  for (const count of [20, 40]) {
    const cells = random(count, 5)
    for (const cell of cells) {
      const answer = await fetch(`${t.server.url}/board/cells/${cell}/true?run=${t.run}`, {method: 'POST'})
      equal(answer.status, 204)
    }
    // What was changed before the request is in its answer, though the last render was a moment ago.
    await page.act(`@get('/board/poll?run=${t.run}')`)
    await becomes('the cells that are on', () => shown(page), sorted(cells))
  }
})

test('clicks at what is not there change nothing', async (t) => {
  const page = await t.open('/board')
  await boxes(page)
  for (const [path, status] of [['1600/true', 404], ['-1/true', 400], ['x/true', 400], ['1/maybe', 400]]) {
    const answer = await fetch(`${t.server.url}/board/cells/${path}?run=${t.run}`, {method: 'POST'})
    equal(answer.status, status, path)
  }
  await click(page, [1])
  await all(t, [page], [1])
})
