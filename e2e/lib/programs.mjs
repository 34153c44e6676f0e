// HTTP clients that are programs: each is started for one request, and says what it reads and when.
//
// All but curl print one JSON object a line: first `{"head": {"status", "version", "coding"}}`, as far as the client tells,
// then `{"at": milliseconds since 1970, "bytes": in Base64}` for each piece that it has decoded, at last `{"end": "clean"}`
// or, in place of `clean`, the error.

import {existsSync} from 'node:fs'
import {fileURLToPath} from 'node:url'
import {find} from './browser.mjs'
import {start} from './children.mjs'

const FOLDER = fileURLToPath(new URL('../clients/', import.meta.url))
const LIMIT = 15_000

// Those that are to be there, and what brings them.
export const PROGRAMS = {
  chromium: find('chromium'),
  curl: {path: process.env.CURL ?? '/usr/bin/curl', from: "Debian's package curl, or set CURL"},
  firefox: find('firefox'),
  'nats-server': {path: '/usr/sbin/nats-server', from: "Debian's package nats-server"},
  'redis-server': {path: '/usr/bin/redis-server', from: "Debian's package redis-server"},
  nginx: {path: process.env.NGINX ?? '/usr/sbin/nginx', from: "Debian's package nginx-light, or set NGINX"},
  openssl: {path: process.env.OPENSSL ?? '/usr/bin/openssl', from: "Debian's package openssl, or set OPENSSL"},
  httpx: {path: process.env.HTTPX_PYTHON ?? '', from: 'cargo xtask setup, or set HTTPX_PYTHON to a Python that has it'},
  reqwest: {path: process.env.REQWEST ?? '', from: 'cargo xtask e2e, or set REQWEST to the program built of e2e/reqwest'},
}

// Why this program cannot be used, if it cannot.
export function obstacle(name) {
  const {path, from} = PROGRAMS[name]
  return path && existsSync(path) ? undefined : `there is no ${name}: ${from}`
}

const json = (path, before = []) => async (url, {certificate} = {}) =>
  jsonLines(path, [...before, url, ...(certificate ? [certificate] : [])])

// Each reads `url`, and gives `{head, pieces: [{at, bytes}], end}`.
export const CLIENTS = {
  curl,
  httpx: json(PROGRAMS.httpx.path, [`${FOLDER}httpx-client.py`]),
  node: (url, {certificate} = {}) =>
    jsonLines(process.execPath, [`${FOLDER}node-fetch.mjs`, url], certificate && {NODE_EXTRA_CA_CERTS: certificate}),
  reqwest: json(PROGRAMS.reqwest.path),
}

async function jsonLines(path, options, env) {
  const read = {head: undefined, pieces: [], end: undefined}
  let rest = ''
  const {said} = await run(path, options, env, (bytes) => {
    const lines = (rest + bytes).split('\n')
    rest = lines.pop()
    for (const line of lines) {
      const {head, at, bytes, end} = JSON.parse(line)
      if (head) read.head = head
      if (at) read.pieces.push({at, bytes: Buffer.from(bytes, 'base64')})
      if (end) read.end = end
    }
  })
  if (!read.end) throw new Error(`${path} has not said how the response ended: ${said}`)
  return read
}

async function curl(url, {certificate} = {}) {
  const pieces = []
  const write = '%{stderr}head %{http_version} %{http_code} %header{content-encoding}\\n'
  const options = ['--no-buffer', '--compressed', '--silent', '--show-error', '--noproxy', '*', '--write-out', write]
  if (certificate) options.push('--cacert', certificate)
  const {said, code} = await run(PROGRAMS.curl.path, [...options, url], {}, (bytes) => {
    pieces.push({at: performance.timeOrigin + performance.now(), bytes})
  })
  const [, version, status, coding] = said.match(/^head (\S+) (\d+) (.*)$/m) ?? []
  const end = code === 0 ? 'clean' : said.match(/^curl: .*$/m)?.[0] ?? `curl has ended with ${code}`
  return {head: {status: Number(status), version, coding: coding || 'none'}, pieces, end}
}

// Runs a program, hands over what it prints, and gives what it says besides.
async function run(path, options, env, print) {
  const child = start(path, options, {env: {...process.env, ...env}, stdio: ['ignore', 'pipe', 'pipe']})
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT)
  let said = ''
  child.stdout.on('data', print)
  child.stderr.on('data', (text) => (said += text))
  const closed = new Promise((resolve) => child.once('close', resolve))
  const {code, signal} = await child.ended
  clearTimeout(timer)
  if (typeof code === 'string') throw new Error(`${path} cannot be started: ${code}`)
  await closed
  if (signal === 'SIGKILL') throw new Error(`${path} hangs: it was ended after ${LIMIT} ms; it had said: ${said}`)
  if (signal) throw new Error(`${path} was ended by ${signal}; it had said: ${said}`)
  return {said, code}
}
