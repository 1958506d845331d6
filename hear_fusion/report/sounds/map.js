"use strict";
// The map: where points are and how they are drawn. What people do with it: map_controls.js.
const element = (id) => document.getElementById(id);
const read = (id) => JSON.parse(element(id).textContent);
const map = read("map");
const xs = Float64Array.from(map.x), ys = Float64Array.from(map.y), n = xs.length;

const view = element("view"), marks = element("marks");
const points = element("points").getContext("2d"), overlay = marks.getContext("2d");
const player = element("player");
const calm = matchMedia("(prefers-reduced-motion: reduce)");

const groupOf = new Int32Array(n);
map.groups.forEach((group, k) => group.members.forEach((i) => { groupOf[i] = k; }));
const hidden = map.groups.map(() => false);
let matched = null; // by the search: null is everything
let hovered = -1, chosen = -1;

// Points lie in [-1, 1]; on the screen at `zoom * x + originX`, `originY - zoom * y`.
let width = 0, height = 0, ratio = 1, zoom = 1, originX = 0, originY = 0, whole = 1;
const screenX = (i) => zoom * xs[i] + originX;
const screenY = (i) => originY - zoom * ys[i];
const seen = (i) => !hidden[groupOf[i]] && (matched === null || matched[i]);
// Neighbouring rows are often of one label, which would cover those before: a fixed shuffle.
const order = Int32Array.from({ length: n }, (_, i) => i);
for (let i = n - 1, seed = 1; i > 0; i--) {
  seed = (seed * 48271) % 2147483647;
  const j = seed % (i + 1);
  [order[i], order[j]] = [order[j], order[i]];
}

const colour = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();
function trace(context, shape, x, y, r) {
  context.beginPath();
  if (shape === "circle") {
    context.arc(x, y, r, 0, 2 * Math.PI);
    return;
  }
  const a = 0.36 * r, b = 1.12 * r;
  const corners = {
    square: [[-1, -1], [1, -1], [1, 1], [-1, 1]].map((p) => p.map((v) => 0.88 * r * v)),
    triangle: [[0, -1.25 * r], [1.15 * r, 0.8 * r], [-1.15 * r, 0.8 * r]],
    wedge: [[0, 1.25 * r], [1.15 * r, -0.8 * r], [-1.15 * r, -0.8 * r]],
    diamond: [[0, -1.3 * r], [1.1 * r, 0], [0, 1.3 * r], [-1.1 * r, 0]],
    cross: [[-a, -b], [a, -b], [a, -a], [b, -a], [b, a], [a, a], [a, b], [-a, b], [-a, a], [-b, a], [-b, -a], [-a, -a]],
  }[shape];
  corners.forEach(([dx, dy], k) => (k ? context.lineTo(x + dx, y + dy) : context.moveTo(x + dx, y + dy)));
  context.closePath();
}

let sprites = [], spriteKey = "";
const radius = () => Math.min(9, (n > 2000 ? 3.2 : n > 400 ? 4.2 : 5.2) * Math.pow(zoom / whole, 0.25));
function paintSprites() { // a picture of each label's sign, drawn once for a size
  const r = Math.round(2 * radius()) / 2, key = `${r} ${ratio} ${colour("--ground")}`;
  if (key === spriteKey) return;
  spriteKey = key;
  const half = 1.4 * r + 2;
  sprites = map.groups.map((group) => {
    const canvas = document.createElement("canvas"), context = canvas.getContext("2d");
    canvas.width = canvas.height = Math.ceil(2 * half * ratio);
    context.scale(ratio, ratio);
    trace(context, group.shape, half, half, r);
    context.globalAlpha = 0.9;
    context.fillStyle = group.colour;
    context.fill();
    context.lineWidth = 0.75;
    context.strokeStyle = colour("--ground");
    context.stroke();
    return canvas;
  });
}

function drawPoints() {
  points.setTransform(1, 0, 0, 1, 0, 0); // in pixels of the screen, whole ones: signs are copied
  points.clearRect(0, 0, points.canvas.width, points.canvas.height);
  paintSprites();
  const size = sprites.length ? sprites[0].width : 0, right = width * ratio, bottom = height * ratio;
  const scale = zoom * ratio, offsetX = originX * ratio - size / 2, offsetY = originY * ratio - size / 2;
  for (const faint of matched === null ? [false] : [true, false]) {
    points.globalAlpha = faint ? 0.12 : 1;
    for (const i of order) {
      if (hidden[groupOf[i]] || (matched !== null && matched[i] === faint)) continue;
      const x = Math.round(scale * xs[i] + offsetX), y = Math.round(offsetY - scale * ys[i]);
      if (x > -size && y > -size && x < right && y < bottom) points.drawImage(sprites[groupOf[i]], x, y);
    }
  }
}

function drawMarks() {
  overlay.setTransform(ratio, 0, 0, ratio, 0, 0);
  overlay.clearRect(0, 0, width, height);
  const r = radius();
  overlay.strokeStyle = colour("--faint");
  if (chosen >= 0) {
    overlay.lineWidth = 1;
    for (const j of map.nearest[chosen]) {
      if (hidden[groupOf[j]]) continue;
      overlay.beginPath();
      overlay.moveTo(screenX(chosen), screenY(chosen));
      overlay.lineTo(screenX(j), screenY(j));
      overlay.stroke();
      sign(j, r);
    }
    sign(chosen, 1.5 * r);
    ring(chosen, r + 6, 1.5, colour("--ink"), 1);
    if (player.duration > 0 && !player.paused) ring(chosen, r + 6, 4, colour("--link"), heard());
  }
  if (hovered >= 0 && hovered !== chosen) {
    sign(hovered, 1.35 * r);
    ring(hovered, r + 5, 1.5, colour("--ink"), 1);
  }
}
function sign(i, r) {
  trace(overlay, map.groups[groupOf[i]].shape, screenX(i), screenY(i), r);
  overlay.fillStyle = map.groups[groupOf[i]].colour;
  overlay.fill();
}
function ring(i, r, line, ink, share) {
  overlay.beginPath();
  overlay.arc(screenX(i), screenY(i), r, -Math.PI / 2, (2 * share - 0.5) * Math.PI);
  overlay.lineWidth = line;
  overlay.strokeStyle = ink;
  overlay.stroke();
}

let pending = 0; // 1: marks, 2: points as well
function redraw(what) {
  if (!pending) requestAnimationFrame(() => {
    if (pending === 2) drawPoints();
    pending = 0;
    drawMarks();
    if (!player.paused && !calm.matches) redraw(1);
  });
  pending = Math.max(pending, what);
}

function fit() {
  whole = zoom = 0.46 * Math.min(width, height);
  originX = width / 2;
  originY = height / 2;
  redraw(2);
}
function magnify(factor, x = width / 2, y = height / 2) {
  const next = Math.min(400 * whole, Math.max(0.5 * whole, zoom * factor));
  originX = x - (x - originX) * (next / zoom);
  originY = y - (y - originY) * (next / zoom);
  zoom = next;
  redraw(2);
}
function resize() {
  const first = width === 0, oldWidth = width, oldHeight = height;
  ({ width, height } = view.getBoundingClientRect());
  ratio = window.devicePixelRatio || 1;
  for (const canvas of [points.canvas, marks]) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  if (first) fit();
  originX += (width - (first ? width : oldWidth)) / 2;
  originY += (height - (first ? height : oldHeight)) / 2;
  redraw(2);
}
