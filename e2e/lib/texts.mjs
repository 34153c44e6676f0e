// The texts of `server/src/texts`: what a client must have got, and when.

import {deepEqual, equal, ok} from './expect.mjs'

export const EVENTS = 40
export const BEFORE_THE_BREAK = 12
// Nine of ten texts are seen within the first, as the machine may have others to serve; all within the second. Milliseconds.
const SOON = 50
const LATEST = 500

const WORDS = [1, 12, 150, 2, 2_000, 40, 17_000, 1]
const PARTS = [
  'sun ', 'Ganymede ', 'überall ', '日食 ', '🪐', 'data: ', ': ', 'e\u{301}',
  '\u{2028}', '\t', '\r\n', '\n', '\r', 'orbit orbit ', 'id: 7', '  ',
]
const made = new Map()

// The text of this number, with the line ends that events have.
export function content(number) {
  if (!made.has(number)) made.set(number, make(number))
  return made.get(number)
}

function make(number) {
  const isNew = number % 3 === 2
  let text = `text ${number}: `
  for (let place = 0; place < WORDS[number % WORDS.length]; place += 1) {
    const changes = isNew || place % 61 === number % 61
    const random = mix(place, changes ? number + 1 : 0)
    text += PARTS[random % PARTS.length]
    if (changes) text += String.fromCodePoint(0x4e00 + ((random >>> 8) % 20_000))
  }
  return `${text}.`.replace(/\r\n?/g, '\n')
}

function mix(place, seed) {
  let x = Math.imul(place, 0x9e3779b1) ^ Math.imul(seed, 0x85ebca77)
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d)
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39)
  return (x ^ (x >>> 15)) >>> 0
}

// Checks that `events`, as `{at, data}`, are the first `count` texts, and gives how many milliseconds each took to be seen.
export function delays(events, count = EVENTS) {
  const taken = events.map(({at, data}, number) => {
    const [, said, sent, text] = data.match(/^(\d+) ([\d.]+)\n(.*)$/s) ?? []
    equal(Number(said), number, `number ${number} is ${data.slice(0, 40)}…`)
    ok(text === content(number), `text ${number} is not what was sent: ${differ(text, content(number))}`)
    return at - Number(sent)
  })
  equal(taken.length, count, 'as many events as were sent, and no others')
  return taken
}

function differ(one, other) {
  let at = 0
  while (at < one.length && one[at] === other[at]) at += 1
  const part = (text) => JSON.stringify(text.slice(Math.max(0, at - 20), at + 20))
  return `at ${at} of ${other.length}: ${part(one)} for ${part(other)}`
}

// Checks that they were seen at once (`areLate`: at all), and says it in a few words: median, nine of ten, all.
export function areSoon(taken, areLate = false) {
  const sorted = [...taken].sort((a, b) => a - b)
  const [median, nine, most] = [sorted[sorted.length >> 1], sorted[Math.floor(sorted.length * 0.9)], sorted.at(-1)]
  const all = taken.map((ms) => ms.toFixed(0)).join(' ')
  ok(sorted[0] > -5, `none is seen before it is sent: ${all}`)
  ok(areLate || nine < SOON, `nine of ten are seen within ${SOON} ms: ${all}`)
  ok(most < LATEST, `all are seen within ${LATEST} ms: ${all}`)
  return [median, nine, most].map((ms) => ms.toFixed(1)).join('/')
}

// What the server noted of the requests of one test: `{codec: {asked, answered}}`.
export async function answers(t) {
  const {notes} = await t.count('texts')
  return Object.fromEntries(notes.map((note) => JSON.parse(note)).map(({codec, ...rest}) => [codec, rest]))
}

// The codings of an `Accept-Encoding`, in alphabetical order, without weights.
export function codings(asked) {
  return asked.split(',').map((coding) => coding.split(';')[0].trim()).sort()
}

// Checks that a client which asks for these codings got each, and identity where it did not ask.
export async function areCodedAsAsked(t, wanted) {
  const all = await answers(t)
  const answered = Object.fromEntries(Object.entries(all).map(([codec, {answered}]) => [codec, answered]))
  const expected = wanted.map((codec) => {
    const isAsked = codec !== 'identity' && codings(all[codec]?.asked ?? '').includes(codec)
    return [codec, isAsked ? codec : 'none']
  })
  deepEqual(answered, Object.fromEntries(expected), 'the codings of the answers')
  return answered
}
