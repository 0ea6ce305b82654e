/* PlainCite: the page works without this file; with it, an answer comes in place. Nothing is kept but the
   country and the colours chosen, and those only in this tab. */
(function () {
  "use strict";

  var root = document.documentElement;

  /* Storage may be closed to us (private windows, strict settings); then the choices last one page. */
  function recall(key) {
    try { return sessionStorage.getItem(key) || ""; } catch (e) { return ""; }
  }

  function remember(key, value) {
    try { sessionStorage.setItem(key, value); } catch (e) { /* the choice lasts one page */ }
  }

  /* Before the first paint, so that the colours do not flash. */
  if (recall("theme")) { root.dataset.theme = recall("theme"); }

  function find(selector, within) { return (within || document).querySelector(selector); }

  function all(selector, within) { return Array.from((within || document).querySelectorAll(selector)); }

  function calm() { return matchMedia("(prefers-reduced-motion: reduce)").matches; }

  /* Colours */

  function isDark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  function themeSwitch() {
    var button = find(".theme");
    function say() { button.textContent = isDark() ? button.dataset.light : button.dataset.dark; }
    button.hidden = false;
    button.addEventListener("click", function () {
      root.dataset.theme = isDark() ? "light" : "dark";
      remember("theme", root.dataset.theme);
      say();
    });
    say();
  }

  /* Country */

  function countryChoice() {
    var select = find("#country");
    function apply() {
      var tail = select.value ? "?country=" + encodeURIComponent(select.value) : "";
      all('a[href^="/help"]').forEach(function (link) { link.setAttribute("href", "/help" + tail); });
      all('.example input[name="country"]').forEach(function (field) { field.value = select.value; });
    }
    if (select.value) { remember("country", select.value); } else { select.value = recall("country"); }
    if (select.selectedIndex < 0) { select.value = ""; }
    /* The help page shows the numbers of its address; a country chosen before belongs there too. */
    if (location.pathname === "/help" && !location.search && select.value) {
      location.replace("/help?country=" + encodeURIComponent(select.value));
    }
    select.addEventListener("change", function () { remember("country", select.value); apply(); });
    apply();
  }

  /* Quick exit */

  function leave(address) {
    root.classList.add("leaving");
    document.title = " ";
    all("#log, .intro").forEach(function (part) { part.replaceChildren(); });
    all("form").forEach(function (form) { form.reset(); });
    all('textarea, input[type="hidden"]').forEach(function (field) { field.value = ""; });
    try { sessionStorage.clear(); } catch (e) { /* nothing was kept */ }
    location.replace(address);
  }

  function quickExit() {
    var link = find(".exit");
    var presses = [];
    link.addEventListener("click", function (event) { event.preventDefault(); leave(link.href); });
    document.addEventListener("keydown", function (event) {
      if (event.key !== "Escape") { presses = []; return; }
      if (event.repeat) { return; }
      presses = presses.filter(function (at) { return event.timeStamp - at < 5000; }).concat(event.timeStamp);
      if (presses.length >= 3) { leave(link.href); }
    });
    all("[data-scripted]").forEach(function (note) { note.textContent = note.dataset.scripted; });
  }

  /* Print and copy */

  function beforePrint() {
    all(".printed").forEach(function (place) {
      place.textContent = place.dataset.label + " " + new Date().toLocaleDateString(undefined, { dateStyle: "long" });
    });
  }

  function printOne(reply) {
    var asked = reply.previousElementSibling;
    var parts = asked && asked.classList.contains("asked") ? [reply, asked] : [reply];
    root.classList.add("printing-one");
    parts.forEach(function (part) { part.classList.add("printing"); });
    window.addEventListener("afterprint", function () {
      root.classList.remove("printing-one");
      parts.forEach(function (part) { part.classList.remove("printing"); });
    }, { once: true });
    window.print();
  }

  function takeCopy(reply, button, say) {
    var text = find(".as-copy", reply).content.textContent;
    function done() { say(button.dataset.done); }
    function failed() { say(button.dataset.failed); }
    if (navigator.clipboard) { navigator.clipboard.writeText(text).then(done, failed); } else { failed(); }
  }

  /* The chat */

  function chat(form) {
    var box = find("#question");
    var count = find("#question-count");
    var log = find("#log");
    var status = find(".status", form);
    var send = find(".send", form);
    var busy = false;

    function say(words) { status.textContent = words; }

    function wait(on) {
      busy = on;
      form.classList.toggle("busy", on);
      log.setAttribute("aria-busy", String(on));
      send.setAttribute("aria-disabled", String(on));
    }

    function ready(within) {
      all("[data-do]", within).forEach(function (button) { button.hidden = false; });
    }

    function counter() {
      var length = box.value.length;
      count.textContent = length < 500 ? "" : count.dataset.words.replace("{number}", String(length));
    }

    function opened() {
      find(".again").hidden = false;
      all(".welcome, .examples, .confirm").forEach(function (part) { part.remove(); });
      find(".intro").classList.add("intro-short");
      send.removeAttribute("aria-describedby");
      send.textContent = form.dataset.send;
      find(".ask-label").textContent = form.dataset.more;
    }

    function ask(question) {
      var asked = find("#asked-template").content.cloneNode(true).firstElementChild;
      find(".as-text", asked).textContent = question;
      log.append(asked);
      asked.scrollIntoView({ block: "start", behavior: calm() ? "auto" : "smooth" });
      return asked;
    }

    function show(reply, asked) {
      var lines = find(".as-lines", reply);
      log.append(reply);
      ready(reply);
      if (lines) { find(".print-lines").replaceChildren(lines.content); }
      /* Under a very long question the answer would start out of sight. */
      if (asked.offsetHeight > innerHeight / 2) { reply.scrollIntoView({ block: "start" }); }
      if (reply.dataset.history) { find('input[name="history"]', form).value = reply.dataset.history; }
      var card = find(".card-emergency .card-title", reply);
      if (card) { card.focus(); }
      say(form.dataset.ready);
    }

    function fetchReply(body) {
      var stop = new AbortController();
      var timer = setTimeout(function () { stop.abort(); }, 60000);
      return fetch(form.action, {
        method: "POST",
        headers: { "Accept": "text/x-plaincite-fragment" },
        body: body,
        signal: stop.signal
      }).then(function (answer) { return answer.text(); }).then(function (html) {
        var page = new DOMParser().parseFromString(html, "text/html");
        var reply = find("article.reply", page);
        if (!reply) { throw page; }
        return document.importNode(reply, true);
      }).finally(function () { clearTimeout(timer); });
    }

    /* `page`: what the server sent where it refused, such as "too many questions"; else an Error. */
    function failed(question, page) {
      var article = find("#failed-template").content.cloneNode(true).firstElementChild;
      var select = find("#country");
      if (select.value) { find('a[href^="/help"]', article).href = "/help?country=" + encodeURIComponent(select.value); }
      var refusal = page instanceof Document && find(".refusal", page);
      if (refusal) {
        var text = find(".failed-text", article);
        find(".answer-title", article).textContent = find("h1", page).textContent;
        text.textContent = refusal.textContent + " " + text.dataset.kept;
      }
      log.append(article);
      if (!box.value) { box.value = question; }
      say("");
    }

    function submit() {
      var question = box.value.trim();
      if (busy) { return; }
      if (!question) { say(form.dataset.empty); box.focus(); return; }
      var body = new URLSearchParams(new FormData(form));
      opened();
      var asked = ask(question);
      box.value = "";
      counter();
      box.focus({ preventScroll: true });
      wait(true);
      say(form.dataset.writing);
      fetchReply(body).then(
        function (reply) { wait(false); show(reply, asked); },
        function (page) { wait(false); failed(question, page); }
      );
    }

    form.addEventListener("submit", function (event) { event.preventDefault(); submit(); });
    box.addEventListener("input", counter);
    box.addEventListener("keydown", function (event) {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); submit(); }
    });
    all(".example").forEach(function (example) {
      example.addEventListener("submit", function (event) {
        event.preventDefault();
        box.value = find('input[name="question"]', example).value;
        submit();
      });
    });
    log.addEventListener("click", function (event) {
      var button = event.target.closest("[data-do]");
      if (!button) { return; }
      var reply = button.closest(".reply");
      if (button.dataset.do === "print") { printOne(reply); } else { takeCopy(reply, button, say); }
    });
    setInterval(function () { log.append(find("#reminder-template").content.cloneNode(true)); }, 3 * 60 * 60 * 1000);
    all(".keys").forEach(function (part) { part.hidden = false; });
    ready(document);
    counter();
    if (find("#latest")) { find("#latest").scrollIntoView({ block: "start" }); }
  }

  document.addEventListener("DOMContentLoaded", function () {
    themeSwitch();
    countryChoice();
    quickExit();
    window.addEventListener("beforeprint", beforePrint);
    var form = find("#ask");
    if (form) { chat(form); }
  });
  /* A page kept by the Back button is built again, so that it shows no earlier chat. */
  window.addEventListener("pageshow", function (event) {
    if (event.persisted && root.classList.contains("leaving")) { location.reload(); }
  });
}());
