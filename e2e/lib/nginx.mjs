// Debian's nginx in front of servers.

import {execFileSync} from 'node:child_process'
import {once} from 'node:events'
import {chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {connect, createServer} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {start} from './children.mjs'
import {eventually} from './expect.mjs'
import {PROGRAMS} from './programs.mjs'

// What stands in its configuration besides where it listens: nothing at all, or TLS, HTTP/2 and HTTP/1.1 to the server.
const KINDS = {
  plain: {
    scheme: 'http',
    listen: (port) => `listen 127.0.0.1:${port};`,
    location: '',
  },
  tls: {
    scheme: 'https',
    // Newer ones would rather have `http2 on`, which Debian 12's does not know.
    listen: (port) => `listen 127.0.0.1:${port} ssl http2; ssl_certificate cert.pem; ssl_certificate_key key.pem;`,
    location: 'proxy_http_version 1.1;',
  },
}

export class Nginx {
  constructor(kind, server) {
    this.name = 'nginx'
    this.log = ''
    this.folder = mkdtempSync(join(tmpdir(), 'sidereal-nginx-'))
    // Its workers run as another user where it is started by root.
    chmodSync(this.folder, 0o755)
    this.setUp = typeof kind === 'string' ? () => ofKind(KINDS[kind], server) : kind
  }

  async start() {
    // Another program may take a port between its being found and its being used.
    for (let left = 3; ; left -= 1) {
      const {text, urls} = await this.setUp()
      if (urls.some((url) => url.startsWith('https:'))) this.certificate ??= certificate(this.folder)
      writeFileSync(join(this.folder, 'nginx.conf'), text)
      const child = start(PROGRAMS.nginx.path, ['-p', this.folder, '-c', 'nginx.conf', '-e', 'stderr', '-g', 'daemon off;'], {
        signal: 'SIGTERM',
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      this.child = child
      child.stderr.on('data', (text) => (this.log += text))
      await eventually('nginx listens', () => child.exitCode !== null || answers(new URL(urls[0]).port))
      if (child.exitCode === null) {
        this.urls = urls
        this.url = urls[0]
        return this
      }
      if (left === 0 || !/in use/.test(this.log)) throw new Error(`nginx has not started: ${this.log}`)
    }
  }

  // Has it read its configuration again, with new workers; the old ones go.
  reload() {
    this.child.kill('SIGHUP')
  }

  async kill() {
    this.child?.kill('SIGTERM')
    await this.child?.ended
    rmSync(this.folder, {recursive: true, force: true})
  }
}

async function ofKind({scheme, listen, location}, server) {
  const port = await freePort()
  const text = `pid nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {
    ${listen(port)}
    location / { proxy_pass ${server.url}; ${location} }
  }
}
`
  return {text, urls: [`${scheme}://127.0.0.1:${port}`]}
}

// A configuration of this repository as it is, but for its ports: `listens` are its own addresses, each with its scheme, and
// get free ones; `servers` are those behind it, each with the server that stands for it.
export function ofFile(path, {listens, servers}) {
  return async () => {
    let text = readFileSync(path, 'utf8')
    const put = (address, other) => {
      // Not 127.0.0.1:30012 for 127.0.0.1:3001.
      const whole = new RegExp(`${address.replaceAll('.', '\\.')}(?!\\d)`)
      const parts = text.split(whole)
      if (parts.length !== 2) throw new Error(`${path} does not have ${address} once`)
      text = parts.join(other)
    }
    const urls = []
    for (const [address, scheme] of Object.entries(listens)) {
      const free = `127.0.0.1:${await freePort()}`
      put(address, free)
      urls.push(`${scheme}://${free}`)
    }
    for (const [address, {port}] of Object.entries(servers)) put(address, `127.0.0.1:${port}`)
    return {text, urls}
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port} = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function answers(port) {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } finally {
    socket.destroy()
  }
}

// A new certificate for this machine, signed by itself.
function certificate(folder) {
  const path = join(folder, 'cert.pem')
  const options = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost'
  const extensions = ['subjectAltName=DNS:localhost,IP:127.0.0.1', 'basicConstraints=critical,CA:FALSE']
  execFileSync(PROGRAMS.openssl.path, [
    ...options.split(' '),
    ...extensions.flatMap((extension) => ['-addext', extension]),
    ...['-keyout', join(folder, 'key.pem'), '-out', path],
  ], {stdio: 'pipe'})
  return path
}
