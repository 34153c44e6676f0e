// Input that would like to be more than text: it arrives exactly as it is, and touches nothing else.

import {deepEqual, equal, eventually} from '../lib/expect.mjs'
import {test} from '../lib/runner.mjs'

const FORGED = [
  'event: datastar-patch-elements',
  'data: elements <p id="canary">forged</p>',
  '',
  'event: datastar-patch-signals',
  'data: signals {"forged": true}',
  '',
  '',
]

const TEXTS = {
  'quotes': `'"\`\\ \${window.canary = 'forged'} '); window.canary = 'forged'; ('`,
  'markup': '</p></pre><p id="canary">forged</p><img src=x onerror="window.canary=\'forged\'"> &amp; &lt; <!-- ]]>',
  'the end of a script': '</script><script>window.canary = "forged"</script><!--<script>',
  'the end of a document': '</body></head></html>',
  'separators': 'a\u2028b\u2029c\u0085d\ufeffe\u00a0f\u200bg',
  'lines': 'a\nb\n\nc\n',
  'a lone CR, and a forged event': `a\r\r${FORGED.join('\r')}z`,
  'CRLF, and a forged event': `a\r\n\r\n${FORGED.join('\r\n')}z`,
  'LF, and a forged event': `a\n\n${FORGED.join('\n')}z`,
  'controls': '\u0001\u0008\u000b\u000c\u001b\u007f\u0080',
  'emoji': '🛰️👩‍🚀🪐 e\u0301 \u{10ffff}',
  'expressions': '$text @get(\'/next\') {{run}} data-effect="el.remove()"',
  'functions': '(() => { window.canary = "forged" })()',
  'more functions': 'function x(){} window.canary = "forged"',
  'proto': '__proto__',
  'nothing': '',
}

const UNTOUCHED = {text: 'untouched', global: 'untouched', canaries: 1, images: 0, forged: false}

function canary(page) {
  return page.evaluate(() => ({
    text: document.querySelector('#canary').textContent,
    global: window.canary,
    canaries: document.querySelectorAll('#canary').length,
    images: document.querySelectorAll('img').length,
    forged: 'forged' in JSON.parse(document.querySelector('#signals').textContent),
  }))
}

async function say(page, path, payload) {
  await page.evaluate((payload) => (window.payload = payload), payload)
  await page.act(`$done = ''; @post('${path}', {payload: window.payload})`)
}

test('hostile texts arrive exactly, in every kind of event', async (t) => {
  const page = await t.open('/echo')
  await page.evaluate(() => document.addEventListener('echo', ({detail}) => (window.dispatched = detail)))
  for (const [name, text] of Object.entries(TEXTS)) {
    await say(page, '/echo', {text})
    await page.done('echo')
    const seen = await page.evaluate(() => ({
      signal: JSON.parse(document.querySelector('#signals').textContent).echoed,
      element: document.querySelector('#echo').textContent,
      attribute: document.querySelector('#echo').title,
      script: window.said,
      detail: window.dispatched.text,
    }))
    // Where text is HTML, an event stream has but one kind of line break.
    const lines = text.replace(/\r\n?/g, '\n')
    deepEqual(seen, {signal: text, element: lines, attribute: lines, script: text, detail: text}, name)
    await page.becomes('#bound', text)
    deepEqual(await canary(page), UNTOUCHED, name)
  }
  const logged = page.console.filter(({type}) => type === 'log').map(({text}) => text)
  deepEqual(logged, Object.values(TEXTS))
})

test('NUL arrives in signals and scripts; HTML has no way to say it', async (t) => {
  const page = await t.open('/echo')
  await say(page, '/echo', {text: 'a\0b'})
  await page.done('echo')
  equal((await page.signals()).echoed, 'a\0b')
  // The HTML parser drops it from text, and takes it for U+FFFD in an attribute.
  deepEqual(await page.evaluate(() => [document.querySelector('#echo').textContent, window.said]), ['ab', 'a\ufffdb'])
  await eventually('the console', () => page.console.some(({text}) => text === 'a\0b'))
})

test('line breaks in trusted HTML forge no event', async (t) => {
  const page = await t.open('/echo')
  for (const end of ['\r', '\r\n', '\n', '\n\r']) {
    // The element itself is expected: what counts is that it stays inside the other one.
    const text = `a${end}${end}event: datastar-patch-elements${end}data: elements (b)${end}data: mode remove${end}${end}id: 7${end}: c`
    await say(page, '/echo/html', {text})
    await page.done('html')
    equal(await page.text('#echo'), text.replace(/\r\n?/g, '\n'))
    deepEqual(await canary(page), UNTOUCHED)
  }
})

test('a __proto__ key does not reach the page, and the page lives on', async (t) => {
  const page = await t.open('/echo')
  const path = `/echo/map?run=${t.run}`
  for (const json of ['{"__proto__": {"polluted": 1}}', '{"a": [{"b": {"__proto__": null}}]}']) {
    await page.evaluate((json) => (window.payload = JSON.parse(json)), json)
    const {requests} = await t.count('map')
    await page.act(`@post('${path}', {payload: window.payload})`)
    const {ended} = await t.counted('map', ({ended}) => ended.length === requests + 1)
    equal(ended.at(-1).reason, 'failed')
  }
  await say(page, path, {a: {b: 1}})
  await page.done('map')
  deepEqual((await page.signals()).map, {a: {b: 1}})
  equal(await page.evaluate(() => ({}).polluted), undefined)
})

test('half of a surrogate pair, as maxlength makes it of an emoji, is a replacement character', async (t) => {
  const page = await t.open('/echo')
  await say(page, '/echo', {text: 'a\ud800b'})
  await page.done('echo')
  await page.becomes('#bound', 'a\ufffdb')
})
