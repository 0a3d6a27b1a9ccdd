// The clock, the ages and the connection. What the page shows comes from the server as HTML (htmx and its
// server-sent events put it in place); nothing here decides anything about a launch.
"use strict";
(() => {
  const LOST_MS = 3000; // without a beat for this long, the connection counts as lost
  const MINUS = "\u2212";
  const $ = (id) => document.getElementById(id);
  const board = $("board");

  // Theme: the three radio buttons do all; the choice is kept for this browser.
  for (const input of document.querySelectorAll(".theme input")) {
    try { if (localStorage.getItem("theme") === input.id) input.checked = true; } catch { /* storage is off */ }
    input.addEventListener("change", () => { try { localStorage.setItem("theme", input.id); } catch { /* the same */ } });
  }
  if (!board) return;

  // The launch clock runs from the server's time: its offset is measured at each beat.
  const beat = { now: +board.dataset.now, t: +board.dataset.t, runs: board.dataset.runs === "yes",
                 seq: +(board.dataset.seq ?? 0), at: +(board.dataset.at ?? 0), heard: performance.now() };
  const serverNow = () => beat.now + (performance.now() - beat.heard) / 1000;
  const two = (n) => String(Math.floor(n)).padStart(2, "0");
  const clockOf = (t) => {
    const whole = Math.floor(Math.abs(t));
    return ["T" + (t < 0 && whole ? MINUS : "+"), `${two(whole / 3600)}:${two((whole / 60) % 60)}:${two(whole % 60)}`];
  };
  const span = (s) => {
    const whole = Math.max(0, Math.floor(s)), hours = Math.floor(whole / 3600);
    return hours ? `${hours}:${two((whole / 60) % 60)}:${two(whole % 60)}` : `${Math.floor(whole / 60)}:${two(whole % 60)}`;
  };
  const put = (element, text) => { if (element && element.textContent !== text) element.textContent = text; };
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const wall = (epoch, options) => new Intl.DateTimeFormat("en-GB", { hourCycle: "h23", ...options }).format(epoch * 1000);
  const hms = { hour: "2-digit", minute: "2-digit", second: "2-digit" };

  function tick() {
    const [sign, figures] = clockOf(beat.runs ? beat.t + serverNow() - beat.now : beat.t), clock = $("clock"), ended = !beat.runs;
    if (clock && clock.dataset.shown !== sign + figures) {
      clock.dataset.shown = sign + figures;
      const mark = document.createElement("i");
      mark.textContent = sign;
      clock.replaceChildren(mark, figures);
      clock.setAttribute("aria-label", `T ${sign === "T+" ? "plus" : "minus"} ${figures}`);
    }
    put(document.querySelector("[data-clock-mini]"), sign + figures);
    const now = serverNow();
    put(document.querySelector("[data-wall]"), wall(now, hms));
    put(document.querySelector("[data-wall-zone]"), zone.split("/").pop().replaceAll("_", " "));
    put(document.querySelector("[data-wall-utc]"), `${wall(now, { ...hms, timeZone: "UTC" })} UTC`);
    if (ended) for (const why of ["hold-why", "back-why"]) put($(why), "launch ended");
    const moment = ended ? beat.at : now;
    for (const each of document.querySelectorAll("[data-t0]")) put(each, clockOf(now - each.dataset.t0).join(""));
    for (const age of document.querySelectorAll("[data-age]")) {
      const old = span(moment - age.dataset.age), life = age.dataset.life;
      put(age, life ? `${old} of ${life}` : `${old} ago`);
    }
    for (const grow of document.querySelectorAll("[data-grow]")) {
      const share = Math.min(1, (moment - grow.dataset.grow) / grow.dataset.life);
      grow.setAttribute("width", `${(100 * share).toFixed(1)}%`);
      grow.parentElement.classList.toggle("old", share >= 1);
    }
    for (const day of document.querySelectorAll("[data-day]")) {
      put(day, wall(+day.dataset.day, { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" }));
    }
    document.title = document.title.replace(/^T[^·]*/, `${sign}${figures} `);
    connection();
  }

  // Connection: live while it beats; 3 s of silence are lost, said in words, and shown as the page's loss of colour.
  let missedFrom = null, trouble = "";
  function connection() {
    if (document.body.dataset.link === "still") return;
    const silent = performance.now() - (beat.last ?? beat.heard);
    if (silent >= LOST_MS && !beat.runs) {
      document.body.dataset.link = "ended"; // nothing can change any more: the picture stays as it is
      put($("conn-word"), "The launch has ended");
      put($("conn-more"), `last picture, of ${wall(beat.now, hms)}`);
    } else if (silent >= LOST_MS) {
      if (document.body.dataset.link !== "lost") missedFrom = beat.seq;
      document.body.dataset.link = "lost";
      put($("conn-word"), "No connection");
      put($("conn-more"), `picture of ${wall(beat.now, hms)}, trying again`);
    } else if (beat.last) {
      document.body.dataset.link = "live";
      put($("conn-word"), trouble ? "Cannot be read" : "Live");
      const said = beat.at ? `last event ${span(serverNow() - beat.at)} ago` : `picture of ${wall(beat.now, hms)}`;
      put($("conn-more"), trouble || (beat.runs ? said : "the launch has ended"));
    }
  }
  function heard(event) {
    const said = JSON.parse(event.data);
    Object.assign(beat, { runs: true, seq: 0, ...said, at: said.at ? Date.parse(said.at) / 1000 : 0 }); // a list has no events
    beat.heard = beat.last = performance.now();
    trouble = "";
    if (missedFrom !== null) {
      const missed = said.seq - missedFrom;
      put($("spoken"), missed ? `Connected again. ${missed} events were missed and are here now.` : "Connected again. Nothing was missed.");
      missedFrom = null;
    }
    tick();
  }
  document.body.addEventListener("htmx:sseOpen", (event) => {
    const source = event.detail.source;
    if (source.tminus) return;
    source.tminus = true;
    source.addEventListener("beat", heard);
    source.addEventListener("view", () => location.reload()); // another view is another page
    source.addEventListener("trouble", (message) => { beat.last = performance.now(); trouble = JSON.parse(message.data).text; tick(); });
    watchLine(source);
  });

  // The open line is fetched anew when it was looked at again.
  let stream = null, watched = null;
  const again = () => { const mark = $("drawer-again"); if (mark && window.htmx) window.htmx.trigger(mark, "again"); };
  function watchLine(source) {
    if (source) { stream = source; watched = null; }
    const line = $("drawer")?.dataset.line;
    if (!stream || watched === line) return;
    if (watched) stream.removeEventListener(`line-${watched}`, again);
    watched = line;
    if (line) stream.addEventListener(`line-${line}`, again);
  }

  // Patches: only what changed, never twice, never under a reader's eyes.
  const frozen = new Map();
  const order = (element) => [...element.querySelectorAll("[data-row]")].map((row) => row.dataset.row).join("\n");
  document.body.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail, fresh = fragment.firstElementChild;
    if (!fresh) return;
    if (target.id === "log-list") {
      for (const entry of [...fragment.querySelectorAll("[id]")]) if ($(entry.id)) entry.remove();
      return;
    }
    if (target.dataset.v === fresh.dataset.v) { event.detail.shouldSwap = false; return; }
    const reading = target.matches(":hover, :focus-within");
    if ("order" in target.dataset && reading && order(target) !== order(fresh)) {
      event.detail.shouldSwap = false;
      frozen.set(target.id, fresh);
      offer(target);
      return;
    }
    frozen.delete(target.id);
    for (const details of target.querySelectorAll("details[open]")) {
      fresh.querySelector("details")?.toggleAttribute("open", details.open);
    }
  });
  function offer(target) {
    const place = target.querySelector("[data-frozen]");
    if (!place || place.querySelector("button")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "frozen";
    button.textContent = "the order has changed, show";
    button.addEventListener("click", () => thaw(target.id));
    place.replaceChildren(button);
    target.addEventListener("pointerleave", () => { if (!target.matches(":focus-within")) thaw(target.id); }, { once: true });
  }
  function thaw(id) {
    const fresh = frozen.get(id), target = $(id);
    frozen.delete(id);
    if (!fresh || !target) return;
    target.replaceWith(fresh);
    window.htmx.process(fresh);
    tick();
  }
  document.body.addEventListener("htmx:oobAfterSwap", (event) => {
    if (event.detail.target?.id === "hero") tick();
  });

  // The drawer: not modal, but the board behind it is inert; focus goes in, and back to where it came from.
  let opener = null, scrolled = 0;
  const main = $("main");
  function settle() {
    const drawer = $("drawer"), open = Boolean(drawer?.dataset.line);
    main.inert = open;
    watchLine(null);
    tick();
    return open ? drawer : null;
  }
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.id !== "drawer") return;
    const asker = event.detail.requestConfig?.elt;
    scrolled = asker?.id === "drawer-again" ? $("db")?.scrollTop ?? 0 : 0;
    if (asker && main.contains(asker)) opener = asker.id;
  });
  document.body.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id !== "drawer" && event.detail.elt?.id !== "drawer") return;
    const drawer = settle();
    if (!drawer) return;
    $("db").scrollTop = scrolled;
    if (!drawer.contains(document.activeElement)) drawer.focus({ preventScroll: true });
  });
  function close() {
    const drawer = $("drawer");
    if (!drawer?.dataset.line) return;
    const line = drawer.dataset.line, empty = document.createElement("div");
    empty.id = "drawer";
    empty.hidden = true;
    drawer.replaceWith(empty);
    history.pushState(null, "", location.pathname);
    settle();
    ($(opener ?? "") ?? $(`need-${line}`) ?? $(`crit-${line}`) ?? main).focus();
  }
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-close]")) return;
    event.preventDefault();
    close();
  });
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.matches("input, textarea")) return;
    if (event.key === "Escape") close();
    const step = { n: "dr-next-line", p: "dr-previous-line" }[event.key];
    if (step) $(step)?.click();
  });
  window.addEventListener("popstate", () => location.reload());

  if ($("drawer")?.dataset.line) { settle(); $("drawer").focus({ preventScroll: true }); }
  tick();
  setInterval(tick, 250);
})();
