// Server-sent events, as the HTML standard reads them, from the pieces that a client has read: `[{at, text}]`.

// Each event as `{at, data}`: seen when the piece was read that completes it. Text that is left over is `rest`.
export function parse(pieces) {
  const events = []
  let rest = ''
  let data = []
  for (const {at, text} of pieces) {
    rest += text
    // A CR at the very end may be half of a line end.
    const lines = rest.split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop()
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) events.push({at, data: data.join('\n')})
        data = []
      } else if (line.startsWith('data:')) {
        data.push(line.slice(5).replace(/^ /, ''))
      } else if (!line.startsWith(':')) {
        throw new Error(`no such line is sent: ${line.slice(0, 80)}`)
      }
    }
  }
  return {events, rest: rest + data.join('\n')}
}

// The pieces of a text from pieces of bytes: `[{at, bytes}]`.
export function decoded(pieces) {
  const decoder = new TextDecoder('utf-8', {fatal: true})
  return pieces.map(({at, bytes}) => ({at, text: decoder.decode(bytes, {stream: true})}))
}
