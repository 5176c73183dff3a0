() => {
  // The side panel folds: open on a wide screen, closed on a phone, until the button is pressed.
  const wide = window.matchMedia("(min-width: 900px)");
  const root = document.documentElement;
  const show = (open) => {
    root.dataset.side = open ? "open" : "closed";
    document.getElementById("fold")?.setAttribute("aria-expanded", String(open));
  };
  show(wide.matches);
  wide.addEventListener("change", () => show(wide.matches));
  document.addEventListener("brandbot:fold", () => show(root.dataset.side !== "open"));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !wide.matches && root.dataset.side === "open") {
      show(false);
      document.getElementById("fold")?.focus();
    }
  });
  document.addEventListener("click", (event) => {
    const outside = !event.target.closest?.("#side, #fold");
    if (outside && !wide.matches && root.dataset.side === "open") show(false);
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#brand label, #compare") && !wide.matches) show(false);
  });
  // The form for a dislike takes room from the conversation: keep the reply it is about in sight.
  let judged = null;
  const note = (event) => {
    judged = event.target.closest?.("#chat .message-buttons") ?? judged;
  };
  document.addEventListener("click", note, true); // before the button draws itself anew
  document.addEventListener("brandbot:judged", () => {
    const chat = document.getElementById("chat");
    const watch = new ResizeObserver(() => judged?.scrollIntoView({ block: "end" }));
    watch.observe(chat);
    setTimeout(() => watch.disconnect(), 500);
    document.querySelector("#reasons input")?.focus();
  });
  document.getElementById("fold")?.setAttribute("aria-controls", "side");
}
