// Drag a landmark: an image on the left, keypoints to move in the middle, what the model makes of both on the right.
const SHAPE = `
  <div class="drag-loading" role="status"><span data-part="stage">Loading</span> <progress data-part="progress" max="1"></progress></div>
  <label class="drag-models" hidden>Model <select data-part="models"></select></label>
  <div class="drag-strip" data-part="people" role="group" aria-label="Whose image"></div>
  <div class="drag-panels">
    <figure><figcaption>Image</figcaption><canvas data-part="image"></canvas></figure>
    <figure class="drag-middle"><figcaption>Keypoints: drag them</figcaption>
      <div class="drag-stage"><canvas data-part="ghost"></canvas><svg data-part="keypoints" tabindex="0" role="application"
        aria-label="Keypoints. Comma and full stop choose one, arrow keys move it, with shift further."></svg></div></figure>
    <figure><figcaption>Generated</figcaption>
      <div class="drag-stage"><canvas data-part="generated"></canvas><canvas data-part="reading"></canvas></div></figure>
  </div>
  <div class="drag-tools">
    <fieldset><legend>Drag</legend>
      <label><input type="radio" name="drag-what" value="point" checked> one point</label>
      <label data-part="parts"><input type="radio" name="drag-what" value="part"> a part</label>
      <label><input type="radio" name="drag-what" value="all"> all</label>
    </fieldset>
    <label data-part="reads"><input type="checkbox" data-part="read"> what G_K reads</label>
    <button type="button" data-part="reset">Reset</button>
    <output data-part="chosen" aria-live="polite"></output>
  </div>
  <div><div class="drag-label">Keypoints of each image</div><div class="drag-strip" data-part="poses" role="group" aria-label="Keypoints of each image"></div></div>
  <div><div class="drag-label">From one pose to another; a click on either takes the keypoints as they are</div>
  <div class="drag-walk">
    <button type="button" data-part="from" title="Begin the walk with the keypoints as they are"></button>
    <button type="button" data-part="play" aria-pressed="false">Walk</button>
    <input type="range" data-part="walk" min="0" max="1" step="0.01" value="0" aria-label="Between two poses">
    <button type="button" data-part="to" title="End the walk with the keypoints as they are"></button>
  </div></div>
  <p class="drag-said" data-part="said"></p>`;
const NEAR = { mouse: 9, touch: 22, pen: 12 }; // pixels of the screen from which a point is taken
const ROUND = 4000; // milliseconds from one pose to the other and back
const READING = [0, 229, 255];
const SVG = "http://www.w3.org/2000/svg";

const page = document.querySelector(".drag");
page.innerHTML = SHAPE;
const at = (name) => page.querySelector(`[data-part="${name}"]`);
const svg = at("keypoints");

// ---------------------------------------------------------------- files, inside of the page or beside it

let loaded = 0;

async function file(name, folder = "") {
  const inside = document.querySelector(`script[data-file="${name}"]`);
  if (inside) return unpacked(await (await fetch(`data:application/octet-stream;base64,${inside.textContent}`)).arrayBuffer(), name);
  const answer = await fetch(new URL(folder + name, import.meta.url));
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
  const reader = answer.body.getReader();
  const parts = [];
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    parts.push(next.value);
    loaded += next.value.length;
    at("stage").textContent = `Loading: ${(loaded / 1e6).toFixed(1)} MB`;
  }
  return unpacked(await new Blob(parts).arrayBuffer(), name);
}

async function unpacked(content, name) {
  if (!name.endsWith(".gz")) return content;
  return new Response(new Blob([content]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

// ---------------------------------------------------------------- the model, in a worker

const waiting = new Map();
let worker;
let asked = 0;

function ask(message) {
  return new Promise((answer, fail) => {
    waiting.set(++asked, { answer, fail });
    worker.postMessage({ id: asked, ...message });
  });
}

// Of a page from a disk a worker may be made of a blob, and may import data; nothing else.
const asData = (content) => `data:text/javascript,${encodeURIComponent(new TextDecoder().decode(content))}`;

async function started({ size: [height, width] }, folder) {
  const names = ["worker.js", "ort.mjs", "ort.wasm.mjs", "ort.wasm.gz"];
  const [code, ort, glue, wasm, generator] = await Promise.all([...names.map((name) => file(name)), file("generator.onnx", folder)]);
  at("stage").textContent = "Starting";
  worker?.terminate();
  worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  worker.onmessage = ({ data }) => {
    const { answer, fail } = waiting.get(data.id);
    waiting.delete(data.id);
    data.failed ? fail(new Error(data.failed)) : answer(data.answer);
  };
  worker.onerror = ({ message }) => {
    for (const { fail } of waiting.values()) fail(new Error(message || "the worker could not be started"));
    waiting.clear();
  };
  await ask({ start: { ort: asData(ort), glue: asData(glue), wasm, generator, height, width } });
}

// G_K is fetched when it is first wanted.
async function read() {
  try {
    const reader = await file("reader.onnx", where);
    await ask({ reader });
    at("read").dataset.loaded = where;
    await draw();
  } catch (error) {
    failed(error);
  }
}

// ---------------------------------------------------------------- what is there

let run; // what run.json says
let where = ""; // the folder of its files
let pictures; // pixels of its images
let who = 0; // the image that is shown
let points = []; // [x, y] in pixels of the image, or null for a missing one
let ends = [[], []]; // of the walk
let chosen = 0;

const copied = (pose) => pose.map((point) => point && [...point]);
const what = () => page.querySelector('[name="drag-what"]:checked').value;

async function pixels(source, [height, width]) {
  const image = new Image();
  image.src = source;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, width, height);
}

function planes({ data, width, height }) {
  const values = new Float32Array(3 * width * height);
  for (let place = 0; place < width * height; place++)
    for (let channel = 0; channel < 3; channel++) values[channel * width * height + place] = data[4 * place + channel] / 127.5 - 1;
  return values;
}

async function show(index) {
  who = index;
  for (const [place, button] of [...at("people").children].entries()) button.setAttribute("aria-pressed", String(place === index));
  put(at("image"), pictures[index]);
  await ask({ image: planes(pictures[index]) });
  const own = run.images[index];
  const other = run.images.findIndex(({ person }, place) => person === own.person && place !== index);
  ends = [own, run.images[other < 0 ? (index + 1) % run.images.length : other]].map((image) => copied(image.points));
  miniature(at("from"), ends[0]);
  miniature(at("to"), ends[1]);
  at("walk").value = 0;
  await pose(ends[0]);
}

function pose(next) {
  points = copied(next);
  return draw();
}

function put(canvas, picture) {
  Object.assign(canvas, { width: picture.width, height: picture.height });
  canvas.getContext("2d").putImageData(picture, 0, 0);
}

// ---------------------------------------------------------------- the generated image

let busy = false;
let wanted = false;
const shownAt = [];
const took = [];

async function draw() {
  keypoints();
  wanted = true;
  if (busy) return;
  busy = true;
  page.classList.add("busy");
  try {
    while (wanted) {
      wanted = false;
      const given = Float32Array.from(points.flatMap((point) => point ?? [NaN, NaN]));
      const answer = await ask({ points: given, reading: at("read").checked });
      const made = picture(answer.generated);
      put(at("generated"), made);
      put(at("ghost"), made);
      put(at("reading"), answer.keypoints ? reading(answer) : new ImageData(run.size[1], run.size[0]));
      page.drawn = { points: [...given], ...answer };
      page.dataset.drawn = String(Number(page.dataset.drawn ?? 0) + 1);
      measured(answer.took);
    }
  } catch (error) {
    failed(error);
  } finally {
    busy = false;
    page.classList.remove("busy");
  }
}

function picture(values) {
  const [height, width] = run.size;
  const made = new ImageData(width, height);
  for (let place = 0; place < width * height; place++) {
    for (let channel = 0; channel < 3; channel++)
      made.data[4 * place + channel] = Math.round((values[channel * width * height + place] + 1) * 127.5);
    made.data[4 * place + 3] = 255;
  }
  return made;
}

function reading({ keypoints: values, channels }) {
  const [height, width] = run.size;
  const made = new ImageData(width, height);
  const several = run.style === "heatmaps" || run.style === "discs";
  for (let place = 0; place < width * height; place++) {
    let most = -1;
    let joint = 0;
    for (let channel = 0; channel < channels; channel++) {
      const value = values[channel * width * height + place] * (run.style === "dark_dots" ? -1 : 1);
      if (value > most) [most, joint] = [value, channel];
    }
    const colour = several ? hue(joint / channels) : READING;
    made.data.set([...colour, Math.round(Math.max(0, (most + 1) / 2) * 255)], 4 * place);
  }
  return made;
}

const hue = (share) => [0, 2, 4].map((shift) => Math.round(255 * Math.min(1, Math.max(0, Math.abs(((share * 6 + shift) % 6) - 3) - 1))));

let first = "";

function measured(milliseconds) {
  const now = performance.now();
  if (shownAt.length && now - shownAt.at(-1) > 300) shownAt.length = 0; // it stood still
  shownAt.push(now);
  took.push(milliseconds);
  while (shownAt.length > 60) shownAt.shift();
  while (took.length > 30) took.shift();
  first ||= `First picture after ${(now / 1000).toFixed(1)} s${loaded ? ` and ${(loaded / 1e6).toFixed(1)} MB` : ""}.`;
  const middle = [...took].sort((a, b) => a - b)[took.length >> 1];
  const rate = shownAt.length > 9 ? `, ${Math.round((1000 * (shownAt.length - 1)) / (now - shownAt[0]))} a second` : "";
  at("said").textContent = `${first} ${middle.toFixed(middle < 10 ? 1 : 0)} ms a picture${rate}.`;
}

// ---------------------------------------------------------------- the keypoints

const made = (name, attributes) => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};

function skeleton(into, pose, radius) {
  const limbs = run.limbs.map(([a, b, colour]) => {
    if (!pose[a] || !pose[b]) return null;
    return made("line", { x1: pose[a][0], y1: pose[a][1], x2: pose[b][0], y2: pose[b][1], stroke: colour });
  });
  const dots = pose.map((point, joint) => point && made("circle", { cx: point[0], cy: point[1], r: radius, "data-joint": joint }));
  into.replaceChildren(...[...limbs, ...dots].filter(Boolean));
}

const box = ([height, width]) => `-0.5 -0.5 ${width} ${height}`;
const unit = () => run.size[1] / (svg.clientWidth || run.size[1]); // a pixel of the screen, in those of the image

function keypoints() {
  skeleton(svg, points, unit() * Math.min(5, Math.max(2.5, svg.clientWidth / (points.length > 30 ? 130 : 80))));
  svg.querySelector(`[data-joint="${chosen}"]`)?.classList.add("chosen");
}

function miniature(button, pose) {
  const picture = made("svg", { viewBox: box(run.size), "aria-hidden": "true" });
  skeleton(picture, pose, run.size[0] / 60);
  button.replaceChildren(picture);
}

const place = (event) => {
  const { left, top, width, height } = svg.getBoundingClientRect();
  const share = (value) => Math.min(1, Math.max(0, value));
  return [share((event.clientX - left) / width) * run.size[1] - 0.5, share((event.clientY - top) / height) * run.size[0] - 0.5];
};

const distance = ([x, y], [a, b]) => Math.hypot(x - a, y - b);

function fromLimb(spot, [a, b]) {
  if (!points[a] || !points[b]) return Infinity;
  const along = [points[b][0] - points[a][0], points[b][1] - points[a][1]];
  const square = along[0] ** 2 + along[1] ** 2 || 1;
  const share = ((spot[0] - points[a][0]) * along[0] + (spot[1] - points[a][1]) * along[1]) / square;
  const held = Math.min(1, Math.max(0, share));
  return distance(spot, [points[a][0] + held * along[0], points[a][1] + held * along[1]]);
}

const nearest = (values) => values.reduce((best, value, index) => (value < values[best] ? index : best), 0);

// The joints that a pointer takes: a point, or by a limb its part, or all where neither is near.
function taken(spot, reach) {
  const all = points.map((_, joint) => joint);
  const away = points.map((point) => (point ? distance(spot, point) : Infinity));
  const limbs = run.limbs.map((limb) => fromLimb(spot, limb));
  const [joint, limb] = [nearest(away), nearest(limbs)];
  if (what() === "all") return all;
  if (away[joint] <= reach) {
    chosen = joint;
    return what() === "part" ? run.joint_parts[joint] : [joint];
  }
  return limbs[limb] <= reach ? run.limb_parts[limb] : all;
}

function move(joints, across, down) {
  for (const joint of joints) if (points[joint]) points[joint] = [points[joint][0] + across, points[joint][1] + down];
  stop();
  say();
  return draw();
}

function say() {
  const point = points[chosen];
  at("chosen").textContent = point ? `${run.joints[chosen].replaceAll("_", " ")}: ${point[0].toFixed(1)}, ${point[1].toFixed(1)}` : "";
}

let held = null;

svg.addEventListener("pointerdown", (event) => {
  if (!run || held) return;
  const spot = place(event);
  held = { pointer: event.pointerId, spot, joints: taken(spot, NEAR[event.pointerType] * unit()) };
  svg.setPointerCapture(event.pointerId);
  svg.classList.add("held");
  move(held.joints, 0, 0);
});
svg.addEventListener("pointermove", (event) => {
  if (event.pointerId !== held?.pointer) return;
  const spot = place(event);
  move(held.joints, spot[0] - held.spot[0], spot[1] - held.spot[1]);
  held.spot = spot;
});
for (const end of ["pointerup", "pointercancel"])
  svg.addEventListener(end, (event) => {
    if (event.pointerId !== held?.pointer) return;
    held = null;
    svg.classList.remove("held");
  });

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const NEXT = { ",": -1, ".": 1, PageUp: -1, PageDown: 1 };

svg.addEventListener("keydown", (event) => {
  if (!run || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key in STEPS) {
    const joints = { point: [chosen], part: run.joint_parts[chosen], all: points.map((_, joint) => joint) }[what()];
    const step = (event.shiftKey ? 1 / 16 : 1 / 128) * run.size[0];
    move(joints, ...STEPS[event.key].map((way) => way * step));
  } else if (event.key in NEXT) {
    do chosen = (chosen + NEXT[event.key] + points.length) % points.length;
    while (!points[chosen]);
    keypoints();
    say();
  } else return;
  event.preventDefault();
});

// ---------------------------------------------------------------- the walk

let playing = 0;

function between(share) {
  return ends[0].map((from, joint) => {
    const to = ends[1][joint];
    if (!from || !to) return share < 0.5 ? from && [...from] : to && [...to];
    return [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])];
  });
}

function stop() {
  playing = 0;
  at("play").setAttribute("aria-pressed", "false");
  at("play").textContent = "Walk";
}

function play() {
  const own = ++asked;
  playing = own;
  at("play").setAttribute("aria-pressed", "true");
  at("play").textContent = "Stop";
  const began = performance.now() - (Math.acos(1 - 2 * Number(at("walk").value)) / (2 * Math.PI)) * ROUND;
  const step = (now) => {
    if (playing !== own) return;
    const share = (1 - Math.cos(((now - began) / ROUND) * 2 * Math.PI)) / 2;
    at("walk").value = share;
    pose(between(share));
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

at("play").addEventListener("click", () => (playing ? stop() : play()));
at("walk").addEventListener("input", () => {
  stop();
  pose(between(Number(at("walk").value)));
});
for (const [end, name] of ["from", "to"].entries())
  at(name).addEventListener("click", () => {
    stop();
    ends[end] = copied(points);
    miniature(at(name), points);
    at("walk").value = end;
  });
at("reset").addEventListener("click", () => {
  stop();
  at("walk").value = 0;
  pose(run.images[who].points);
});
at("read").addEventListener("change", () => (at("read").dataset.loaded === where || !at("read").checked ? draw() : read()));
new ResizeObserver(() => run && points.length && keypoints()).observe(svg);

// ---------------------------------------------------------------- loading

function failed(error) {
  page.classList.remove("ready");
  at("stage").textContent = `This page could not be started: ${error.message ?? error}`;
  at("progress").hidden = true;
}

function choice(label, act, content) {
  const button = Object.assign(document.createElement("button"), { type: "button" });
  button.setAttribute("aria-label", label);
  button.append(content);
  button.addEventListener("click", act);
  return button;
}

const scaled = (pose, size) =>
  pose.map((point) => point && point.map((value, axis) => ((value + 0.5) * size[1 - axis]) / run.size[1 - axis] - 0.5));

// Another model of the same images, whatever their size, goes on where this one is.
const samePoses = ({ size, images }) =>
  images.length === run.images.length &&
  images.every(({ points: other }, index) => {
    const own = scaled(run.images[index].points, size);
    return own.length === other.length && own.every((point, joint) => (point && other[joint] ? distance(point, other[joint]) < 0.1 : point === other[joint]));
  });

async function open(folder) {
  stop();
  page.classList.remove("ready");
  const next = JSON.parse(new TextDecoder().decode(await file("run.json", folder)));
  await started(next, folder);
  pictures = await Promise.all(next.images.map(({ image }) => pixels(image, next.size)));
  const [image, kept] = run && samePoses(next) ? [who, scaled(points, next.size)] : [0, null];
  run = next;
  where = folder;
  at("read").checked = false;
  delete at("read").dataset.loaded;
  chosen = 0;
  svg.setAttribute("viewBox", box(run.size));
  page.style.setProperty("--drag-ratio", run.size[1] / run.size[0]);
  page.classList.toggle("tall", run.size[1] < 0.75 * run.size[0]);
  at("parts").hidden = run.limbs.length === 0;
  at("reads").hidden = !run.reads;
  at("people").replaceChildren(
    ...run.images.map(({ image, person }, index) =>
      choice(`Image ${index + 1}, person ${person + 1}`, () => (stop(), show(index)), Object.assign(new Image(), { src: image, alt: "" })),
    ),
  );
  at("poses").replaceChildren(
    ...run.images.map(({ points: own }, index) => {
      const button = choice(`Pose ${index + 1}`, () => (stop(), pose(own)), "");
      miniature(button, own);
      return button;
    }),
  );
  took.length = 0;
  await show(image);
  if (kept) await pose(kept);
  page.classList.add("ready");
  keypoints();
}

const runs = (page.dataset.runs ?? "").split(";").filter(Boolean).map((entry) => entry.split("|"));
page.querySelector(".drag-models").hidden = runs.length < 2;
at("models").append(...runs.map(([folder, name]) => new Option(name, folder)));
at("models").addEventListener("change", () => open(`${at("models").value}/`).catch(failed));
open(runs.length ? `${runs[0][0]}/` : "").catch(failed);
