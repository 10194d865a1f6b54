// The viewer of tme: cells and fields of a run, drawn from frames (frames.py tells their layout).
// One module without dependencies for three places: a report (fromPage), `tme view` (fromServer), a notebook (render).
// Text of a run goes into the page as text nodes alone, never as HTML.

// ---- bytes -----------------------------------------------------------------------------------------------------
const inflate = async (bytes) => {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};
const fromBase64 = (text) => {
  const raw = atob(text), out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out;
};
const KINDS = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array };

async function integers(bytes, type, delta) {
  const planes = await inflate(bytes), Kind = KINDS[type], width = Kind.BYTES_PER_ELEMENT, n = planes.length / width;
  const out = width === 1 ? planes : new Kind(n);
  if (width > 1) for (let k = 0; k < width; k++) for (let i = 0, at = k * n; i < n; i++) out[i] |= planes[at + i] << (8 * k);
  if (delta) for (let i = 1; i < n; i++) out[i] += out[i - 1]; // modulo the type's range, as it was stored
  return out;
}

/** A moment of a simulation: its header at once, its columns when they are asked for. */
class Frame {
  constructor(bytes) {
    if (new TextDecoder().decode(bytes.subarray(0, 8)) !== 'TMEFRAM2') throw new Error('These bytes are no frame.');
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);
    this.head = JSON.parse(new TextDecoder().decode(bytes.subarray(12, 12 + length)));
    this.body = bytes.subarray(12 + length);
    this.n = this.head.n;
    [this.nz, this.ny, this.nx] = this.head.shape;
    this.dx = this.head.dx_um;
    this.entries = new Map();
    for (const c of this.head.columns) this.entries.set(c.name, c);
    for (const f of this.head.fields) this.entries.set(`field:${f.name}`, { ...f, kind: 'quantity' });
    this.coded = new Map();
    this.valued = new Map();
    this.coming = new Map();
  }
  entry(name) { return this.entries.get(name); }
  async load(names) {
    await Promise.all(names.filter((n) => this.entries.has(n) && !this.coded.has(n)).map((name) => {
      if (!this.coming.has(name)) {
        const c = this.entry(name);
        this.coming.set(name, integers(this.body.subarray(c.at, c.at + c.size), c.type, c.delta).then((d) => this.coded.set(name, d)));
      }
      return this.coming.get(name);
    }));
  }
  codes(name) { return this.coded.get(name); }
  /** Values of a loaded column (Float32Array, NaN is none), or undefined. */
  values(name) {
    if (this.valued.has(name)) return this.valued.get(name);
    const c = this.entry(name), codes = this.coded.get(name);
    if (!c || !codes) return undefined;
    const out = new Float32Array(codes.length);
    if (c.kind === 'linear') for (let i = 0; i < out.length; i++) out[i] = c.low + codes[i] * c.step;
    else {
      const table = new Float32Array(c.top + 2);
      for (let k = 0; k <= c.top; k++)
        table[k] = c.log ? (k === 0 ? 0 : c.low * (c.high / c.low) ** ((k - 1) / (c.top - 1))) : c.low + ((c.high - c.low) * k) / c.top;
      table[c.top + 1] = NaN;
      for (let i = 0; i < out.length; i++) out[i] = table[codes[i]];
    }
    this.valued.set(name, out);
    return out;
  }
  word(name, row) {
    const c = this.entry(name), codes = this.coded.get(name);
    return c && codes ? (codes[row] === c.missing ? '' : c.legend[codes[row]]) : '';
  }
  quantities() { return this.head.columns.filter((c) => c.kind === 'quantity').map((c) => c.name); }
  fields() { return this.head.fields.map((f) => f.name); }
  /** Value of a loaded field at a place in um. */
  fieldAt(name, x, y, z) {
    const f = this.entry(`field:${name}`), v = this.values(`field:${name}`);
    if (!v) return NaN;
    const [nz, ny, nx] = f.shape, d = this.dx * f.stride;
    const [i, j, k] = [Math.floor(x / d), Math.floor(y / d), Math.min(nz - 1, Math.max(0, Math.floor(z / d)))];
    return i < 0 || j < 0 || i >= nx || j >= ny ? NaN : v[(k * ny + j) * nx + i];
  }
}

// ---- where frames come from ------------------------------------------------------------------------------------
/** Frames from the server that `tme view` runs. */
export function fromServer(base = '') {
  const get = async (path) => {
    const answer = await fetch(base + path, { cache: 'no-cache' });
    if (!answer.ok) throw new Error((await answer.text()) || `The server answered ${answer.status}.`);
    return answer;
  };
  const part = (m) => `${m.arm.split('/').map(encodeURIComponent).join('/')}/${m.replicate}`;
  return {
    polls: true,
    index: async () => (await get('index.json')).json(),
    frame: async (m) => new Uint8Array(await (await get(`frames/${part(m)}/${m.id}?${m.stamp}`)).arrayBuffer()),
    descent: async (m) => new Uint8Array(await (await get(`descent/${part(m)}`)).arrayBuffer()),
    control: async (what, token) => (await fetch(`${base}control`, { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Tme-Token': token }, body: JSON.stringify(what) })).json(),
  };
}

/** Frames that a page carries in script blocks of type text/plain with data-tme, base64 of the same bytes. */
export function fromPage(root = document) {
  const blocks = new Map([...root.querySelectorAll('script[data-tme]')].map((s) => [s.dataset.tme, s]));
  const bytes = (key) => {
    if (!blocks.has(key)) throw new Error('This page does not carry that moment.');
    return fromBase64(blocks.get(key).textContent.trim());
  };
  return {
    index: async () => JSON.parse(new TextDecoder().decode(await inflate(bytes('index')))),
    frame: async (m) => bytes(`frame/${m.arm}/${m.replicate}/${m.id}`),
    descent: async (m) => bytes(`descent/${m.arm}/${m.replicate}`),
  };
}

/** Frames that a notebook's kernel sends: one message asks, one with the same id answers. */
export function fromNotebook(model) {
  let last = 0;
  const open = new Map();
  model.on('msg:custom', (message, buffers) => {
    const asked = open.get(message.id);
    if (!asked) return;
    open.delete(message.id);
    if (message.error) asked.reject(new Error(message.error));
    else { const b = buffers[0]; asked.resolve(new Uint8Array(b.buffer ? b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength) : b)); }
  });
  const ask = (what) => new Promise((resolve, reject) => { open.set(++last, { resolve, reject }); model.send({ ...what, id: last }); });
  return {
    polls: true,
    index: async () => JSON.parse(new TextDecoder().decode(await ask({ ask: 'index' }))),
    frame: (m) => ask({ ask: 'frame', arm: m.arm, replicate: m.replicate, hour: m.id }),
    descent: (m) => ask({ ask: 'descent', arm: m.arm, replicate: m.replicate }),
    control: async (what) => JSON.parse(new TextDecoder().decode(await ask({ ask: 'control', what }))),
  };
}

// ---- colours ---------------------------------------------------------------------------------------------------
const MAPS = {
  viridis: '44015447186a472c7b4240853a528b32628d2c728e26818e20908c1e9f8828ae7f3ebc735ec96183d34baddc30d7e219fde724',
  magma: '0000030a07221c1046350f6a50127b691c808225819c2e7fb63679d0416fe65162f56a5bfb8861fea671fec488fde1a3fbfcbf',
  cividis: '00224d002d691a386f31436c434e6b52596c61646f6e70737c7b788b87789b9376aba072bbad6cccbb63dec957efd846fde737',
};
const OWN = ['#A6761D', '#1B9E77', '#7570B3', '#E7298A', '#66A61E', '#4D7A8C'];
const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
const tables = {};
function colourMap(name) {
  if (!tables[name]) {
    const stops = MAPS[name].match(/.{6}/g).map((h) => rgb(`#${h}`)), out = new Uint8Array(768);
    for (let i = 0; i < 256; i++) {
      const x = (i / 255) * (stops.length - 1), k = Math.min(stops.length - 2, Math.floor(x)), u = x - k;
      for (let c = 0; c < 3; c++) out[3 * i + c] = Math.round(stops[k][c] * (1 - u) + stops[k + 1][c] * u);
    }
    tables[name] = out;
  }
  return tables[name];
}
const place = (v, s) => {
  const u = s.log ? Math.log(Math.max(v, s.low) / s.low) / Math.log(s.high / s.low) : (v - s.low) / (s.high - s.low || 1);
  return u <= 0 ? 0 : u >= 1 ? 255 : Math.round(255 * u);
};
export const say = (v) => {
  if (v === undefined || v === null || Number.isNaN(v)) return '–';
  const a = Math.abs(v);
  if (a !== 0 && (a < 1e-3 || a >= 1e6)) return v.toExponential(1).replace('e+', 'e').replace('-', '−');
  return (a >= 100 ? Math.round(v).toLocaleString('en').replace(/,/g, ' ') : Number(v.toPrecision(3)).toString()).replace('-', '−');
};
const dayOf = (hour) => (Math.abs(hour) < 48 && hour % 24 ? `${say(hour)} h` : `day ${say(Math.round((hour / 24) * 100) / 100)}`);
const unitOf = (u) => (u === '1' ? 'relative' : (u || '').replace(/\bu(?=[MmgL])/, 'µ'));

// ---- elements --------------------------------------------------------------------------------------------------
export function h(tag, set = {}, ...children) {
  const e = tag === 'svg' || tag === 'polyline' || tag === 'circle' ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag);
  for (const [k, v] of Object.entries(set)) {
    if (k.startsWith('on')) e.addEventListener(k.slice(2), v);
    else if (k === 'style') for (const [a, b] of Object.entries(v)) e.style.setProperty(a, b);
    else if (v === true) e.setAttribute(k, '');
    else if (v !== false && v !== null && v !== undefined) e.setAttribute(k, v);
  }
  e.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return e;
}
const CSS = `
:host{display:block;container-type:inline-size;font:14px/1.4 system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;
 --ink:#1a1a1a;--soft:#5a5a5a;--line:#d4d4d4;--face:#fff;--sunk:#f6f6f6;--tissue:#fff;--mark:#0b5394;--warm:#fff8e6;color:var(--ink)}
:host([data-dark]){--ink:#ececec;--soft:#a9adb5;--line:#3a3d44;--face:#1b1d21;--sunk:#24272c;--tissue:#101114;--mark:#8ab8ee;--warm:#3a3118}
*{box-sizing:border-box}
[hidden]{display:none!important}
.all{display:flex;flex-direction:column;background:var(--face);color:var(--ink);border:1px solid var(--line);border-radius:6px;overflow:hidden}
:host([data-fill]) .all{height:100vh;border:0;border-radius:0}
.mid{display:grid;grid-template-columns:minmax(0,1fr) 17.5rem;flex:1 1 auto;min-height:0}
.top{display:flex;flex-wrap:wrap;gap:.3rem .7rem;align-items:center;padding:.45rem .7rem;border-bottom:1px solid var(--line)}
.top h2{font-size:1rem;margin:0 .2rem 0 0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;max-width:22rem}
label{display:inline-flex;gap:.3rem;align-items:center;color:var(--soft);font-size:.86rem}
select,button,input{font:inherit;font-size:.86rem;color:var(--ink)}
select,button{background:var(--sunk);border:1px solid var(--line);border-radius:4px;padding:.16rem .45rem;min-height:1.9rem;max-width:13rem}
button{cursor:pointer}button[aria-pressed=true]{background:var(--mark);border-color:var(--mark);color:var(--face)}
button:disabled{opacity:.45;cursor:default}
:focus-visible{outline:2px solid var(--mark);outline-offset:1px}
input[type=range]{accent-color:var(--mark);min-width:4rem}
.note{background:var(--warm);padding:.4rem .7rem;border-bottom:1px solid var(--line);font-size:.9rem}
.stage{position:relative;min-height:16rem;background:var(--tissue);touch-action:none;overflow:hidden}
.stage canvas{position:absolute;inset:0;width:100%;height:100%;display:block}
.stage canvas.over{cursor:crosshair}
[role=group]{display:inline-flex;flex-wrap:wrap;gap:.25rem}.side{border-left:1px solid var(--line);overflow:auto;padding:.6rem .7rem;font-size:.86rem}
.side section{margin:0 0 .9rem}.side h3{font-size:.86rem;margin:0 0 .25rem;font-weight:600}
.key{display:flex;align-items:center;gap:.4rem;width:100%;min-height:1.55rem;padding:.05rem .2rem;border:0;background:none;text-align:left;max-width:none}
.key i{width:.85rem;height:.85rem;border-radius:3px;border:1px solid #8886;flex:none}
.key span{flex:1}.key small{color:var(--soft);font-variant-numeric:tabular-nums}
.key[aria-pressed=false]{opacity:.4;background:none;color:var(--ink)}.key[aria-pressed=true]{background:none;color:var(--ink)}
.bar canvas{width:100%;height:12px;display:block;border:1px solid #8886}
.ends{display:flex;justify-content:space-between;color:var(--soft);font-size:.8rem;font-variant-numeric:tabular-nums}
.curve{width:100%;height:9.5rem;display:block;cursor:pointer}
.foot{display:flex;flex-wrap:wrap;gap:.4rem .7rem;align-items:center;padding:.4rem .7rem;border-top:1px solid var(--line)}
.foot .time{flex:1 1 12rem;min-width:8rem}.foot output{min-width:5.2rem;font-variant-numeric:tabular-nums;font-weight:600}
.tip{position:absolute;z-index:3;pointer-events:none;background:var(--face);border:1px solid var(--line);border-radius:4px;box-shadow:0 2px 8px #0003;padding:.35rem .5rem;font-size:.78rem;line-height:1.3;max-width:25rem;display:flex;gap:.9rem}
.tip b{display:block}.tip table{border-collapse:collapse}
table{border-collapse:collapse;font-size:.82rem;font-variant-numeric:tabular-nums;width:100%}.tip table{width:auto;font-size:inherit}
td,th{text-align:left;font-weight:400;padding:.08rem .5rem .08rem 0;vertical-align:middle;border:0}th{color:var(--soft)}td.n,th.n{text-align:right;padding-right:.3rem;white-space:nowrap}
thead th{border-bottom:1px solid var(--line)}
a{color:var(--mark);cursor:pointer;text-decoration:underline}
svg{width:4.6rem;height:1.3rem;overflow:visible;vertical-align:middle}polyline{fill:none;stroke:var(--mark);stroke-width:1.4}circle{fill:var(--mark)}
dialog{color:var(--ink);background:var(--face);border:1px solid var(--line);border-radius:6px;max-width:27rem}
.soft{color:var(--soft)}.live{display:flex;flex-wrap:wrap;gap:.3rem .8rem;padding:.4rem .7rem;border-bottom:1px solid var(--line);align-items:center}
@container (max-width:760px){.mid{grid-template-columns:minmax(0,1fr)}:host([data-fill]) .all{height:auto;min-height:100vh}
 .side{border-left:0;border-top:1px solid var(--line);display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:0 1.2rem}
 .foot{position:sticky;bottom:0;background:var(--face);z-index:2}select,button{min-height:2.3rem}.top label select{max-width:8.6rem}.top h2{max-width:100%;flex-basis:100%}.key{min-height:2.1rem}.wide{display:none}}
`;

// ---- painters --------------------------------------------------------------------------------------------------
const CELLS_VERTEX = `#version 300 es
in vec2 corner; in vec3 at; in vec4 colour; uniform mat3 turn; uniform vec3 pivot; uniform vec2 shift; uniform vec2 scale; uniform vec2 size; uniform float depth; uniform float sprite;
out vec2 uv; out vec4 c;
void main(){ vec3 p = turn*(at-pivot); uv = corner; c = colour; gl_Position = vec4((p.xy-shift)*scale + corner*size, -p.z*depth, 1.0); gl_PointSize = sprite; }`;
const CELLS_FRAGMENT = `#version 300 es
precision highp float; in vec2 uv; in vec4 c; uniform float soft; uniform float alpha; uniform float sprite; out vec4 o;
void main(){ float a = alpha; if(soft>0.0){ vec2 w = sprite>0.0 ? gl_PointCoord*2.0-1.0 : uv; a *= clamp((1.0-length(w))/soft,0.0,1.0); if(a<=0.02) discard; } a *= c.a; o = vec4(c.rgb*a,a); }`;
const FIELD_VERTEX = `#version 300 es
in vec2 corner; uniform vec3 from; uniform vec2 extent; uniform mat3 turn; uniform vec3 pivot; uniform vec2 shift; uniform vec2 scale; uniform float depth; out vec2 uv;
void main(){ uv = corner*0.5+0.5; vec3 p = turn*(from+vec3(uv*extent,0.0)-pivot); gl_Position = vec4((p.xy-shift)*scale, -p.z*depth, 1.0); }`;
const FIELD_FRAGMENT = `#version 300 es
precision mediump float; in vec2 uv; uniform sampler2D map; out vec4 o; void main(){ o = vec4(texture(map,uv).rgb,1.0); }`;

/** Cells as sprites (large ones as instanced squares) and fields as textures; throws where WebGL2 is missing.
 *  A software renderer draws a hundred thousand sprites in the time of a few thousand instances. */
class GlPainter {
  constructor(canvas) {
    const gl = canvas.getContext('webgl2', { antialias: false, alpha: false, preserveDrawingBuffer: true });
    if (!gl) throw new Error('no WebGL2');
    this.gl = gl;
    this.canvas = canvas;
    this.cells = this.program(CELLS_VERTEX, CELLS_FRAGMENT);
    this.field = this.program(FIELD_VERTEX, FIELD_FRAGMENT);
    this.quad = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, this.quad);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]), gl.STATIC_DRAW);
    this.held = new WeakMap();
    this.largest = gl.getParameter(gl.ALIASED_POINT_SIZE_RANGE)[1];
  }
  program(vertex, fragment) {
    const gl = this.gl, p = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
      const s = gl.createShader(kind);
      gl.shaderSource(s, text);
      gl.compileShader(s);
      gl.attachShader(p, s);
    }
    if (vertex === CELLS_VERTEX) ['at', 'colour', 'corner'].forEach((n, i) => gl.bindAttribLocation(p, i, n));
    gl.linkProgram(p);
    if (!gl.getProgramParameter(p, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(p) || 'shaders do not link');
    const at = (n) => gl.getUniformLocation(p, n);
    return { p, at, corner: gl.getAttribLocation(p, 'corner'), place: gl.getAttribLocation(p, 'at'), colour: gl.getAttribLocation(p, 'colour') };
  }
  buffer(key, data) {
    const gl = this.gl;
    let b = this.held.get(data);
    if (!b) { b = gl.createBuffer(); this.held.set(data, b); gl.bindBuffer(gl.ARRAY_BUFFER, b); gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW); key.push(b); }
    gl.bindBuffer(gl.ARRAY_BUFFER, b);
  }
  begin(background) {
    const gl = this.gl;
    gl.disable(gl.SCISSOR_TEST);
    gl.clearColor(...background.map((c) => c / 255), 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
  }
  view(program, cam, box, ratio) {
    const gl = this.gl, y = this.canvas.height - (box.y + box.h) * ratio;
    gl.viewport(box.x * ratio, y, box.w * ratio, box.h * ratio);
    gl.enable(gl.SCISSOR_TEST);
    gl.scissor(box.x * ratio, y, box.w * ratio, box.h * ratio);
    gl.useProgram(program.p);
    gl.uniformMatrix3fv(program.at('turn'), false, cam.turn);
    gl.uniform3fv(program.at('pivot'), cam.pivot);
    gl.uniform2f(program.at('shift'), cam.x, cam.y);
    gl.uniform2f(program.at('scale'), (2 * cam.zoom) / box.w, (2 * cam.zoom) / box.h);
    gl.uniform1f(program.at('depth'), cam.depth);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.quad);
    gl.enableVertexAttribArray(program.corner);
    gl.vertexAttribPointer(program.corner, 2, gl.FLOAT, false, 0, 0);
    gl.vertexAttribDivisor(program.corner, 0);
  }
  paintField(picture, cam, box, ratio) {
    const gl = this.gl, p = this.field;
    this.view(p, cam, box, ratio);
    gl.disable(gl.BLEND);
    gl[cam.flat ? 'disable' : 'enable'](gl.DEPTH_TEST);
    let t = this.held.get(picture.pixels);
    if (!t) {
      t = gl.createTexture();
      this.held.set(picture.pixels, t);
      picture.held.push(t);
      gl.bindTexture(gl.TEXTURE_2D, t);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, picture.nx, picture.ny, 0, gl.RGBA, gl.UNSIGNED_BYTE, picture.pixels);
      for (const [k, v] of [[gl.TEXTURE_MIN_FILTER, gl.LINEAR], [gl.TEXTURE_MAG_FILTER, gl.LINEAR], [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE], [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE]]) gl.texParameteri(gl.TEXTURE_2D, k, v);
    }
    gl.bindTexture(gl.TEXTURE_2D, t);
    gl.uniform3f(p.at('from'), 0, 0, picture.z);
    gl.uniform2f(p.at('extent'), picture.w, picture.h);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }
  paintCells(drawn, cam, box, ratio) {
    if (!drawn.count) return;
    const gl = this.gl, p = this.cells, exact = drawn.radius(cam) * ratio, round = exact >= 2.5, radius = round ? exact + 0.5 : exact; // the edge fades over a pixel
    this.view(p, cam, box, ratio);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl[cam.flat ? 'disable' : 'enable'](gl.DEPTH_TEST);
    gl.uniform2f(p.at('size'), (2 * radius) / (box.w * ratio), (2 * radius) / (box.h * ratio));
    gl.uniform1f(p.at('soft'), round ? 1 / radius : 0);
    gl.uniform1f(p.at('alpha'), drawn.alpha(cam));
    this.buffer(drawn.held, drawn.at);
    const sprites = 2 * radius <= Math.min(64, this.largest), each = sprites ? 0 : 1;
    gl.uniform1f(p.at('sprite'), sprites ? 2 * radius : 0);
    gl.enableVertexAttribArray(p.place);
    gl.vertexAttribPointer(p.place, 3, gl.FLOAT, false, 0, 0);
    gl.vertexAttribDivisor(p.place, each);
    this.buffer(drawn.held, drawn.rgba);
    gl.enableVertexAttribArray(p.colour);
    gl.vertexAttribPointer(p.colour, 4, gl.UNSIGNED_BYTE, true, 0, 0);
    gl.vertexAttribDivisor(p.colour, each);
    if (sprites) {
      gl.disableVertexAttribArray(p.corner);
      gl.vertexAttrib2f(p.corner, 0, 0);
      gl.drawArrays(gl.POINTS, 0, drawn.count);
    } else gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, drawn.count);
    gl.disableVertexAttribArray(p.corner);
    gl.vertexAttribDivisor(p.place, 0);
    gl.vertexAttribDivisor(p.colour, 0);
    gl.disableVertexAttribArray(p.place); // the field's program has no use for them, and their buffers may go
    gl.disableVertexAttribArray(p.colour);
  }
  free(held) { for (const x of held) { if (x instanceof WebGLBuffer) this.gl.deleteBuffer(x); else this.gl.deleteTexture(x); } held.length = 0; }
  finish() { this.gl.readPixels(0, 0, 1, 1, this.gl.RGBA, this.gl.UNSIGNED_BYTE, new Uint8Array(4)); }
}

/** The same pictures by a canvas, where WebGL2 is missing. */
class CanvasPainter {
  constructor(canvas) {
    this.canvas = canvas;
    this.c = canvas.getContext('2d', { alpha: false });
  }
  begin(background) {
    this.c.setTransform(1, 0, 0, 1, 0, 0);
    this.c.fillStyle = `rgb(${background.join()})`;
    this.c.fillRect(0, 0, this.canvas.width, this.canvas.height);
  }
  inside(box, ratio, draw) {
    this.c.save();
    this.c.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.c.beginPath();
    this.c.rect(box.x, box.y, box.w, box.h);
    this.c.clip();
    draw(this.c);
    this.c.restore();
  }
  paintField(picture, cam, box, ratio) {
    const sheet = Object.assign(document.createElement('canvas'), { width: picture.nx, height: picture.ny });
    sheet.getContext('2d').putImageData(new ImageData(new Uint8ClampedArray(picture.pixels), picture.nx, picture.ny), 0, 0);
    this.inside(box, ratio, (c) => {
      const [a, b, d] = [[0, 0], [picture.w, 0], [0, picture.h]].map(([x, y]) => project(cam, box, x, y, picture.z));
      c.transform((b[0] - a[0]) / picture.nx, (b[1] - a[1]) / picture.nx, (d[0] - a[0]) / picture.ny, (d[1] - a[1]) / picture.ny, a[0], a[1]);
      c.imageSmoothingEnabled = true;
      c.drawImage(sheet, 0, 0);
    });
  }
  paintCells(drawn, cam, box, ratio) {
    const r = drawn.radius(cam), at = drawn.at, q = drawn.rgba, order = new Uint32Array(drawn.count).map((_, i) => i);
    if (!cam.flat) { const far = order.length && Float32Array.from(order, (i) => depthOf(cam, at[3 * i], at[3 * i + 1], at[3 * i + 2])); order.sort((i, j) => far[i] - far[j]); }
    this.inside(box, ratio, (c) => {
      let style = -1;
      c.globalAlpha = drawn.alpha(cam);
      for (const i of order) {
        const [x, y] = project(cam, box, at[3 * i], at[3 * i + 1], at[3 * i + 2]);
        if (x < box.x - r || y < box.y - r || x > box.x + box.w + r || y > box.y + box.h + r) continue;
        const key = (q[4 * i] << 16) | (q[4 * i + 1] << 8) | q[4 * i + 2];
        if (key !== style) { c.fillStyle = `rgb(${q[4 * i]},${q[4 * i + 1]},${q[4 * i + 2]})`; style = key; }
        if (r * ratio < 2.5) c.fillRect(x - r, y - r, 2 * r, 2 * r);
        else { c.beginPath(); c.arc(x, y, r, 0, 6.2832); c.fill(); }
      }
    });
  }
  free(held) { held.length = 0; }
  finish() { this.c.getImageData(0, 0, 1, 1); }
}

const turned = (cam, x, y, z) => {
  const t = cam.turn, [a, b, c] = [x - cam.pivot[0], y - cam.pivot[1], z - cam.pivot[2]];
  return [t[0] * a + t[3] * b + t[6] * c, t[1] * a + t[4] * b + t[7] * c, t[2] * a + t[5] * b + t[8] * c];
};
const depthOf = (cam, x, y, z) => turned(cam, x, y, z)[2];
function project(cam, box, x, y, z) {
  const p = turned(cam, x, y, z);
  return [box.x + box.w / 2 + (p[0] - cam.x) * cam.zoom, box.y + box.h / 2 - (p[1] - cam.y) * cam.zoom];
}

// ---- the viewer ------------------------------------------------------------------------------------------------
const SAME_H = 3; // snapshots so close in time are shown as one
const STATES = 'chemical state';
const keyOf = (m) => `${m.arm}/${m.replicate}/${m.hour}/${m.stamp}`;

class Viewer {
  constructor(host, source, options = {}) {
    this.host = host;
    this.source = source;
    this.options = options;
    this.frames = new Map(); // key -> promise of a frame
    this.ready = new Map(); // key -> frame
    this.tables = new Map(); // arm/replicate -> mothers
    this.faults = new Map();
    this.told = new Map(); // column -> label, unit, group
    this.panels = [];
    this.hidden = new Set();
    this.state = { at: 0, colour: 'type', field: '', scale: 'fixed', view: 'flat', slice: 0, metric: '', map: 'viridis', cells: true, speed: 2 };
    this.cam = { x: 0, y: 0, zoom: 0, yaw: 0.6, pitch: -1.0, moved: false };
    this.selected = null;
    this.region = null;
    this.mode = 'move';
    this.turn = 0;
    this.root = host.shadowRoot || host.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    this.root.adoptedStyleSheets = [sheet];
    if (options.fill) host.setAttribute('data-fill', '');
    this.dark = window.matchMedia('(prefers-color-scheme: dark)');
    this.onDark = () => { this.theme(); this.recolour(); };
    this.dark.addEventListener('change', this.onDark);
    this.build();
    this.theme();
    this.opened = this.open();
  }

  theme() {
    const dark = this.options.theme ? this.options.theme === 'dark' : this.dark.matches;
    this.host.toggleAttribute('data-dark', dark);
    this.isDark = dark;
  }

  // ---- page
  build() {
    const change = (key, then) => (e) => { this.state[key] = e.target.value; then(); };
    const ui = (this.ui = {});
    ui.title = h('h2', {}, 'tme');
    ui.arms = h('span', { role: 'group', 'aria-label': 'Arms shown' });
    ui.replicate = h('select', { 'aria-label': 'Replicate', onchange: (e) => { this.replicate = e.target.value; this.layout(); } });
    ui.colour = h('select', { onchange: change('colour', () => this.show()) });
    ui.field = h('select', { onchange: change('field', () => this.show()) });
    ui.scale = h('select', { onchange: change('scale', () => this.recolour()) }, h('option', { value: 'fixed' }, 'one for all times'), h('option', { value: 'auto' }, 'this moment'));
    ui.map = h('select', { onchange: change('map', () => this.recolour()) }, Object.keys(MAPS).map((m) => h('option', { value: m }, m)));
    ui.view = h('select', { onchange: change('view', () => { this.cam.moved = false; this.show(); }) }, [['slice', 'slice'], ['projection', 'from above'], ['points', 'points, to turn']].map(([v, t]) => h('option', { value: v }, t)));
    ui.slice = h('input', { type: 'range', min: 0, value: 0, 'aria-label': 'Slice along z', oninput: (e) => { this.state.slice = +e.target.value; this.show(); } });
    ui.space = h('label', { hidden: true }, 'view', ui.view, ui.slice);
    const button = (text, label, press) => h('button', { type: 'button', title: label, 'aria-label': label, onclick: press }, text);
    ui.cells = h('button', { type: 'button', 'aria-pressed': 'true', title: 'Cells on or off (x)', onclick: () => this.toggleCells() }, 'cells');
    ui.brush = h('button', { type: 'button', 'aria-pressed': 'false', title: 'Draw a region and compare it with the rest (b)', onclick: () => this.setMode(this.mode === 'brush' ? 'move' : 'brush') }, 'region');
    ui.note = h('div', { class: 'note', role: 'status', hidden: true });
    ui.live = h('div', { class: 'live', hidden: true });
    ui.paint = h('canvas');
    ui.over = h('canvas', { class: 'over', tabindex: 0, role: 'application', 'aria-label': 'Cells of the tumour. Arrow keys change the time, plus and minus the size, question mark lists all keys.' });
    ui.tip = h('div', { class: 'tip', hidden: true });
    ui.stage = h('div', { class: 'stage' }, ui.paint, ui.over, ui.tip);
    ui.legend = h('section');
    ui.curve = h('canvas', { class: 'curve', role: 'img', 'aria-label': 'Growth of the arms; the line marks the time shown.' });
    ui.metric = h('select', { 'aria-label': 'What the curves show', onchange: change('metric', () => this.drawCurve()) });
    ui.curves = h('section', {}, ui.metric, ui.curve);
    ui.inspect = h('section', { 'aria-live': 'polite' });
    ui.side = h('div', { class: 'side' }, ui.legend, ui.curves, ui.inspect);
    ui.play = button('▶', 'Play or stop (space)', () => this.play());
    ui.time = h('input', { class: 'time', type: 'range', min: 0, value: 0, step: 1, 'aria-label': 'Time', oninput: (e) => this.go(+e.target.value) });
    ui.when = h('output', {}, '');
    ui.speed = h('select', { 'aria-label': 'Speed', onchange: change('speed', () => {}) }, [1, 2, 4, 8].map((s) => h('option', { value: s, selected: s === 2 }, `${s} / s`)));
    ui.help = h('dialog', { onclick: () => ui.help.close() }, h('h3', {}, 'Keys'), h('table', {}, [
      ['space', 'play or stop'], ['← →', 'time'], ['Home End', 'first and last moment'], ['+ −', 'size'], ['shift + arrows', 'move the picture'], ['0', 'whole tumour'],
      ['c C', 'next or former colouring of cells'], ['f F', 'next or former field'], ['x', 'cells on or off'], ['a', 'scale of all times or of this moment'], ['b', 'draw a region (or shift and drag)'],
      ['s', 'save the picture'], ['m', 'record a movie'], ['Esc', 'forget cell and region'],
    ].map(([k, t]) => h('tr', {}, h('th', {}, k), h('td', {}, t)))), h('p', { class: 'soft' }, 'Drag moves the picture, the wheel or two fingers change its size, a click takes up a cell. In three dimensions dragging turns the points.'));
    ui.all = h('div', { class: 'all' },
      h('div', { class: 'top' }, ui.title, ui.arms, h('label', {}, 'replicate', ui.replicate), h('label', {}, 'cells by', ui.colour), h('label', {}, 'field', ui.field),
        h('label', {}, 'scale', ui.scale), h('label', { class: 'wide' }, 'map', ui.map), ui.space, ui.cells, ui.brush, button('⤢', 'Whole tumour (0)', () => this.fit(true)),
        button('picture', 'Save the picture (s)', () => this.savePicture()), (ui.movie = button('movie', 'Record a movie (m)', () => this.saveMovie())), button('?', 'Keys', () => ui.help.showModal())),
      ui.note, ui.live, h('div', { class: 'mid' }, ui.stage, ui.side), h('div', { class: 'foot' }, ui.play, ui.time, ui.when, ui.speed), ui.help);
    this.root.replaceChildren(ui.all);
    this.makePainter();
    this.listen();
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(ui.stage);
    this.watch.observe(ui.curve);
  }

  makePainter() {
    const fresh = () => { const c = h('canvas'); this.ui.paint.replaceWith(c); this.ui.paint = c; return c; };
    if (!this.options.canvas) {
      try {
        this.painter = new GlPainter(this.ui.paint);
        this.ui.paint.addEventListener('webglcontextlost', (e) => { e.preventDefault(); this.options.canvas = true; this.makePainter(); this.show(); });
        return;
      } catch { /* the canvas draws the same */ }
    }
    this.painter = new CanvasPainter(fresh());
  }

  // ---- data
  async open() {
    try {
      this.take(await this.source.index());
    } catch (fault) {
      this.say(`The run cannot be shown: ${fault.message}`);
    }
    await this.layout();
    this.host.dataset.state = 'open';
    if (this.source.polls) this.poll();
    this.prefetch();
    return this;
  }

  take(index) {
    const first = !this.index;
    this.index = index;
    const { ui } = this;
    ui.title.textContent = index.name;
    ui.title.title = index.name;
    this.say(index.sentence || (index.arms.length ? '' : 'There is nothing to show yet.'));
    const reps = [...new Set(index.arms.flatMap((a) => Object.keys(a.replicates)))].sort((a, b) => a - b);
    if (first) {
      this.shown = index.arms.slice(0, 4).map((a) => a.key);
      if (this.options.arms) this.shown = this.options.arms.filter((k) => index.arms.some((a) => a.key === k)).slice(0, 4);
      const chosen = Object.values(index.chosen);
      this.replicate = chosen.length ? String(chosen[0]) : reps[0] || '0';
      this.state.metric = index.curves.length ? index.curves[0].key : '';
    } else for (const a of index.arms) if (this.shown.length < 4 && !this.known.has(a.key)) this.shown.push(a.key);
    this.known = new Set(index.arms.map((a) => a.key));
    ui.replicate.replaceChildren(...reps.map((r) => h('option', { value: r, selected: r === this.replicate }, r)));
    ui.replicate.parentElement.hidden = reps.length < 2;
    ui.metric.replaceChildren(...index.curves.map((c) => h('option', { value: c.key, selected: c.key === this.state.metric }, c.name)));
    ui.curves.hidden = !index.curves.length;
    this.drawArms();
    this.drawLive();
  }

  drawArms() {
    const { index, ui } = this;
    ui.arms.replaceChildren(...(index.arms.length < 2 ? [] : index.arms.map((a) => {
      const on = this.shown.includes(a.key);
      return h('button', { type: 'button', 'aria-pressed': String(on), title: on ? 'Hide this arm' : 'Show this arm (at most four)', onclick: () => {
        this.shown = on ? this.shown.filter((k) => k !== a.key) : [...this.shown, a.key].slice(-4);
        if (!this.shown.length) this.shown = [a.key];
        this.shown.sort((p, q) => index.arms.findIndex((x) => x.key === p) - index.arms.findIndex((x) => x.key === q));
        this.drawArms();
        this.layout();
      } }, a.name);
    })));
  }

  say(text) {
    this.ui.note.textContent = text;
    this.ui.note.hidden = !text;
  }

  frame(m) {
    const key = keyOf(m);
    if (!this.frames.has(key)) {
      const coming = this.source.frame(m).then((bytes) => { const f = new Frame(bytes); this.ready.set(key, f); return f; });
      coming.catch((fault) => { this.faults.set(key, fault.message); this.frames.delete(key); });
      this.frames.set(key, coming);
      while (this.frames.size > 160) { const old = this.frames.keys().next().value; this.frames.delete(old); this.ready.delete(old); }
    }
    return this.frames.get(key);
  }

  /** Moments of an arm shown, oldest first. */
  momentsOf(panel) {
    return panel.moments.map((m) => ({ ...m, arm: panel.arm.key, replicate: panel.replicate }));
  }

  async layout() {
    if (!this.index) return;
    const old = this.hours ? this.hours[this.state.at] : undefined;
    this.panels.forEach((p) => this.painter.free(p.held));
    this.panels = this.shown.map((key) => {
      const arm = this.index.arms.find((a) => a.key === key);
      const replicate = arm.replicates[this.replicate] ? this.replicate : String(this.index.chosen[key]);
      return { arm, replicate, moments: arm.replicates[replicate], held: [], picture: null, drawn: null };
    });
    const hours = [];
    for (const x of [...new Set(this.panels.flatMap((p) => p.moments.map((m) => m.hour)))].sort((a, b) => a - b)) if (!hours.length || x - hours[hours.length - 1] > SAME_H || this.panels.length === 1) hours.push(x);
    const atEnd = this.hours && this.state.at === this.hours.length - 1;
    this.hours = hours;
    this.ui.time.max = Math.max(0, hours.length - 1);
    if (old === undefined) this.state.at = this.options.at === 'last' ? hours.length - 1 : Math.max(0, hours.length - 1);
    else if (atEnd) this.state.at = hours.length - 1;
    else this.state.at = Math.max(0, hours.reduce((best, x, i) => (Math.abs(x - old) < Math.abs(hours[best] - old) ? i : best), 0));
    await this.show();
  }

  momentAt(panel, hour) {
    const near = panel.moments.reduce((b, m) => (!b || Math.abs(m.hour - hour) < Math.abs(b.hour - hour) ? m : b), null);
    if (!near) return null;
    if (Math.abs(near.hour - hour) <= SAME_H) return { ...near, arm: panel.arm.key, replicate: panel.replicate };
    const before = panel.moments.filter((m) => m.hour <= hour).pop();
    return before ? { ...before, arm: panel.arm.key, replicate: panel.replicate, late: true } : null;
  }

  async go(at) {
    this.state.at = Math.max(0, Math.min(this.hours.length - 1, at));
    await this.show();
  }

  /** Load what this moment needs, then draw it. Only the last call of several in a row draws. */
  async show() {
    if (!this.hours || !this.hours.length) { this.resize(); this.drawCurve(); return; }
    const turn = ++this.turn, hour = this.hours[this.state.at];
    this.ui.time.value = this.state.at;
    this.ui.when.textContent = dayOf(hour);
    this.ui.time.setAttribute('aria-valuetext', dayOf(hour));
    const loaded = await Promise.all(this.panels.map(async (panel) => {
      const moment = this.momentAt(panel, hour);
      try {
        if (!moment) return { panel, moment, frame: null, words: `no snapshot before ${dayOf(panel.moments.length ? panel.moments[0].hour : hour)}` };
        const frame = await this.frame(moment);
        await frame.load(['x', 'y', 'z', 'cell_type', 'fate', this.state.colour, `field:${this.state.field}`]);
        return { panel, moment, frame, words: moment.late ? `last snapshot: ${dayOf(moment.hour)}` : '' };
      } catch (fault) { return { panel, moment, frame: null, words: fault.message }; }
    }));
    if (turn !== this.turn) return;
    for (const { panel, moment, frame, words } of loaded) Object.assign(panel, { moment, frame, words });
    this.choices();
    if (!this.cam.moved) this.fit(false);
    this.recolour();
    if (this.selected) this.inspectCell();
    if (this.region) this.inspectRegion();
  }

  async prefetch() {
    const wait = () => new Promise((r) => setTimeout(r, 0));
    for (const panel of this.panels) for (const m of this.momentsOf(panel)) {
      if (this.gone) return;
      try { const f = await this.frame(m); await f.load(['x', 'y', 'z', 'cell_type', 'fate']); } catch { /* told where it is shown */ }
      await wait();
    }
    this.whole = true;
    this.host.dataset.state = 'whole';
    if (!this.cam.moved) this.fit(false);
    this.recolour();
  }

  async poll() {
    while (!this.gone) {
      const running = this.index && (this.index.state === 'running' || this.index.live);
      await new Promise((r) => setTimeout(r, running ? (this.index.live ? 700 : 2000) : 6000));
      if (!this.gone && !document.hidden) await this.look();
    }
  }

  /** See what is new in the run; a look while another is under way waits for that. */
  look() {
    const once = async () => {
      try {
        const index = await this.source.index();
        if (JSON.stringify(index) === JSON.stringify(this.index)) return;
        const pictures = (i) => JSON.stringify([i.arms, i.chosen]);
        const same = pictures(index) === pictures(this.index);
        this.take(index);
        if (same) this.drawCurve(); else await this.layout();
      } catch (fault) { this.say(`No answer from tme any more (${fault.message}). What was loaded stays.`); }
    };
    return (this.looking = (this.looking || Promise.resolve()).then(once));
  }

  // ---- choices
  /** What cells can be coloured by and which fields there are, from the frames shown. */
  choices() {
    const frames = this.panels.map((p) => p.frame).filter(Boolean);
    const names = [...new Set(frames.flatMap((f) => f.quantities()))], fields = [...new Set([...frames, ...this.ready.values()].flatMap((f) => f.head.fields.filter((q) => q.high > 0 || q.low < 0).map((q) => q.name)))];
    const mark = JSON.stringify([names, fields, frames.map((f) => f.nz)]);
    if (mark === this.chosenFrom || !frames.length) return;
    this.chosenFrom = mark;
    const groups = new Map();
    for (const n of names) { const about = this.about(n); (groups.get(about.group) || groups.set(about.group, []).get(about.group)).push([n, about.label]); }
    const option = ([v, t], now) => h('option', { value: v, selected: v === now }, t);
    const whole = [['type', 'type and death'], ['fate', 'fate']].concat(frames.some((f) => f.entry('clone')) ? [['clone', 'clone']] : []);
    this.colours = [...whole.map((w) => w[0]), ...[...groups.values()].flat().map((g) => g[0])];
    if (!this.colours.includes(this.state.colour)) this.state.colour = 'type';
    this.ui.colour.replaceChildren(...whole.map((w) => option(w, this.state.colour)), ...[...groups].map(([g, list]) => h('optgroup', { label: g }, list.map((w) => option(w, this.state.colour)))));
    this.fieldNames = ['', ...fields];
    if (!this.fieldNames.includes(this.state.field)) this.state.field = '';
    this.ui.field.replaceChildren(option(['', 'none'], this.state.field), ...fields.map((f) => option([f, this.about(f, true).label], this.state.field)));
    const nz = Math.max(...frames.map((f) => f.nz));
    this.ui.space.hidden = nz < 2;
    if (nz > 1 && this.state.view === 'flat') { this.state.view = 'slice'; this.state.slice = nz >> 1; }
    if (nz < 2) this.state.view = 'flat';
    Object.assign(this.ui.slice, { max: nz - 1, value: this.state.slice });
    this.ui.view.value = this.state.view;
  }

  about(name, field = false) {
    const key = field ? `field:${name}` : name;
    if (!this.told.has(key)) {
      const found = [...this.panels.map((p) => p.frame), ...this.ready.values()].map((f) => f && f.entry(key)).find(Boolean);
      if (!found) return { label: name.replace(/_/g, ' '), unit: '', group: 'other' };
      this.told.set(key, { label: found.label || name, unit: unitOf(found.unit), group: found.group || 'other' });
    }
    return this.told.get(key);
  }

  // ---- colours
  /** The scale of a column: of all frames loaded, or of those shown. */
  scaleOf(name) {
    const field = name.startsWith('field:');
    const shown = this.panels.map((p) => p.frame).filter(Boolean);
    const keys = new Set(this.panels.flatMap((p) => this.momentsOf(p).map(keyOf)));
    const frames = this.state.scale === 'auto' ? shown : [...this.ready].filter(([k]) => keys.has(k)).map(([, f]) => f);
    const found = frames.map((f) => f.entry(name)).filter(Boolean);
    if (!found.length) return null;
    const least = Math.min(...found.map((c) => (field ? c.low : c.q[0]))), most = Math.max(...found.map((c) => (field ? c.q[3] : c.q[2])));
    const unit = unitOf(found[0].unit) || this.about(name.replace('field:', ''), field).unit;
    let high = most, low = field && this.state.scale === 'fixed' ? Math.min(0, least) : least;
    if (!(high > low)) { high = Math.max(...found.map((c) => c.high)); low = Math.min(low, ...found.map((c) => c.low)); }
    const log = found.some((c) => c.log) && high > 0;
    if (log) low = Math.max(high * 1e-4, Math.min(...found.map((c) => (c.q[0] > 0 ? c.q[0] : high * 1e-4))));
    if (log && !(high > low)) low = high / 10;
    if (!(high > low)) high = low + (Math.abs(low) || 1);
    return { low, high, log, unit };
  }

  /** Categories of the picture from bottom to top: {key, name, colour, live}. */
  categories() {
    const { types, fates } = this.index, out = [], seen = new Set(types.map((t) => t.key));
    for (const t of types) { out.push({ ...t }); if (t.key === 'tumour') for (const f of fates) out.push({ ...f, key: `dead:${f.key}` }); }
    const others = new Set();
    for (const p of this.panels) { const c = p.frame && p.frame.entry('cell_type'); if (c) c.legend.forEach((k) => { if (!seen.has(k)) others.add(k); }); }
    [...others].sort().forEach((k, i) => out.push({ key: k, name: k.replace(/_/g, ' '), colour: OWN[i % OWN.length] }));
    if (this.isDark) for (const c of out) { const [r, g, b] = rgb(c.colour); if (r + g + b < 140) c.colour = '#f4f4f4'; else if (c.key === 'tumour') c.colour = '#7d8087'; else if (r + g + b > 640) c.colour = '#4a4843'; }
    return out;
  }

  /** Category of each cell; -1 is not drawn (dead cells that are no tumour cells, unless cells are coloured by fate). */
  classify(frame, cats) {
    const n = frame.n, kinds = frame.entry('cell_type'), fates = frame.entry('fate'), out = new Int16Array(n).fill(-1);
    if (!kinds) return out.fill(cats.findIndex((c) => c.key === 'tumour'));
    const at = (k) => cats.findIndex((c) => c.key === k);
    const ofKind = [...kinds.legend.map(at), -1], tumour = kinds.legend.indexOf('tumour');
    const dead = fates ? [...fates.legend.map((f) => (f === 'alive' || f === '' ? -2 : at(`dead:${f}`))), -2] : null;
    const k = frame.codes('cell_type'), f = frame.codes('fate');
    for (let i = 0; i < n; i++) {
      const death = dead ? dead[f[i]] : -2;
      out[i] = death === -2 ? ofKind[k[i]] : k[i] === tumour ? death : -1;
    }
    return out;
  }

  recolour() {
    if (!this.index) return;
    const cats = (this.cats = this.categories()), { colour, field, view } = this.state;
    this.counts = cats.map(() => 0);
    this.cellScale = null;
    this.words = null; // categories of a column that holds words
    const first = this.panels.map((p) => p.frame && p.frame.entry(colour)).find(Boolean);
    if (first && first.kind === 'quantity') this.cellScale = this.scaleOf(colour);
    this.fieldScale = field ? this.scaleOf(`field:${field}`) : null;
    if (colour === 'fate' || colour === 'clone') this.words = this.wordsOf(colour);
    for (const p of this.panels) {
      this.painter.free(p.held);
      p.drawn = p.picture = null;
      if (!p.frame) continue;
      p.category = this.classify(p.frame, cats);
      p.drawn = this.drawnOf(p, cats);
      if (this.fieldScale && p.frame.codes(`field:${field}`)) p.picture = this.pictureOf(p, view);
    }
    this.drawLegend();
    this.draw();
    this.drawCurve();
  }

  wordsOf(column) {
    const all = [...new Set(this.panels.flatMap((p) => (p.frame && p.frame.entry(column) ? p.frame.entry(column).legend : [])))].filter((w) => w).sort();
    if (column === 'fate') return ['alive', ...all.filter((w) => w !== 'alive')].map((w) => { const f = this.index.fates.find((x) => x.key === w); return { key: w, name: f ? f.name : w, colour: f ? f.colour : this.isDark ? '#6b6e75' : '#D9D9D9' }; });
    return all.map((w, i) => ({ key: w, name: w.replace(/_/g, ' '), colour: ['#BDBDBD', '#0072B2', '#E69F00', '#009E73', '#CC79A7', '#56B4E9', '#D55E00', '#F0E442'][i % 8] }));
  }

  /** The map of cells: another than that of the field below them. */
  cellMap() { return !this.fieldScale ? this.state.map : this.state.map === 'magma' ? 'viridis' : 'magma'; }

  /** Places and colours of the cells to draw, lowest first. */
  drawnOf(p, cats) {
    const f = p.frame, n = f.n, { colour, view, slice, field } = this.state, x = f.values('x'), y = f.values('y'), z = f.values('z'), category = p.category;
    const shown = cats.map((c) => !this.hidden.has(c.key)), start = new Uint32Array(cats.length + 1);
    const inSlice = (i) => view !== 'slice' || Math.floor(z[i] / f.dx) === slice;
    const dead = colour === 'fate';
    const bucket = (i) => (category[i] >= 0 ? category[i] : dead ? 0 : -1);
    for (let i = 0; i < n; i++) { const c = bucket(i); if (c >= 0) { this.counts[c] += category[i] >= 0; if (shown[c] && inSlice(i)) start[c + 1]++; } }
    for (let c = 0; c < cats.length; c++) start[c + 1] += start[c];
    const count = start[cats.length], rows = new Uint32Array(count), next = start.slice();
    for (let i = 0; i < n; i++) { const c = bucket(i); if (c >= 0 && shown[c] && inSlice(i)) rows[next[c]++] = i; }
    const at = new Float32Array(3 * count), rgba = new Uint8Array(4 * count), palette = cats.map((c) => rgb(c.colour));
    const scale = this.cellScale, v = scale && f.values(colour), map = colourMap(this.cellMap()), none = this.isDark ? [52, 54, 60] : [228, 228, 228];
    const entry = f.entry(colour), word = this.words && entry && f.codes(colour) && [...entry.legend.map((w) => (this.words.find((k) => k.key === w) || {}).colour), undefined].map((c) => (c ? rgb(c) : none)), codes = word && f.codes(colour);
    for (let j = 0; j < count; j++) {
      const i = rows[j];
      at[3 * j] = x[i]; at[3 * j + 1] = y[i]; at[3 * j + 2] = z[i];
      let c = palette[category[i]];
      if (scale) { if (v && v[i] === v[i]) { const k = 3 * place(v[i], scale); c = [map[k], map[k + 1], map[k + 2]]; } else c = none; }
      else if (word) c = word[codes[i]] || none;
      rgba[4 * j] = c[0]; rgba[4 * j + 1] = c[1]; rgba[4 * j + 2] = c[2]; rgba[4 * j + 3] = 255;
    }
    const half = f.dx / 2, share = field ? 0.55 : 1.0;
    return { at, rgba, rows, count, held: p.held, radius: (cam) => Math.max(half * cam.zoom * (half * cam.zoom > 4 ? share : 1), 0.6), alpha: (cam) => (field && half * cam.zoom <= 4 ? 0.5 : 1) };
  }

  pictureOf(p, view) {
    const name = `field:${this.state.field}`, f = p.frame.entry(name), v = p.frame.values(name), [nz, ny, nx] = f.shape, s = this.fieldScale, map = colourMap(this.state.map);
    const pixels = new Uint8Array(4 * nx * ny), d = p.frame.dx * f.stride, layer = Math.min(nz - 1, Math.floor(((this.state.slice + 0.5) * p.frame.dx) / d));
    for (let i = 0; i < nx * ny; i++) {
      let value = v[(nz > 1 ? layer : 0) * nx * ny + i];
      if (view === 'projection') for (let k = 0; k < nz; k++) value = Math.max(value, v[k * nx * ny + i]);
      const c = 3 * place(value, s);
      pixels[4 * i] = map[c]; pixels[4 * i + 1] = map[c + 1]; pixels[4 * i + 2] = map[c + 2]; pixels[4 * i + 3] = 255;
    }
    return { pixels, nx, ny, w: nx * d, h: ny * d, z: view === 'points' ? (this.state.slice + 0.5) * p.frame.dx : 0, held: p.held };
  }

  // ---- geometry
  boxes(w = this.width, high = this.height) {
    const n = Math.max(1, this.panels.length), gap = 2, top = 22;
    let columns = 1, best = 0;
    for (let c = 1; c <= n; c++) { const r = Math.ceil(n / c), side = Math.min((w - gap * (c - 1)) / c, (high - gap * (r - 1)) / r - top); if (side > best) { best = side; columns = c; } }
    const rows = Math.ceil(n / columns), bw = (w - gap * (columns - 1)) / columns, bh = (high - gap * (rows - 1)) / rows;
    return this.panels.map((_, i) => ({ x: (i % columns) * (bw + gap), y: Math.floor(i / columns) * (bh + gap) + top, w: bw, h: bh - top }));
  }

  camera(frame) {
    const { cam, state } = this, flat = state.view !== 'points', [a, b] = flat ? [0, 0] : [cam.yaw, cam.pitch];
    const [ca, sa, cb, sb] = [Math.cos(a), Math.sin(a), Math.cos(b), Math.sin(b)], size = [frame.nx, frame.ny, frame.nz].map((n) => n * frame.dx);
    return { x: cam.x, y: cam.y, zoom: cam.zoom, flat, pivot: size.map((s) => s / 2), depth: 1 / Math.hypot(...size), turn: new Float32Array([ca, sa * cb, sa * sb, -sa, ca * cb, ca * sb, 0, -sb, cb]) };
  }

  /** Show the tumours of all moments loaded, with a margin. */
  fit(again) {
    if (again) this.cam.moved = false;
    const boxes = this.boxes(), lead = this.panels.map((p) => p.frame).find(Boolean);
    if (!lead || !boxes.length || !this.width) return;
    const keys = new Set(this.panels.flatMap((p) => this.momentsOf(p).map(keyOf)));
    let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const [key, f] of this.ready) {
      const x = f.values('x'), y = f.values('y'), kinds = f.entry('cell_type'), codes = f.codes('cell_type');
      if (!keys.has(key) || !x || !y) continue;
      const mine = kinds ? kinds.legend.indexOf('tumour') : -1;
      for (let i = 0; i < f.n; i++) if (mine < 0 || !codes || codes[i] === mine) { if (x[i] < x0) x0 = x[i]; if (x[i] > x1) x1 = x[i]; if (y[i] < y0) y0 = y[i]; if (y[i] > y1) y1 = y[i]; }
    }
    const size = [lead.nx * lead.dx, lead.ny * lead.dx];
    if (!(x1 >= x0)) [x0, x1, y0, y1] = [0, size[0], 0, size[1]];
    const wide = this.state.view === 'points' ? Math.hypot(size[0], size[1], lead.nz * lead.dx) * 0.8 : 0;
    const w = wide || Math.min(size[0], x1 - x0 + 16 * lead.dx), high = wide || Math.min(size[1], y1 - y0 + 16 * lead.dx);
    this.cam.zoom = Math.min(boxes[0].w / w, boxes[0].h / high);
    this.cam.x = wide ? 0 : (x0 + x1) / 2 - size[0] / 2;
    this.cam.y = wide ? 0 : (y0 + y1) / 2 - size[1] / 2;
    if (again) this.draw();
  }

  resize() {
    const { stage, over, paint } = this.ui, side = stage.clientWidth;
    if (!side) return;
    const narrow = this.ui.all.clientWidth <= 760, n = Math.max(1, this.panels.length);
    if (this.options.size) { for (const [k, v] of [['width', `${this.options.size[0]}px`], ['height', `${this.options.size[1]}px`], ['min-height', '0'], ['place-self', 'start']]) stage.style.setProperty(k, v); } else if (!this.options.fill || narrow) {
      const share = n > 2 ? (narrow ? 1.06 : 1.02) : n === 2 ? (narrow ? 0.56 : 0.52) : 0.9; // of the width: pictures are about square
      stage.style.setProperty('height', `${Math.round(Math.max(260, Math.min(side * share, narrow ? 620 : 720)))}px`);
    } else stage.style.removeProperty('height');
    const [w, high] = [stage.clientWidth, stage.clientHeight], ratio = this.options.ratio || window.devicePixelRatio || 1;
    if (w !== this.width || high !== this.height || ratio !== this.ratio) {
      Object.assign(this, { width: w, height: high, ratio });
      for (const c of [over, paint]) { c.width = Math.round(w * ratio); c.height = Math.round(high * ratio); }
      if (!this.cam.moved) this.fit(false);
    }
    this.draw();
    this.drawCurve();
  }

  draw() {
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => { this.asked = 0; this.paintAll(); });
  }

  ground() { return this.isDark ? [16, 17, 20] : [255, 255, 255]; }

  paintAll() {
    if (!this.width) return;
    const boxes = this.boxes();
    this.painter.begin(this.ground());
    this.panels.forEach((p, i) => {
      if (!p.frame) return;
      const cam = this.camera(p.frame);
      if (p.picture) this.painter.paintField(p.picture, cam, boxes[i], this.ratio);
      if (p.drawn && this.state.cells) this.painter.paintCells(p.drawn, cam, boxes[i], this.ratio);
    });
    this.paintOver(boxes);
  }

  paintOver(boxes) {
    const c = this.ui.over.getContext('2d'), dark = this.isDark, ink = dark ? '#ececec' : '#1a1a1a', ground = dark ? '#101114' : '#ffffff';
    c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    c.clearRect(0, 0, this.width, this.height);
    c.font = '600 13px system-ui,"Segoe UI",Roboto,Arial,sans-serif';
    c.textBaseline = 'middle';
    this.panels.forEach((p, i) => {
      const b = boxes[i];
      c.fillStyle = ground;
      c.fillRect(b.x, b.y - 22, b.w, 22);
      c.fillStyle = ink;
      c.font = '600 13px system-ui,"Segoe UI",Roboto,Arial,sans-serif';
      c.fillStyle = this.armColour(p.arm);
      c.fillRect(b.x + 6, b.y - 16, 10, 10);
      c.fillStyle = ink;
      c.fillText(p.arm.name, b.x + 21, b.y - 10.5, Math.max(20, b.w * 0.55));
      c.font = '12px system-ui,"Segoe UI",Roboto,Arial,sans-serif';
      c.fillStyle = dark ? '#a9adb5' : '#5a5a5a';
      c.textAlign = 'right';
      const live = p.moment && p.moment.live ? ', now' : '';
      c.fillText(p.frame ? `${p.words || dayOf(p.moment.hour)}${live}` : '', b.x + b.w - 7, b.y - 10.5, b.w * 0.4);
      c.textAlign = 'left';
      if (!p.frame) { c.textAlign = 'center'; this.wrap(c, p.words || 'nothing to show', b.x + b.w / 2, b.y + b.h / 2, b.w - 20); c.textAlign = 'left'; return; }
      const cam = this.camera(p.frame);
      if (i === 0) this.scaleBar(c, b, cam.zoom, ink, ground);
      if (this.selected && this.selected.panel === i) this.ring(c, p, b, cam, ink);
      if (this.region && this.region.panel === i) {
        const [a, d] = [project(cam, b, this.region.x0, this.region.y0, cam.pivot[2]), project(cam, b, this.region.x1, this.region.y1, cam.pivot[2])];
        c.strokeStyle = dark ? '#8ab8ee' : '#0b5394';
        c.lineWidth = 2;
        c.setLineDash([5, 3]);
        c.strokeRect(Math.min(a[0], d[0]), Math.min(a[1], d[1]), Math.abs(a[0] - d[0]), Math.abs(a[1] - d[1]));
        c.setLineDash([]);
      }
    });
    c.strokeStyle = dark ? '#3a3d44' : '#d4d4d4';
    c.lineWidth = 1;
    if (boxes.length > 1) for (const b of boxes) c.strokeRect(b.x - 1, b.y - 23, b.w + 2, b.h + 24);
  }

  armColour(arm) { return this.isDark && rgb(arm.colour).reduce((a, b) => a + b) < 260 ? '#b9bcc4' : arm.colour; }

  wrap(c, text, x, y, width) {
    const lines = [];
    for (const w of text.split(/\s+/)) { const last = lines[lines.length - 1]; if (last !== undefined && c.measureText(`${last} ${w}`).width < width) lines[lines.length - 1] = `${last} ${w}`; else lines.push(w); }
    lines.forEach((line, i) => c.fillText(line, x, y + 17 * (i - (lines.length - 1) / 2), width));
  }

  scaleBar(c, b, zoom, ink, ground) {
    const room = (0.3 * b.w) / zoom, round = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000].filter((v) => v <= room).pop() || 10, w = round * zoom, x = b.x + 12, y = b.y + b.h - 12;
    c.fillStyle = ground;
    c.globalAlpha = 0.75;
    c.fillRect(x - 5, y - 20, Math.max(w, 44) + 10, 26);
    c.globalAlpha = 1;
    c.fillStyle = ink;
    c.fillRect(x, y - 2, w, 3);
    c.font = '12px system-ui,"Segoe UI",Roboto,Arial,sans-serif';
    c.fillText(round >= 1000 ? `${round / 1000} mm` : `${round} µm`, x, y - 10.5);
  }

  ring(c, p, b, cam, ink) {
    const row = this.rowOf(p.frame);
    if (row < 0) return;
    const [x, y] = project(cam, b, p.frame.values('x')[row], p.frame.values('y')[row], p.frame.values('z')[row]), r = Math.max(7, p.frame.dx * cam.zoom);
    for (const [w, s] of [[4, this.isDark ? '#000' : '#fff'], [2, ink]]) { c.lineWidth = w; c.strokeStyle = s; c.beginPath(); c.arc(x, y, r, 0, 6.2832); c.stroke(); }
  }

  // ---- beside the picture
  drawLegend() {
    const { ui, cats } = this, { colour, field } = this.state, parts = [];
    const counted = (i) => this.counts[i].toLocaleString('en').replace(/,/g, ' ');
    parts.push(h('h3', {}, this.panels.length > 1 ? 'Cells, in all pictures together' : 'Cells'));
    cats.forEach((c, i) => {
      if (!this.counts[i] && !this.hidden.has(c.key)) return;
      const on = !this.hidden.has(c.key);
      parts.push(h('button', { class: 'key', type: 'button', 'aria-pressed': String(on), title: on ? 'Hide these cells' : 'Show these cells', onclick: () => { if (on) this.hidden.add(c.key); else this.hidden.delete(c.key); this.recolour(); } },
        h('i', { style: { background: colour === 'type' ? c.colour : 'transparent' } }), h('span', {}, c.name), h('small', {}, counted(i))));
    });
    if (this.words) { parts.push(h('h3', {}, colour)); for (const w of this.words) parts.push(h('div', { class: 'key' }, h('i', { style: { background: w.colour } }), h('span', {}, w.name))); }
    if (this.cellScale) parts.push(...this.bar(`Cells: ${this.about(colour).label}`, this.cellScale, this.cellMap()));
    else if (!this.words && colour !== 'type') parts.push(h('p', { class: 'soft' }, 'No cell of this moment has this quantity.'));
    if (this.fieldScale) parts.push(...this.bar(`Field: ${this.about(field, true).label}`, this.fieldScale));
    ui.legend.replaceChildren(...parts);
  }

  bar(title, s, name = this.state.map) {
    const c = h('canvas', { width: 256, height: 1 }), g = c.getContext('2d'), image = g.createImageData(256, 1), map = colourMap(name);
    for (let i = 0; i < 256; i++) image.data.set([map[3 * i], map[3 * i + 1], map[3 * i + 2], 255], 4 * i);
    g.putImageData(image, 0, 0);
    const middle = s.log ? Math.sqrt(s.low * s.high) : (s.low + s.high) / 2;
    return [h('h3', {}, title + (s.unit ? ` (${s.unit})` : '')), h('div', { class: 'bar' }, c), h('div', { class: 'ends' }, h('span', {}, say(s.low)), h('span', {}, say(middle)), h('span', {}, say(s.high))), s.log ? h('p', { class: 'soft' }, 'equal ratios') : null].filter(Boolean);
  }

  drawCurve() {
    const { curve } = this.ui, found = this.index && this.index.curves.find((x) => x.key === this.state.metric);
    const [w, high] = [curve.clientWidth, curve.clientHeight], ratio = window.devicePixelRatio || 1;
    if (!found || !w || !high) return;
    if (curve.width !== Math.round(w * ratio) || curve.height !== Math.round(high * ratio)) { curve.width = Math.round(w * ratio); curve.height = Math.round(high * ratio); }
    const c = curve.getContext('2d'), soft = this.isDark ? '#a9adb5' : '#5a5a5a', lines = Object.entries(found.lines), left = 44, bottom = high - 30, top = 10;
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, w, high);
    const hours = lines.flatMap(([, l]) => l.hours), most = Math.max(1e-12, ...lines.flatMap(([, l]) => [...l.mean, ...l.high].filter((v) => v !== null)));
    if (!hours.length) return;
    const t0 = Math.min(...hours), t1 = Math.max(...hours, t0 + 1), x = (t) => left + ((t - t0) / (t1 - t0)) * (w - left - 8), y = (v) => bottom - (v / most) * (bottom - top);
    c.font = '11px system-ui,"Segoe UI",Roboto,Arial,sans-serif';
    c.fillStyle = soft;
    c.strokeStyle = this.isDark ? '#3a3d44' : '#d4d4d4';
    c.lineWidth = 1;
    const step = [0.1, 0.2, 0.25, 0.5, 1, 2, 2.5, 5, 10].map((k) => k * 10 ** Math.floor(Math.log10(most))).find((k) => most / k <= 4) || most;
    c.textAlign = 'right';
    for (let v = 0; v <= most * 1.001; v += step) { c.beginPath(); c.moveTo(left, y(v)); c.lineTo(w - 8, y(v)); c.stroke(); c.fillText(say(v), left - 4, y(v) + 3.5); }
    c.textAlign = 'center';
    const days = (t1 - t0) / 24, each = [0.25, 0.5, 1, 2, 5, 10, 20, 50].find((k) => days / k <= 6) || 100;
    for (let d = Math.ceil(t0 / 24 / each) * each; d <= t1 / 24 + 1e-9; d += each) c.fillText(say(d), x(24 * d), bottom + 13);
    c.fillText('days since treatment starts', (left + w) / 2, high - 3);
    for (const [key, l] of lines) {
      const arm = this.index.arms.find((a) => a.key === key);
      if (!arm) continue;
      const strong = this.shown.includes(key), ink = this.armColour(arm);
      c.globalAlpha = strong ? 0.2 : 0.06;
      c.fillStyle = ink;
      c.beginPath();
      const both = l.hours.map((t, i) => [t, l.low[i], l.high[i]]).filter(([, a, b]) => a !== null && b !== null);
      both.forEach(([t, , b], i) => (i ? c.lineTo(x(t), y(b)) : c.moveTo(x(t), y(b))));
      both.reverse().forEach(([t, a]) => c.lineTo(x(t), y(a)));
      c.fill();
      c.globalAlpha = strong ? 1 : 0.3;
      c.strokeStyle = ink;
      c.lineWidth = 1.8;
      c.beginPath();
      l.hours.forEach((t, i) => l.mean[i] !== null && c.lineTo(x(t), y(l.mean[i])));
      c.stroke();
    }
    c.globalAlpha = 1;
    c.fillStyle = soft;
    for (const d of new Set(this.index.doses.flatMap((q) => q.days))) { const p = x(24 * d); if (p >= left - 1 && p <= w) { c.beginPath(); c.moveTo(p - 3, top - 8); c.lineTo(p + 3, top - 8); c.lineTo(p, top - 2); c.fill(); } }
    const now = this.hours && this.hours[this.state.at];
    if (now !== undefined) { c.strokeStyle = this.isDark ? '#fff' : '#000'; c.lineWidth = 1.2; c.beginPath(); c.moveTo(x(now), top - 4); c.lineTo(x(now), bottom); c.stroke(); }
    this.curveTime = (px) => t0 + ((px - left) / (w - left - 8)) * (t1 - t0);
  }

  // ---- cells
  rowOf(frame) {
    if (!this.selected || !frame) return -1;
    const codes = frame.codes('track');
    return codes ? codes.indexOf(this.selected.track) : this.selected.moment === keyOf(this.panels[this.selected.panel].moment) ? this.selected.row : -1;
  }

  /** The topmost cell under a place of the stage: {panel, row, x, y, z}, or the place alone. */
  pick(px, py) {
    const boxes = this.boxes(), panel = boxes.findIndex((b) => px >= b.x && px < b.x + b.w && py >= b.y && py < b.y + b.h);
    if (panel < 0) return null;
    const p = this.panels[panel], b = boxes[panel];
    if (!p.frame || !p.drawn) return { panel };
    const cam = this.camera(p.frame), { at, rows, count } = p.drawn, t = cam.turn, reach = Math.max(5, p.drawn.radius(cam)) ** 2;
    let [best, depth, row] = [-1, -Infinity, -1];
    const [cx, cy] = [(px - b.x - b.w / 2) / cam.zoom + cam.x, (b.y + b.h / 2 - py) / cam.zoom + cam.y];
    for (let j = 0; j < count; j++) {
      const [a, d, e] = [at[3 * j] - cam.pivot[0], at[3 * j + 1] - cam.pivot[1], at[3 * j + 2] - cam.pivot[2]];
      const u = (t[0] * a + t[3] * d + t[6] * e - cx) * cam.zoom, v = (t[1] * a + t[4] * d + t[7] * e - cy) * cam.zoom, r = u * u + v * v;
      if (r > reach) continue;
      const score = cam.flat ? -Math.round(r / 9) + j / count : t[2] * a + t[5] * d + t[8] * e;
      if (score > depth) { depth = score; best = j; }
    }
    if (best >= 0) row = rows[best];
    const flat = cam.flat ? [cx + cam.pivot[0], cy + cam.pivot[1], this.state.view === 'slice' ? (this.state.slice + 0.5) * p.frame.dx : p.frame.dx / 2] : null;
    const spot = row >= 0 ? [at[3 * best], at[3 * best + 1], at[3 * best + 2]] : flat;
    return { panel, row, spot };
  }

  headline(frame, row) {
    const kind = frame.word('cell_type', row), fate = frame.word('fate', row), clone = frame.word('clone', row), type = this.index.types.find((t) => t.key === kind), death = this.index.fates.find((f) => f.key === fate);
    const name = type ? type.name.replace(', alive', '') : kind.replace(/_/g, ' ');
    return `${name}${fate && fate !== 'alive' ? `, ${death ? death.name : fate}` : ', alive'}${clone ? ` · clone ${clone.replace(/_/g, ' ')}` : ''}`;
  }

  async hover(px, py) {
    const { tip } = this.ui, found = this.pick(px, py), mark = (this.hovering = (this.hovering || 0) + 1);
    const frame = found && this.panels[found.panel].frame;
    if (!frame || !found.spot) { tip.hidden = true; return; }
    const fields = frame.fields(), own = found.row >= 0 ? frame.quantities().filter((q) => this.about(q).group === STATES || q === this.state.colour) : [];
    await frame.load([...fields.map((f) => `field:${f}`), ...own, 'clone', 'track']);
    if (mark !== this.hovering) return;
    const line = (label, value, unit) => h('tr', {}, h('th', {}, label), h('td', { class: 'n' }, say(value)), h('td', {}, unit));
    const [x, y, z] = found.spot;
    const cell = own.map((q) => [this.about(q), frame.values(q)[found.row]]).filter(([, v]) => v === v).map(([a, v]) => line(a.label, v, a.unit));
    const voxel = fields.map((f) => [f, frame.fieldAt(f, x, y, z)]).filter(([, v]) => v === v).map(([f, v]) => line(this.about(f, true).label, v, unitOf(frame.entry(`field:${f}`).unit)));
    if (found.row < 0 && !voxel.length) { tip.hidden = true; return; }
    tip.replaceChildren(...[found.row >= 0 ? h('div', {}, h('b', {}, this.headline(frame, found.row)), h('table', {}, cell)) : null, voxel.length ? h('div', {}, h('b', {}, 'fields here'), h('table', {}, voxel)) : null].filter(Boolean));
    tip.hidden = false;
    const [w, high] = [tip.offsetWidth, tip.offsetHeight], left = px + 16 + w > this.width ? px - w - 12 : px + 16;
    tip.style.setProperty('left', `${Math.max(0, left)}px`);
    tip.style.setProperty('top', `${Math.max(0, Math.min(py + 14, this.height - high))}px`);
  }

  async select(found) {
    if (!found || !(found.row >= 0)) { this.selected = null; this.ui.inspect.replaceChildren(); this.draw(); return; }
    const p = this.panels[found.panel];
    await p.frame.load(['track', 'clone']);
    const codes = p.frame.codes('track');
    this.selected = { panel: found.panel, row: found.row, moment: keyOf(p.moment), track: codes ? codes[found.row] : -1, arm: p.arm.key, replicate: p.replicate };
    this.region = null;
    this.draw();
    await this.inspectCell();
  }

  async mothersOf(arm, replicate) {
    const key = `${arm}/${replicate}`, known = this.tables.get(key), stamp = this.panels.map((p) => p.moments.length).join();
    if (known && known.stamp === stamp) return known;
    const bytes = await this.source.descent({ arm, replicate }), n = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true), raw = await inflate(bytes.subarray(4));
    const mother = new Int32Array(n), generations = raw.subarray(4 * n), daughters = new Map();
    for (let i = 0; i < n; i++) { mother[i] = (raw[i] | (raw[n + i] << 8) | (raw[2 * n + i] << 16) | (raw[3 * n + i] << 24)) - 1; if (mother[i] >= 0) (daughters.get(mother[i]) || daughters.set(mother[i], []).get(mother[i])).push(i); }
    const table = { mother, generations, daughters, stamp };
    this.tables.set(key, table);
    return table;
  }

  /** The selected cell: what it is now, its states through the snapshots, its descent. */
  async inspectCell() {
    const who = this.selected, panel = this.panels[who.panel];
    if (!panel || panel.arm.key !== who.arm || panel.replicate !== who.replicate) { this.selected = null; this.ui.inspect.replaceChildren(); return; }
    const moments = this.momentsOf(panel).filter((m) => !m.live), seen = [];
    for (const m of moments) {
      let f;
      try { f = await this.frame(m); } catch { continue; }
      const names = f.quantities();
      await f.load([...names, 'track', 'cell_type', 'fate', 'clone', 'x', 'y', 'z', ...f.fields().map((q) => `field:${q}`)]);
      const codes = f.codes('track'), row = codes && who.track >= 0 ? codes.indexOf(who.track) : keyOf(m) === who.moment ? who.row : -1;
      if (row >= 0) seen.push({ m, f, row, names });
    }
    if (this.selected !== who) return;
    const now = seen.find((s) => panel.moment && s.m.hour === panel.moment.hour) || null, lead = now || seen[seen.length - 1];
    if (!lead) return;
    const read = (s, name) => {
      const own = s.f.values(name);
      if (own && own[s.row] === own[s.row]) return own[s.row];
      return s.f.entry(`field:${name}`) ? s.f.fieldAt(name, s.f.values('x')[s.row], s.f.values('y')[s.row], s.f.values('z')[s.row]) : NaN;
    };
    const sensed = ['oxygen', 'cystine', 'ifng', 'peroxide'].filter((n) => lead.f.entry(n) || lead.f.entry(`field:${n}`));
    const order = [STATES, 'trait', 'other'], groups = [...order.map((g) => [g, lead.names.filter((n) => this.about(n).group === g)])];
    groups.splice(1, 0, ['sensed', sensed]);
    const rows = [];
    for (const [g, names] of groups) {
      const lines = names.map((n) => [n, seen.map((s) => [s.m.hour, read(s, n)]).filter(([, v]) => v === v)]).filter(([, v]) => v.length);
      if (!lines.length) continue;
      rows.push(h('tr', {}, h('th', { colspan: 3 }, h('b', {}, g))));
      for (const [n, values] of lines) {
        const a = this.about(n), unit = a.unit || (lead.f.entry(`field:${n}`) ? unitOf(lead.f.entry(`field:${n}`).unit) : '');
        rows.push(h('tr', {}, h('th', {}, `${a.label}${unit ? ` (${unit})` : ''}`), h('td', { class: 'n' }, say(now ? read(now, n) : NaN)), h('td', {}, values.length > 1 ? this.spark(values, now && now.m.hour) : null)));
      }
    }
    const [first, last] = [seen[0], seen[seen.length - 1]];
    const parts = [h('h3', {}, this.headline(lead.f, lead.row)), h('p', { class: 'soft' }, `${panel.arm.name}${who.track >= 0 ? `, cell ${who.track}` : ''}; in ${seen.length} snapshot${seen.length > 1 ? 's' : ''}${seen.length > 1 ? `, ${dayOf(first.m.hour)} to ${dayOf(last.m.hour)}` : ''}.${now ? '' : ' Not in the one shown.'}`)];
    if (who.track >= 0) {
      try { parts.push(this.descent(await this.mothersOf(who.arm, who.replicate), who)); } catch { parts.push(h('p', { class: 'soft' }, 'Its descent is not kept in this run.')); }
    }
    if (this.selected !== who) return;
    this.ui.inspect.replaceChildren(...parts, h('table', {}, rows));
    this.draw();
  }

  descent(table, who) {
    const link = (t) => h('a', { tabindex: 0, role: 'button', onclick: () => this.follow(t), onkeydown: (e) => e.key === 'Enter' && this.follow(t) }, `cell ${t}`);
    const up = [];
    for (let t = who.track; table.mother[t] >= 0 && up.length < 8; t = table.mother[t]) up.push([table.mother[t], table.generations[t]]);
    const down = table.daughters.get(who.track) || [];
    let all = 0;
    for (const todo = [...down]; todo.length; all++) todo.push(...(table.daughters.get(todo.pop()) || []));
    const out = h('p', {}, up.length ? 'Comes from ' : 'No mother among the snapshots: it was there from the start, or came in by a vessel. ');
    up.forEach(([t, g], i) => out.append(i ? ', from ' : '', link(t), g > 1 ? ` (${g} generations)` : ''));
    if (up.length) out.append('. ');
    if (down.length) { out.append(`${all} descendant${all > 1 ? 's' : ''}: `); down.slice(0, 8).forEach((t, i) => out.append(i ? ', ' : '', link(t))); out.append(down.length > 8 ? ' …' : '', '.'); } else out.append('No descendants.');
    return out;
  }

  /** Take up another cell of the same simulation, at the moment shown or the nearest that has it. */
  async follow(track) {
    const who = this.selected, panel = this.panels[who.panel];
    let best = null;
    for (const m of this.momentsOf(panel)) {
      try { const f = await this.frame(m); await f.load(['track']); const row = f.codes('track') ? f.codes('track').indexOf(track) : -1; const off = Math.abs(m.hour - this.hours[this.state.at]); if (row >= 0 && (!best || off < best.off)) best = { m, row, off }; } catch { /* told where it is shown */ }
    }
    if (!best) return;
    this.selected = { ...who, track, row: best.row, moment: keyOf(best.m) };
    const at = this.hours.reduce((b, x, i) => (Math.abs(x - best.m.hour) < Math.abs(this.hours[b] - best.m.hour) ? i : b), 0);
    if (at !== this.state.at) await this.go(at); else { this.draw(); await this.inspectCell(); }
  }

  spark(values, now) {
    const hours = values.map((v) => v[0]), each = values.map((v) => v[1]), [t0, t1, low, high] = [Math.min(...hours), Math.max(...hours), Math.min(...each), Math.max(...each)];
    const at = ([t, v]) => [2 + (60 * (t - t0)) / (t1 - t0 || 1), high > low ? 18 - (16 * (v - low)) / (high - low) : 10];
    const here = values.find((v) => v[0] === now), svg = h('svg', { viewBox: '0 0 64 20', role: 'img', 'aria-label': values.map(([t, v]) => `${dayOf(t)}: ${say(v)}`).join(', ') }, h('polyline', { points: values.map((v) => at(v).join()).join(' ') }));
    if (here) svg.append(h('circle', { cx: at(here)[0], cy: at(here)[1], r: 2.4 }));
    return svg;
  }

  /** Cells of the region drawn against the rest of its panel. */
  async inspectRegion() {
    const r = this.region, p = this.panels[r.panel], f = p && p.frame;
    if (!f) return;
    const active = this.cellScale ? this.state.colour : null, fields = this.state.field ? [this.state.field] : [];
    await f.load([...(active ? [active] : []), ...fields.map((n) => `field:${n}`)]);
    if (this.region !== r) return;
    const [x, y, z] = ['x', 'y', 'z'].map((n) => f.values(n)), [x0, x1] = [r.x0, r.x1].sort((a, b) => a - b), [y0, y1] = [r.y0, r.y1].sort((a, b) => a - b);
    const inside = this.cats.map(() => 0), outside = this.cats.map(() => 0), mean = [[0, 0], [0, 0]], v = active && f.values(active);
    let [ni, no] = [0, 0];
    for (let i = 0; i < f.n; i++) {
      const c = p.category[i];
      if (c < 0 || (this.state.view === 'slice' && Math.floor(z[i] / f.dx) !== this.state.slice)) continue;
      const there = x[i] >= x0 && x[i] <= x1 && y[i] >= y0 && y[i] <= y1;
      if (there) { inside[c]++; ni++; } else { outside[c]++; no++; }
      if (v && v[i] === v[i]) { const m = mean[there ? 0 : 1]; m[0] += v[i]; m[1]++; }
    }
    const share = (k, n) => (n ? `${((100 * k) / n).toFixed(1)} %` : '–');
    const rows = this.cats.map((c, i) => [c, inside[i], outside[i]]).filter(([, a, b]) => a + b).map(([c, a, b]) => h('tr', {}, h('th', {}, c.name), h('td', { class: 'n' }, a), h('td', { class: 'n' }, share(a, ni)), h('td', { class: 'n' }, share(b, no)), h('td', { class: 'n' }, a && b ? `${Number((a / ni / (b / no)).toPrecision(2))}×` : '–')));
    const extra = v ? h('p', {}, `Mean ${this.about(active).label}: ${say(mean[0][0] / mean[0][1])} inside, ${say(mean[1][0] / mean[1][1])} outside (${this.about(active).unit || 'no unit'}).`) : null;
    this.ui.inspect.replaceChildren(h('h3', {}, `Region of ${say((x1 - x0) * (y1 - y0) / 1e6)} mm² in ${p.arm.name}`), h('p', { class: 'soft' }, `${ni} cells inside, ${no} in the rest${this.state.view === 'slice' ? ' of this slice' : ''}.`),
      h('table', {}, h('thead', {}, h('tr', {}, ['', 'inside', '', 'rest', 'ratio'].map((t, i) => h('th', { class: i ? 'n' : '' }, t)))), rows), ...(extra ? [extra] : []));
  }

  // ---- hands
  listen() {
    const { over, curve } = this.ui, pointers = new Map();
    let drag = null, spread = 0;
    const at = (e) => { const r = over.getBoundingClientRect(); return [e.clientX - r.left, e.clientY - r.top]; };
    over.addEventListener('pointerdown', (e) => {
      over.setPointerCapture(e.pointerId);
      pointers.set(e.pointerId, at(e));
      const [x, y] = at(e);
      drag = { x, y, far: 0, brush: this.mode === 'brush' || e.shiftKey, from: this.placeAt(x, y), turn: this.state.view === 'points' && !e.ctrlKey };
      if (drag.brush && !drag.from) drag = null;
      this.ui.tip.hidden = true;
    });
    over.addEventListener('pointermove', (e) => {
      const [x, y] = at(e);
      if (!pointers.has(e.pointerId)) {
        if (e.pointerType === 'mouse' && !this.hoverAsked) { this.hoverAsked = requestAnimationFrame(() => { this.hoverAsked = 0; this.hover(x, y); }); }
        return;
      }
      const old = pointers.get(e.pointerId);
      pointers.set(e.pointerId, [x, y]);
      if (pointers.size === 2) {
        const [a, b] = [...pointers.values()], now = Math.hypot(a[0] - b[0], a[1] - b[1]);
        if (spread) this.zoom(now / spread, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
        spread = now;
        drag = null;
        return;
      }
      if (!drag) return;
      drag.far += Math.abs(x - old[0]) + Math.abs(y - old[1]);
      if (drag.brush) {
        const to = this.placeAt(x, y, drag.from.panel);
        if (to && drag.far > 4) { this.region = { panel: drag.from.panel, x0: drag.from.x, y0: drag.from.y, x1: to.x, y1: to.y }; this.selected = null; this.draw(); }
      } else if (drag.turn) { this.cam.yaw += (x - old[0]) * 0.008; this.cam.pitch = Math.max(-3.1, Math.min(0, this.cam.pitch + (y - old[1]) * 0.008)); this.draw(); } else this.pan(x - old[0], y - old[1]);
    });
    const up = (e) => {
      pointers.delete(e.pointerId);
      spread = 0;
      if (drag && e.type === 'pointerup') { if (drag.brush && this.region) this.inspectRegion(); else if (drag.far < 5) this.select(this.pick(drag.x, drag.y)); }
      if (!pointers.size) drag = null;
    };
    over.addEventListener('pointerup', up);
    over.addEventListener('pointercancel', up);
    over.addEventListener('pointerleave', () => { this.hovering = (this.hovering || 0) + 1; this.ui.tip.hidden = true; });
    over.addEventListener('wheel', (e) => {
      if (!this.options.fill && !this.root.activeElement && !e.ctrlKey) return; // a page scrolls past until the picture is taken up
      e.preventDefault();
      const [x, y] = at(e);
      this.zoom(Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.0015)), x, y);
    }, { passive: false });
    over.addEventListener('dblclick', () => this.fit(true));
    curve.addEventListener('click', (e) => { if (this.curveTime && this.hours.length) { const t = this.curveTime(e.offsetX); this.go(this.hours.reduce((b, x, i) => (Math.abs(x - t) < Math.abs(this.hours[b] - t) ? i : b), 0)); } });
    this.ui.all.addEventListener('keydown', (e) => this.key(e));
  }

  placeAt(px, py, panel = -1) {
    const boxes = this.boxes(), i = panel >= 0 ? panel : boxes.findIndex((b) => px >= b.x && px < b.x + b.w && py >= b.y && py < b.y + b.h), p = this.panels[i];
    if (!p || !p.frame || this.state.view === 'points') return null;
    const cam = this.camera(p.frame), b = boxes[i];
    return { panel: i, x: (px - b.x - b.w / 2) / cam.zoom + cam.x + cam.pivot[0], y: (b.y + b.h / 2 - py) / cam.zoom + cam.y + cam.pivot[1] };
  }

  pan(dx, dy) {
    this.cam.x -= dx / this.cam.zoom;
    this.cam.y += dy / this.cam.zoom;
    this.cam.moved = true;
    this.draw();
  }

  zoom(by, px = null, py = null) {
    const boxes = this.boxes(), b = boxes.find((q) => px !== null && px >= q.x && px < q.x + q.w && py >= q.y && py < q.y + q.h) || boxes[0];
    if (!b) return;
    const [u, v] = px === null ? [0, 0] : [px - b.x - b.w / 2, b.y + b.h / 2 - py], next = Math.max(0.005, Math.min(20, this.cam.zoom * by));
    this.cam.x += u / this.cam.zoom - u / next;
    this.cam.y += v / this.cam.zoom - v / next;
    this.cam.zoom = next;
    this.cam.moved = true;
    this.draw();
  }

  setMode(mode) {
    this.mode = mode;
    this.ui.brush.setAttribute('aria-pressed', String(mode === 'brush'));
    if (mode === 'brush' && this.state.view === 'points') this.say('A region is drawn on a slice or from above, not on points.');
  }

  toggleCells() {
    this.state.cells = !this.state.cells;
    this.ui.cells.setAttribute('aria-pressed', String(this.state.cells));
    this.draw();
  }

  step(list, now, by) { return list[(list.indexOf(now) + by + list.length) % list.length]; }

  key(e) {
    if (e.target.matches('select,input') || e.ctrlKey || e.metaKey || e.altKey || !this.hours) return;
    const far = 60, keys = {
      ' ': () => !e.target.matches('button,a') && this.play(), ArrowLeft: () => (e.shiftKey ? this.pan(far, 0) : this.go(this.state.at - 1)), ArrowRight: () => (e.shiftKey ? this.pan(-far, 0) : this.go(this.state.at + 1)),
      ArrowUp: () => e.shiftKey && this.pan(0, far), ArrowDown: () => e.shiftKey && this.pan(0, -far), Home: () => this.go(0), End: () => this.go(this.hours.length - 1),
      '+': () => this.zoom(1.25), '=': () => this.zoom(1.25), '-': () => this.zoom(0.8), 0: () => this.fit(true), x: () => this.toggleCells(), b: () => this.setMode(this.mode === 'brush' ? 'move' : 'brush'),
      a: () => { this.state.scale = this.ui.scale.value = this.state.scale === 'auto' ? 'fixed' : 'auto'; this.recolour(); }, s: () => this.savePicture(), m: () => this.saveMovie(), '?': () => this.ui.help.showModal(),
      Escape: () => { this.region = null; this.select(null); },
    };
    for (const [k, by] of [['c', 1], ['C', -1]]) keys[k] = () => { this.state.colour = this.ui.colour.value = this.step(this.colours, this.state.colour, by); this.show(); };
    for (const [k, by] of [['f', 1], ['F', -1]]) keys[k] = () => { this.state.field = this.ui.field.value = this.step(this.fieldNames, this.state.field, by); this.show(); };
    if (!keys[e.key]) return;
    if (keys[e.key]() !== false) e.preventDefault();
  }

  async play() {
    this.playing = !this.playing;
    this.ui.play.textContent = this.playing ? '■' : '▶';
    if (this.playing && this.state.at === this.hours.length - 1) await this.go(0);
    while (this.playing && !this.gone) {
      const begun = performance.now();
      await new Promise((r) => setTimeout(r, 1000 / this.state.speed));
      if (!this.playing) break;
      await this.go((this.state.at + 1) % this.hours.length);
      if (performance.now() - begun < 5) break;
    }
  }

  // ---- pictures to keep
  /** The stage with its legend below, as a canvas. */
  sheet() {
    this.paintAll();
    const ratio = this.ratio, wide = this.ui.paint.width, swatches = this.legendItems(), columns = Math.max(1, Math.floor(this.width / 190)), lines = Math.ceil(swatches.length / columns), bars = [[this.cellScale, `cells: ${this.about(this.state.colour).label}`, this.cellMap()], [this.fieldScale, `field: ${this.about(this.state.field, true).label}`, this.state.map]].filter(([s]) => s);
    const below = 12 + 20 * lines + 44 * (bars.length > 0), out = h('canvas', { width: wide, height: this.ui.paint.height + Math.round(below * ratio) }), c = out.getContext('2d');
    c.fillStyle = this.isDark ? '#101114' : '#ffffff';
    c.fillRect(0, 0, out.width, out.height);
    c.drawImage(this.ui.paint, 0, 0);
    c.drawImage(this.ui.over, 0, 0);
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.font = '12px system-ui,"Segoe UI",Roboto,Arial,sans-serif';
    c.textBaseline = 'middle';
    swatches.forEach((s, i) => {
      const [x, y] = [8 + 190 * (i % columns), this.height + 16 + 20 * Math.floor(i / columns)];
      c.fillStyle = s.colour;
      c.fillRect(x, y - 6, 12, 12);
      c.strokeStyle = '#8888';
      c.strokeRect(x, y - 6, 12, 12);
      c.fillStyle = this.isDark ? '#ececec' : '#1a1a1a';
      c.fillText(s.name, x + 18, y, 168);
    });
    bars.forEach(([s, title, name], k) => {
      const x = 8 + k * (this.width / 2), y = this.height + 16 + 20 * lines, w = Math.min(220, this.width / 2 - 20), map = colourMap(name);
      c.fillStyle = this.isDark ? '#ececec' : '#1a1a1a';
      c.fillText(title + (s.unit ? ` (${s.unit})` : ''), x, y, w);
      for (let i = 0; i < w; i++) { const m = 3 * Math.round((255 * i) / w); c.fillStyle = `rgb(${map[m]},${map[m + 1]},${map[m + 2]})`; c.fillRect(x + i, y + 9, 1.5, 9); }
      c.fillStyle = this.isDark ? '#ececec' : '#1a1a1a';
      c.fillText(say(s.low), x, y + 26);
      c.textAlign = 'right';
      c.fillText(say(s.high), x + w, y + 26);
      c.textAlign = 'left';
    });
    return out;
  }

  legendItems() {
    if (this.words) return this.words;
    return this.state.colour === 'type' && this.state.cells ? this.cats.filter((c, i) => this.counts[i] && !this.hidden.has(c.key)) : [];
  }

  keep(blob, ending) {
    const url = URL.createObjectURL(blob), name = `${this.index.name}-${dayOf(this.hours[this.state.at])}`.replace(/[^\w.−-]+/g, '_');
    h('a', { href: url, download: `${name}.${ending}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  savePicture() {
    if (this.hours && this.hours.length) this.sheet().toBlob((blob) => this.keep(blob, 'png'), 'image/png');
  }

  /** Record all moments one after the other as webm. */
  async saveMovie() {
    if (this.recording || !this.hours || this.hours.length < 2) return;
    if (!window.MediaRecorder) { this.say('This browser cannot record movies; `tme movie` makes them.'); return; }
    const last = this.state.at, canvas = h('canvas'), c = canvas.getContext('2d'), parts = [];
    await this.go(0);
    const size = this.sheet();
    Object.assign(canvas, { width: size.width & ~1, height: size.height & ~1 });
    const stream = canvas.captureStream(25), recorder = new MediaRecorder(stream, { mimeType: 'video/webm', videoBitsPerSecond: 8e6 });
    recorder.ondataavailable = (e) => parts.push(e.data);
    const ended = new Promise((r) => { recorder.onstop = r; });
    this.recording = true;
    this.ui.movie.disabled = true;
    recorder.start();
    for (let i = 0; i < this.hours.length; i++) {
      await this.go(i);
      const picture = this.sheet(), until = performance.now() + 1000 / this.state.speed;
      while (performance.now() < until) { c.fillStyle = this.isDark ? '#101114' : '#fff'; c.fillRect(0, 0, canvas.width, canvas.height); c.drawImage(picture, 0, 0); await new Promise((r) => setTimeout(r, 40)); }
    }
    recorder.stop();
    await ended;
    this.recording = this.ui.movie.disabled = false;
    this.keep(new Blob(parts, { type: 'video/webm' }), 'webm');
    await this.go(last);
  }

  // ---- a model that runs under its sliders: live.js
  drawLive() {
    this.ui.live.hidden = !this.index.live;
    if (!this.index.live || !this.options.live) return;
    if (!this.livePanel) this.livePanel = this.options.live(this);
    this.livePanel.take(this.index.live);
  }

  // ---- measures
  /** Frames a second while the picture turns or moves, each waited for. */
  async bench(seconds = 3) {
    await this.opened;
    const begun = performance.now();
    let n = 0;
    while (performance.now() - begun < 1000 * seconds) {
      this.cam.yaw += 0.02;
      this.cam.x += n % 2 ? 3 : -3;
      this.paintAll();
      this.painter.finish();
      n++;
      if (n % 10 === 0) await new Promise((r) => setTimeout(r, 0));
    }
    return { fps: (1000 * n) / (performance.now() - begun), frames: n, cells: this.panels.reduce((a, p) => a + (p.drawn ? p.drawn.count : 0), 0), painter: this.painter.constructor.name };
  }

  close() {
    this.gone = true;
    this.playing = false;
    this.watch.disconnect();
    this.dark.removeEventListener('change', this.onDark);
  }
}

// ---- entries ---------------------------------------------------------------------------------------------------
/** Show a run in an element. Options: fill (the whole window), canvas (no WebGL), theme, arms, size of the picture [width, height], ratio of its pixels. */
export function mount(host, source, options = {}) {
  host.viewer = new Viewer(host, source, options);
  return host.viewer;
}

/** Once the element comes near the window: a report opens without waiting for it. */
export function mountLater(host, source, options = {}) {
  const watch = new IntersectionObserver((seen) => { if (seen.some((s) => s.isIntersecting)) { watch.disconnect(); mount(host, source, options); } }, { rootMargin: '800px' });
  watch.observe(host);
}

/** anywidget's entry. */
function render({ model, el }) {
  const host = h('div');
  el.append(host);
  const viewer = mount(host, fromNotebook(model), { arms: model.get('arms').length ? model.get('arms') : undefined });
  return () => viewer.close();
}
export default { render };
