// Data SPICE, as a viewer sees it.

import {mkdirSync} from 'node:fs'
import {fileURLToPath} from 'node:url'
import {join} from 'node:path'
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
  const [push, pull] = [...document.querySelectorAll('.served b')].map((element) => Number(element.textContent))
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
const pulls = ({push, pull}) => push === 0 && pull >= 4

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
    await choose(page, 'mode', 'pull')
    const {pull} = await eventually('pulls, no push stream', () => served(page), {accept: pulls})
    const clock = await page.text('.clock')
    await eventually('the clock goes on', () => page.text('.clock'), {accept: (text) => text !== clock})
    await choose(page, 'mode', 'push')
    await eventually('one push stream, no pulls', () => served(page), {accept: pushes})
    for (let i = 0; i < 4; i += 1) for (const mode of ['pull', 'push']) await choose(page, 'mode', mode)
    await choose(page, 'mode', 'pull')
    await eventually('after nine changes in a row: pulls, no push stream', () => served(page), {accept: pulls, within: 10_000})
    await choose(page, 'mode', 'push')
    await eventually('one push stream, no pulls', () => served(page), {accept: pushes})
    t.note(`${pull} pictures pulled a second`)
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
