// `examples/nodes` on three nodes behind nginx, as `cargo xtask nodes` runs it.

import {readFileSync, readdirSync} from 'node:fs'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {start} from './children.mjs'
import {eventually} from './expect.mjs'
import {program} from './server.mjs'

const WORKSPACE = fileURLToPath(new URL('../..', import.meta.url))
const TARGET = process.env.CARGO_TARGET_DIR ?? join(WORKSPACE, 'target')

export class Nodes {
  constructor(broker) {
    this.name = 'cargo xtask nodes'
    this.broker = broker
    this.said = ''
  }

  async start() {
    const child = start(program('xtask'), ['nodes', '--broker', this.broker], {
      cwd: WORKSPACE,
      env: {
        ...process.env,
        CARGO_MANIFEST_DIR: join(WORKSPACE, 'xtask'),
        CARGO_TARGET_DIR: TARGET,
        NODES: program('nodes'),
        RUST_LOG: 'info',
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.child = child
    child.stdout.on('data', (text) => (this.said += text))
    child.stderr.on('data', (text) => (this.said += text))
    // One that has ended reads no more orders.
    child.stdin.on('error', () => {})
    await eventually('all of them are there', () => {
      if (child.exitCode !== null) throw new Error(`they are not: ${this.said}`)
      return this.said.match(/^open (\S+)/m)
    }, {within: 30_000})
    this.url = this.said.match(/^open (\S+)/m)[1]
    return this
  }

  // Does what is typed at the terminal: `kill 2`, `start broker`.
  async order(line) {
    const [, whom] = line.split(' ')
    const before = this.said.length
    this.child.stdin.write(`${line}\n`)
    const name = whom === 'broker' ? whom : `node ${whom}`
    await eventually(`it says that ${line} is done`, () => this.said.slice(before).includes(name), {within: 25_000})
    if (/does not start|is not there|is there already/.test(this.said.slice(before))) throw new Error(this.said.slice(before))
  }

  // What all of them have said.
  get log() {
    const folder = join(TARGET, 'xtask/nodes')
    const logs = readdirSync(folder).filter((name) => name.endsWith('.log')).sort()
    return logs.map((name) => `${name}:\n${readFileSync(join(folder, name), 'utf8')}`.trim().split('\n').slice(-12).join('\n')).join('\n')
  }

  async kill() {
    this.child?.stdin.end()
    await this.child?.ended
  }
}
