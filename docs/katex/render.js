// Typesets what pymdownx.arithmatex has marked: \[ ... \] in a block, \( ... \) in a line.
document.addEventListener("DOMContentLoaded", () => {
  for (const place of document.querySelectorAll(".arithmatex")) {
    const equation = place.textContent.trim().slice(2, -2);
    katex.render(equation, place, { displayMode: place.tagName === "DIV", throwOnError: false });
  }
});
