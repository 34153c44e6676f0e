// Patches of elements: every mode, what morphing keeps, and text of several lines.

import {deepEqual, equal, ok} from '../lib/expect.mjs'
import {test} from '../lib/runner.mjs'

const TARGET = '<p id="target" class="row">old</p>'
const OTHER = '<p id="other" class="row">other</p>'

// Patch, and what the stage is after it.
const MODES = {
  'outer': `<p id="target">new</p>${OTHER}`,
  'outer-two': '<p id="target">new</p><p id="other">other new</p>',
  'outer-selector': '<b class="row">new</b><b class="row">new</b>',
  'outer-delete': OTHER,
  'outer-empty': OTHER,
  'inner': `<p id="target" class="row"><i>new</i> text</p>${OTHER}`,
  'inner-empty': `<p id="target" class="row"></p>${OTHER}`,
  'replace': `<p id="target">new</p>${OTHER}`,
  'replace-selector': `<u>new</u>${OTHER}`,
  'prepend': `<p id="target" class="row"><i>1</i><i>2</i>old</p>${OTHER}`,
  'append': `<p id="target" class="row">old<i>1</i><i>2</i></p>${OTHER}`,
  'append-everywhere': '<p id="target" class="row">old<i>1</i></p><p id="other" class="row">other<i>1</i></p>',
  'before': `<i>1</i><i>2</i>${TARGET}${OTHER}`,
  'after': `${TARGET}<i>1</i><i>2</i>${OTHER}`,
  'remove': '',
}

for (const [name, expected] of Object.entries(MODES)) {
  test(`mode ${name}`, async (t) => {
    const page = await t.open('/patches')
    equal(await page.html('#stage'), TARGET + OTHER)
    await page.act(`@post('/patches/${name}')`)
    await page.done(name)
    equal(await page.html('#stage'), expected)
  })
}

test('outer morphs the element, replace makes another one', async (t) => {
  const page = await t.open('/patches')
  await page.evaluate(() => (window.target = document.querySelector('#target')))
  const isSame = () => page.evaluate(() => window.target === document.querySelector('#target'))
  await page.act(`@post('/patches/outer')`)
  await page.done('outer')
  ok(await isSame(), 'morphed in place')
  await page.act(`@post('/patches/replace')`)
  await page.done('replace')
  ok(!(await isSame()), 'replaced')
})

test("morphing keeps an input's focus, value and selection", async (t) => {
  const page = await t.open('/patches')
  await page.type('#name', 'Cassini')
  const state = () => page.evaluate(() => {
    const input = document.querySelector('#name')
    window.input ??= input
    return {
      same: window.input === input,
      focused: document.activeElement === input,
      value: input.value,
      selection: [input.selectionStart, input.selectionEnd],
    }
  })
  await page.evaluate(() => document.querySelector('#name').setSelectionRange(2, 5))
  const before = await state()
  equal(JSON.stringify(before), '{"same":true,"focused":true,"value":"Cassini","selection":[2,5]}')
  await page.act(`@post('/patches/morph-form')`)
  await page.done('morph-form')
  equal(await page.html('#form'), '<h3>A heading that was not there</h3><label>New label <input id="name" class="new"></label>')
  equal(JSON.stringify(await state()), JSON.stringify(before))
})

test('text of several lines is exact, whatever ends its lines', async (t) => {
  const page = await t.open('/patches')
  await page.act(`@post('/patches/lines')`)
  await page.done('lines')
  // HTML drops the first line break in both elements; CR and CRLF arrive as LF.
  equal(await page.text('#lines'), '\none\ntwo\n\nthree\n\n\n four \n')
  equal(await page.evaluate(() => document.querySelector('#area').value), 'a\n\n\nb\n  c\n\n')
})

// The client wants transitions of elements (Element.startViewTransition), the document's as well:
// where a browser has only those of the document, it patches without.
for (const [name, element] of [['transition', 'HTML'], ['transition-of-element', 'SECTION']]) {
  test(`a view ${name.replaceAll('-', ' ')}`, async (t) => {
    const page = await t.open('/patches')
    const supported = await page.evaluate(() => {
      const start = Element.prototype.startViewTransition
      window.transitions = []
      if (start) Element.prototype.startViewTransition = function (...all) {
        window.transitions.push(this.tagName)
        return start.apply(this, all)
      }
      return Boolean(start)
    })
    await page.act(`@post('/patches/${name}')`)
    await page.becomes('#target', 'new')
    deepEqual(await page.evaluate(() => window.transitions), supported ? [element] : [])
    t.note(`this browser has ${supported ? '' : 'no '}transitions of elements`)
  })
}
