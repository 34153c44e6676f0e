// Compressed streams, as HTTP clients read them that are no browsers.

import {decoded, parse} from '../lib/events.mjs'
import {deepEqual, equal} from '../lib/expect.mjs'
import {CODECS, PATHS, stream} from '../lib/paths.mjs'
import {CLIENTS, PROGRAMS} from '../lib/programs.mjs'
import {test} from '../lib/runner.mjs'
import {answers, areCodedAsAsked, areSoon, BEFORE_THE_BREAK, codings, delays} from '../lib/texts.mjs'

// What each says that it is spoken to in, through each path; Node's fetch does not tell.
const VERSIONS = {
  curl: {'direct': '1.1', 'nginx': '1.1', 'nginx, TLS, HTTP/2': '2'},
  httpx: {'direct': 'HTTP/1.1', 'nginx': 'HTTP/1.1', 'nginx, TLS, HTTP/2': 'HTTP/2'},
  reqwest: {'direct': 'HTTP/1.1', 'nginx': 'HTTP/1.1', 'nginx, TLS, HTTP/2': 'HTTP/2.0'},
}
// What each asks for by itself. Node 20's fetch asks for brotli too where there is TLS; newer ones may ask for more.
const ASKS = {
  curl: ['br', 'deflate', 'gzip', 'zstd'],
  httpx: ['br', 'deflate', 'gzip', 'zstd'],
  reqwest: ['br', 'gzip', 'zstd'],
}

// Where nginx hides that a stream is broken, some see that its coding has no end. Facts, all of these.
const TRUNCATED = {httpx: ['zstd'], reqwest: ['zstd', 'gzip', 'br']}
// Of a large text that was compressed with brotli, curl 7.88 gives out the first 16 KiB and httpx with Google's brotli 1.2
// the first 32 KiB, and more only when the next bytes come: also where the reference encoder has made the stream. Their
// decoder says that it needs input, and they do not ask whether it has output.
const LATE = {curl: 'br', httpx: 'br'}

for (const [client, read] of Object.entries(CLIENTS)) {
  for (const [path, {needs, open, hidesBreaks}] of Object.entries(PATHS)) {
    const options = {browser: false, needs: [...(client in PROGRAMS ? [client] : []), ...needs]}

    test(`${client}, ${path}: every text, at once`, options, async (t) => {
      const {url, certificate} = await open(t)
      const all = await Promise.all(CODECS.map((codec) => read(stream(url, t, codec), {certificate})))
      const answered = await areCodedAsAsked(t, CODECS)
      for (const [index, codec] of CODECS.entries()) {
        const {head, pieces, end} = all[index]
        deepEqual([codec, head?.status, end], [codec, 200, 'clean'])
        equal(head.version, VERSIONS[client]?.[path])
        // reqwest hides the coding that it has undone.
        if (head.coding) equal(head.coding, answered[codec])
        const {events, rest} = parse(decoded(pieces))
        equal(rest, '')
        const areLate = LATE[client] === answered[codec]
        t.note(`${codec}${answered[codec] === 'none' ? ' as identity' : ''} ${areSoon(delays(events), areLate)} ms`)
      }
    })

    test(`${client}, ${path}: a broken end`, options, async (t) => {
      const {url, certificate} = await open(t)
      const all = await Promise.all(CODECS.map((codec) => read(stream(url, t, codec, '&breaks=true'), {certificate})))
      for (const {pieces} of all) delays(parse(decoded(pieces)).events, BEFORE_THE_BREAK)
      const clean = CODECS.filter((_, index) => all[index].end === 'clean')
      const expected = hidesBreaks ? CODECS.filter((codec) => !TRUNCATED[client]?.includes(codec)) : []
      deepEqual(clean, expected, 'the codecs whose broken end is seen as a clean one')
      t.note(all[0].end)
    })
  }
}

for (const [client, read] of Object.entries(CLIENTS)) {
  test(`${client}: what it asks for, and what it gets`, {browser: false, needs: client in PROGRAMS ? [client] : []}, async (t) => {
    await read(stream(t.server.url, t, 'any', '&breaks=true'))
    const {any} = await answers(t)
    const asked = codings(any.asked)
    if (ASKS[client]) deepEqual(asked, ASKS[client])
    equal(any.answered, asked.includes('zstd') ? 'zstd' : 'gzip')
    t.note(any.asked)
  })
}
