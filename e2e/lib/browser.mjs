// Debian's browsers, headless, over WebDriver BiDi.

import {existsSync} from 'node:fs'
import puppeteer from 'puppeteer-core'
import {Page} from './page.mjs'

const KINDS = {
  chromium: {
    variable: 'CHROMIUM',
    paths: ['/usr/bin/chromium'],
    options: {
      browser: 'chrome',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  firefox: {
    variable: 'FIREFOX',
    paths: ['/usr/bin/firefox-esr', '/usr/bin/firefox'],
    options: {
      browser: 'firefox',
      extraPrefsFirefox: {
        // A machine without the internet has nothing to say to Mozilla.
        'app.normandy.enabled': false,
        'browser.region.network.url': '',
        'datareporting.policy.dataSubmissionEnabled': false,
        'network.captive-portal-service.enabled': false,
        'network.connectivity-service.enabled': false,
        'services.settings.server': 'data:,',
        'toolkit.telemetry.server': 'data:,',
      },
    },
  },
}

export const NAMES = Object.keys(KINDS)

// Where a browser is, if it is there, and what brings it.
export function find(name) {
  const {variable, paths} = KINDS[name]
  const path = process.env[variable] ?? paths.find(existsSync)
  return {path, from: `install Debian's package ${name === 'firefox' ? 'firefox-esr' : name}, or set ${variable}`}
}

export class Browser {
  static async launch(name) {
    const {path: executablePath, from} = find(name)
    if (!executablePath) throw new Error(`there is no ${name}: ${from}`)
    const {options} = KINDS[name]
    const inner = await puppeteer.launch({
      ...options,
      executablePath,
      protocol: 'webDriverBiDi',
      headless: true,
      // The certificate of the tests' own nginx is signed by itself.
      acceptInsecureCerts: true,
      timeout: 60_000,
      protocolTimeout: 30_000,
    })
    return new Browser(name, inner, await inner.version())
  }

  constructor(name, inner, version) {
    this.name = name
    this.inner = inner
    this.version = version
  }

  // A new tab, in front of all others: the one that was in front is hidden from now on.
  async tab() {
    return new Page(await this.inner.newPage())
  }

  // A new tab in a window of its own, so that others go on showing.
  async window() {
    return new Page(await this.inner.newPage({type: 'window'}))
  }

  async close() {
    const child = this.inner.process()
    const gentle = this.inner.close().catch(() => {})
    const timer = setTimeout(() => child?.kill('SIGKILL'), 5_000)
    await gentle
    clearTimeout(timer)
  }
}
