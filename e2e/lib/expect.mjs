// Waiting for what is to come, with a limit, and saying what came instead.

import assert from 'node:assert/strict'
import {setTimeout as sleep} from 'node:timers/promises'
import {inspect} from 'node:util'

export const {equal, deepEqual, ok, match, fail} = assert

// How long is waited for anything, unless a test says otherwise.
const WITHIN = 5_000
const EVERY = 15

// Polls `probe` until its value pleases `accept` (by default: is truthy), and returns that value.
export async function eventually(what, probe, {accept = Boolean, within = WITHIN} = {}) {
  const end = performance.now() + within
  let last
  for (;;) {
    try {
      last = await probe()
      if (accept(last)) return last
    } catch (error) {
      // A page in the middle of going elsewhere cannot be asked.
      last = error
    }
    if (performance.now() > end) {
      const seen = last instanceof Error ? last : inspect(last, {depth: 6, breakLength: 100})
      throw new Error(`not within ${within} ms: ${what}; last seen: ${seen}`)
    }
    await sleep(EVERY)
  }
}

// Polls `probe` until it gives exactly this.
export async function becomes(what, probe, expected, options) {
  let last
  const accept = (value) => {
    last = value
    try {
      assert.deepEqual(value, expected)
      return true
    } catch {
      return false
    }
  }
  try {
    return await eventually(what, probe, {...options, accept})
  } catch (error) {
    // The same comparison once more, for its difference.
    if (last !== undefined) assert.deepEqual(last, expected, `${what}: ${error.message}`)
    throw error
  }
}
