// Python beside the page: cyclekit itself, in Pyodide, answers what the page asks.
import { loadPyodide } from "./pyodide/pyodide.mjs";

const said = (stage, part) => postMessage({ stage, part });

// Fetched first, so that the page can say how far it is; the browser then has them at hand.
async function fetched(files) {
  const answers = await Promise.all(files.map((file) => fetch(new URL(file, import.meta.url))));
  const all = answers.reduce((sum, answer) => sum + Number(answer.headers.get("content-length") ?? 0), 0);
  let sofar = 0;
  await Promise.all(
    answers.map(async (answer) => {
      if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
      const reader = answer.body.getReader();
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        sofar += next.value.length;
        said("Fetching Python", all ? Math.min(sofar / all, 1) : undefined);
      }
    }),
  );
}

async function started() {
  await fetched(["pyodide/pyodide.asm.wasm", "pyodide/python_stdlib.zip", "cyclekit.zip"]);
  said("Starting Python");
  const python = await loadPyodide({ indexURL: new URL("pyodide/", import.meta.url).href });
  said("Reading cyclekit");
  const library = await (await fetch(new URL("cyclekit.zip", import.meta.url))).arrayBuffer();
  python.unpackArchive(library, "zip", { extractDir: "/library" });
  python.runPython("import sys; sys.path.insert(0, '/library')");
  const bridge = python.pyimport("bridge");
  bridge.paper("c2gan"); // what is used for the first time is slower
  return bridge;
}

const ready = started();
ready.then(
  (bridge) => postMessage({ ready: JSON.parse(bridge.list_papers()) }),
  (error) => postMessage({ failed: String(error.message ?? error) }),
);

onmessage = async ({ data: { id, ask, args } }) => {
  const bridge = await ready;
  try {
    postMessage({ id, answer: JSON.parse(bridge[ask](...args)) });
  } catch (error) {
    postMessage({ id, answer: { error: String(error.message ?? error), field: "options" } });
  }
};
