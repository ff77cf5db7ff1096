const gallery = document.querySelector("#gallery");
const cards = [...gallery.querySelectorAll(".card")];

for (const card of cards) {
  const slide = card.querySelector(".slide");
  const range = slide.querySelector("input");
  const update = () => {
    slide.style.setProperty("--at", range.value + "%");
    range.setAttribute("aria-valuetext", range.value + " % beauty");
  };
  slide.querySelector(".over").src = card.querySelector(".beauty").src;
  slide.querySelector(".under").src = card.querySelector(".prediction").src;
  range.addEventListener("input", update);
  update();
  slide.hidden = false;
}

const tools = gallery.querySelector(".tools");
if (tools) {
  const search = tools.querySelector("[type=search]");
  const lights = tools.querySelector("[type=checkbox]");
  const metric = tools.querySelector("select");
  const direction = tools.querySelector("button");
  const list = gallery.querySelector(".cards");
  const collator = new Intl.Collator("en", { numeric: true });
  let reversed = false;

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const card of cards) {
      const text = (card.dataset.name + " " + card.dataset.group).toLowerCase();
      const matches = words.every((word) => text.includes(word));
      card.hidden = !matches || (lights !== null && lights.checked && card.dataset.set === "");
      shown += !card.hidden;
    }
    tools.querySelector("output").textContent = shown + " of " + cards.length + " shown";
  };

  const byName = (a, b) => collator.compare(a.dataset.name, b.dataset.name);

  const byMetric = (index, sign) => {
    const key = new Map(cards.map((card) => [card, JSON.parse(card.dataset.keys)[index]]));
    // A card without a value comes last in both directions.
    return (a, b) =>
      (key.get(a) === null) - (key.get(b) === null) || sign * (key.get(a) - key.get(b));
  };

  const sort = () => {
    const sortsByName = metric.value === "name";
    const higherIsBetter = metric.selectedOptions[0].dataset.higher === "true";
    const sign = reversed ? -1 : 1;
    const compare = sortsByName
      ? (a, b) => sign * byName(a, b)
      : byMetric(metric.selectedIndex, higherIsBetter ? -sign : sign);
    list.append(...[...cards].sort(compare));
    const labels = sortsByName ? ["A to Z", "Z to A"] : ["best first", "worst first"];
    direction.firstElementChild.textContent = labels[Number(reversed)];
  };

  search.addEventListener("input", filter);
  if (lights) lights.addEventListener("change", filter);
  metric.addEventListener("change", sort);
  direction.addEventListener("click", () => {
    reversed = !reversed;
    sort();
  });
  // After a reload the browser may have kept the user's choices.
  filter();
  sort();
  tools.hidden = false;
}
