const gallery = document.querySelector("#gallery");
const cards = [...gallery.querySelectorAll(".card")];

const narrow = matchMedia("(max-width: 44rem)").matches;
for (const text of document.querySelectorAll(".scripted")) text.hidden = false;
if (narrow) for (const part of document.querySelectorAll("[data-folds]")) part.open = false;

// The enlarged sample: two of its pictures, one above the other, with a slider.
const viewer = document.querySelector("#viewer");
if (viewer) {
  const [under, over] = [new Image(), new Image()];
  under.className = "under";
  over.className = "over";
  const [left, right] = viewer.querySelectorAll("select");
  const compare = viewer.querySelector(".compare");
  const range = viewer.querySelector("input");
  let current = 0;

  const tilesOf = (card) =>
    new Map([...card.querySelectorAll(".tiles img")].map((image) => [image.className, image]));
  const slide = () => {
    compare.style.setProperty("--at", range.value + "%");
    range.setAttribute("aria-valuetext", range.value + " % " + left.value);
  };
  const shownCards = () => [...gallery.querySelectorAll(".card:not([hidden])")];

  const show = () => {
    const tiles = tilesOf(cards[current]);
    over.src = tiles.get(left.value).src;
    under.src = tiles.get(right.value).src;
    const { naturalWidth: width, naturalHeight: height } = tiles.get(left.value);
    const fitting = Math.min((innerWidth - 64) / width, (innerHeight - 190) / height);
    const factor = fitting >= 1 ? Math.floor(fitting) : fitting;
    compare.style.width = width * factor + "px";
    compare.style.imageRendering = factor > 1 ? "pixelated" : "auto";
    const times = factor > 1 ? ", pixels × " + factor : "";
    viewer.querySelector("h2").textContent = cards[current].dataset.name + times;
    slide();
  };

  const open = (card, tile) => {
    current = card;
    const names = [...tilesOf(cards[card]).keys()];
    for (const [select, chosen] of [
      [left, tile],
      [right, tile === "prediction" ? "truth" : "prediction"],
    ]) {
      select.replaceChildren(...names.map((name) => new Option(name, name)));
      select.value = chosen;
    }
    range.value = 50;
    show();
    compare.prepend(under, over);
    if (!viewer.open) viewer.showModal();
    range.focus();
  };

  const move = (by) => {
    const order = shownCards();
    const place = order.indexOf(cards[current]);
    current = cards.indexOf(order[(place + by + order.length) % order.length] ?? cards[current]);
    show();
  };

  const makeButton = (image, card, tile) => {
    image.tabIndex = 0;
    image.setAttribute("role", "button");
    image.addEventListener("click", () => open(card, tile));
    image.addEventListener("keydown", (event) => {
      if (event.key === "Enter") open(card, tile);
    });
  };
  cards.forEach((card, number) => {
    for (const [name, image] of tilesOf(card)) makeButton(image, number, name);
  });
  for (const image of document.querySelectorAll(".strip img"))
    makeButton(image, Number(image.dataset.card), image.dataset.tile);
  range.addEventListener("input", slide);
  for (const select of [left, right]) select.addEventListener("change", show);
  viewer.querySelector(".previous").addEventListener("click", () => move(-1));
  viewer.querySelector(".next").addEventListener("click", () => move(1));
  viewer.querySelector(".close").addEventListener("click", () => viewer.close());
  viewer.addEventListener("keydown", (event) => {
    const steps = { ArrowUp: -1, ArrowDown: 1 };
    if (!(event.key in steps) || event.target.tagName === "SELECT") return;
    event.preventDefault();
    move(steps[event.key]);
  });
  viewer.addEventListener("click", (event) => {
    if (event.target === viewer) viewer.close(); // the backdrop
  });
}

// A phone shows a few cards until more are asked for.
const more = gallery.querySelector(".more");
if (more && narrow && cards.length > 3) {
  document.body.classList.add("short");
  more.hidden = false;
  more.firstElementChild.textContent = "Show all " + cards.length + " samples";
  more.firstElementChild.addEventListener("click", () => showAll());
}
const showAll = () => {
  document.body.classList.remove("short");
  if (more) more.hidden = true;
};

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
    gallery.querySelector(".empty").hidden = shown > 0;
  };

  const byName = (a, b) => collator.compare(a.dataset.name, b.dataset.name);

  const byMetric = (index, sign) => {
    const key = new Map(cards.map((card) => [card, JSON.parse(card.dataset.keys)[index]]));
    // A card without a value comes last in both directions.
    return (a, b) =>
      (key.get(a) === null) - (key.get(b) === null) || sign * (key.get(a) - key.get(b));
  };

  const rank = (index) => {
    for (const card of cards) {
      const [text, badge] = JSON.parse(card.dataset.ranks)[index];
      const shown = card.querySelector(".rank");
      shown.textContent = text;
      shown.className = badge ? "rank tag " + badge : "rank";
    }
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
    if (!sortsByName) rank(metric.selectedIndex);
  };

  search.addEventListener("input", () => {
    showAll();
    filter();
  });
  if (lights) lights.addEventListener("change", filter);
  gallery.querySelector(".empty button").addEventListener("click", () => {
    search.value = "";
    if (lights) lights.checked = false;
    filter();
  });
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
