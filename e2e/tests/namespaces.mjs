// Elements of SVG and MathML.

import {deepEqual, equal, ok} from '../lib/expect.mjs'
import {test} from '../lib/runner.mjs'

const SVG = 'http://www.w3.org/2000/svg'
const MATHML = 'http://www.w3.org/1998/Math/MathML'

async function patched(t, name, selector) {
  const page = await t.open('/patches')
  await page.act(`@post('/patches/${name}')`)
  await page.done(name)
  const elements = await page.evaluate((selector) => [...document.querySelectorAll(selector)].map((element) => {
    const {width, height} = element.getBBox?.() ?? element.getBoundingClientRect()
    return {name: element.localName, namespace: element.namespaceURI, width, height}
  }), selector)
  return {page, elements}
}

test('svg: children of a drawing render', async (t) => {
  const {elements} = await patched(t, 'circle', '#drawing > *')
  deepEqual(elements, [
    {name: 'circle', namespace: SVG, width: 6, height: 6},
    {name: 'circle', namespace: SVG, width: 20, height: 20},
    {name: 'rect', namespace: SVG, width: 30, height: 20},
  ])
})

test('svg: an element is morphed by its id', async (t) => {
  const {page, elements} = await patched(t, 'circle-by-id', '#dot')
  deepEqual(elements, [{name: 'circle', namespace: SVG, width: 18, height: 18}])
  equal(await page.evaluate(() => getComputedStyle(document.querySelector('#dot')).fill), 'rgb(255, 0, 0)')
})

test('mathml: children of a formula render', async (t) => {
  const {elements} = await patched(t, 'formula', '#formula > *')
  deepEqual(elements.map(({name, namespace}) => [name, namespace]), [['mi', MATHML], ['mo', MATHML], ['msup', MATHML]])
  ok(elements.every(({width, height}) => width > 0 && height > 0), 'each takes space')
})

// Facts of the client that Sidereal's documentation relies on.
test('without the namespace, children of an svg do not render', async (t) => {
  const {elements} = await patched(t, 'circle-as-html', '#drawing > :last-child')
  deepEqual(elements, [{name: 'circle', namespace: 'http://www.w3.org/1999/xhtml', width: 0, height: 0}])
})

test('svg: where roots touch, the client drops every second one', async (t) => {
  const {elements} = await patched(t, 'circles-touching', '#drawing > circle:not([id])')
  deepEqual(elements.map(({width}) => width), [2, 6])
})
