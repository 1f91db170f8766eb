// Draw what is there, again when the theme, the width or the paper changes; then say that the page is ready.
const pictures = JSON.parse(document.getElementById('data').textContent);
const painters = { births, comb, course, histogram, history };
const drawn = new Map();

function draw() {
  const colours = palette();
  for (const [id, picture] of Object.entries(pictures)) {
    const place = document.getElementById(id);
    const chart = drawn.get(id) || echarts.init(place, null, { renderer: 'svg' });
    drawn.set(id, chart);
    chart.resize();
    chart.setOption(painters[picture.kind](picture, colours, place.clientWidth), { notMerge: true });
    // Paper is as wide as it is: with a view box, the style sheet for print can scale the drawing to it.
    const drawing = place.querySelector('svg');
    drawing.setAttribute('viewBox', `0 0 ${chart.getWidth()} ${chart.getHeight()}`);
  }
}

const dark = window.matchMedia('(prefers-color-scheme: dark)');
const toggle = document.getElementById('theme');
const isDark = () => (root.dataset.theme ? root.dataset.theme === 'dark' : dark.matches);
function label() {
  toggle.textContent = isDark() ? 'Light' : 'Dark';
  toggle.setAttribute('aria-label', `Switch to ${isDark() ? 'light' : 'dark'} colours`);
}
toggle.hidden = false;
toggle.addEventListener('click', () => {
  root.dataset.theme = isDark() ? 'light' : 'dark';
  label();
  draw();
});
dark.addEventListener('change', () => { label(); draw(); });

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Opened from disk, some browsers allow only the old way.
    const field = document.createElement('textarea');
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand('copy');
    field.remove();
  }
}
for (const button of document.querySelectorAll('[data-copy]')) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    await copy(document.getElementById(button.dataset.copy).textContent);
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  });
}

let waiting = 0;
window.addEventListener('resize', () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(draw); });

// Paper is white, whatever the screen is. The style sheet knows that by itself; the drawings have to be told.
let chosen;
window.addEventListener('beforeprint', () => { chosen = root.dataset.theme; root.dataset.theme = 'light'; draw(); });
window.addEventListener('afterprint', () => {
  if (chosen) root.dataset.theme = chosen;
  else delete root.dataset.theme;
  draw();
});

label();
document.fonts.ready.then(() => {
  draw();
  root.dataset.charts = String(drawn.size);
  root.dataset.ready = 'true';
});
