// Colours come from the style sheet, so that there is one palette and charts follow the theme.
const root = document.documentElement;
window.addEventListener('error', (event) => { root.dataset.error = String(event.message); });
document.addEventListener('securitypolicyviolation', (event) => { root.dataset.violation = event.violatedDirective; });

function palette() {
  // A probe resolves light-dark(): the value of a custom property is text, the colour of an element is a colour.
  const probe = document.createElement('i');
  document.body.append(probe);
  const of = (name) => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color; };
  const text = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const colours = {
    ink: of('ink'), soft: of('soft'), line: of('line'), card: of('card'), sans: text('sans'),
    accused: ['accused', 'accused-2', 'accused-3', 'accused-4'].map(of),
    people: ['people', 'people-2'].map(of), unexplained: of('unexplained'), cleared: of('cleared'),
  };
  probe.remove();
  return colours;
}

// The colour of a series by what it is; several of one kind are told apart by lightness.
function colourOf(kind, index, colours) {
  const shades = { cause: colours.accused, people: colours.people, cleared: [colours.cleared] }[kind] || [colours.unexplained];
  return shades[index % shades.length];
}
