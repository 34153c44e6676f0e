// Data SPICE, as a viewer sees it.

import {mkdirSync} from 'node:fs'
import {fileURLToPath} from 'node:url'
import {join} from 'node:path'
import {Browser, NAMES} from '../lib/browser.mjs'
import {deepEqual, equal, eventually, ok} from '../lib/expect.mjs'
import {test} from '../lib/runner.mjs'

const SCREENSHOTS = process.env.SCREENSHOTS ?? fileURLToPath(new URL('../screenshots', import.meta.url))
const SIZES = [[1440, 900], [360, 740]]
// What a browser may say of a server that is away.
const AWAY = /ERR_|NetworkError|network error/i
const SERVERS = ['hyper', 'axum', 'actix', 'blocking']

async function opened(t, {size: [width, height] = SIZES[0], server = 'hyper'} = {}) {
  await t.ownServer('--speed', '20', '--server', server)
  const page = await t.tab()
  await page.inner.setViewport({width, height})
  await page.goto(t.server.url)
  await isLive(page)
  return page
}

const isLive = (page) => page.until('the page is live', () => document.querySelector('.link').dataset.state === 'live', undefined, {within: 10_000})

// The server's own count, as it tells all viewers.
const served = (page) => page.evaluate(() => {
  const [, push, pull] = [...document.querySelectorAll('.served b')].map((element) => Number(element.textContent))
  return {push, pull}
})

const choose = (page, name, value) => page.click(`input[name=${name}][value=${value}]`)

// The canvas: how many of its pixels are not the background, and a sum that changes with the picture.
const drawn = (page) => page.evaluate(() => {
  const canvas = document.querySelector('solar-canvas').shadowRoot.querySelector('canvas')
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  let pixels = 0
  let sum = 0
  for (let i = 0; i < data.length; i += 4) {
    const light = data[i] + data[i + 1] + data[i + 2]
    if (data[i + 3] > 0 && light > 60) pixels += 1
    sum = (sum * 31 + light) % 1_000_000_007
  }
  return {pixels, sum}
})

const pushes = ({push, pull}) => push === 1 && pull === 0
const pulls = ({push, pull}) => push === 0 && pull === 1

test('opens, and draws the sky as it moves', {program: 'dataspice'}, async (t) => {
  const page = await opened(t)
  await eventually('the picture', () => drawn(page), {accept: ({pixels}) => pixels > 500})
  const before = [await drawn(page), await page.text('.clock')]
  await eventually('the picture changes', () => drawn(page), {accept: ({sum}) => sum !== before[0].sum})
  await eventually('the clock goes on', () => page.text('.clock'), {accept: (text) => text !== before[1]})
  t.note(`${(await drawn(page)).pixels} pixels drawn`)
})

for (const server of SERVERS) {
  test(`push and pull, switched live: exactly one is active by the count of the server (${server})`, {program: 'dataspice'}, async (t) => {
    const page = await opened(t, {server})
    await eventually('one push stream, no pulls', () => served(page), {accept: pushes})
    const measured = (column) => page.evaluate((column) => [...document.querySelectorAll('.load tbody tr')].map((row) => Number.parseFloat(row.cells[column].textContent)), column)
    await eventually('pushes are measured', () => measured(1), {accept: (pushed) => pushed.every((figure, row) => (row === 1 ? figure === 0 : row === 5 ? figure >= 0 : figure > 0))})
    await choose(page, 'mode', 'pull')
    await eventually('pulls, no push stream', () => served(page), {accept: pulls})
    const [viewers, requests, events, text, wire, latency] = await eventually('pulls are measured', () => measured(2), {accept: ([, requests]) => requests >= 4})
    ok(viewers === 1 && events > requests && text > wire && wire > 0 && latency > 0, 'all of it is measured')
    const clock = await page.text('.clock')
    await eventually('the clock goes on', () => page.text('.clock'), {accept: (text) => text !== clock})
    await choose(page, 'mode', 'push')
    await eventually('one push stream, no pulls', () => served(page), {accept: pushes})
    const stayed = await measured(2)
    ok(stayed[1] > requests / 2 && stayed[1] < requests * 2, `what was pulled stays: ${stayed[1]} a second`)
    for (let i = 0; i < 4; i += 1) for (const mode of ['pull', 'push']) await choose(page, 'mode', mode)
    await choose(page, 'mode', 'pull')
    await eventually('after nine changes in a row: pulls, no push stream', () => served(page), {accept: pulls, within: 10_000})
    await choose(page, 'mode', 'push')
    await eventually('one push stream, no pulls', () => served(page), {accept: pushes})
    t.note(`${requests} pictures pulled a second`)
  })

  test(`ended and started again, killed or told to: the page is live again (${server})`, {program: 'dataspice', problems: AWAY}, async (t) => {
    const page = await opened(t, {server})
    for (const signal of ['SIGKILL', 'SIGTERM']) {
      await t.server.stop(signal)
      await page.until('the page says so', () => document.querySelector('.link').dataset.state === 'lost')
      await t.server.start()
      await isLive(page)
      await eventually('one push stream', () => served(page), {accept: pushes, within: 10_000})
    }
  })
}

test('the clock is one for all: who stops it, sets it or makes it run faster does so for everyone', {program: 'dataspice'}, async (t) => {
  const page = await opened(t)
  const other = await t.window()
  await other.goto(t.server.url)
  await isLive(other)
  const shows = async (what, pattern) => {
    for (const one of [page, other]) await eventually(what, () => one.text('.clock'), {accept: (text) => pattern.test(text)})
  }
  await page.click('.play')
  for (const one of [page, other]) await one.until('it stands', () => document.querySelector('.play').getAttribute('aria-label') === 'Play')
  const stopped = await other.text('.clock')
  await page.evaluate(() => {
    const jump = document.querySelector('.jump select')
    jump.value = [...jump.options].find((option) => option.text.includes('orbit insertion')).value
    jump.dispatchEvent(new Event('change', {bubbles: true}))
  })
  await shows('the event', /^2004-07-01/)
  ok(!/^2004/.test(stopped))
  await eventually('the log', () => other.text('#log li'), {accept: (text) => /orbit insertion/i.test(text)})
  await other.evaluate(() => {
    const part = document.querySelector('.timeline input')
    part.value = 0.5
    part.dispatchEvent(new Event('input', {bubbles: true}))
  })
  await shows('the middle', /^2007-09-30/)
  await other.evaluate(() => {
    const speed = document.querySelector('.speed select')
    speed.value = '1'
    speed.dispatchEvent(new Event('change', {bubbles: true}))
  })
  await eventually('the speed', () => page.evaluate(() => document.querySelector('.speed select').value), {accept: (value) => value === '1'})
  await page.inner.keyboard.press(' ')
  await eventually('it runs', () => other.text('.clock'), {accept: (text) => !/^2007-09-30/.test(text)})
})

test('paused in Firefox, it stands in Chromium too, and goes on when Chromium says so', {program: 'dataspice', browser: false, needs: NAMES}, async (t) => {
  await t.ownServer('--speed', '20')
  const browsers = await Promise.all(NAMES.map((name) => Browser.launch(name)))
  try {
    const pages = []
    for (const browser of browsers) {
      const page = t.keep(await browser.tab())
      await page.goto(t.server.url)
      await isLive(page)
      pages.push(page)
    }
    const all = (label) => Promise.all(pages.map((page) => page.until(label, (label) => document.querySelector('.play').getAttribute('aria-label') === label, label)))
    await all('Pause')
    await pages[1].click('.play')
    await all('Play')
    equal(await pages[0].text('.clock'), await pages[1].text('.clock'))
    await pages[0].click('.play')
    await all('Pause')
  } finally {
    await Promise.all(browsers.map((browser) => browser.close()))
  }
})

test('what is refused is said to who asked, and changes nothing', {program: 'dataspice'}, async (t) => {
  const page = await opened(t)
  await page.click('.play')
  await page.until('it stands', () => document.querySelector('.play').getAttribute('aria-label') === 'Play')
  const before = await page.text('.clock')
  await page.evaluate(() => {
    const jump = document.querySelector('.jump select')
    jump.append(new Option('nonsense', '100000'))
    jump.value = '100000'
    jump.dispatchEvent(new Event('change', {bubbles: true}))
  })
  await eventually('the problem', () => page.text('#problem'), {accept: (text) => text.includes('there is no event 100000')})
  equal(await page.text('.clock'), before)
  for (const [body, words] of [[{speed: 1e9}, 'a speed is'], [{at: '1990-01-01'}, 'before 1997-07-01'], [{warp: 9}, 'unknown field']]) {
    const answer = await fetch(`${t.server.url}/clock`, {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify(body)})
    equal(answer.status, 400)
    ok((await answer.text()).includes(words), words)
  }
  equal(await page.text('.clock'), before)
})

// Stops the clock at a moment: what is drawn then stays.
async function stopAt(t, page, at) {
  for (const command of [{playing: false}, {at}]) {
    const answer = await fetch(`${t.server.url}/clock`, {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify(command)})
    equal(answer.status, 204)
  }
  await eventually(at, () => page.text('.clock'), {accept: (text) => text.startsWith(at.slice(0, 10))})
}

// The picture once nothing moves any more.
async function still(page) {
  let before
  return eventually('the picture stands still', () => drawn(page), {accept: (now) => {
    const same = now.sum === before?.sum
    before = now
    return same
  }})
}

test('every view shows something else; zooming and panning by wheel, mouse and keys, and back', {program: 'dataspice'}, async (t) => {
  const page = await opened(t)
  await stopAt(t, page, '2004-12-20')
  mkdirSync(SCREENSHOTS, {recursive: true})
  const sums = new Set()
  for (const view of ['system', 'inner', 'cruise', 'saturn', 'follow']) {
    await choose(page, 'view', view)
    sums.add((await still(page)).sum)
    await page.inner.screenshot({path: join(SCREENSHOTS, `dataspice-${t.browser.name}-view-${view}.png`)})
  }
  equal(sums.size, 5)
  const whole = await still(page)
  const {x, y} = await page.evaluate(() => {
    const {left, top, width, height} = document.querySelector('solar-canvas').getBoundingClientRect()
    return {x: left + width / 3, y: top + height / 3}
  })
  await page.inner.focus('solar-canvas')
  const acts = {
    'the wheel': async () => {
      await page.inner.mouse.move(x, y)
      await page.inner.mouse.wheel({deltaY: -300})
    },
    'dragging': async () => {
      await page.inner.mouse.move(x, y)
      await page.inner.mouse.down()
      await page.inner.mouse.move(x + 60, y + 30, {steps: 4})
      await page.inner.mouse.up()
    },
    '+': () => page.inner.keyboard.press('+'),
    'ArrowLeft': () => page.inner.keyboard.press('ArrowLeft'),
  }
  for (const [name, act] of Object.entries(acts)) {
    await act()
    await eventually(`${name} changes the picture`, () => still(page), {accept: ({sum}) => sum !== whole.sum})
    await page.inner.focus('solar-canvas')
    await page.inner.mouse.move(5, 5)
    await page.inner.keyboard.press('0')
    await eventually(`0 undoes ${name}`, () => still(page), {accept: ({sum}) => sum === whole.sum})
  }
})

test('as seen from Earth, Saturn is where it was when the light left it', {program: 'dataspice'}, async (t) => {
  const page = await opened(t)
  await stopAt(t, page, '2004-12-20')
  const saturn = () => page.evaluate(() => document.querySelector('solar-canvas').sky.au[5])
  const [x, y] = await eventually('Saturn', saturn, {accept: Boolean})
  await choose(page, 'seen', 'earth')
  const seen = await eventually('Saturn is elsewhere', saturn, {accept: ([earthX]) => earthX !== x})
  const km = Math.hypot(seen[0] - x, seen[1] - y) * 149_597_870.7
  // 9.7 km/s for 67 minutes of light.
  ok(km > 30_000 && km < 50_000, `${km} km`)
  await eventually('one push stream', () => served(page), {accept: pushes})
  await choose(page, 'seen', 'now')
  await eventually('Saturn is back', saturn, {accept: ([nowX]) => nowX === x})
  t.note(`${Math.round(km)} km`)
})

test('all bodies are there as a table', {program: 'dataspice'}, async (t) => {
  const page = await opened(t)
  await stopAt(t, page, '2005-01-20')
  await page.click('.table summary')
  const rows = await eventually('the table', () => page.evaluate(() => [...document.querySelectorAll('#bodies tbody tr')].map((row) => row.innerText)), {accept: (rows) => rows.length === 18})
  ok(rows.some((row) => /^Huygens/.test(row)) && rows.some((row) => /^Titan/.test(row)), rows.join())
  await eventually('Huygens has landed', () => page.text('.telemetry'), {accept: (text) => text.includes("on Titan's surface")})
})

test('a click on a body fills the details in two patches', {program: 'dataspice'}, async (t) => {
  const page = await opened(t)
  await page.until('the first details', () => document.querySelector('#details').textContent.includes('Cassini'))
  await page.evaluate(() => {
    window.patches = []
    document.addEventListener('datastar-fetch', ({detail: {type, argsRaw}}) => {
      if (type === 'datastar-patch-elements') window.patches.push(argsRaw.elements)
    })
  })
  const details = async (name) => {
    await page.until(`the details of ${name}`, (name) => window.patches.length === 2 && document.querySelector('#details').textContent.includes(name), name)
    const patches = await page.evaluate(() => window.patches.splice(0))
    ok(patches[0].includes('Fetching…') && patches[0].includes(name), patches[0])
    ok(!patches[1].includes('Fetching…') && patches[1].includes(name), patches[1])
    ok(!(await page.text('#details')).includes('Fetching'))
  }
  await page.click('button[name=body][value=saturn]')
  await details('Saturn')
  const center = await page.evaluate(() => {
    const {left, top, width, height} = document.querySelector('solar-canvas').getBoundingClientRect()
    return [left + width / 2, top + height / 2]
  })
  await page.inner.mouse.click(...center)
  await details('Sun')
  equal(await page.evaluate(() => document.querySelector('button[value=sun]').getAttribute('aria-pressed')), 'true')
})

test('two windows side by side: the server counts both', {program: 'dataspice'}, async (t) => {
  const page = await opened(t)
  const other = await t.window()
  await other.goto(t.server.url)
  equal(await page.evaluate(() => document.visibilityState), 'visible')
  await isLive(other)
  await eventually('both', () => served(page), {accept: ({push}) => push === 2})
  await other.close()
  await eventually('one is left', () => served(page), {accept: ({push}) => push === 1})
})

for (const size of SIZES) {
  test(`screenshots at ${size.join('x')}`, {program: 'dataspice'}, async (t) => {
    const page = await opened(t, {size})
    mkdirSync(SCREENSHOTS, {recursive: true})
    for (const [mode, accept] of [['push', pushes], ['pull', pulls]]) {
      await choose(page, 'mode', mode)
      await eventually(mode, () => served(page), {accept})
      const path = join(SCREENSHOTS, `dataspice-${t.browser.name}-${size.join('x')}-${mode}.png`)
      await page.inner.screenshot({path})
    }
    const {wide, inner} = await page.evaluate(() => ({wide: document.documentElement.scrollWidth, inner: innerWidth}))
    deepEqual({inner, fits: wide <= inner}, {inner: size[0], fits: true}, 'nothing sticks out to the right')
    t.note(SCREENSHOTS)
  })
}
