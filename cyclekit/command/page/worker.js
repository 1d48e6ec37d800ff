// onnxruntime beside the page: an image and points in, the generated image out, and what G_K reads from it.
let started;
let reader;
let image;
let size;

async function start({ ort, glue, wasm, generator, height, width }) {
  const { InferenceSession, Tensor, env } = await import(ort);
  env.wasm.wasmPaths = { mjs: glue, wasm: URL.createObjectURL(new Blob([wasm], { type: "application/wasm" })) };
  env.wasm.numThreads = 1;
  size = [height, width];
  const session = (model) => InferenceSession.create(new Uint8Array(model), { executionProviders: ["wasm"] });
  return { Tensor, session, generator: await session(generator) };
}

async function make(points, reading) {
  const { Tensor, generator } = await started;
  const began = performance.now();
  const feeds = { image: new Tensor("float32", image, [1, 3, ...size]), points: new Tensor("float32", points, [1, points.length / 2, 2]) };
  const { generated } = await generator.run(feeds);
  const read = reading && reader ? (await reader.run({ image: generated })).keypoints : null;
  return { generated: generated.data, keypoints: read && read.data, channels: read && read.dims[1], took: performance.now() - began };
}

onmessage = async ({ data }) => {
  try {
    if (data.start) {
      started = start(data.start);
      await started;
      postMessage({ id: data.id });
    } else if (data.reader) {
      reader = await (await started).session(data.reader);
      postMessage({ id: data.id });
    } else if (data.image) {
      image = data.image;
      postMessage({ id: data.id });
    } else {
      postMessage({ id: data.id, answer: await make(data.points, data.reading) });
    }
  } catch (error) {
    postMessage({ id: data.id, failed: String(error.message ?? error) });
  }
};
