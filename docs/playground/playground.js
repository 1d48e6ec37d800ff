// The playground: fields on the left, what cyclekit makes of them on the right.
const FIELDS = ["signals", "cycles", "maps", "adversaries", "losses", "options"];
const PAUSE = 150; // milliseconds without a key before the text is read

const page = document.querySelector(".playground");
const at = (name) => page.querySelector(`[data-part="${name}"]`);
const field = (name) => page.querySelector(`textarea[name="${name}"]`);
const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });

// ---------------------------------------------------------------- asking

const waiting = new Map();
let asked = 0;
const ask = (name, ...args) =>
  new Promise((answer) => {
    waiting.set(++asked, answer);
    worker.postMessage({ id: asked, ask: name, args });
  });

worker.onmessage = ({ data }) => {
  if (data.stage) return loading(data.stage, data.part);
  if (data.failed) return loading(`Python could not be started: ${data.failed}`);
  if (data.ready) return start(data.ready);
  waiting.get(data.id)(data.answer);
  waiting.delete(data.id);
};

function loading(stage, part) {
  at("stage").textContent = part === undefined ? stage : `${stage}: ${Math.round(100 * part)} %`;
  const bar = at("progress");
  if (part === undefined) bar.removeAttribute("value");
  else bar.value = part;
}

// ---------------------------------------------------------------- the text, in the fields and in the link

const text = () => Object.fromEntries(FIELDS.map((name) => [name, field(name).value]));

function fill(fields) {
  for (const name of FIELDS) {
    field(name).value = fields[name] ?? "";
    grow(field(name));
  }
}

// A field is as high as its text; where the browser has `field-sizing`, by itself.
function grow(area) {
  if (CSS.supports("field-sizing", "content")) return;
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + area.offsetHeight - area.clientHeight}px`;
}

const packed = (fields) =>
  btoa(Array.from(new TextEncoder().encode(JSON.stringify(fields)), (byte) => String.fromCharCode(byte)).join(""));

function unpacked(link) {
  try {
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(link), (letter) => letter.charCodeAt(0))));
  } catch {
    return null;
  }
}

function remember(fields) {
  localStorage.setItem("cyclekit-playground", JSON.stringify(fields));
  history.replaceState(null, "", `#${packed(fields)}`);
}

function remembered() {
  const stored = localStorage.getItem("cyclekit-playground");
  return unpacked(location.hash.slice(1)) ?? (stored && JSON.parse(stored));
}

// ---------------------------------------------------------------- what is shown

let shown = 0;

async function show(answer) {
  const number = ++shown;
  for (const name of FIELDS) {
    const wrong = answer.error && answer.field === name;
    field(name).setAttribute("aria-invalid", String(Boolean(wrong)));
    say(at(`${name}-error`), wrong ? answer : {});
  }
  page.classList.toggle("stale", Boolean(answer.error));
  at("notes").textContent = (answer.notes ?? []).join("\n"); // none of a text that is in error
  if (answer.error) return;
  table(answer);
  for (const name of ["plan", "python"]) at(name).textContent = answer[name];
  katex.render(answer.latex, at("latex"), { displayMode: true, throwOnError: false });
  const look = document.body.dataset.mdColorScheme === "slate" ? "dark" : "default";
  mermaid.initialize({ startOnLoad: false, securityLevel: "strict", theme: look });
  const picture = await mermaid.render(`graph-${number}`, answer.mermaid);
  if (number === shown) at("diagram").innerHTML = picture.svg;
  page.dataset.shown = String(number);
}

// What is wrong, and below it the line and its caret, which stay together and in sight.
function say(place, { error = "", line }) {
  place.textContent = error;
  if (line === undefined) return;
  const [, message, shown, gap] = error.match(/^([^]*\n)(.*\n(.*)\^)$/);
  const code = Object.assign(document.createElement("code"), { textContent: shown });
  place.replaceChildren(message, code);
  const longest = Math.max(...shown.split("\n").map((row) => row.length));
  code.scrollLeft = (code.scrollWidth * gap.length) / longest - code.clientWidth / 2;
}

function table({ table: { header, rows }, networks }) {
  const body = rows.map((row) => {
    const line = document.createElement("tr");
    line.append(...row.map((cell) => Object.assign(document.createElement("td"), { textContent: cell })));
    const learning = row[4].split(", ").map((name) => name.replace(/^reverse\((.*)\)$/, "$1"));
    line.tabIndex = 0;
    for (const event of ["mouseenter", "focus"]) line.addEventListener(event, () => light(learning));
    for (const event of ["mouseleave", "blur"]) line.addEventListener(event, () => light([]));
    line.append(tools(row[0], row[1]));
    return line;
  });
  at("head").replaceChildren(...[...header, ""].map((cell) => Object.assign(document.createElement("th"), { textContent: cell })));
  at("rows").replaceChildren(...body);
  const generators = Object.keys(networks).filter((name) => networks[name] === "generator");
  at("networks").replaceChildren(...generators.map((name) => button(`unshare ${name}`, () => edit("unshare", name))));
}

function tools(term, weight) {
  const cell = document.createElement("td");
  const factor = Object.assign(document.createElement("input"), { type: "number", step: "any", value: weight });
  factor.setAttribute("aria-label", `weight of ${term}`);
  factor.addEventListener("change", () => factor.value !== "" && edit("reweight", term, factor.value));
  cell.append(factor, button("without", () => edit("without", term)));
  return cell;
}

function button(label, act) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: label });
  made.addEventListener("click", act);
  return made;
}

// The networks that a term trains light up in the diagram.
function light(names) {
  for (const node of at("diagram").querySelectorAll(".node")) {
    const label = node.textContent.trim();
    node.classList.toggle("lit", names.some((name) => label === name || label.startsWith(`${name}.`) || label.startsWith(`${name}:`)));
  }
}

// ---------------------------------------------------------------- what a reader does

async function read() {
  const fields = text();
  remember(fields);
  show(await ask("describe", JSON.stringify(fields)));
}

async function edit(how, what, value = "") {
  const answer = await ask("edit", JSON.stringify(text()), how, what, value);
  taken(answer);
}

function taken(answer) {
  if (!answer.error) {
    fill(answer.fields);
    remember(answer.fields);
  }
  show(answer);
}

function choose(tab) {
  for (const other of page.querySelectorAll("[data-tab]")) {
    const chosen = other.dataset.tab === tab;
    other.setAttribute("aria-selected", String(chosen));
    at(`${other.dataset.tab}-panel`).hidden = !chosen;
  }
}

async function start(papers) {
  const menu = at("papers");
  menu.append(...papers.map((name) => new Option(name, name)));
  menu.addEventListener("change", async () => menu.value && taken(await ask("paper", menu.value)));
  let pause;
  for (const name of FIELDS) {
    field(name).addEventListener("input", () => {
      grow(field(name));
      menu.value = "";
      clearTimeout(pause);
      pause = setTimeout(read, PAUSE);
    });
  }
  addEventListener("resize", () => FIELDS.forEach((name) => grow(field(name))));
  for (const tab of page.querySelectorAll("[data-tab]")) tab.addEventListener("click", () => choose(tab.dataset.tab));
  at("copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText(at("python").textContent);
    at("copy").textContent = "Copied";
    setTimeout(() => (at("copy").textContent = "Copy the Python"), 1500);
  });
  new MutationObserver(read).observe(document.body, { attributeFilter: ["data-md-color-scheme"] });
  const before = remembered();
  if (before) {
    fill(before);
    await read();
  } else {
    menu.value = "c2gan";
    taken(await ask("paper", "c2gan"));
  }
  page.classList.add("ready");
}
