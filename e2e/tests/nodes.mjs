// `examples/nodes`: a chat, a board and who is here on three nodes behind nginx, with a broker that is real, and all of
// them mortal.

import {setTimeout as sleep} from 'node:timers/promises'
import {becomes, deepEqual, eventually, equal, ok} from '../lib/expect.mjs'
import {test} from '../lib/runner.mjs'

// What a browser may say where a node or the broker is away.
const AWAY = /status of 50[0-9]|ERR_|NetworkError|network error|input stream/i
const WITHIN = {within: 20_000}

const shown = (page) => page.evaluate(() => [...document.querySelectorAll('#lines li span')].map(({textContent}) => textContent))
const nodeOf = (page) => page.evaluate(() => Number(document.querySelector('#node').textContent.match(/^node (\d)$/)?.[1] ?? 0))
const on = (page) => page.evaluate(() => [...document.querySelector('#board').children].flatMap((box, cell) => (box.checked ? [cell] : [])))
const click = (page, cell) => page.evaluate((cell) => document.querySelector('#board').children[cell].click(), cell)

async function say(page, text) {
  await page.evaluate((text) => {
    const input = document.querySelector('main form label:nth-of-type(2) input')
    input.value = text
    input.dispatchEvent(new Event('input', {bubbles: true}))
    document.querySelector('main form').requestSubmit()
  }, text)
}

// So many pages, no two of them at one node, and the board on each.
async function pages(t, nodes, count) {
  const pages = []
  for (let number = 0; number < count; number += 1) {
    // Windows, since a tab that is hidden has no stream.
    const page = await (await t.window()).goto(nodes.url)
    await eventually('a node serves the page', () => nodeOf(page), WITHIN)
    await page.until('the board', () => document.querySelector('#board').children.length === 1600, undefined, WITHIN)
    pages.push(page)
  }
  const at = await Promise.all(pages.map(nodeOf))
  equal(new Set(at).size, count, `the nodes of the pages: ${at}`)
  return pages
}

// Says a line every so often, by requests of its own. `stop` gives those that are known to have gone through, in their
// order; of the others nobody knows, as of any request whose answer is lost, and none is said twice.
function talk(nodes, every) {
  const lines = []
  let goes = true
  let said = 0
  const talking = (async () => {
    for (; goes; said += 1) {
      const text = `line ${said}`
      if (await isSaid(nodes.url, text)) lines.push(text)
      await sleep(every)
    }
  })()
  return {
    stop: async () => {
      goes = false
      await talking
      return {lines, said}
    },
  }
}

// A page has each of these lines once, in this order, and no other one twice.
async function has(page, lines) {
  const known = new Set(lines)
  await becomes('the lines', async () => (await shown(page)).filter((line) => known.has(line)), lines, WITHIN)
  const all = await shown(page)
  deepEqual(all, [...new Set(all)])
}

// Whether it went through, as a page would be told: the input is emptied.
async function isSaid(url, text) {
  const answer = await fetch(`${url}/say`, {
    method: 'POST',
    headers: {'Content-Type': 'application/json', 'Datastar-Request': 'true'},
    body: JSON.stringify({name: 'Program', text}),
    signal: AbortSignal.timeout(10_000),
  })
  return answer.status === 200 && (await answer.text()).includes('datastar-patch-signals')
}

const BROKERS = ['nats', 'redis']
const options = (broker) => ({
  program: 'xtask',
  beside: ['nodes'],
  needs: ['nginx', `${broker}-server`],
  problems: AWAY,
  limit: 90_000,
})

for (const broker of BROKERS) {
  test(`${broker}: what happens at one node is seen at all`, options(broker), async (t) => {
    const nodes = await t.nodes(broker)
    const all = await pages(t, nodes, 3)
    for (const page of all) await page.becomes('#state', 'The broker is there, and 3 nodes.', WITHIN)
    const here = '3 pages open:1 at node 11 at node 21 at node 3'
    for (const page of all) await becomes('who is here', async () => (await page.text('#here')).trim(), here, WITHIN)
    const clicked = performance.now()
    await click(all[0], 7)
    for (const page of all) await becomes('the cells that are on', () => on(page), [7])
    t.note(`a click was seen by all after ${(performance.now() - clicked).toFixed(0)} ms`)
    await click(all[1], 1599)
    await click(all[2], 7)
    for (const page of all) await becomes('the cells that are on', () => on(page), [1599])
    for (const [number, page] of all.entries()) {
      await say(page, `from ${number}`)
      await becomes('the input is empty', () => page.evaluate(() => document.querySelectorAll('main form input')[1].value), '')
    }
    for (const page of all) await becomes('the lines', () => shown(page), ['from 0', 'from 1', 'from 2'])
    // Somebody who comes later has them too, wherever that is.
    const late = await (await t.window()).goto(nodes.url)
    await becomes('the lines', () => shown(late), ['from 0', 'from 1', 'from 2'])
    await becomes('the cells that are on', () => on(late), [1599])
    await late.close()
    for (const page of all) await becomes('who is here', async () => (await page.text('#here')).trim(), here, WITHIN)
  })

  test(`${broker}: a node dies while lines flow: its page goes on at another, with every line once`, options(broker), async (t) => {
    const nodes = await t.nodes(broker)
    const all = await pages(t, nodes, 2)
    const [first, second] = await Promise.all(all.map(nodeOf))
    const talking = talk(nodes, 100)
    await eventually('lines are seen', async () => (await shown(all[0])).length > 5)
    for (const order of ['kill', 'stop']) {
      const [page, at] = order === 'kill' ? [all[0], first] : [all[1], second]
      await nodes.order(`${order} ${at}`)
      const begun = performance.now()
      await eventually('another node serves the page', async () => ![0, at].includes(await nodeOf(page)), WITHIN)
      t.note(`${order}: at another node after ${(performance.now() - begun).toFixed(0)} ms`)
      await nodes.order(`${order === 'kill' ? 'start' : 'cont'} ${at}`)
    }
    await sleep(500)
    const {lines, said} = await talking.stop()
    t.note(`${lines.length} lines, and ${said - lines.length} of which nobody knows`)
    for (const page of all) await has(page, lines)
    for (const page of all) await page.becomes('#state', 'The broker is there, and 3 nodes.', WITHIN)
  })

  test(`${broker}: the broker dies and comes back: who writes is told, and every line is there once`, options(broker), async (t) => {
    const nodes = await t.nodes(broker)
    const all = await pages(t, nodes, 2)
    await say(all[0], 'before')
    await click(all[0], 3)
    for (const page of all) await becomes('the lines', () => shown(page), ['before'])
    await nodes.order('kill broker')
    for (const page of all) await page.becomes('#state', 'The broker is away.', WITHIN)
    await say(all[0], 'meanwhile')
    await says(all[0], /your line was not sent/)
    const text = () => all[0].evaluate(() => document.querySelectorAll('main form input')[1].value)
    equal(await text(), 'meanwhile', 'it is not lost')
    await click(all[1], 4)
    await says(all[1], /may not have come through/)
    // What was there is there.
    for (const page of all) deepEqual(await shown(page), ['before'])
    await nodes.order('start broker')
    const begun = performance.now()
    for (const page of all) await page.becomes('#state', 'The broker is there, and 3 nodes.', WITHIN)
    t.note(`all is well ${(performance.now() - begun).toFixed(0)} ms after the broker is back`)
    await say(all[0], 'meanwhile')
    await say(all[1], 'after')
    await becomes('the lines', async () => (await shown(all[0])).sort(), ['after', 'before', 'meanwhile'], WITHIN)
    await becomes('the same lines', () => shown(all[1]), await shown(all[0]), WITHIN)
    ok(['', null].includes(await all[0].text('#problem')))
    await click(all[1], 5)
    for (const page of all) await becomes('the cells that are on', async () => (await on(page)).filter((cell) => cell !== 4), [3, 5], WITHIN)
  })
}

for (const broker of BROKERS) {
  test(`${broker}: the broker and a node die: the page keeps its lines at a node that never had them`, options(broker), async (t) => {
    const nodes = await t.nodes(broker)
    const [page] = await pages(t, nodes, 1)
    const lines = ['one', 'two', 'three']
    for (const line of lines) ok(await isSaid(nodes.url, line))
    await becomes('the lines', () => shown(page), lines)
    const at = await nodeOf(page)
    await nodes.order('kill broker')
    await nodes.order(`kill ${at}`)
    await eventually('another node serves the page', async () => ![0, at].includes(await nodeOf(page)), WITHIN)
    await page.becomes('#state', 'The broker is away.', WITHIN)
    deepEqual(await shown(page), lines)
    await nodes.order('start broker')
    await page.becomes('#state', 'The broker is there, and 2 nodes.', WITHIN)
    ok(await isSaid(nodes.url, 'four'))
    await becomes('the lines', () => shown(page), [...lines, 'four'], WITHIN)
  })
}

const says = (page, what) => eventually(`the page says ${what}`, async () => what.test(await page.text('#problem')), WITHIN)
