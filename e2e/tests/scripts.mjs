// Scripts, and what is made of them.

import {becomes, deepEqual, equal, eventually, ok} from '../lib/expect.mjs'
import {test} from '../lib/runner.mjs'

async function ran(t, name) {
  const page = await t.open('/scripts')
  await page.act(`@post('/scripts/${name}?run=${t.run}')`)
  await page.done(name)
  return page
}

const scriptsInBody = (page) => page.evaluate(() => document.body.querySelectorAll('script').length)

test('a script runs once, and is removed', async (t) => {
  const page = await ran(t, 'once')
  equal(await page.evaluate(() => window.runs), 1)
  equal(await scriptsInBody(page), 0)
})

test('a script that stays has its attributes in order', async (t) => {
  const page = await ran(t, 'kept')
  equal(await page.evaluate(() => window.runs), 1)
  const attributes = await page.evaluate(() => [...document.querySelector('#kept').attributes].map(({name, value}) => [name, value]))
  deepEqual(attributes, [['id', 'kept'], ['data-b', '"<&>\'\n'], ['data-a', '1'], ['defer', '']])
})

test('a module runs once, and is removed', async (t) => {
  const page = await ran(t, 'module')
  await page.until('the module has run', () => window.runs === 1)
  ok((await page.evaluate(() => window.url)).startsWith(t.server.url))
  equal(await scriptsInBody(page), 0)
})

test('what would end a script is text in a literal', async (t) => {
  const page = await ran(t, 'literal')
  const seen = await page.evaluate(() => [window.text, window.less])
  deepEqual(seen, ['</script><!--</SCRIPT ></body></head></html><script>', true])
  equal(await scriptsInBody(page), 0)
})

test('lines of a script stay lines', async (t) => {
  const page = await ran(t, 'lines')
  deepEqual(await page.evaluate(() => [window.lines, window.after]), ['a\nb\nc\n\nd', 1])
})

test('with a policy, only scripts with the nonce run', {problems: /Content.Security.Policy/i}, async (t) => {
  const page = await t.open('/with-policy?eval=true')
  await page.evaluate(() => {
    window.violations = []
    document.addEventListener('securitypolicyviolation', ({effectiveDirective}) => window.violations.push(effectiveDirective))
  })
  equal(await page.text('#shown'), 'evaluated')
  await page.click('#go')
  await page.done('nonce')
  deepEqual(await page.evaluate(() => window.ran), ['own', 'default'])
  await page.until('the third script is blocked', () => window.violations.length > 0)
  deepEqual(await page.evaluate(() => window.violations), ['script-src-elem'])
})

// A fact: Datastar makes a function of each expression, so its pages need 'unsafe-eval'.
test("with a policy without 'unsafe-eval', no expression works", {problems: /./}, async (t) => {
  const page = await t.open('/with-policy?eval=false')
  await eventually('the console says so', () => page.errors.some((text) => /eval|GenerateExpression/i.test(text)))
  // No more is asked of this page: what runs while the browser's debugger evaluates something may call eval after all, so
  // that a click from here worked now and then.
  equal(await page.text('#shown'), '')
})

test('redirect, with what was sent along', async (t) => {
  const page = await t.open('/scripts')
  await page.evaluate(() => {
    const signals = document.querySelector('#signals')
    new MutationObserver(() => (sessionStorage.last = signals.textContent)).observe(signals, {childList: true})
  })
  await page.act(`@post('/scripts/redirect?run=${t.run}')`)
  await page.becomes('h1', 'next')
  equal(await page.evaluate(() => location.pathname), '/next')
  equal(JSON.parse(await page.evaluate(() => sessionStorage.last)).done, 'redirect')
})

test('replace the address, without a load and without history', async (t) => {
  const page = await t.open('/scripts')
  const before = await page.evaluate(() => ((window.here = true), history.length))
  await page.act(`@post('/scripts/replace-url')`)
  await page.done('replace-url')
  const now = await page.evaluate(() => [location.pathname + decodeURI(location.search) + location.hash, window.here, history.length])
  deepEqual(now, ["/patches?page='2'&x=</script>#y", true, before])
})

test('console: log and error', {problems: /an error's line/}, async (t) => {
  const page = await ran(t, 'console')
  await page.act(`@post('/scripts/console-error')`)
  await page.done('console-error')
  await becomes('the console', () => page.console, [
    {type: 'log', text: 'a log\'s "line"'},
    {type: 'error', text: "an error's line"},
  ])
})

test('a custom event with its detail', async (t) => {
  const page = await t.open('/scripts')
  await page.evaluate(() => {
    window.events = []
    const note = (where) => ({detail, bubbles}) => window.events.push({where, detail, bubbles})
    document.addEventListener('saved', note('document'))
    for (const id of ['one', 'two']) document.querySelector(`#${id}`).addEventListener('saved', note(id))
  })
  await page.act(`@post('/scripts/event')`)
  await page.done('event')
  await page.act(`@post('/scripts/targeted')`)
  await page.done('targeted')
  deepEqual(await page.evaluate(() => window.events), [
    {where: 'document', detail: {row: 7, by: "'Ada'</script>"}, bubbles: true},
    {where: 'one', detail: [1, null], bubbles: false},
    {where: 'two', detail: [1, null], bubbles: false},
  ])
})

test('prefetch: the rules are in the page', async (t) => {
  const page = await ran(t, 'prefetch')
  const rules = await page.evaluate(() => {
    const element = document.querySelector('script[type=speculationrules]')
    return {rules: JSON.parse(element.text), supported: HTMLScriptElement.supports('speculationrules')}
  })
  deepEqual(rules.rules, {prefetch: [{source: 'list', urls: [`/next?run=${t.run}`, '/next?x=</script>']}]})
  if (rules.supported) await t.counted('next', ({requests}) => requests === 1)
  t.note(`speculation rules are ${rules.supported ? '' : 'not '}supported`)
})
