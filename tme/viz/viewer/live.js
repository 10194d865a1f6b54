/* The panel of `tme live`: run, wait, step; give an agent now; change a number of a law. It sends commands and shows their answers;
   what they do to the model is decided and checked by the session (tme/experiments/live). All text is set as text, never as HTML. */
import { h, say } from './viewer.js';

const LIVE_CSS = `
.live .words{font-variant-numeric:tabular-nums}.live .words b{font-weight:600}.live .fault,.lives .fault{color:var(--bad);flex-basis:100%;margin:.2rem 0 0}
:host{--bad:#a61b1b}:host([data-dark]){--bad:#ff9c8f}
.lives label{display:grid;grid-template-columns:6.2rem minmax(0,1fr);gap:.3rem;margin:.25rem 0}.lives select,.lives input{width:100%;max-width:none;min-width:0}
.lives input[type=number],.lives input[type=search]{background:var(--sunk);border:1px solid var(--line);border-radius:4px;padding:.16rem .35rem;min-height:1.9rem}
.lives .amount{display:grid;grid-template-columns:minmax(0,1fr) 5.2rem;gap:.3rem;align-items:center}.lives .amount .soft{text-align:left}
.lives>details{margin-bottom:.7rem}.lives>details>summary{margin-bottom:.2rem}
.lives .number{margin:.3rem 0 .5rem;padding-top:.35rem;border-top:1px solid var(--line);position:relative}.lives .number details{padding-right:2rem;overflow-wrap:anywhere}.lives .number details p{margin:.15rem 0 .3rem;color:var(--soft);font-size:.8rem}
.lives .number .set{display:grid;grid-template-columns:minmax(0,1fr) 5.6rem minmax(2.4rem,auto);gap:0 .4rem;align-items:center}.lives .number .ends{grid-column:1;font-size:.74rem;gap:.6rem}
.lives .number button{position:absolute;right:0;top:.35rem;min-height:1.5rem;padding:0 .4rem}.lives ol{margin:.2rem 0;padding:0;list-style:none;max-height:14rem;overflow:auto}.lives li{margin:.15rem 0;overflow-wrap:anywhere}
.lives button.go{width:100%;max-width:none;margin-top:.3rem}.lives .about{margin:.1rem 0 .3rem}.lives summary{font-weight:600;cursor:pointer}
`;
const FIRST = ['mechanisms.division.k_div', 'mechanisms.killing.k_hit'];
const ROUTES = { iv: 'into blood', intratumoral: 'into the tumour, at once', depot: 'depot in the tumour', bath: 'held everywhere' };
const PLACES = { everywhere: 'everywhere', tumour: 'tumour', vessels: 'through vessels' };
const KIND_NAMES = { drugs: 'drug', antibodies: 'antibody', nanoparticles: 'particle', events: 'event' };
const SPEEDS = [['', 'as fast as it can'], ['1', '1 h a second'], ['6', '6 h a second'], ['24', '1 day a second']];
const plain = (name) => name.replace(/_/g, ' ');
const dayText = (hour) => `day ${(hour / 24).toFixed(2).replace('-', '−')}`;
const few = (v) => String(Number(Number(v).toPrecision(4)));

/** The panel of a viewer; `take` hears of the model each time the viewer looks. */
export class LivePanel {
  constructor(viewer) {
    this.viewer = viewer;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(LIVE_CSS);
    viewer.root.adoptedStyleSheets = [...viewer.root.adoptedStyleSheets, sheet];
    this.rows = new Map();
    this.build();
    this.offer();
  }

  /** Send a command; where it is refused, the words go to `place` and null comes back. */
  async send(what, place = this.fault) {
    this.tell(place, '');
    try {
      const answer = await this.viewer.source.control(what, this.viewer.index.token);
      if (!answer.error) { this.viewer.look(); return answer; }
      this.tell(place, answer.error);
    } catch (fault) { this.tell(place, `No answer from tme (${fault.message}).`); }
    return null;
  }

  tell(place, text) { place.textContent = text; place.hidden = !text; }

  build() {
    const alert = () => h('p', { class: 'fault', role: 'alert', hidden: true });
    const press = (text, title, what) => h('button', { type: 'button', title, onclick: () => this.send(what) }, text);
    this.fault = alert();
    this.go = h('button', { type: 'button', title: 'Let the model run, or let it wait', onclick: () => this.send({ do: this.state === 'running' ? 'pause' : 'start' }) }, '▶ run');
    this.hour = press('one hour', 'Do one hour, then wait', { do: 'step', hours: 1 });
    this.tick = press('one tick', 'Do the smallest step, then wait', { do: 'step', ticks: 1 });
    this.speed = h('select', { 'aria-label': 'Speed of the model', onchange: () => this.send({ do: 'speed', hours_per_s: this.speed.value ? +this.speed.value : null }) }, SPEEDS.map(([v, t]) => h('option', { value: v }, t)));
    this.end = h('button', { type: 'button', title: 'End the session; its run directory is complete then', onclick: () => { if (this.sure) { this.send({ do: 'end' }); this.calm(); } else { this.sure = setTimeout(() => this.calm(), 4000); this.end.textContent = 'end it now?'; } } }, 'end');
    this.words = h('span', { class: 'words', role: 'status' });
    this.viewer.ui.live.replaceChildren(this.go, this.hour, this.tick, h('label', {}, 'speed', this.speed), this.end, this.words, this.fault);
    this.giving = h('details', { open: true }, h('summary', {}, 'Give now'));
    this.changing = h('details', { open: true }, h('summary', {}, 'Change numbers'));
    this.done = h('ol', {});
    this.history = h('details', { open: true, hidden: true }, h('summary', {}, 'What was done'), this.done);
    this.side = h('section', { class: 'lives', onkeydown: (e) => e.stopPropagation() }, this.giving, this.changing, this.history);
    this.viewer.ui.side.prepend(this.side);
    this.viewer.ui.live.addEventListener('keydown', (e) => e.stopPropagation());
  }

  calm() { clearTimeout(this.sure); this.sure = 0; this.end.textContent = 'end'; }

  /** Ask once what can be given and changed. */
  async offer() {
    const found = await this.send({ do: 'catalogue' });
    if (!found) return;
    this.found = found;
    this.offerAgents();
    this.offerNumbers();
    this.marked = null; // what was done is told with units now
    this.take(this.viewer.index.live);
  }

  // ---- give
  offerAgents() {
    const { agents } = this.found;
    const kind = h('select', { 'aria-label': 'kind', onchange: () => this.list() }, Object.keys(agents).filter((k) => agents[k].length).map((k) => h('option', { value: k }, KIND_NAMES[k] || k)));
    const name = h('select', { 'aria-label': 'which', onchange: () => this.ask() });
    const about = h('p', { class: 'soft about' }), asked = h('div'), fault = h('p', { class: 'fault', role: 'alert', hidden: true });
    const give = h('button', { type: 'button', class: 'go', onclick: () => this.give() }, 'give now');
    Object.assign(this, { kind, name, about, asked, giveFault: fault, giveButton: give });
    this.giving.append(h('label', {}, 'kind', kind), h('label', {}, 'which', name), about, asked, give, fault);
    this.list();
  }

  list() {
    this.name.replaceChildren(...this.found.agents[this.kind.value].map((a) => h('option', { value: a.name }, plain(a.name))));
    this.ask();
  }

  get agent() { return this.found.agents[this.kind.value].find((a) => a.name === this.name.value); }

  /** The inputs that the chosen agent or event needs. */
  ask() {
    const a = this.agent;
    this.about.textContent = a.about;
    this.inputs = new Map();
    this.tell(this.giveFault, '');
    const rows = [];
    const choose = (key, label, list) => { const s = h('select', { 'aria-label': label }, list.map(([v, t]) => h('option', { value: v }, t))); this.inputs.set(key, s); rows.push(h('label', {}, label, s)); return s; };
    if (a.routes) {
      choose('route', 'way', a.routes.map((r) => [r, ROUTES[r] || plain(r)])).addEventListener('change', () => this.amounts());
    } else {
      if (a.places.length) choose('place', 'where', a.places.map((p) => [p, PLACES[p] || plain(p)]));
      for (const [key, list] of Object.entries(a.words)) choose(key, plain(key), list.map((w) => [w, plain(w)]));
      if (a.one_of.length) choose('one_of', 'by', a.one_of.map((k) => [k, this.found.keys[k][0] + (this.found.keys[k][1] ? `, ${this.found.keys[k][1]}` : '')])).addEventListener('change', () => this.amounts());
    }
    this.amountsAt = h('div');
    this.asked.replaceChildren(...rows, this.amountsAt);
    this.amounts();
  }

  amounts() {
    const a = this.agent, input = (k) => this.inputs.get(k) && this.inputs.get(k).value;
    let keys;
    if (a.routes) keys = input('route') === 'bath' ? [[a.bath, 1]] : [['dose_mg_kg', a.dose], ...(input('route') === 'depot' ? [['release_per_h', 0.1]] : [])];
    else keys = [...a.needs, ...(a.one_of.length ? [input('one_of')] : []), ...a.takes.filter((k) => !a.one_of.includes(k))].map((k) => [k, a.usual[k] ?? (a.needs.includes(k) || k === input('one_of') ? USUAL[k] ?? 1 : '')]);
    this.values = new Map();
    this.amountsAt.replaceChildren(...keys.map(([key, value]) => {
      const [label, unit] = this.found.keys[key], most = 3 * (value || 1);
      const box = h('input', { type: 'number', step: 'any', min: key === 'margin_um' ? undefined : 0, value, 'aria-label': `${label}, ${unit}` });
      this.values.set(key, box);
      const slide = value === '' ? null : h('input', { type: 'range', min: 0, max: most, step: most / 200, value, 'aria-label': `${label}, ${unit}`, oninput: () => { box.value = few(slide.value); } });
      if (slide) box.addEventListener('input', () => { slide.value = box.value; });
      return h('div', {}, h('label', {}, `${label}, ${unit}`, h('span', { class: 'amount' }, slide || h('span', { class: 'soft' }, 'may be left out'), box)));
    }));
  }

  async give() {
    const item = { name: this.name.value };
    for (const key of ['route', 'place', ...Object.keys(this.agent.words || {})]) if (this.inputs.has(key)) item[key] = this.inputs.get(key).value;
    for (const [key, box] of this.values) {
      if (box.value === '' && !box.validity.badInput && !this.agent.routes && !this.agent.needs.includes(key)) continue;
      item[key] = box.value === '' ? box.value : Number(box.value);
    }
    this.giveButton.disabled = true;
    await this.send({ do: 'give', kind: this.kind.value, item }, this.giveFault);
    this.giveButton.disabled = false;
    this.take(this.viewer.index.live);
  }

  // ---- numbers
  offerNumbers() {
    const laws = new Map();
    for (const n of this.found.numbers) (laws.get(n.law) || laws.set(n.law, []).get(n.law)).push(n);
    const more = h('select', { 'aria-label': 'Another number', onchange: () => { this.addRow(more.value); more.value = ''; } }, h('option', { value: '' }, 'another number …'),
      [...laws].map(([law, list]) => h('optgroup', { label: plain(law) }, list.map((n) => h('option', { value: n.key }, `${n.name}${n.about ? `: ${n.about}` : ''}`)))));
    this.numberRows = h('div');
    this.changing.append(this.numberRows, more);
    FIRST.forEach((key) => this.addRow(key));
  }

  addRow(key) {
    const n = this.found.numbers.find((x) => x.key === key);
    if (!n || this.rows.has(key)) return;
    const log = n.low > 0 && n.high > 30 * n.low;
    const at = (v) => 200 * (log ? Math.log(v / n.low) / Math.log(n.high / n.low) : (v - n.low) / (n.high - n.low || 1));
    const of = (p) => (log ? n.low * (n.high / n.low) ** (p / 200) : n.low + ((n.high - n.low) * p) / 200);
    const fault = h('p', { class: 'fault', role: 'alert', hidden: true }), name = `${plain(n.law)}: ${n.name}`;
    const box = h('input', { type: 'number', step: 'any', value: few(n.value), 'aria-label': `${name}, ${n.unit}`, onchange: () => set(box.value === '' ? box.value : Number(box.value)) });
    const range = h('input', { type: 'range', min: 0, max: 200, step: 1, value: at(n.value), 'aria-label': `${name}, ${n.unit}`, oninput: () => { box.value = few(of(+range.value)); }, onchange: () => set(Number(few(of(+range.value)))) });
    const show = (v) => { n.value = v; box.value = few(v); range.value = at(v); };
    const set = async (value) => { const answer = await this.send({ do: 'set', key, value }, fault); if (answer) show(answer.line.value); else show(n.value); };
    const row = h('div', { class: 'number' },
      h('details', {}, h('summary', {}, name), h('p', {}, `${n.about ? `${n.about}. ` : ''}Source (${n.status}): ${n.source}. The slider is the range it is believed to lie in; ${few(n.least)} to ${few(n.most)} ${n.unit === '1' ? '' : n.unit} is accepted.`)), h('button', { type: 'button', 'aria-label': `Put ${name} away`, title: 'Put this slider away', onclick: () => { row.remove(); this.rows.delete(key); } }, '×'),
      h('div', { class: 'set' }, range, box, h('span', { class: 'soft' }, n.unit === '1' ? '' : n.unit.replace(/\bu(?=[MmgL])/, 'µ')), h('span', { class: 'ends' }, h('span', {}, say(n.low)), h('span', {}, say(n.high)))), fault);
    this.rows.set(key, { show });
    this.numberRows.append(row);
  }

  // ---- what the model is at
  take(live) {
    if (!live) return;
    this.state = live.state;
    const over = live.state === 'ended' || live.state === 'failed';
    this.go.textContent = live.state === 'running' ? '❚❚ pause' : '▶ run';
    for (const b of [this.go, this.hour, this.tick, this.speed, this.end, this.giveButton]) if (b) b.disabled = over;
    for (const input of this.side.querySelectorAll('.number input')) input.disabled = over;
    const told = { running: 'runs', paused: 'waits', ended: 'at its end; the run directory is complete', failed: 'failed' }[live.state] || live.state;
    this.words.replaceChildren(h('b', {}, dayText(live.hour)), ` of ${say(live.end_day)}, tick ${live.tick.toLocaleString('en').replace(/,/g, ' ')}: ${told}`);
    if (live.fault) this.tell(this.fault, live.fault);
    if (this.viewer.root.activeElement !== this.speed) this.speed.value = live.hours_per_s === null ? '' : String(live.hours_per_s);
    const mark = `${live.interventions}`;
    if (mark === this.marked) return;
    this.marked = mark;
    this.history.hidden = !live.interventions;
    this.done.replaceChildren(...[...live.log].reverse().map((line) => h('li', {}, h('span', { class: 'soft' }, `${dayText(24 * line.day)}, tick ${line.tick}: `), this.sentence(line))));
  }

  sentence(line) {
    if (line.event === 'set') return `${line.key.replace('mechanisms.', '').replace('.', ': ')} ${few(line.was)} → ${few(line.value)} ${line.unit === '1' ? '' : line.unit}`;
    const keys = (this.found || { keys: {} }).keys;
    const rest = Object.entries(line.item).filter(([k]) => k !== 'name' && k !== 'day').map(([k, v]) => (keys[k] ? `${few(v)} ${keys[k][1]}` : ROUTES[v] || PLACES[v] || String(v)));
    return `${plain(line.item.name)}${rest.length ? `, ${rest.join(', ')}` : ''}`;
  }
}
const USUAL = { dose_gy: 8, fluence_mw_cm2: 100, intensity_w_cm2: 1, celsius: 43, minutes: 10, share: 0.5, count: 100, per_mm2: 50, age_h: 1 };
