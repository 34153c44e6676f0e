// Node's own fetch, as a program that says what it reads and when: `node node-fetch.mjs URL`. `NODE_EXTRA_CA_CERTS` names
// the certificate.
//
// It prints what `lib/programs.mjs` describes, one JSON object a line.

const say = (what) => console.log(JSON.stringify(what))
try {
  const response = await fetch(process.argv[2])
  say({head: {status: response.status, coding: response.headers.get('content-encoding') ?? 'none'}})
  for await (const piece of response.body) {
    const at = performance.timeOrigin + performance.now()
    say({at, bytes: Buffer.from(piece).toString('base64')})
  }
  say({end: 'clean'})
} catch (error) {
  say({end: [error, error.cause].filter(Boolean).join(': ')})
}
