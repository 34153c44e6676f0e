// Programs that are started here: none outlives this process.

import {spawn} from 'node:child_process'
import {once} from 'node:events'

const running = new Map()

process.on('exit', () => running.forEach((signal, child) => child.kill(signal)))

// Starts a program that is sent `signal` where this process ends first. The child's `ended` gives `{code, signal}`.
export function start(path, options, {signal = 'SIGKILL', ...rest} = {}) {
  const child = spawn(path, options, rest)
  running.set(child, signal)
  // One that cannot be started says so, and has ended.
  child.ended = Promise.race([once(child, 'exit'), once(child, 'error').then(([error]) => [error.message, null])])
    .then(([code, signal]) => (running.delete(child), {code, signal}))
  return child
}
