// Sorting, filtering, drop-down lists, tooltips and the colour scheme. The rest of the page works without this script.
"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  root.classList.add("js");
  all(".chooser, #scheme").forEach((element) => { element.hidden = false; });

  // Tables: the button in each header sorts by its column, first by falling numbers or from A to Z.
  const valueOf = (row, index) => {
    const cell = row.cells[index];
    if (!cell.classList.contains("num")) return cell.textContent.trim();
    return cell.dataset.value === undefined ? null : Number(cell.dataset.value);
  };
  const collator = new Intl.Collator(undefined, { numeric: true });
  const compare = (a, b) => (typeof a === "number" ? a - b : collator.compare(a, b));
  all("table.sortable").forEach((table) => {
    all("thead th", table).forEach((header, index) => {
      header.firstElementChild.addEventListener("click", () => {
        const now = header.getAttribute("aria-sort");
        const first = header.classList.contains("num") ? "descending" : "ascending";
        const next = now === "none" ? first : now === "ascending" ? "descending" : "ascending";
        all("thead th", table).forEach((other) => other.setAttribute("aria-sort", "none"));
        header.setAttribute("aria-sort", next);
        const sign = next === "ascending" ? 1 : -1;
        const rows = [...table.tBodies[0].rows].map((row) => [valueOf(row, index), row]);
        rows.sort(([a], [b]) => {
          if (a === null || b === null) return (a === null) - (b === null);  // unknown values come last
          return sign * compare(a, b);
        });
        table.tBodies[0].append(...rows.map(([, row]) => row));
      });
    });
  });
  const filters = all("select[data-filters]");
  filters.forEach((select) => select.addEventListener("change", () => {
    [...document.getElementById(select.dataset.filters).tBodies[0].rows].forEach((row) => {
      row.hidden = filters.some((each) => each.value && row.cells[each.dataset.column].textContent !== each.value);
    });
  }));

  // Recall: show the chosen table and hide the other tables.
  all("select[data-shows=recall]").forEach((select) => {
    const show = () => all("#recall > div").forEach((part) => { part.hidden = part.dataset.choice !== select.value; });
    select.addEventListener("change", show);
    show();
  });

  // Confusion matrices: build them from the embedded data, like the first matrix, which is part of the page.
  const made = (name, text, attributes = {}) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    return element;
  };
  const matrix = ([caption, list, sparse], classes) => {
    const names = classes[list];
    const shares = new Map();
    for (let at = 0; at < sparse.length; at += 2) shares.set(sparse[at], sparse[at + 1]);
    const table = made("table", undefined, { class: "heat" });
    const head = made("tr");
    head.append(made("th", "true class \\ predicted", { scope: "col", class: "corner" }));
    names.forEach((name) => {
      const header = made("th", undefined, { scope: "col" });
      header.append(made("span", name));
      head.append(header);
    });
    const thead = made("thead");
    thead.append(head);
    const body = made("tbody");
    names.forEach((name, row) => {
      const line = made("tr");
      line.append(made("th", name, { scope: "row" }));
      names.forEach((_, column) => {
        const share = shares.get(row * names.length + column) || 0;
        line.append(made("td", share ? share.toFixed(0) : "\u00b7", { class: `h${Math.ceil(share / 10)}` }));
      });
      body.append(line);
    });
    table.append(made("caption", caption), thead, body);
    return table;
  };
  all("select[data-shows=confusion]").forEach((select) => {
    const data = JSON.parse(document.getElementById("confusion-data").textContent);
    const frame = document.querySelector("#confusion > .frame");
    const show = () => {
      const cell = data.cells[Number(select.value)];
      frame.replaceChildren(matrix(cell, data.classes));
      frame.setAttribute("aria-label", cell[0]);
    };
    select.addEventListener("change", show);
    if (select.value !== "0") show();  // the browser has restored an earlier choice
  });

  // Charts: one tab stop for each chart, arrow keys to move inside, and a tooltip for the mark under the pointer or in focus.
  const tip = made("div", undefined, { class: "tip", "aria-hidden": "true" });
  tip.hidden = true;
  document.body.append(tip);
  const hide = () => { tip.hidden = true; };
  const show = (mark) => {
    tip.textContent = mark.getAttribute("aria-label");
    tip.hidden = false;
    const box = mark.getBoundingClientRect();
    const left = Math.min(box.left + box.width / 2 - tip.offsetWidth / 2, innerWidth - tip.offsetWidth - 8);
    const above = box.top - tip.offsetHeight - 6;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${above > 0 ? above : box.bottom + 6}px`;
  };
  all("svg.chart").forEach((chart) => {
    const marks = all(".mark", chart);
    marks.forEach((mark, index) => {
      all("title", mark).forEach((title) => title.remove());  // replaced by the tooltip
      mark.setAttribute("tabindex", index ? "-1" : "0");
      mark.addEventListener("pointerenter", () => show(mark));
      mark.addEventListener("pointerleave", hide);
      mark.addEventListener("focus", () => show(mark));
      mark.addEventListener("blur", hide);
      mark.addEventListener("keydown", (event) => {
        const places = { ArrowDown: index + 1, ArrowRight: index + 1, ArrowUp: index - 1, ArrowLeft: index - 1 };
        const ends = { Home: 0, End: marks.length - 1 };
        if (event.key === "Escape") hide();
        const next = marks[{ ...places, ...ends }[event.key]];
        if (!next) return;
        event.preventDefault();
        mark.setAttribute("tabindex", "-1");
        next.setAttribute("tabindex", "0");
        next.focus();
      });
    });
  });
  addEventListener("scroll", () => {  // focusing a mark may scroll the page
    if (document.activeElement.matches(".mark")) show(document.activeElement);
    else hide();
  }, { passive: true });

  // Light or dark: use the scheme of the system until the button is pressed.
  const button = document.getElementById("scheme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.scheme ? root.dataset.scheme === "dark" : system.matches);
  const press = () => button.setAttribute("aria-pressed", String(isDark()));
  button.addEventListener("click", () => {
    root.dataset.scheme = isDark() ? "light" : "dark";
    press();
  });
  system.addEventListener("change", press);
  press();

  // Printing: open all collapsed parts.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = all("details:not([open])");
    folded.forEach((part) => { part.open = true; });
  });
  addEventListener("afterprint", () => folded.forEach((part) => { part.open = false; }));
})();
