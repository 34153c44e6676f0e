// What <solar-canvas> looks like: pure drawing, from a picture to pixels. Lengths are CSS pixels.

/** The order of the picture's places, with the Sun in front. */
export const BODIES = [
  { id: "sun", name: "Sun", radius: 8, color: "#ffd68a" },
  { id: "mercury", name: "Mercury", radius: 2.4, color: "#b9a795" },
  { id: "venus", name: "Venus", radius: 3.6, color: "#e8cf9a" },
  { id: "earth", name: "Earth", radius: 3.8, color: "#6fb3ff" },
  { id: "mars", name: "Mars", radius: 3, color: "#ff7a55" },
  { id: "jupiter", name: "Jupiter", radius: 7.5, color: "#d9b38c" },
  { id: "saturn", name: "Saturn", radius: 6, color: "#e6d3a1" },
  { id: "uranus", name: "Uranus", radius: 4.8, color: "#9fe3e6" },
  { id: "neptune", name: "Neptune", radius: 4.8, color: "#6c8dff" },
  { id: "cassini", name: "Cassini", radius: 3, color: "#ffb000" },
];

const TURN = 2 * Math.PI;
const AU = 149597.8707; // thousand km

// Saturn's pole in the J2000 ecliptic, and two directions in the plane of its rings.
const POLE = [0.0855, 0.4624, 0.8825];
const ACROSS = normal([-POLE[1], POLE[0], 0]);
const ALONG = [
  POLE[1] * ACROSS[2] - POLE[2] * ACROSS[1],
  POLE[2] * ACROSS[0] - POLE[0] * ACROSS[2],
  POLE[0] * ACROSS[1] - POLE[1] * ACROSS[0],
];
const RINGS = [
  [74.658, 91.975, 0.22],
  [91.975, 117.507, 0.75],
  [122.17, 136.775, 0.5],
];
const SATURN_RADIUS = 58.232;
/** In the order of the picture: how far from Saturn's centre, and days for one turn. */
const MOONS = [
  { id: "mimas", name: "Mimas", orbit: 185.5, period: 0.942, radius: 1.6, color: "#b8b8b8" },
  { id: "enceladus", name: "Enceladus", orbit: 238.04, period: 1.37, radius: 1.8, color: "#f2fbff" },
  { id: "tethys", name: "Tethys", orbit: 294.67, period: 1.888, radius: 2, color: "#d9d9d6" },
  { id: "dione", name: "Dione", orbit: 377.42, period: 2.737, radius: 2, color: "#cfd2d6" },
  { id: "rhea", name: "Rhea", orbit: 527.07, period: 4.518, radius: 2.3, color: "#c9c2b8" },
  { id: "titan", name: "Titan", orbit: 1221.87, period: 15.95, radius: 3.6, color: "#e8a33d" },
];
const NAMED = [...BODIES, ...MOONS, { id: "huygens", name: "Huygens", radius: 2, color: "#7fffd4" }];
/** Half the width of what is seen around Cassini: AU on the way, thousand km at Saturn. */
const FOLLOWED = { au: 1.4, saturn: 1500 };

function normal(v) {
  const length = Math.hypot(...v);
  return v.map((x) => x / length);
}

/** From AU to a part of the half width, for each view of the Sun. */
const SCALES = {
  system: { map: (r) => Math.log1p(r / 0.22) / Math.log1p(31 / 0.22), ticks: [1, 10, 30], note: "logarithmic" },
  inner: { map: (r) => r / 1.72, ticks: [0.5, 1, 1.5], note: "linear" },
  cruise: { map: (r) => r / 10.6, ticks: [1, 5, 10], note: "linear" },
};

/** Draws one picture; returns where the bodies are, for clicks. */
export function draw(c, picture) {
  const { width, height } = picture;
  c.fillStyle = "#000";
  c.fillRect(0, 0, width, height);
  stars(c, width, height);
  const atSaturn = picture.view === "saturn" || (picture.view === "follow" && picture.now?.aboutSaturn);
  const places = atSaturn ? drawSaturn(c, picture) : drawSun(c, picture);
  if (picture.flash && places.has("cassini")) flash(c, picture, places.get("cassini"));
  return places;
}

/** Something has just happened, where Cassini is. */
function flash(c, { width, height, flash: { part, text }, color }, { x, y }) {
  c.globalAlpha = 1 - part;
  c.strokeStyle = color("--amber");
  c.lineWidth = 2;
  for (const delay of [0, 0.25]) {
    const wave = part - delay;
    if (wave <= 0) continue;
    c.beginPath();
    c.arc(x, y, 6 + wave * 70, 0, TURN);
    c.stroke();
  }
  c.globalAlpha = Math.min(1, 2 - 2 * part);
  c.font = font(width < 480 ? 11 : 13);
  c.textAlign = "center";
  c.fillStyle = color("--amber");
  c.fillText(text, width / 2, height - 34, width - 24);
  c.globalAlpha = 1;
  c.lineWidth = 1;
}

function drawSun(c, picture) {
  const { width, height, scene, now, camera } = picture;
  const isFollowing = picture.view === "follow" && now;
  const newScale = isFollowing ? { map: (r) => r / FOLLOWED.au, ticks: [], note: `linear, ${short(FOLLOWED.au / camera.zoom)} AU to the edge` } : (SCALES[picture.view] ?? SCALES.system);
  const oldScale = isFollowing ? newScale : (SCALES[picture.oldView] ?? newScale);
  const half = (Math.min(width, height) / 2 - (width < 480 ? 14 : 26)) * camera.zoom;
  const from = isFollowing ? now.au[8] : [0, 0];
  const [cx, cy] = [width / 2 + camera.x - (from[0] * half) / FOLLOWED.au, height / 2 + camera.y + (from[1] * half) / FOLLOWED.au];
  const scale = (r) => half * (oldScale.map(r) * (1 - picture.change) + newScale.map(r) * picture.change);
  const project = ([x, y]) => {
    const r = Math.hypot(x, y);
    if (r === 0) return [cx, cy];
    const k = scale(r) / r;
    return [cx + x * k, cy - y * k];
  };

  ticks(c, picture, cx, cy, scale, newScale);
  c.lineWidth = 1;
  scene?.orbits.forEach((orbit, i) => {
    const chosen = [picture.selected, picture.hovered].includes(BODIES[i + 1].id);
    c.strokeStyle = chosen ? "rgba(200, 220, 230, 0.5)" : "rgba(130, 160, 175, 0.27)";
    c.beginPath();
    orbit.forEach((place, j) => (j ? c.lineTo(...project(place)) : c.moveTo(...project(place))));
    c.closePath();
    c.stroke();
  });
  if (scene) path(c, picture, project);
  sun(c, cx, cy, scale(0.2));

  const places = new Map([["sun", { x: cx, y: cy, radius: 8 }]]);
  if (!now) return places;
  now.au.forEach((place, i) => {
    const [x, y] = project(place);
    places.set(BODIES[i + 1].id, { x, y, radius: BODIES[i + 1].radius });
  });
  for (const body of BODIES.slice(1)) {
    const { x, y } = places.get(body.id);
    if (body.id === "cassini") cassini(c, x, y);
    else planet(c, body, x, y);
  }
  labels(c, picture, places);
  return places;
}

/** Distances on the axes, as on an instrument. */
function ticks(c, { width, height, camera }, cx, cy, scale, { ticks, note }) {
  c.strokeStyle = "rgba(130, 160, 175, 0.10)";
  c.beginPath();
  c.moveTo(0, Math.round(cy) + 0.5);
  c.lineTo(width, Math.round(cy) + 0.5);
  c.moveTo(Math.round(cx) + 0.5, 0);
  c.lineTo(Math.round(cx) + 0.5, height);
  c.stroke();
  c.font = font(10);
  c.textAlign = "center";
  c.fillStyle = "rgba(140, 165, 180, 0.55)";
  c.strokeStyle = "rgba(140, 165, 180, 0.4)";
  for (const au of ticks) {
    const x = cx + scale(au);
    if (x > width - 18) continue;
    c.beginPath();
    c.moveTo(x, cy - 4);
    c.lineTo(x, cy + 4);
    c.stroke();
    c.fillText(`${au} AU`, x, cy + 16);
  }
  c.textAlign = "left";
  c.fillText(`J2000 ecliptic, from its north · ${note}${enlarged(camera)}`, 12, height - 12);
}

const enlarged = ({ zoom }) => (zoom === 1 ? "" : ` · × ${short(zoom)}`);

/** Two digits, or all there are before the point. */
const short = (number) => (number >= 10 ? Math.round(number).toString() : number.toPrecision(2));

/** Thousand km, in words. */
const far = (thousands) => (thousands >= 1000 ? `${short(thousands / 1000)} million km` : `${Math.round(thousands).toLocaleString("en")},000 km`);

/** The number of the mission's phase on a day. */
function phaseAt(scene, day) {
  const path = scene?.path ?? [];
  let [low, high] = [0, path.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (path[middle][0] <= day) low = middle + 1;
    else high = middle;
  }
  return path[low - 1]?.[3] ?? 4;
}

/** The whole path: what is behind in the colours of the phases, what is ahead dashed. */
function path(c, { scene, now, color, width, height }, project) {
  // Far outside of the picture nothing is drawn: dashes without end would take their time.
  const isOutside = ([x, y]) => x < -width || x > 2 * width || y < -height || y > 2 * height;
  const here = project(now ? now.au[8] : scene.path[0].slice(1, 3));
  let phase = null;
  let i = 0;
  c.lineJoin = "round";
  c.lineWidth = 1.6;
  for (; now && i < scene.path.length && scene.path[i][0] <= now.day; i++) {
    const [, x, y, next] = scene.path[i];
    const point = project([x, y]);
    c.lineTo(...point);
    if (next !== phase) {
      if (phase !== null) c.stroke();
      phase = next;
      c.strokeStyle = color(`--phase-${phase}`);
      c.beginPath();
      c.moveTo(...point);
    }
  }
  if (phase !== null) {
    c.lineTo(...here);
    c.stroke();
  }
  c.lineWidth = 1;
  c.strokeStyle = "rgba(255, 176, 0, 0.4)";
  c.setLineDash([2, 5]);
  c.beginPath();
  c.moveTo(...here);
  for (let before = isOutside(here); i < scene.path.length; i++) {
    const point = project(scene.path[i].slice(1, 3));
    const after = isOutside(point);
    if (before && after) c.moveTo(...point);
    else c.lineTo(...point);
    before = after;
  }
  c.stroke();
  c.setLineDash([]);
}

function sun(c, x, y, reach) {
  const radius = Math.max(26, Math.min(90, reach * 1.4));
  const glow = c.createRadialGradient(x, y, 0, x, y, radius);
  glow.addColorStop(0, "rgba(255, 226, 160, 0.9)");
  glow.addColorStop(0.12, "rgba(255, 190, 90, 0.45)");
  glow.addColorStop(0.4, "rgba(255, 150, 50, 0.10)");
  glow.addColorStop(1, "rgba(255, 140, 40, 0)");
  c.fillStyle = glow;
  disc(c, x, y, radius);
  c.fillStyle = "#fff3d6";
  disc(c, x, y, 5);
}

function planet(c, { id, radius, color }, x, y) {
  if (id === "saturn") rings(c, x, y, radius / SATURN_RADIUS, -1);
  const shade = c.createRadialGradient(x - radius * 0.3, y - radius * 0.3, radius * 0.1, x, y, radius);
  shade.addColorStop(0, "#fff");
  shade.addColorStop(0.25, color);
  shade.addColorStop(1, color);
  c.fillStyle = shade;
  disc(c, x, y, radius);
  if (id === "saturn") rings(c, x, y, radius / SATURN_RADIUS, 1);
}

function cassini(c, x, y) {
  const glow = c.createRadialGradient(x, y, 0, x, y, 16);
  glow.addColorStop(0, "rgba(255, 176, 0, 0.55)");
  glow.addColorStop(1, "rgba(255, 176, 0, 0)");
  c.fillStyle = glow;
  disc(c, x, y, 16);
  c.fillStyle = "#ffd27a";
  c.beginPath();
  c.moveTo(x, y - 4.5);
  c.lineTo(x + 4.5, y);
  c.lineTo(x, y + 4.5);
  c.lineTo(x - 4.5, y);
  c.fill();
}

function drawSaturn(c, picture) {
  const { width, height, now, orbit, trail, color, camera } = picture;
  const isFollowing = picture.view === "follow";
  const half = Math.min(width, height) / 2 - 20;
  const reach = isFollowing ? FOLLOWED.saturn : Math.max(1400, Math.min(9600, (orbit?.apoapsis ?? 1400) * 1.06));
  const k = (half / reach) * camera.zoom;
  const from = isFollowing ? now.aboutSaturn : [0, 0];
  const [cx, cy] = [width / 2 + camera.x - from[0] * k, height / 2 + camera.y + from[1] * k];
  const project = ([x, y]) => [cx + x * k, cy - y * k];

  c.lineWidth = 1;
  c.font = font(10);
  c.textAlign = "left";
  const moons = now?.moons ?? [];
  // Where a moon goes a good part of its way round between two pictures, its place says nothing: its orbit has its name.
  const isShown = ({ period }, i) => moons[i] && now.step < period / 6;
  MOONS.forEach((moon, i) => {
    c.strokeStyle = "rgba(130, 160, 175, 0.28)";
    circle(c, cx, cy, moon.orbit * k);
    c.stroke();
    if (!isShown(moon, i) && moon.orbit * k > 40 && (moon.id === "titan" || moon.orbit * k > 90)) {
      const [dx, dy] = tilted(-0.7, moon.orbit * k);
      c.fillStyle = "rgba(140, 165, 180, 0.6)";
      c.fillText(moon.name, cx + dx + 5, cy - dy + 3);
    }
  });
  const shown = Math.max(k, 5 / SATURN_RADIUS);
  rings(c, cx, cy, shown, -1);
  planet(c, { id: "", radius: SATURN_RADIUS * shown, color: BODIES[6].color }, cx, cy);
  rings(c, cx, cy, shown, 1);

  const places = new Map([["saturn", { x: cx, y: cy, radius: 136.775 * shown }]]);
  c.fillStyle = "rgba(140, 165, 180, 0.55)";
  c.fillText(`J2000 ecliptic, from its north · ${far(reach / camera.zoom)} to the edge${enlarged(camera)}`, 12, height - 12, width - 24);
  MOONS.forEach((moon, i) => {
    if (!isShown(moon, i)) return;
    const [x, y] = project(moons[i]);
    c.fillStyle = moon.color;
    disc(c, x, y, moon.radius);
    if (Math.hypot(x - cx, y - cy) > 24) places.set(moon.id, { x, y, radius: moon.radius });
  });
  if (now?.huygens.length === 3) {
    const [x, y] = project(now.huygens);
    c.fillStyle = "#7fffd4";
    c.fillRect(x - 1.5, y - 1.5, 3, 3);
    places.set("huygens", { x, y, radius: 2 });
  }
  if (!now?.aboutSaturn) {
    if (now) {
      const [saturn, probe] = [now.au[5], now.au[8]];
      const away = Math.hypot(saturn[0] - probe[0], saturn[1] - probe[1]);
      c.textAlign = "center";
      c.font = font(12);
      c.fillStyle = color("--amber");
      c.fillText("Cassini is on its way", width / 2, height / 2 + half * 0.5);
      c.fillStyle = "rgba(170, 190, 200, 0.8)";
      c.fillText(`${away < 0.1 ? far(away * AU) : `${away.toFixed(2)} AU`} to go · arrival 2004-07-01`, width / 2, height / 2 + half * 0.5 + 20);
    }
    labels(c, picture, places);
    return places;
  }

  c.strokeStyle = "rgba(255, 176, 0, 0.38)";
  c.setLineDash([2, 4]);
  c.beginPath();
  for (let i = 0; i <= 160; i++) c.lineTo(...project(orbit.at((i / 160) * TURN)));
  c.stroke();
  c.setLineDash([]);
  trail.forEach(({ day, place }, i) => {
    c.globalAlpha = (0.8 * i) / trail.length;
    c.fillStyle = color(`--phase-${phaseAt(picture.scene, day)}`);
    disc(c, ...project(place), 1.3);
  });
  c.globalAlpha = 1;
  const [x, y] = project(now.aboutSaturn);
  cassini(c, x, y);
  places.set("cassini", { x, y, radius: 3 });
  labels(c, picture, places);
  return places;
}

/** A point of a circle in the plane of Saturn's rings, as seen from the ecliptic's north. */
function tilted(angle, radius) {
  const [cos, sin] = [Math.cos(angle) * radius, Math.sin(angle) * radius];
  return [ACROSS[0] * cos + ALONG[0] * sin, ACROSS[1] * cos + ALONG[1] * sin, ACROSS[2] * cos + ALONG[2] * sin];
}

function circle(c, cx, cy, radius) {
  c.beginPath();
  for (let i = 0; i <= 96; i++) {
    const [x, y] = tilted((i / 96) * TURN, radius);
    c.lineTo(cx + x, cy - y);
  }
}

/** One half of the rings: below the planet's disc (-1) or above it (1). ACROSS lies in the ecliptic, so the halves meet there. */
function rings(c, cx, cy, k, side) {
  for (const [inner, outer, opacity] of RINGS) {
    c.strokeStyle = `rgba(216, 196, 150, ${opacity})`;
    c.lineWidth = Math.max(0.7, (outer - inner) * k * 0.9);
    c.beginPath();
    const up = ALONG[2] > 0 ? 0 : Math.PI;
    for (let i = 0; i <= 48; i++) {
      const [x, y] = tilted(up + (side > 0 ? 0 : Math.PI) + (i / 48) * Math.PI, ((inner + outer) / 2) * k);
      c.lineTo(cx + x, cy - y);
    }
    c.stroke();
  }
  c.lineWidth = 1;
}

/** Names beside the bodies: on the right, or wherever the name is not in another's way. */
function labels(c, { width, height, selected, hovered }, places) {
  const taken = [];
  const free = (box) => box.x > 2 && box.x + box.w < width - 2 && box.y > 2 && box.y + box.h < height - 2 && !taken.some((t) => box.x < t.x + t.w && t.x < box.x + box.w && box.y < t.y + t.h && t.y < box.y + box.h);
  const order = [...NAMED].sort((a, b) => rank(b.id) - rank(a.id));
  function rank(id) {
    return id === selected ? 3 : id === hovered ? 4 : id === "cassini" ? 2 : 0;
  }
  c.textAlign = "left";
  c.textBaseline = "alphabetic";
  for (const { x, y, radius } of places.values()) taken.push({ x: x - radius, y: y - radius, w: 2 * radius, h: 2 * radius });
  for (const body of order) {
    const place = places.get(body.id);
    if (!place) continue;
    const { x, y, radius } = place;
    const chosen = rank(body.id) >= 3;
    c.font = font(width < 480 ? 10 : 11);
    const w = c.measureText(body.name).width;
    const gap = radius + (chosen ? 9 : 5);
    const boxes = [
      { x: x + gap, y: y - 6, w, h: 12 },
      { x: x - gap - w, y: y - 6, w, h: 12 },
      { x: x - w / 2, y: y - gap - 12, w, h: 12 },
      { x: x - w / 2, y: y + gap, w, h: 12 },
    ];
    const box = boxes.find(free) ?? (chosen || body.id === "cassini" ? boxes[0] : null);
    if (chosen) brackets(c, x, y, radius + 6, body.color);
    if (!box) continue;
    taken.push(box);
    c.fillStyle = "rgba(0, 0, 0, 0.55)";
    c.fillRect(box.x - 2, box.y, box.w + 4, box.h);
    c.fillStyle = body.id === "cassini" ? "#ffc24d" : chosen ? "#fff" : "rgba(190, 205, 214, 0.8)";
    c.fillText(body.name, box.x, box.y + 10);
  }
}

/** The mark of the chosen body: corners, as in a viewfinder. */
function brackets(c, x, y, r, color) {
  c.strokeStyle = color;
  c.lineWidth = 1;
  const arm = Math.min(5, r * 0.6);
  c.beginPath();
  for (const [sx, sy] of [[-1, -1], [1, -1], [1, 1], [-1, 1]]) {
    c.moveTo(x + sx * r, y + sy * (r - arm));
    c.lineTo(x + sx * r, y + sy * r);
    c.lineTo(x + sx * (r - arm), y + sy * r);
  }
  c.stroke();
}

/** The same faint stars every time: places from a small generator of numbers, not the real sky. */
function stars(c, width, height) {
  let seed = 20171015;
  const random = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
  const count = Math.min(260, Math.round((width * height) / 4200));
  for (let i = 0; i < count; i++) {
    const [x, y, light] = [random() * width, random() * height, random()];
    c.fillStyle = `rgba(200, 215, 230, ${0.06 + 0.3 * light ** 4})`;
    c.fillRect(x, y, light > 0.93 ? 1.5 : 1, light > 0.93 ? 1.5 : 1);
  }
}

function disc(c, x, y, radius) {
  c.beginPath();
  c.arc(x, y, radius, 0, TURN);
  c.fill();
}

function font(size) {
  return `${size}px ui-monospace, "SF Mono", "Cascadia Mono", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace`;
}
