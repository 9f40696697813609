// A page that hears nothing of the floor for a while says so: what it shows may be old.
(() => {
  "use strict";
  const STALE_MS = 12000;
  const note = document.getElementById("stale");
  let heard = Date.now();
  const hear = () => {
    heard = Date.now();
    document.body.classList.remove("stale");
    if (note) note.hidden = true;
  };
  document.addEventListener("htmx:sseMessage", hear);
  document.addEventListener("htmx:sseOpen", (event) => {
    hear();
    event.detail.source.addEventListener("alive", hear);
  });
  document.addEventListener("htmx:sseClose", (event) => {
    if (event.detail.type === "message") window.location.reload(); // the log-in has ended
  });
  document.addEventListener("htmx:sseError", async (event) => {
    if (event.detail.source.readyState !== EventSource.CLOSED) return; // the service is away: the browser asks again
    const page = await fetch(window.location.href, { method: "HEAD", redirect: "manual", cache: "no-store" }).catch(() => null);
    if (page && page.type === "opaqueredirect") window.location.reload(); // the log-in ended before the stream began
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit(); // a slider that was let go
  });
  window.setInterval(() => {
    if (!document.querySelector("[sse-connect]") || Date.now() - heard < STALE_MS) return;
    document.body.classList.add("stale");
    if (note) note.hidden = false;
  }, 1000);
})();
