
"use strict";
const form = document.querySelector("form.filter");
const found = [...document.querySelectorAll("section.item article.finding")];
const words = new Map(found.map((one) => [one, one.textContent.toLowerCase()]));

function show() {
  const wanted = new Set([...form.querySelectorAll("[name=severity]:checked")].map((box) => box.value));
  const decides = form.elements.namedItem("decides");
  const item = form.elements.namedItem("item").value;
  const text = form.elements.namedItem("text").value.trim().toLowerCase();
  let shown = 0;
  for (const one of found) {
    const home = one.closest("section.item");
    one.hidden = !(
      wanted.has(one.dataset.severity) &&
      (!decides || !decides.checked || one.dataset.decides === "yes") &&
      (!item || home.dataset.item === item) &&
      words.get(one).includes(text)
    );
    shown += !one.hidden;
  }
  for (const home of document.querySelectorAll("section.item")) {
    home.hidden = item !== "" && home.dataset.item !== item;
  }
  form.querySelector(".shown").textContent = shown === found.length ? "" : `${shown} of ${found.length} findings`;
}

form.hidden = found.length === 0;
form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
// a browser that comes back to the page may remember what was chosen
window.addEventListener("pageshow", show);
window.addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("details")) one.open = true;
});
