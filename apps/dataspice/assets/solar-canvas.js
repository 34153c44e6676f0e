// <solar-canvas>: draws the pictures that it is given, and says which body was clicked.
//
//   properties   sky       { day, speed, au: [[x, y] × 9], orbit: [x, y, z, vx, vy, vz] or [], moons: [[x, y, z] × 6] or [], huygens: [x, y, z] or [] }:
//                places of Mercury to Neptune and Cassini in AU; Cassini about Saturn in thousand km and km/s; Mimas to
//                Titan, and Huygens while it is on its own, about Saturn in thousand km
//   attributes   scene     address of the orbits and of Cassini's path, fetched once
//                view      "system" (logarithmic), "inner", "cruise", "saturn" or "follow" (Cassini in the middle)
//                selected  id of the body that is marked
//                event     what happened last: where it changes, Cassini flashes
//   events       body-select, with detail.id
//
// Wheel, pinch and + and - zoom; dragging and the arrow keys pan; 0 and a double click go back to the whole view.
//
// Pictures come a few times a second. Between two of them the component moves the bodies itself, unless the viewer prefers
// reduced motion; it draws nothing while nothing changes.

import { BODIES, draw } from "./solar-drawing.js";
import { orbit } from "./orbit.js";

const GM_SATURN = 0.0379405848418; // (thousand km)^3/s^2
const VIEW_CHANGE = 450; // ms
const REACH = 24; // px around a body in which a click is meant for it
const FLASH = 1600; // ms
const ZOOM = [0.6, 400];
const STEP = 60; // px that an arrow key pans
const DRAG = 4; // px that a finger trembles

const turn = 2 * Math.PI;

/** The angle that leads from `from` to `to` in the sense in which planets go round. */
const ahead = (from, to) => (((to - from) % turn) + turn) % turn;

/** Between two places, round the Sun rather than across it. */
function between(from, to, part, prograde) {
  if (!from || part >= 1) return to;
  const [a, b] = [Math.atan2(from[1], from[0]), Math.atan2(to[1], to[0])];
  let angle = ahead(a, b);
  if (!prograde && angle > Math.PI) angle -= turn;
  if (angle > 1.9 * Math.PI) angle -= turn;
  const [ra, rb] = [Math.hypot(...from), Math.hypot(...to)];
  const r = ra + (rb - ra) * part;
  return [r * Math.cos(a + angle * part), r * Math.sin(a + angle * part)];
}

export class SolarCanvas extends HTMLElement {
  static observedAttributes = ["scene", "view", "selected", "event"];

  #canvas = document.createElement("canvas");
  #context = this.#canvas.getContext("2d");
  #size = { width: 0, height: 0, ratio: 1 };
  #resize = new ResizeObserver(() => this.#measure());
  #calm = matchMedia("(prefers-reduced-motion: reduce)");
  #scene = null;
  #sky = null;
  #before = null;
  #orbit = null;
  #trail = [];
  #arrived = 0;
  #interval = 100;
  #view = "system";
  #oldView = "system";
  #viewChanged = -Infinity;
  #hovered = null;
  #places = new Map();
  /** What the viewer has done to the view: enlarged it, and moved it by so many pixels. */
  #camera = { zoom: 1, x: 0, y: 0 };
  #pointers = new Map();
  #dragged = false;
  #flashed = -Infinity;
  #request = 0;
  #colors = null;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    const style = document.createElement("style");
    // One finger scrolls the page up and down; two are the map's.
    style.textContent = ":host { display: block; position: relative } canvas { position: absolute; inset: 0; width: 100%; height: 100%; touch-action: pan-y }";
    root.append(style, this.#canvas);
    this.#canvas.addEventListener("click", (event) => {
      const id = this.#dragged ? null : this.#find(event);
      if (id) this.dispatchEvent(new CustomEvent("body-select", { detail: { id }, bubbles: true }));
    });
    this.#canvas.addEventListener("dblclick", () => this.#look({ zoom: 1, x: 0, y: 0 }));
    this.#canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.#zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), event.offsetX, event.offsetY);
    }, { passive: false });
    this.#canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.#canvas.setPointerCapture(event.pointerId);
      this.#dragged = false;
      this.#pointers.set(event.pointerId, event);
    });
    this.#canvas.addEventListener("pointermove", (event) => (this.#pointers.has(event.pointerId) ? this.#drag(event) : this.#hover(this.#find(event))));
    for (const type of ["pointerup", "pointercancel"]) this.#canvas.addEventListener(type, (event) => this.#pointers.delete(event.pointerId));
    this.#canvas.addEventListener("pointerleave", () => this.#hover(null));
    this.addEventListener("keydown", (event) => this.#key(event));
    this.#calm.addEventListener("change", () => this.#draw());
  }

  connectedCallback() {
    // A property that was set before this class was known hides the setter below it.
    if (Object.hasOwn(this, "sky")) {
      const early = this.sky;
      delete this.sky;
      this.sky = early;
    }
    if (!this.hasAttribute("tabindex")) this.tabIndex = 0;
    this.#resize.observe(this);
    this.#measure();
    this.#watchRatio();
  }

  /** Another screen, or the browser's zoom, changes how many pixels there are without changing the size. */
  #watchRatio() {
    const ratio = matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    ratio.addEventListener("change", () => {
      if (!this.isConnected) return;
      this.#measure();
      this.#watchRatio();
    }, { once: true });
  }

  disconnectedCallback() {
    this.#resize.disconnect();
    cancelAnimationFrame(this.#request);
    this.#request = 0;
  }

  attributeChangedCallback(name, old, value) {
    if (name === "scene" && value) this.#load(value);
    // Not the first one, which is news to nobody.
    if (name === "event" && old && value && value !== old) this.#flashed = performance.now();
    if (name === "view" && value && value !== this.#view) {
      this.#oldView = this.#view;
      this.#view = value;
      this.#viewChanged = performance.now();
      this.#camera = { zoom: 1, x: 0, y: 0 };
    }
    this.#draw();
  }

  get sky() {
    return this.#sky;
  }

  set sky(sky) {
    if (!sky?.au?.length) return;
    const now = performance.now();
    const next = { day: sky.day, speed: sky.speed, au: sky.au.map(([x, y]) => [x, y]), orbit: [...(sky.orbit ?? [])], moons: (sky.moons ?? []).map((place) => [...place]), huygens: [...(sky.huygens ?? [])] };
    // The way from the old picture to this one is shown while the next is awaited; after a jump there is no way.
    const jump = !this.#sky || next.day < this.#sky.day || next.day - this.#sky.day > 400;
    this.#before = jump ? null : this.#now(now);
    if (jump || next.orbit.length === 0) this.#trail = [];
    if (!jump) this.#interval = Math.min(1000, Math.max(16, this.#interval * 0.8 + (now - this.#arrived) * 0.2));
    this.#sky = next;
    this.#orbit = next.orbit.length === 6 ? orbit(next.orbit.slice(0, 3), next.orbit.slice(3).map((v) => v / 1000), GM_SATURN) : null;
    this.#arrived = now;
    this.#draw();
  }

  async #load(address) {
    try {
      const response = await fetch(address);
      if (!response.ok) throw new Error(`status ${response.status}`);
      this.#scene = await response.json();
      this.#draw();
    } catch (error) {
      console.warn(`solar-canvas: no orbits from ${address}:`, error);
    }
  }

  #measure() {
    const { width, height } = this.getBoundingClientRect();
    const ratio = window.devicePixelRatio || 1;
    this.#size = { width, height, ratio };
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.#draw(true);
  }

  /** The picture to show at an instant: between the last two, or the last. */
  #now(time) {
    const sky = this.#sky;
    const part = this.#calm.matches || !this.#before ? 1 : Math.min(1, (time - this.#arrived) / this.#interval);
    const day = part < 1 ? this.#before.day + (sky.day - this.#before.day) * part : sky.day;
    const au = sky.au.map((place, i) => between(this.#before?.au[i], place, part, BODIES[i + 1].id !== "cassini"));
    // A moon's way between two pictures is a straight line where it is short, and is not shown where it is not.
    const moons = sky.moons.map((place, i) => place.map((x, axis) => (this.#before?.moons[i] ? this.#before.moons[i][axis] + (x - this.#before.moons[i][axis]) * part : x)));
    return { day, au, part, moons, huygens: sky.huygens, step: this.#before ? Math.abs(sky.day - this.#before.day) : 0, aboutSaturn: this.#orbit?.after((day - sky.day) * 86400) ?? null };
  }

  #draw(atOnce = false) {
    if (!this.isConnected || this.#size.width === 0) return;
    if (atOnce) this.#paint(performance.now());
    else this.#request ||= requestAnimationFrame((time) => this.#paint(time));
  }

  #paint(time) {
    cancelAnimationFrame(this.#request);
    this.#request = 0;
    this.#colors ??= getComputedStyle(this);
    const { width, height, ratio } = this.#size;
    const now = this.#sky ? this.#now(Math.max(time, this.#arrived)) : null;
    const flash = Math.min(1, (Math.max(time, this.#flashed) - this.#flashed) / FLASH);
    const change = this.#calm.matches ? 1 : Math.min(1, (time - this.#viewChanged) / VIEW_CHANGE);
    if (now?.aboutSaturn && this.#trail.at(-1)?.day !== now.day) {
      this.#trail.push({ day: now.day, place: now.aboutSaturn });
      if (this.#trail.length > 90) this.#trail.shift();
    }
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#places = draw(this.#context, {
      width,
      height,
      scene: this.#scene,
      now,
      orbit: this.#orbit,
      trail: this.#trail,
      view: this.#view,
      oldView: this.#oldView,
      change: change * change * (3 - 2 * change),
      selected: this.getAttribute("selected"),
      hovered: this.#hovered,
      color: (name) => this.#colors.getPropertyValue(name).trim(),
      camera: this.#camera,
      flash: flash < 1 ? { part: this.#calm.matches ? 0.4 : flash, text: this.getAttribute("event") } : null,
    });
    if ((now && now.part < 1) || change < 1 || (flash < 1 && !this.#calm.matches)) this.#draw();
    // What does not move has to be taken away once.
    else if (flash < 1) setTimeout(() => this.#draw(), FLASH * (1 - flash) + 20);
  }

  #look(camera) {
    this.#camera = camera;
    this.#draw();
  }

  /** Enlarges what is seen; what is at x, y stays there. */
  #zoom(factor, x = this.#size.width / 2, y = this.#size.height / 2) {
    const { zoom, x: panX, y: panY } = this.#camera;
    const next = Math.min(ZOOM[1], Math.max(ZOOM[0], zoom * factor));
    const [dx, dy] = [x - this.#size.width / 2, y - this.#size.height / 2];
    this.#look({ zoom: next, x: dx - ((dx - panX) * next) / zoom, y: dy - ((dy - panY) * next) / zoom });
  }

  #pan(dx, dy) {
    this.#look({ ...this.#camera, x: this.#camera.x + dx, y: this.#camera.y + dy });
  }

  #drag(event) {
    const before = this.#pointers.get(event.pointerId);
    const [dx, dy] = [event.offsetX - before.offsetX, event.offsetY - before.offsetY];
    if (!this.#dragged && Math.hypot(dx, dy) < DRAG) return;
    this.#dragged = true;
    const other = [...this.#pointers.values()].find(({ pointerId }) => pointerId !== event.pointerId);
    this.#pointers.set(event.pointerId, event);
    if (!other) return this.#pan(dx, dy);
    const apart = ({ offsetX, offsetY }) => Math.max(10, Math.hypot(offsetX - other.offsetX, offsetY - other.offsetY));
    this.#zoom(apart(event) / apart(before), (event.offsetX + other.offsetX) / 2, (event.offsetY + other.offsetY) / 2);
    this.#pan(dx / 2, dy / 2);
  }

  #key(event) {
    const pans = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (pans[event.key]) this.#pan(...pans[event.key]);
    else if (event.key === "+" || event.key === "=") this.#zoom(1.4);
    else if (event.key === "-") this.#zoom(1 / 1.4);
    else if (event.key === "0") this.#look({ zoom: 1, x: 0, y: 0 });
    else return;
    event.preventDefault();
  }

  /** The body under the pointer: the nearest one in reach. */
  #find({ offsetX, offsetY }) {
    let [found, nearest] = [null, REACH];
    for (const [id, { x, y, radius }] of this.#places) {
      const distance = Math.max(0, Math.hypot(x - offsetX, y - offsetY) - radius);
      // Cassini is small and often in front of a planet: where both are hit, it is meant.
      if (distance < nearest || (id === "cassini" && distance < 8)) [found, nearest] = [id, distance];
    }
    return found;
  }

  #hover(id) {
    if (id === this.#hovered) return;
    this.#hovered = id;
    this.#canvas.style.cursor = id ? "pointer" : "";
    this.#draw();
  }
}

customElements.define("solar-canvas", SolarCanvas);
