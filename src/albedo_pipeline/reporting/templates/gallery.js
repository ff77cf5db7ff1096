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
  const words = tools.querySelector("[type=search]");
  const lights = tools.querySelector("[type=checkbox]");
  const measure = tools.querySelector("select");
  const turn = tools.querySelector("button");
  const list = gallery.querySelector(".cards");
  const collator = new Intl.Collator("en", { numeric: true });
  let turned = false;

  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const card of cards) {
      const text = (card.dataset.name + " " + card.dataset.group).toLowerCase();
      const found = wanted.every((word) => text.includes(word));
      card.hidden = !found || (lights !== null && lights.checked && card.dataset.set === "");
      shown += !card.hidden;
    }
    tools.querySelector("output").textContent = shown + " of " + cards.length + " shown";
  };

  const byName = (a, b) => collator.compare(a.dataset.name, b.dataset.name);

  const byMeasure = (place, sign) => {
    const key = new Map(cards.map((card) => [card, JSON.parse(card.dataset.keys)[place]]));
    // A card without a value comes last, whichever the direction.
    return (a, b) =>
      (key.get(a) === null) - (key.get(b) === null) || sign * (key.get(a) - key.get(b));
  };

  const sort = () => {
    const named = measure.value === "name";
    const higher = measure.selectedOptions[0].dataset.higher === "true";
    const sign = turned ? -1 : 1;
    const before = named
      ? (a, b) => sign * byName(a, b)
      : byMeasure(measure.selectedIndex, higher ? -sign : sign);
    list.append(...[...cards].sort(before));
    const ways = named ? ["A to Z", "Z to A"] : ["best first", "worst first"];
    turn.firstElementChild.textContent = ways[Number(turned)];
  };

  words.addEventListener("input", filter);
  if (lights) lights.addEventListener("change", filter);
  measure.addEventListener("change", sort);
  turn.addEventListener("click", () => {
    turned = !turned;
    sort();
  });
  // A browser that reloads the page may have kept the choices.
  filter();
  sort();
  tools.hidden = false;
}
