// Servers under test: built where need be, started on a free port, and never left behind.

import {spawnSync} from 'node:child_process'
import {fileURLToPath} from 'node:url'
import {start} from './children.mjs'
import {eventually} from './expect.mjs'

const WORKSPACE = fileURLToPath(new URL('../..', import.meta.url))

// The programs, their packages, and the environment variables that may name them.
const KNOWN = {
  'e2e-server': {package: 'e2e-server', variable: 'E2E_SERVER'},
  'dataspice': {package: 'dataspice', variable: 'DATASPICE'},
  'behind-nginx-site': {package: 'examples', variable: 'BEHIND_NGINX_SITE'},
  'nodes': {package: 'examples', variable: 'NODES'},
  'xtask': {package: 'xtask', variable: 'XTASK'},
  'behind-nginx-streams': {package: 'examples', variable: 'BEHIND_NGINX_STREAMS'},
}
const programs = new Map()

// The path of a program of the workspace: what the environment names, or else what cargo builds.
export function program(name) {
  if (!programs.has(name)) programs.set(name, process.env[KNOWN[name].variable] ?? build(name, KNOWN[name]))
  return programs.get(name)
}

function build(name, {package: from, variable}) {
  console.log(`building ${name} (${variable} does not name it)`)
  const built = spawnSync('cargo', ['build', '--package', from, '--bin', name, '--message-format=json'], {
    cwd: WORKSPACE,
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 256 << 20,
    encoding: 'utf8',
  })
  if (built.status !== 0) throw new Error(`cargo build --bin ${name} failed`)
  const messages = built.stdout.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
  const executable = messages.findLast((message) => message.executable && message.target?.name === name)
  return executable.executable
}

// What a browser may say of a server that is away.
export const AWAY = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|NetworkError|network error/i

export class Server {
  constructor(path, options = []) {
    this.path = path
    this.options = options
    this.log = ''
    this.port = 0
  }

  // Starts it, on its former port if it had one.
  async start() {
    const child = start(this.path, ['--port', String(this.port), ...this.options], {
      cwd: WORKSPACE,
      env: {RUST_LOG: 'info,sidereal=debug', ...process.env, RUST_BACKTRACE: '0', NO_COLOR: '1'},
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child = child
    this.ended = child.ended.then(({code, signal}) => {
      this.log += `[ended: code ${code}, signal ${signal}]\n`
      return {code, signal}
    })
    let said = ''
    child.stdout.on('data', (text) => ((said += text), (this.log += text)))
    child.stderr.on('data', (text) => (this.log += text))
    const address = await eventually(`${this.path} says its address`, () => {
      if (child.exitCode !== null) throw new Error(`it has ended: ${this.log}`)
      return said.match(/http:\/\/[\d.]+:(\d+)/)
    }, {within: 10_000})
    this.url = address[0]
    this.port = Number(address[1])
    return this
  }

  // Asks it to end, and waits: `{code, signal}`.
  async stop(signal = 'SIGTERM', within = 10_000) {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal)
    let timer
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`the server has not ended ${within} ms after ${signal}`)), within)
    })
    return Promise.race([this.ended, late]).finally(() => clearTimeout(timer))
  }

  // Ends it, whatever state it is in.
  async kill() {
    this.child?.kill('SIGKILL')
    await this.ended
  }

  // What the server counted under `what`, in the run of one test.
  async count(what, run) {
    const answer = await fetch(`${this.url}/counts`, {signal: AbortSignal.timeout(5_000)})
    const counts = await answer.json()
    return counts[`${what}/${run}`] ?? {requests: 0, notes: [], open: 0, ended: [], finished: 0, dropped: 0}
  }
}
