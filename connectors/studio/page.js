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
    if (event.target.closest?.("#brand label, #compare, #review-change") && !wide.matches) show(false);
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

  // Sources that are opened near the foot of the conversation would open out of sight.
  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.(".sources[open]")) event.target.scrollIntoView({ block: "nearest" });
  }, true); // it does not bubble

  // What was found scrolls; keys reach it in every browser.
  const found = document.getElementById("search-results");
  found?.setAttribute("tabindex", "0");
  found?.setAttribute("role", "region");
  found?.setAttribute("aria-labelledby", "search-status");

  // What the search and the taste test are doing is announced.
  for (const line of document.querySelectorAll("[id$='-status'] .html-container")) {
    line.setAttribute("role", "status");
  }

  // The taste test. A new pair is read from its top; keys vote.
  const keys = { 1: "a", ArrowLeft: "a", 2: "b", ArrowRight: "b", 0: "neither", ArrowDown: "neither" };
  document.addEventListener("brandbot:pair", () => {
    const stage = document.getElementById("taste-stage");
    stage?.scrollTo(0, 0);
    if (!wide.matches) window.scrollTo(0, 0);
    if (!stage || document.activeElement !== document.body) return;
    stage.tabIndex = -1; // the button that had the focus went away
    stage.focus({ preventScroll: true });
  });
  document.addEventListener("keydown", (event) => {
    const button = document.getElementById(`taste-${keys[event.key]}`);
    const stage = document.getElementById("taste-stage");
    if (!button || event.repeat || event.isComposing) return;
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
    // While there is more of an answer below, the arrow goes on reading.
    const foot = document.getElementById("taste-foot").getBoundingClientRect();
    const hidden = stage.scrollHeight - stage.scrollTop - stage.clientHeight > 2;
    const covered = stage.getBoundingClientRect().bottom > foot.top + 2;
    if (event.key === "ArrowDown" && (hidden || covered)) return;
    event.preventDefault();
    button.click();
  });

  // The review. A new exchange is read from its top; keys decide, and never while somebody types.
  document.addEventListener("brandbot:exchange", () => {
    document.getElementById("review-desk")?.scrollTo(0, 0);
    const shown = document.querySelector(".exchange, .nothing");
    shown?.focus({ preventScroll: true });
    // Gradio changes the page in place and keeps the focus: that all of it is there must be said.
    shown?.setAttribute("data-whole", "");
  });
  const decide = { a: "review-approve", r: "review-reject", s: "review-skip", u: "review-undo" };
  document.addEventListener("keydown", (event) => {
    const box = document.querySelector("#review-box textarea");
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat) return;
    if (event.key === "Escape" && box && event.target === box) {
      document.querySelector(".exchange")?.focus({ preventScroll: true });
      return;
    }
    if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
    if (event.key.toLowerCase() === "e" && box) {
      event.preventDefault(); // or the letter would be typed
      box.focus();
      box.setSelectionRange(box.value.length, box.value.length);
      return;
    }
    const button = document.getElementById(decide[event.key.toLowerCase()]);
    if (!button || button.disabled) return;
    event.preventDefault();
    button.click();
  });
}
