// Compressed streams, as browsers read them.

import {parse} from '../lib/events.mjs'
import {becomes, deepEqual, equal, eventually} from '../lib/expect.mjs'
import {CODECS, PATHS, stream} from '../lib/paths.mjs'
import {test} from '../lib/runner.mjs'
import {answers, areCodedAsAsked, areSoon, BEFORE_THE_BREAK, codings, delays} from '../lib/texts.mjs'

// What a browser may say of a stream that breaks.
const BROKEN = /ERR_INCOMPLETE_CHUNKED|ERR_HTTP2_PROTOCOL_ERROR|network error|NetworkError|input stream/i
const READERS = {fetch: withFetch, EventSource: withEventSource}

for (const [path, {needs, open, hidesBreaks}] of Object.entries(PATHS)) {
  for (const [reader, read] of Object.entries(READERS)) {
    test(`${reader}, ${path}: every text, at once`, {needs}, async (t) => {
      const {url} = await open(t)
      const page = await t.open('/texts', undefined, url)
      const all = await Promise.all(CODECS.map((codec) => page.evaluate(read, stream(url, t, codec))))
      const answered = await areCodedAsAsked(t, CODECS)
      for (const [index, codec] of CODECS.entries()) {
        const {head, pieces, end, rest = '', events = parse(pieces).events} = all[index]
        deepEqual([codec, end, rest], [codec, 'clean', ''])
        if (head) deepEqual(head, {status: 200, coding: answered[codec]})
        t.note(`${codec}${answered[codec] === 'none' ? ' as identity' : ''} ${areSoon(delays(events))} ms`)
      }
      if (path.includes('HTTP/2')) equal(await page.evaluate(protocol), 'h2')
    })
  }

  test(`Datastar, ${path}: every text, at once`, {needs}, async (t) => {
    const {url} = await open(t)
    const page = await t.open('/texts', undefined, url)
    for (const codec of CODECS) {
      await page.evaluate((codec) => window.collect(codec), codec)
      await page.act(`@get('${stream('', t, codec, `&into=texts-${codec}`)}')`)
    }
    const count = (is) => window.fetches.filter((type) => type === is).length
    await eventually('the ends', () => page.evaluate(count, 'finished'), {accept: (ends) => ends === CODECS.length, within: 15_000})
    deepEqual(await page.evaluate(() => [...new Set(window.fetches)].sort()), ['datastar-patch-elements', 'finished', 'started'])
    const answered = await areCodedAsAsked(t, CODECS)
    for (const codec of CODECS) {
      const events = await page.evaluate((codec) => window.appended[codec], codec)
      t.note(`${codec}${answered[codec] === 'none' ? ' as identity' : ''} ${areSoon(delays(events))} ms`)
    }
  })

  test(`fetch, ${path}: a broken end`, {needs, problems: BROKEN}, async (t) => {
    const {url} = await open(t)
    const page = await t.open('/texts', undefined, url)
    const all = await Promise.all(CODECS.map((codec) => page.evaluate(withFetch, stream(url, t, codec, '&breaks=true'))))
    for (const {pieces} of all) delays(parse(pieces).events, BEFORE_THE_BREAK)
    const clean = CODECS.filter((_, index) => all[index].end === 'clean')
    deepEqual(clean, hidesBreaks ? CODECS : [], 'the codecs whose broken end is seen as a clean one')
    t.note(all[0].end)
  })

  test(`Datastar, ${path}: a broken end`, {needs, problems: BROKEN}, async (t) => {
    const {url} = await open(t)
    const page = await t.open('/texts', undefined, url)
    await page.act(`@get('${stream('', t, 'any', '&breaks=true&into=texts-zstd')}')`)
    const last = hidesBreaks ? 'finished' : 'retrying'
    const ends = () => window.fetches.filter((type) => type !== 'datastar-patch-elements')
    await becomes('what the client says', () => page.evaluate(ends), ['started', last])
  })
}

// Facts: over plain HTTP too, as these addresses are this machine's own.
test('what it asks for', {needs: ['nginx', 'openssl']}, async (t) => {
  const nginx = await t.nginx('tls')
  const localhost = t.server.url.replace('127.0.0.1', 'localhost')
  const all = {}
  for (const [where, url] of [['http 127.0.0.1', t.server.url], ['http localhost', localhost], ['https', nginx.url]]) {
    const page = await t.open('/texts', undefined, url)
    await page.evaluate(withFetch, stream(url, t, 'any', '&breaks=true'))
    all[where] = (await answers(t)).any.asked
  }
  for (const [where, asked] of Object.entries(all)) deepEqual([where, codings(asked)], [where, ['br', 'deflate', 'gzip', 'zstd']])
})

// These run in the page.

async function withFetch(url) {
  const read = {pieces: []}
  const decoder = new TextDecoder('utf-8', {fatal: true})
  try {
    const response = await fetch(url)
    read.head = {status: response.status, coding: response.headers.get('content-encoding') ?? 'none'}
    const reader = response.body.getReader()
    for (;;) {
      const {done, value} = await reader.read()
      if (done) break
      const at = performance.timeOrigin + performance.now()
      read.pieces.push({at, text: decoder.decode(value, {stream: true})})
    }
    decoder.decode()
    read.end = 'clean'
  } catch (error) {
    read.end = String(error)
  }
  return read
}

function withEventSource(url) {
  return new Promise((resolve) => {
    const read = {events: []}
    const source = new EventSource(url)
    source.onmessage = ({data}) => read.events.push({at: performance.timeOrigin + performance.now(), data})
    // Every end is an error to it. It goes on asking after one that it takes for a loss of the connection, for ever.
    source.onerror = () => {
      read.end = source.readyState === EventSource.CONNECTING ? 'clean' : 'given up'
      source.close()
      resolve(read)
    }
  })
}

function protocol() {
  return performance.getEntriesByType('navigation')[0].nextHopProtocol
}
