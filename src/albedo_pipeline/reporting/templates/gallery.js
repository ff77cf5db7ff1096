for (const card of document.querySelectorAll(".card")) {
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
