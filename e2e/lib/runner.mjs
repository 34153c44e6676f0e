// Runs the tests one by one, in each browser, and counts.

import {Browser} from './browser.mjs'
import {eventually} from './expect.mjs'
import {Nginx} from './nginx.mjs'
import {Nodes} from './nodes.mjs'
import {obstacle} from './programs.mjs'
import {Relay} from './relay.mjs'
import {Server, program} from './server.mjs'

const LIMIT = 40_000
// What tests without a browser run in, as if it were one.
export const NO_BROWSER = 'none'
const NONE = {name: NO_BROWSER, close: async () => {}}
const tests = []
let file = ''

// Tests that are registered from now on come from this file.
export function from(name) {
  file = name
}

// Registers a test. Options:
//   serve     what serves the pages, each in turn: 'axum' (the default), 'listener', 'sidereal'
//   program   another program of the workspace, instead of the tests' own server
//   beside    programs of the workspace that the test starts besides
//   browsers  those that can show it; the others skip it, for the reason `because`
//   browser   false for tests that need none: they run once, by themselves
//   needs     programs of `lib/programs.mjs`; without one of them the test is skipped
//   problems  a pattern: console errors that belong to the test; any other fails it
//   limit     milliseconds for the whole test
export function test(name, options, body = options) {
  const {serve = ['axum'], ...rest} = body === options ? {} : options
  if (rest.program) return tests.push({limit: LIMIT, ...rest, file, name, body})
  for (const kind of serve) {
    const label = serve.length > 1 ? `${name} (${kind})` : name
    tests.push({limit: LIMIT, program: 'e2e-server', ...rest, file, name: label, serve: kind, body})
  }
}

// What a test gets to work with.
class Context {
  constructor(browser, test, number, servers) {
    this.browser = browser
    this.test = test
    this.run = `${browser.name}-${number}`
    this.server = servers.shared.get(test.serve)
    this.logged = this.server?.log.length ?? 0
    this.pages = []
    this.own = []
    this.notes = []
  }

  // Adds to the line that reports the test.
  note(text) {
    this.notes.push(text)
  }

  // A server for this test alone, which may be killed and started again.
  async ownServer(...options) {
    const serve = this.test.serve ? ['--serve', this.test.serve] : []
    this.server = new Server(program(this.test.program), [...serve, ...options])
    this.own.push(this.server)
    return this.server.start()
  }

  // Another program of the workspace beside the test's server.
  async beside(name, ...options) {
    const server = new Server(program(name), options)
    server.name = name
    this.own.push(server)
    return server.start()
  }

  // nginx in front of the test's server, or as it is set up otherwise, see `lib/nginx.mjs`.
  async nginx(kind) {
    const nginx = new Nginx(kind, this.server)
    this.own.push(nginx)
    return nginx.start()
  }

  // Three nodes with a broker between them, see `lib/nodes.mjs`.
  async nodes(broker) {
    const nodes = new Nodes(broker)
    this.own.push(nodes)
    return nodes.start()
  }

  // A slow or broken network in front of the test's server, see `lib/relay.mjs`.
  async relay(options) {
    const relay = new Relay(this.server, options)
    this.own.push(relay)
    return relay.start()
  }

  // Opens a page of the server, in a new tab or in this one.
  async open(path, page, at = this.server.url) {
    const query = `${path.includes('?') ? '&' : '?'}run=${this.run}`
    return (page ?? (await this.tab())).goto(at + path + query)
  }

  async tab() {
    return this.keep(await this.browser.tab())
  }

  async window() {
    return this.keep(await this.browser.window())
  }

  // A page of the test's own: its console is looked at in the end, and then it is closed.
  keep(page) {
    this.pages.push(page)
    return page
  }

  // What the server counted for this test under `what`.
  count(what) {
    return this.server.count(what, this.run)
  }

  async counted(what, accept, options) {
    return eventually(`the server's count of "${what}" (${accept})`, () => this.count(what), {accept, ...options})
  }

  async close() {
    // A page that does not close goes with its browser.
    await limited(5_000, Promise.allSettled(this.pages.map((page) => page.close()))).catch(() => {})
    await Promise.allSettled(this.own.map((server) => server.kill()))
  }
}

// Shared servers, one for each way to serve, started when first asked for.
class Servers {
  shared = new Map()

  async ready(kind) {
    if (!kind || this.shared.has(kind)) return
    this.shared.set(kind, await new Server(program('e2e-server'), ['--serve', kind]).start())
  }

  async close() {
    await Promise.allSettled([...this.shared.values()].map((server) => server.kill()))
  }
}

export async function runAll({browsers, only}) {
  const total = {passed: 0, failed: 0, skipped: 0}
  const chosen = tests.filter(({file, name}) => !only || only.test(`${file}: ${name}`))
  const servers = new Servers()
  const failures = []
  const again = []
  for (const name of new Set(chosen.flatMap(({program, beside = []}) => [program, ...beside]))) program(name)
  try {
    for (const name of browsers) {
      const theirs = chosen.filter(({browser = true}) => browser === (name !== NO_BROWSER))
      if (theirs.length === 0) continue
      const started = performance.now()
      const browser = name === NO_BROWSER ? NONE : await Browser.launch(name)
      const version = name === NO_BROWSER ? 'without a browser' : `${browser.version}, over WebDriver BiDi, in ${seconds(started)}`
      console.log(`\n${name}: ${version}`)
      try {
        for (const [index, test] of theirs.entries()) {
          let outcome = await runOne(browser, test, index, servers)
          // Browsers and the tools that drive them fail now and then. A second try tells that from a fault of ours; it is
          // counted and named, so that a test which needs it often is seen.
          if (outcome.is === 'failed') {
            outcome = await runOne(browser, test, index + theirs.length, servers)
            if (outcome.is === 'passed') again.push(outcome.title)
          }
          total[outcome.is] += 1
          if (outcome.is === 'failed') failures.push(outcome.title)
        }
      } finally {
        await browser.close()
      }
      console.log(`${name}: ${seconds(started)} in all`)
    }
  } finally {
    await servers.close()
  }
  if (again.length > 0) console.log(`\nnot at the first try:\n  ${again.join('\n  ')}`)
  if (failures.length > 0) console.log(`\nfailed:\n  ${failures.join('\n  ')}`)
  console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
  return total
}

async function runOne(browser, test, index, servers) {
  const title = `${browser.name} · ${test.file}: ${test.name}`
  const isOther = test.browsers && !test.browsers.includes(browser.name)
  const because = isOther ? test.because : test.needs?.map(obstacle).find(Boolean)
  if (because) {
    console.log(`  skip  ${title}: ${because}`)
    return {is: 'skipped', title}
  }
  const started = performance.now()
  let context
  try {
    await servers.ready(test.serve)
    context = new Context(browser, test, index, servers)
    await limited(test.limit, test.body(context))
    checkProblems(context, test)
    console.log(`  ok    ${title} (${[seconds(started), ...context.notes].join('; ')})`)
    return {is: 'passed', title}
  } catch (error) {
    console.log(`  FAIL  ${title} (${seconds(started)})`)
    report(error, context)
    return {is: 'failed', title}
  } finally {
    await context?.close()
  }
}

function checkProblems({pages}, {problems}) {
  const errors = pages.flatMap((page) => page.errors)
  const unexpected = errors.filter((text) => !problems?.test(text))
  if (unexpected.length > 0) throw new Error(`errors on the console:\n${unexpected.join('\n')}`)
}

function limited(limit, work) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${limit} ms`)), limit)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

function report(error, context) {
  const stack = String(error?.stack ?? error).split('\n').filter((line) => !/node:internal|node_modules/.test(line))
  print('error', stack)
  for (const page of context?.pages ?? []) {
    print(`console of ${page.inner.url()}`, page.console.map(({type, text}) => `${type}: ${text}`))
  }
  const log = context?.server?.log.slice(context.own.includes(context.server) ? 0 : context.logged) ?? ''
  for (const {name, log} of context?.own ?? []) if (name) print(`log of ${name}`, log.trimEnd().split('\n').slice(-25))
  print('log of the server', log.trimEnd().split('\n').slice(-25))
}

function print(title, lines) {
  console.log(`        ${title}:`)
  for (const line of lines) console.log(`          ${line}`)
}

function seconds(since) {
  return `${((performance.now() - since) / 1e3).toFixed(1)} s`
}
