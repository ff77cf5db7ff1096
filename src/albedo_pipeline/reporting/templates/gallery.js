const gallery = document.querySelector("#gallery");
const cards = [...gallery.querySelectorAll(".card")];

for (const card of cards) {
  const slide = card.querySelector(".slide");
  const range = slide.querySelector("input");
  const move = () => {
    slide.style.setProperty("--at", range.value + "%");
    range.setAttribute("aria-valuetext", range.value + " % beauty");
  };
  slide.querySelector(".over").src = card.querySelector(".beauty").src;
  slide.querySelector(".under").src = card.querySelector(".prediction").src;
  range.addEventListener("input", move);
  move();
  slide.hidden = false;
}

const tools = gallery.querySelector(".tools");
if (tools) {
  const [words, measure, direction] = tools.querySelectorAll("[type=search], select");
  const lights = tools.querySelector("[type=checkbox]");
  const list = gallery.querySelector(".cards");

  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const card of cards) {
      const found = wanted.every((word) => card.dataset.words.toLowerCase().includes(word));
      card.hidden = !found || (lights !== null && lights.checked && card.dataset.set === "");
      shown += !card.hidden;
    }
    tools.querySelector("output").textContent = shown + " of " + cards.length + " shown";
  };

  const sort = () => {
    const place = measure.selectedIndex;
    const higher = measure.options[place].dataset.higher === "true";
    const sign = higher === (direction.value === "best") ? -1 : 1;
    const key = new Map(cards.map((card) => [card, JSON.parse(card.dataset.keys)[place]]));
    // A card without a value comes last, whichever the direction.
    const before = (a, b) =>
      (key.get(a) === null) - (key.get(b) === null) || sign * (key.get(a) - key.get(b));
    list.append(...[...cards].sort(before));
  };

  words.addEventListener("input", filter);
  if (lights) lights.addEventListener("change", filter);
  for (const choice of [measure, direction]) choice.addEventListener("change", sort);
  // A browser that reloads the page may have kept the choices.
  filter();
  sort();
  tools.hidden = false;
}
