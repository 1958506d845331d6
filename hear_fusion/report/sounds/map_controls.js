// What people do: point, click, walk with the keys, search, hide labels, move and zoom.

const tip = element("tip"), search = element("search"), legend = element("legend");
let sounds = null; // read at the first click: most of the page's bytes

function under(x, y, reach = 14) {
  let found = -1, least = reach * reach;
  for (let i = 0; i < n; i++) {
    const dx = screenX(i) - x, dy = screenY(i) - y, distance = dx * dx + dy * dy;
    if (distance < least && seen(i)) [found, least] = [i, distance];
  }
  return found;
}
const label = (i) => map.groups[groupOf[i]].label;
const about = (i) => [map.labelled ? label(i) : "", map.folders[i], map.times[i]].filter(Boolean).join(" · ");
function hover(i, x, y) {
  if (i !== hovered) redraw(1);
  hovered = i;
  marks.classList.toggle("over", i >= 0);
  tip.hidden = i < 0;
  if (i < 0) return;
  tip.children[0].textContent = map.names[i];
  tip.children[1].textContent = about(i);
  const box = tip.getBoundingClientRect();
  const right = x + 14 + box.width > width ? x - 14 - box.width : x + 14;
  const below = y + 14 + box.height > height ? y - 14 - box.height : y + 14;
  tip.style.transform = `translate(${Math.max(0, right)}px, ${Math.max(0, below)}px)`;
}

function choose(i) {
  chosen = i;
  hover(-1);
  element("hint").hidden = i >= 0;
  element("card").hidden = i < 0;
  if (i < 0) return redraw(1);
  element("name").textContent = map.names[i];
  element("about").textContent = about(i);
  element("fault").hidden = true;
  element("nearest").replaceChildren(...map.nearest[i].map((j, k) => {
    const row = document.createElement("li"), button = document.createElement("button");
    const name = document.createElement("span"), far = document.createElement("small");
    name.textContent = button.title = map.names[j];
    far.textContent = (1 - map.distances[i][k]).toFixed(2);
    button.type = "button";
    button.append(swatch(groupOf[j]), name, far);
    button.addEventListener("click", () => { choose(j); bring(j); play(); });
    row.append(button);
    return row;
  }));
  element("spoken").textContent = `${map.names[i]}, ${about(i)}`;
  load(i);
  return redraw(1);
}
function load(i) { // unless a chosen sound is heard, nothing is fetched
  sounds = sounds || read("sounds");
  const sound = sounds[i];
  player.pause();
  player.hidden = "fault" in sound;
  if ("fault" in sound) return complain(sound.fault);
  player.src = "mp3" in sound ? `data:audio/mpeg;base64,${sound.mp3}` : sound.link;
  return undefined;
}
function complain(why) {
  element("fault").textContent = why;
  element("fault").hidden = false;
}
function play() {
  if (chosen < 0 || player.hidden) return;
  player.play().catch((err) => {
    if (err.name === "NotAllowedError") complain("the browser wants a click first: press play");
  });
}
const heard = () => Math.min(1, player.currentTime / player.duration);
function bring(i) { // into view
  const x = screenX(i), y = screenY(i), edge = 40;
  if (x > edge && y > edge && x < width - edge && y < height - edge) return;
  originX += width / 2 - x;
  originY += height / 2 - y;
  redraw(2);
}
function walk(dx, dy) { // to the next sound in a direction, those aside of it count as farther
  if (chosen < 0) return choose(under(width / 2, height / 2, Infinity));
  let found = -1, least = Infinity;
  for (let i = 0; i < n; i++) {
    if (i === chosen || !seen(i)) continue;
    const x = screenX(i) - screenX(chosen), y = screenY(i) - screenY(chosen);
    const ahead = x * dx + y * dy, aside = Math.abs(x * dy) + Math.abs(y * dx);
    if (ahead > 0 && ahead + 2 * aside < least) [found, least] = [i, ahead + 2 * aside];
  }
  if (found < 0) return undefined;
  choose(found);
  return bring(found);
}

function swatch(k) {
  const canvas = document.createElement("canvas"), context = canvas.getContext("2d");
  canvas.className = "swatch";
  canvas.width = canvas.height = 28;
  context.fillStyle = map.groups[k].colour;
  trace(context, map.groups[k].shape, 14, 14, 9);
  context.fill();
  return canvas;
}
function fillLegend() {
  legend.replaceChildren(...map.groups.map((group, k) => {
    const button = document.createElement("button"), name = document.createElement("span");
    const count = document.createElement("small");
    button.type = "button";
    button.setAttribute("aria-pressed", "true");
    name.textContent = group.label;
    count.textContent = group.members.length;
    button.append(swatch(k), name, count);
    button.addEventListener("click", () => show((j) => (j === k ? !hidden[j] : hidden[j])));
    button.addEventListener("dblclick", () => {
      const alone = hidden.every((other, j) => other === (j !== k));
      show((j) => !alone && j !== k);
    });
    return button;
  }));
}
function show(isHidden) {
  hidden.splice(0, hidden.length, ...map.groups.map((_, j) => isHidden(j)));
  [...legend.children].forEach((button, j) => button.setAttribute("aria-pressed", String(!hidden[j])));
  if (hovered >= 0 && !seen(hovered)) hover(-1);
  redraw(2);
}

search.addEventListener("input", () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  matched = words.length === 0 ? null : map.names.map((name, i) => {
    const text = `${map.folders[i]}/${name} ${label(i)}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const count = matched === null ? 0 : matched.filter(Boolean).length;
  element("matches").textContent = matched === null ? "" : `${count} of ${n} sounds`;
  redraw(2);
});

const held = new Map(); // pointers that are down, by id
let moved = 0;
const place = (event) => {
  const box = marks.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};
const spread = () => {
  const [a, b] = [...held.values()];
  return [Math.hypot(a[0] - b[0], a[1] - b[1]), (a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
};
marks.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  marks.setPointerCapture(event.pointerId);
  if (held.size === 0) moved = 0;
  held.set(event.pointerId, place(event));
});
marks.addEventListener("pointermove", (event) => {
  const [x, y] = place(event), before = held.get(event.pointerId);
  if (!before) return hover(under(x, y), x, y);
  moved += Math.hypot(x - before[0], y - before[1]);
  if (held.size === 2) {
    const [distance] = spread();
    held.set(event.pointerId, [x, y]);
    const [wider, middleX, middleY] = spread();
    return magnify(wider / Math.max(1, distance), middleX, middleY);
  }
  held.set(event.pointerId, [x, y]);
  if (moved < 5) return undefined;
  marks.classList.add("held");
  hover(-1);
  originX += x - before[0];
  originY += y - before[1];
  return redraw(2);
});
const release = (event) => {
  if (!held.delete(event.pointerId)) return;
  marks.classList.remove("held");
  if (event.type !== "pointerup" || moved >= 5 || held.size > 0) return;
  const i = under(...place(event));
  if (i < 0) return;
  const stop = i === chosen && !player.paused;
  choose(i);
  if (!stop) play();
};
marks.addEventListener("pointerup", release);
marks.addEventListener("pointercancel", release);
marks.addEventListener("pointerleave", () => hover(-1));
marks.addEventListener("wheel", (event) => {
  event.preventDefault();
  const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : 1);
  magnify(Math.exp(-Math.max(-200, Math.min(200, pixels)) * 0.0025), ...place(event));
}, { passive: false });

const keys = {
  ArrowLeft: () => walk(-1, 0),
  ArrowRight: () => walk(1, 0),
  ArrowUp: () => walk(0, -1),
  ArrowDown: () => walk(0, 1),
  Enter: () => (player.paused ? play() : player.pause()),
  " ": () => (player.paused ? play() : player.pause()),
  "+": () => magnify(1.4),
  "=": () => magnify(1.4),
  "-": () => magnify(1 / 1.4),
  0: fit,
  Escape: () => { player.pause(); choose(-1); },
};
marks.addEventListener("keydown", (event) => {
  if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  keys[event.key]();
});
element("closer").addEventListener("click", () => magnify(1.6));
element("farther").addEventListener("click", () => magnify(1 / 1.6));
element("fit").addEventListener("click", fit);
for (const event of ["play", "pause", "timeupdate"]) player.addEventListener(event, () => redraw(1));
player.addEventListener("error", () => {
  if (chosen < 0 || !player.error) return;
  const { link } = sounds[chosen];
  complain(link ? `cannot be played here, or is not at ${link}` : "cannot be played here");
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw(2));

fillLegend();
element("filter").hidden = n < 2;
legend.hidden = !map.labelled;
new ResizeObserver(resize).observe(view);
