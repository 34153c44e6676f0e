// `examples/behind-nginx`, with its own nginx.conf: a site, its streams on another server, and nginx in front of both.

import {readFileSync} from 'node:fs'
import {setTimeout as sleep} from 'node:timers/promises'
import {fileURLToPath} from 'node:url'
import {becomes, deepEqual, equal, match, ok} from '../lib/expect.mjs'
import {ofFile} from '../lib/nginx.mjs'
import {test} from '../lib/runner.mjs'

const CONFIGURATION = fileURLToPath(new URL('../../examples/behind-nginx/nginx.conf', import.meta.url))
const OPTIONS = {program: 'behind-nginx-streams', beside: ['behind-nginx-site'], needs: ['nginx', 'openssl']}
// What a browser may say where one of the servers is away, or nginx lets a connection go.
const AWAY = /status of 502|ERR_|NetworkError|network error|input stream/i
const WITHIN = {within: 20_000}

async function started(t) {
  const streams = await t.ownServer()
  const site = await t.beside('behind-nginx-site', '--streams', String(streams.port))
  const nginx = await t.nginx(ofFile(CONFIGURATION, {
    listens: {'127.0.0.1:8443': 'https', '127.0.0.1:8081': 'http'},
    servers: {'127.0.0.1:3001': site, '127.0.0.1:3002': streams},
  }))
  const [https, http] = nginx.urls
  return {site, streams, nginx, https, http}
}

// So many tabs, all of which have their streams.
async function tabs(t, count, url) {
  const pages = []
  for (let number = 1; number <= count; number += 1) pages.push(await (await t.tab()).goto(url))
  await areLive(pages, t.server, WITHIN)
  return pages
}

// Each page shows that as many are live, by this process.
async function areLive(pages, streams, options) {
  for (const page of pages) await becomes('what is live', () => live(page), [String(pages.length), String(streams.child.pid)], options)
}

const live = (page) => page.evaluate(() => [...document.querySelectorAll('#live b')].map(({textContent}) => textContent))
const click = (page, moon) => page.click(`#${moon} button`)

async function show(pages, moon, votes, options) {
  for (const page of pages) await page.becomes(`#${moon} b`, String(votes), options)
}

// What a page is answered: `{status, coding}`, or the error. A stream is left once its head is there.
const asked = (page, path, method = 'GET', body) => page.evaluate(async (path, method, body) => {
  const away = new AbortController()
  setTimeout(() => away.abort(), 5_000)
  try {
    const headers = body ? {'Content-Type': 'application/json'} : {}
    const {status, headers: answered} = await fetch(path, {method, body, headers, cache: 'no-store', signal: away.signal})
    return {status, coding: answered.get('content-encoding')}
  } catch (error) {
    return {error: String(error)}
  } finally {
    away.abort()
  }
}, path, method, body)

// Connections that are open to this port.
function connections(url) {
  const port = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0')
  const all = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1).map((line) => line.trim().split(/\s+/))
  return all.filter(([, local, , state]) => local.endsWith(`:${port}`) && state === '01').length
}

// Notes what the client says of its requests from now on; `said` gives it.
const listen = (page) => page.evaluate(() => {
  window.said = []
  document.addEventListener('datastar-fetch', ({detail: {type, argsRaw}}) => window.said.push(argsRaw?.status ? `${type} ${argsRaw.status}` : type))
})
const said = (page, what) => page.until(`the client says "${what}"`, (what) => window.said.includes(what), what, WITHIN)

test('TLS and HTTP/2: ten tabs are live, by one connection', OPTIONS, async (t) => {
  const {https} = await started(t)
  const pages = await tabs(t, 10, https)
  const count = connections(https)
  t.note(`${count} connections for 10 streams`)
  ok(count < 6, `${count} connections`)
  for (const page of pages) equal(await page.evaluate(() => performance.getEntriesByType('navigation')[0].nextHopProtocol), 'h2')
  await click(pages[3], 'Titan')
  await show(pages, 'Titan', 1)
  // Nobody has to wait for a connection, the streams being open.
  for (const page of pages) deepEqual(await asked(page, '/api/votes/Europa', 'POST'), {status: 204, coding: null})
  await show(pages, 'Europa', 10)
  // Titles too, which is all that is seen of the nine tabs that are hidden.
  for (const page of pages) await becomes('the title', () => page.inner.title(), '11 votes')
  equal(await pages[0].evaluate(() => document.visibilityState), 'hidden')
})

// A fact: a browser opens six connections to a server that speaks HTTP/1.1, whatever its tabs, and Firefox up to three more
// for pages that its user opens, which their streams then take over.
test('HTTP/1.1: one tab too many waits, and so do commands of the others', {...OPTIONS, problems: AWAY}, async (t) => {
  const {http, streams} = await started(t)
  const most = t.browser.name === 'firefox' ? 9 : 6
  const pages = await tabs(t, most, http)
  equal(connections(http), most)
  const last = await t.tab()
  let isLoaded = false
  const loading = last.goto(http).then(() => (isLoaded = true))
  await sleep(2_000)
  equal(isLoaded, false, 'not even the page is there')
  deepEqual(await live(pages[0]), [String(most), String(streams.child.pid)])
  await pages.pop().close()
  await loading
  pages.push(last)
  await areLive(pages, streams, WITHIN)

  const vote = pages[0].evaluate(() => fetch('/api/votes/Titan', {method: 'POST'}).then(({status}) => status))
  let isAnswered = false
  vote.then(() => (isAnswered = true))
  await sleep(1_000)
  equal(isAnswered, false, 'there is no connection for it')
  await Promise.all(pages.splice(5).map((page) => page.close()))
  equal(await vote, 204)
  await show(pages, 'Titan', 1)
  await areLive(pages, streams)
})

for (const scheme of ['https', 'http']) {
  test(`${scheme}: events are seen one by one, in the browser's coding`, OPTIONS, async (t) => {
    const {[scheme]: url} = await started(t)
    const [page] = await tabs(t, 1, url)
    deepEqual(await asked(page, '/live/votes'), {status: 200, coding: 'zstd'})
    // Each vote after the one before it is seen.
    const taken = await page.evaluate(async () => {
      const votes = document.querySelector('#Titan b')
      const changes = () => new Promise((resolve, reject) => {
        new MutationObserver((_, observer) => (observer.disconnect(), resolve(performance.now())))
          .observe(votes, {childList: true, characterData: true, subtree: true})
        setTimeout(() => reject(new Error('a vote is not seen')), 5_000)
      })
      const taken = []
      for (let number = 0; number < 30; number += 1) {
        const [changed, asked] = [changes(), performance.now()]
        await fetch('/api/votes/Titan', {method: 'POST'})
        taken.push((await changed) - asked)
        await new Promise((resolve) => setTimeout(resolve, 60))
      }
      return taken
    })
    taken.sort((a, b) => a - b)
    t.note(`from a vote to its being seen: median ${taken[15].toFixed(1)} ms, most ${taken[29].toFixed(1)} ms`)
    ok(taken[26] < 200, `nine of ten within 200 ms: ${taken.map((ms) => ms.toFixed(0))}`)
    // What is not a stream is for nginx to compress.
    deepEqual(await asked(page, '/datastar.js'), {status: 200, coding: 'gzip'})
  })
}

for (const signal of ['SIGTERM', 'SIGKILL']) {
  test(`${signal} for the streams: pages come back to the next ones, with all votes`, {...OPTIONS, problems: AWAY}, async (t) => {
    const {https, streams} = await started(t)
    const pages = await tabs(t, 5, https)
    await click(pages[0], 'Titan')
    await show(pages, 'Titan', 1)
    await Promise.all(pages.map(listen))
    await streams.stop(signal)
    // nginx answers for them.
    for (const page of pages) await said(page, 'error 502')
    // The site goes on.
    deepEqual(await asked(pages[1], '/api/votes/Titan', 'POST'), {status: 204, coding: null})
    await streams.start()
    const begun = performance.now()
    await areLive(pages, streams, WITHIN)
    t.note(`all are back after ${(performance.now() - begun).toFixed(0)} ms`)
    await show(pages, 'Titan', 2)
    await click(pages[2], 'Titan')
    await show(pages, 'Titan', 3)
  })
}

test('nginx reads its configuration again: old workers go, and pages come back', {...OPTIONS, problems: AWAY}, async (t) => {
  const {https, nginx, streams} = await started(t)
  const pages = await tabs(t, 3, https)
  await Promise.all(pages.map(listen))
  const begun = performance.now()
  nginx.reload()
  // 10 s, by `worker_shutdown_timeout`.
  for (const page of pages) await said(page, 'retrying')
  t.note(`the old workers have let go after ${((performance.now() - begun) / 1e3).toFixed(1)} s`)
  await areLive(pages, streams, WITHIN)
  await click(pages[0], 'Titan')
  await show(pages, 'Titan', 1)
})

test('each server has its own part, and nobody else theirs', {...OPTIONS, problems: AWAY}, async (t) => {
  const {https, site, streams} = await started(t)
  const [page] = await tabs(t, 1, https)
  const statuses = async () => {
    const answers = {}
    for (const [path, method] of [['/'], ['/datastar.js'], ['/api/votes/Titan', 'POST'], ['/live/votes']]) {
      answers[path] = (await asked(page, path, method)).status
    }
    return answers
  }
  const both = {'/': 200, '/datastar.js': 200, '/api/votes/Titan': 204, '/live/votes': 200}
  deepEqual(await statuses(), both)
  // The address is the browser's, whatever the browser says it is.
  await page.evaluate(() => fetch('/api/votes/Europa', {method: 'POST', headers: {'X-Forwarded-For': '192.0.2.1', 'Forwarded': 'for=192.0.2.2'}}))
  match(site.log, /^127\.0\.0\.1 votes for Europa$/m)
  // What the servers tell each other is not for pages to say.
  equal((await asked(page, '/internal/votes', 'PUT', '[9,9,9,9]')).status, 404)
  equal((await asked(page, '/live/../internal/votes', 'PUT', '[9,9,9,9]')).status, 404)
  await show([page], 'Titan', 1)

  await streams.stop('SIGKILL')
  deepEqual(await statuses(), {...both, '/live/votes': 502})
  await streams.start()
  await areLive([page], streams, WITHIN)

  await site.stop('SIGKILL')
  deepEqual(await statuses(), {'/': 502, '/datastar.js': 502, '/api/votes/Titan': 502, '/live/votes': 200})
  // Its streams are as they were.
  await areLive([page], streams)
  const told = await fetch(`${streams.url}/internal/votes`, {method: 'PUT', body: '[0,0,7,0]', headers: {'Content-Type': 'application/json'}})
  equal(told.status, 204)
  await show([page], 'Titan', 7)
})
