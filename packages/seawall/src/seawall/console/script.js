// The page is whole without this. With it, it looks again by itself and shows stacks beside what waits.
"use strict";
(() => {
  const EVERY_MS = 2000;
  const main = document.querySelector("main[data-live]");
  const panel = document.getElementById("stacks");
  if (!main || !panel) return;
  let paused = false;

  const again = document.querySelector("[data-again]");
  const pause = document.createElement("button");
  pause.type = "button";
  pause.textContent = "Pause";
  pause.setAttribute("aria-pressed", "false");
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
  });
  again.after(pause);

  const read = async (address) => {
    const answer = await fetch(address, { headers: { accept: "text/html" }, redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };

  const look = async () => {
    const focus = document.activeElement;
    const isBusy = main.contains(focus) && focus.matches("select, button");
    if (paused || document.hidden || isBusy || getSelection()?.type === "Range") return;
    try {
      const page = await read("./");
      const fresh = page.querySelector("main");
      if (!fresh) return;
      const open = [...main.querySelectorAll("details[open]")].map((each) => each.id);
      const at = [...main.querySelectorAll("a, summary, [tabindex]")].indexOf(document.activeElement);
      const left = main.querySelector(".scroll")?.scrollLeft ?? 0;
      main.replaceChildren(...fresh.childNodes);
      document.title = page.title;
      for (const id of open) document.getElementById(id)?.setAttribute("open", "");
      if (at >= 0) main.querySelectorAll("a, summary, [tabindex]")[at]?.focus({ preventScroll: true });
      main.querySelector(".scroll")?.scrollTo({ left });
      document.body.classList.remove("lost");
    } catch {
      document.body.classList.add("lost");
    }
  };
  const next = () => setTimeout(() => look().finally(next), EVERY_MS);
  next();

  const show = async (link) => {
    try {
      const found = (await read(link.href)).querySelector(".stacks");
      const close = document.createElement("button");
      close.type = "button";
      close.textContent = "Close";
      close.addEventListener("click", () => {
        panel.hidden = true;
        main.focus();
      });
      panel.replaceChildren(close, found);
      panel.hidden = false;
      panel.focus();
    } catch {
      location.assign(link.href);
    }
  };
  main.tabIndex = -1;
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a.who") : null;
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    show(link);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !panel.hidden) panel.querySelector("button").click();
  });
})();
