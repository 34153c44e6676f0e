// Sidereal's end-to-end tests: `node run.mjs --help`.

import {readdirSync} from 'node:fs'
import {parseArgs} from 'node:util'
import {NAMES} from './lib/browser.mjs'
import {NO_BROWSER, from, runAll} from './lib/runner.mjs'

const ALL = [...NAMES, NO_BROWSER]
const HELP = `Usage: npm test -- [--browser ${ALL.join('|')}] [--only PATTERN]

  --browser NAME   only in this browser, ${NO_BROWSER} for the tests without one; may be given several times
  --only PATTERN   only the tests whose "file: name" matches this regular expression

Environment: CHROMIUM, FIREFOX (paths of the browsers), E2E_SERVER, DATASPICE (programs of the
workspace; cargo builds what is not set), SCREENSHOTS (folder, default e2e/screenshots).`

const {values} = parseArgs({
  options: {
    browser: {type: 'string', multiple: true, default: ALL},
    only: {type: 'string'},
    help: {type: 'boolean', short: 'h'},
  },
})
if (values.help) {
  console.log(HELP)
  process.exit(0)
}
const unknown = values.browser.find((name) => !ALL.includes(name))
if (unknown) {
  console.error(`no browser is called ${unknown}\n\n${HELP}`)
  process.exit(2)
}

// Ended from outside, it still takes its servers and browsers along; also where only npm was ended.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130))
const parent = process.ppid
setInterval(() => process.ppid !== parent && process.exit(130), 500).unref()

const folder = new URL('tests/', import.meta.url)
for (const name of readdirSync(folder).filter((name) => name.endsWith('.mjs')).sort()) {
  from(name.replace('.mjs', ''))
  await import(new URL(name, folder).href)
}

const total = await runAll({browsers: values.browser, only: values.only && new RegExp(values.only)})
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0)
