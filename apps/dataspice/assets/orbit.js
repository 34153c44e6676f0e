// An ellipse from one state, so that the canvas can draw it whole and move along it between two pictures from the server.

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

/**
 * The orbit on which something is; null where that is no ellipse.
 *
 * @param {number[]} r position, relative to the centre
 * @param {number[]} v velocity
 * @param {number} gm the centre's gravitational parameter; all three in the same units of length and time
 */
export function orbit(r, v, gm) {
  const radius = Math.sqrt(dot(r, r));
  const a = 1 / (2 / radius - dot(v, v) / gm);
  if (!(a > 0 && Number.isFinite(a))) return null;
  const h = cross(r, v);
  const vh = cross(v, h);
  const toPeriapsis = [0, 1, 2].map((i) => vh[i] / gm - r[i] / radius);
  const e = Math.sqrt(dot(toPeriapsis, toPeriapsis));
  if (!(e > 1e-9 && e < 1)) return null;
  const p = toPeriapsis.map((x) => x / e);
  const hLength = Math.sqrt(dot(h, h));
  const q = cross(h.map((x) => x / hLength), p);
  const b = a * Math.sqrt(1 - e * e);
  const e0 = Math.atan2(dot(r, q) / b, dot(r, p) / a + e);
  const mean0 = e0 - e * Math.sin(e0);
  const motion = Math.sqrt(gm / (a * a * a));
  const at = (eccentric) => {
    const x = a * (Math.cos(eccentric) - e);
    const y = b * Math.sin(eccentric);
    return [0, 1, 2].map((i) => p[i] * x + q[i] * y);
  };
  return {
    apoapsis: a * (1 + e),
    /** The position at an eccentric anomaly. */
    at,
    /** The position some time after the state. */
    after(time) {
      const turn = 2 * Math.PI;
      const mean = (((mean0 + motion * time) % turn) + turn) % turn;
      // Newton's method from pi finds it for every mean anomaly and every ellipse.
      let eccentric = Math.PI;
      for (let i = 0; i < 30; i++) {
        const step = (eccentric - e * Math.sin(eccentric) - mean) / (1 - e * Math.cos(eccentric));
        eccentric -= step;
        if (Math.abs(step) < 1e-10) break;
      }
      return at(eccentric);
    },
  };
}
