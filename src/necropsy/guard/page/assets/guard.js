// Live figures: what the stream says is put into the page as text, never as markup.
'use strict';

const units = ['B', 'kB', 'MB', 'GB', 'TB'];
function size(bytes) {
  let place = 0;
  while (bytes >= 999.5 && place < units.length - 1) { bytes /= 1000; place += 1; }
  return `${bytes < 9.95 && place ? bytes.toFixed(1) : Math.round(bytes)} ${units[place]}`;
}
const number = (value) => Math.round(value).toLocaleString('en');
const shown = {
  used: (figures) => {
    if (figures.limit === null || figures.limit === undefined) return `${size(figures.used)}, limit unknown`;
    return figures.limit ? `${size(figures.used)} of ${size(figures.limit)}` : `${size(figures.used)}, no limit`;
  },
  keys: (figures) => number(figures.keys),
  clients: (figures) => number(figures.clients),
  rate: (figures) => number(figures.rate),
};

// Commands a second, from what two polls count; a server that was started anew counts from zero.
const counted = new Map();
function rate(name, at, figures) {
  const before = counted.get(name);
  counted.set(name, { at, commands: figures.commands });
  if (!before || at <= before.at || figures.commands < before.commands) return null;
  return (figures.commands - before.commands) / (at - before.at);
}

const courses = new Map();
const most = 120;
function course(tile, name, keys) {
  const values = courses.get(name) || [];
  values.push(keys);
  if (values.length > most) values.shift();
  courses.set(name, values);
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const step = 120 / Math.max(1, values.length - 1);
  const points = values.map((value, place) => `${(place * step).toFixed(1)},${(22 - ((value - low) / span) * 20).toFixed(1)}`);
  tile.querySelector('polyline').setAttribute('points', points.join(' '));
}

function server(tile, name, figures) {
  tile.classList.toggle('up', figures.up);
  tile.classList.toggle('down', !figures.up);
  tile.querySelector('.state').textContent = figures.up ? 'up' : 'unreadable';
  const why = tile.querySelector('.why');
  why.hidden = figures.up;
  why.textContent = figures.error || '';
  for (const place of tile.querySelectorAll('[data-figure]')) {
    const figure = place.dataset.figure;
    const known = figures.up && figures[figure] !== null && figures[figure] !== undefined;
    place.textContent = known ? shown[figure](figures) : '–';
  }
  const share = figures.up && figures.limit ? Math.min(1, figures.used / figures.limit) : 0;
  tile.querySelector('.meter span').style.transform = `scaleX(${share})`;
  if (figures.up && figures.keys !== null) course(tile, name, figures.keys);
}

const tiles = new Map([...document.querySelectorAll('[data-server]')].map((tile) => [tile.dataset.server, tile]));
let shownLook = null;
const stream = new EventSource('/events');
stream.addEventListener('message', (event) => {
  const said = JSON.parse(event.data);
  for (const [name, figures] of Object.entries(said.servers)) {
    const tile = tiles.get(name);
    if (tile) server(tile, name, { ...figures, rate: figures.up ? rate(name, said.at, figures) : null });
  }
  const taken = String(said.look.taken_at);
  if (shownLook === null) shownLook = taken;
  document.getElementById('news').hidden = taken === shownLook;
  document.documentElement.dataset.live = 'true';
});
stream.addEventListener('error', () => {
  document.documentElement.dataset.live = 'false';
  for (const tile of tiles.values()) tile.querySelector('.state').textContent = 'the guard does not answer';
});

// The report is as long as it is: the frame grows with it.
const frame = document.getElementById('report');
if (frame) {
  const fit = () => {
    const inner = frame.contentDocument;
    if (!inner || !inner.body) return;
    frame.style.height = `${inner.documentElement.scrollHeight + 2}px`;
  };
  frame.addEventListener('load', () => {
    fit();
    new ResizeObserver(fit).observe(frame.contentDocument.body);
  });
}
document.documentElement.dataset.ready = 'true';
