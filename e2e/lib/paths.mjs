// The ways from a client to the server.
//
// Debian 12's nginx speaks HTTP/1.0 to the server by default, where a body of unknown length ends with its connection: it
// cannot tell a broken end from a clean one, and makes a clean one of both.

export const PATHS = {
  'direct': {needs: [], open: (t) => t.server},
  'nginx': {needs: ['nginx'], open: (t) => t.nginx('plain'), hidesBreaks: true},
  'nginx, TLS, HTTP/2': {needs: ['nginx', 'openssl'], open: (t) => t.nginx('tls')},
}

export const CODECS = ['zstd', 'gzip', 'br', 'identity']

// Where the stream of a test is; `more` goes to its query.
export function stream(at, t, codec, more = '') {
  return `${at}/texts/stream?codec=${codec}&run=${t.run}${more}`
}
