// Pages stay current: what is marked with data-live is fetched again when the server has had requests.
//
// While a page is hidden it follows nothing: browsers open only six connections to one server.

const PAUSE = 1000; // milliseconds between two fetches, and four times as long as one takes

let source = null;
let busy = false;
let wanted = false;

async function refresh() {
  wanted = true;
  if (busy) return;
  [busy, wanted] = [true, false];
  const began = performance.now();
  try {
    const response = await fetch(location.href);
    if (response.ok && !response.redirected) {
      replace(new DOMParser().parseFromString(await response.text(), "text/html"));
    }
  } catch {
    // The server has stopped, or the page is being left; the stream connects again.
  }
  setTimeout(() => {
    busy = false;
    if (wanted) refresh();
  }, Math.max(PAUSE, 4 * (performance.now() - began)));
}

function replace(fresh) {
  for (const old of document.querySelectorAll("[data-live]")) {
    const next = fresh.querySelector(`[data-live="${CSS.escape(old.dataset.live)}"]`);
    const active = old.contains(document.activeElement) ? document.activeElement : null;
    if (!next || old.outerHTML === next.outerHTML || active?.matches("input, select, textarea")) continue;
    const moved = [...old.querySelectorAll(".scroll, pre")].map((one) => [one.scrollLeft, one.scrollTop]);
    const open = [...old.querySelectorAll("details")].map((one) => one.open);
    old.replaceWith(next);
    next.querySelectorAll(".scroll, pre").forEach((one, index) => one.scrollTo(...(moved[index] ?? [0, 0])));
    next.querySelectorAll("details").forEach((one, index) => (one.open = open[index] ?? one.open));
    if (active) sameAs(active, next)?.focus({ preventScroll: true });
  }
}

function sameAs(active, next) {
  for (const name of ["id", "href", "aria-label"]) {
    const value = active.getAttribute(name);
    if (value) return next.querySelector(`[${name}="${CSS.escape(value)}"]`);
  }
  return null;
}

function follow() {
  source = new EventSource("/_mock/events");
  for (const kind of ["start", "records", "reset"]) source.addEventListener(kind, refresh);
}

if (document.querySelector("main [data-live]")) {
  if (!document.hidden) follow();
  document.addEventListener("visibilitychange", () => {
    source?.close();
    if (!document.hidden) follow();
  });
}
