// Keeps the board fresh: fetches the same page and replaces the marked part. Without this file
// the page stays as it was loaded (and reloads itself through <noscript>).
"use strict";

const live = document.querySelector("[data-live]");

async function refresh() {
  if (document.hidden || live.contains(document.activeElement)) return;
  try {
    const answer = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const part = fresh.querySelector("[data-live]");
    if (part && part.innerHTML !== live.innerHTML) live.replaceChildren(...part.childNodes);
    if (part) document.title = fresh.title;
  } catch {
    // The service restarts or the network is away: the next turn tries again.
  }
}

if (live) {
  setInterval(refresh, 1000 * Number(live.dataset.live));
  document.addEventListener("visibilitychange", refresh);
}
