// A network between browser and server: slow, or cut.
//
// Not the browser's own emulation of networks: that is Chromium's alone, and reads on behind what it slows down. Here the
// server meets the backpressure of a reader that is slow.

import {once} from 'node:events'
import {connect, createServer} from 'node:net'

export class Relay {
  #connections = new Set()

  // `rate`: bytes a second from the server to each connection of the browser; not limited if absent.
  constructor(server, {rate} = {}) {
    this.server = server
    this.rate = rate
    this.isCut = false
    // Bytes that went to the browser.
    this.passed = 0
  }

  async start() {
    this.listener = createServer((browser) => this.#accept(browser)).listen(0, '127.0.0.1')
    await once(this.listener, 'listening')
    this.url = `http://127.0.0.1:${this.listener.address().port}`
    return this
  }

  // Breaks all connections, and all that are tried, until `mend`.
  cut() {
    this.isCut = true
    for (const socket of this.#connections) socket.destroy()
  }

  mend() {
    this.isCut = false
  }

  async kill() {
    this.cut()
    this.listener.close()
  }

  #accept(browser) {
    if (this.isCut) return browser.destroy()
    const server = connect(this.server.port, '127.0.0.1')
    for (const [socket, other] of [[browser, server], [server, browser]]) {
      this.#connections.add(socket)
      socket.on('error', () => {})
      // A break on one side is one on the other; a half that ends well is passed on by the pipe, or below.
      socket.on('close', (hadError) => {
        this.#connections.delete(socket)
        if (hadError || !socket.readableEnded) other.destroy()
      })
    }
    browser.pipe(server)
    server.on('end', () => browser.end())
    server.on('data', (bytes) => {
      this.passed += bytes.length
      const isFull = !browser.write(bytes)
      if (!isFull && !this.rate) return
      server.pause()
      const drained = isFull ? once(browser, 'drain').catch(() => {}) : undefined
      setTimeout(async () => {
        await drained
        server.resume()
      }, this.rate ? (bytes.length / this.rate) * 1e3 : 0)
    })
  }
}
