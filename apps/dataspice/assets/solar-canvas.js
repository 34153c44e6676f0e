// <solar-canvas>: draws the pictures that it is given, and says which body was clicked.
//
//   properties   sky       { day, speed, au: [[x, y] × 9], orbit: [x, y, z, vx, vy, vz] or [] }: places of Mercury to
//                Neptune and Cassini in AU; Cassini about Saturn in thousand km and km/s
//   attributes   scene     address of the orbits and of Cassini's path, fetched once
//                view      "system" (logarithmic), "inner", "cruise" or "saturn"
//                selected  id of the body that is marked
//   events       body-select, with detail.id
//
// Pictures come a few times a second. Between two of them the component moves the bodies itself, unless the viewer prefers
// reduced motion; it draws nothing while nothing changes.

import { BODIES, draw } from "./solar-drawing.js";
import { orbit } from "./orbit.js";

const GM_SATURN = 0.0379405848418; // (thousand km)^3/s^2
const VIEW_CHANGE = 450; // ms
const REACH = 24; // px around a body in which a click is meant for it

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
  static observedAttributes = ["scene", "view", "selected"];

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
  #request = 0;
  #colors = null;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    const style = document.createElement("style");
    style.textContent = ":host { display: block; position: relative } canvas { position: absolute; inset: 0; width: 100%; height: 100%; touch-action: manipulation }";
    root.append(style, this.#canvas);
    this.#canvas.addEventListener("click", (event) => {
      const id = this.#find(event);
      if (id) this.dispatchEvent(new CustomEvent("body-select", { detail: { id }, bubbles: true }));
    });
    this.#canvas.addEventListener("pointermove", (event) => this.#hover(this.#find(event)));
    this.#canvas.addEventListener("pointerleave", () => this.#hover(null));
    this.#calm.addEventListener("change", () => this.#draw());
  }

  connectedCallback() {
    // A property that was set before this class was known hides the setter below it.
    if (Object.hasOwn(this, "sky")) {
      const early = this.sky;
      delete this.sky;
      this.sky = early;
    }
    this.#resize.observe(this);
    this.#measure();
  }

  disconnectedCallback() {
    this.#resize.disconnect();
    cancelAnimationFrame(this.#request);
    this.#request = 0;
  }

  attributeChangedCallback(name, _, value) {
    if (name === "scene" && value) this.#load(value);
    if (name === "view" && value && value !== this.#view) {
      this.#oldView = this.#view;
      this.#view = value;
      this.#viewChanged = performance.now();
    }
    this.#draw();
  }

  get sky() {
    return this.#sky;
  }

  set sky(sky) {
    if (!sky?.au?.length) return;
    const now = performance.now();
    const next = { day: sky.day, speed: sky.speed, au: sky.au.map(([x, y]) => [x, y]), orbit: [...(sky.orbit ?? [])] };
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
    return { day, au, part, aboutSaturn: this.#orbit?.after((day - sky.day) * 86400) ?? null };
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
    });
    if ((now && now.part < 1) || change < 1) this.#draw();
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
