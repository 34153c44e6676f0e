// One tab, and what tests do with it.

import {setTimeout as sleep} from 'node:timers/promises'

import {becomes, eventually} from './expect.mjs'

export class Page {
  constructor(inner) {
    this.inner = inner
    // What the console said: `{type, text}`.
    this.console = []
    inner.on('console', (message) => this.console.push({type: message.type(), text: message.text()}))
    inner.on('pageerror', (error) => this.console.push({type: 'exception', text: String(error?.message ?? error)}))
  }

  async goto(url) {
    await this.inner.goto(url, {waitUntil: 'load', timeout: 15_000})
    return this
  }

  // Errors of the console and uncaught exceptions.
  get errors() {
    return this.console.filter(({type}) => type === 'error' || type === 'exception').map(({text}) => text)
  }

  // A page that comes back from the cache is in a new context, which the browser tells of a moment later: nothing has run
  // then, and it is asked again.
  async evaluate(...all) {
    for (let left = 40; ; left -= 1) {
      try {
        return await this.inner.evaluate(...all)
      } catch (error) {
        if (left === 0 || !/Cannot find context/.test(String(error))) throw error
        await sleep(25)
      }
    }
  }

  // Has the page carry out an action, as its own markup would: `@post('/x')`.
  act(expression) {
    return this.evaluate((expression) => {
      const element = document.createElement('i')
      element.setAttribute('data-init', expression)
      document.body.append(element)
    }, expression)
  }

  click(selector) {
    return this.evaluate((selector) => document.querySelector(selector).click(), selector)
  }

  // Types into an input, by real key events.
  async type(selector, text) {
    await this.inner.focus(selector)
    await this.inner.keyboard.type(text)
  }

  async setFiles(selector, ...files) {
    const input = await this.inner.$(selector)
    await input.uploadFile(...files)
  }

  text(selector) {
    return this.evaluate((selector) => document.querySelector(selector)?.textContent ?? null, selector)
  }

  html(selector) {
    return this.evaluate((selector) => document.querySelector(selector)?.innerHTML ?? null, selector)
  }

  // All signals, but for the tests' own `done`.
  signals() {
    return this.evaluate(() => {
      const {done, ...signals} = JSON.parse(document.querySelector('#signals').textContent)
      return signals
    })
  }

  async signalsBecome(expected) {
    await becomes('the signals', () => this.signals(), expected)
  }

  // Waits until the server has said that this is done; what it sent before has then been applied.
  async done(name, options) {
    const said = () => this.evaluate(() => JSON.parse(document.querySelector('#signals').textContent).done)
    await becomes(`the page is told of "${name}"`, said, name, options)
  }

  async becomes(selector, expected, options) {
    await becomes(`the text of ${selector}`, () => this.text(selector), expected, options)
  }

  // Waits for a function in the page to give something truthy.
  until(what, probe, argument, options) {
    return eventually(what, () => this.evaluate(probe, argument), options)
  }

  // Notes every text that the element has from now on; `texts` gives them.
  record(selector) {
    return this.evaluate((selector) => window.record(selector), selector)
  }

  texts(selector) {
    return this.evaluate((selector) => window.texts[selector], selector)
  }

  front() {
    return this.inner.bringToFront()
  }

  async close() {
    if (!this.inner.isClosed()) await this.inner.close()
  }
}
