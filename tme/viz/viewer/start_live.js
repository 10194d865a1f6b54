import { fromServer, mount } from './viewer.js';
import { LivePanel } from './live.js';

const asked = new URLSearchParams(location.search);
const viewer = mount(document.getElementById('viewer'), fromServer(), { fill: true, canvas: asked.has('canvas'), theme: asked.get('theme') || undefined, live: (v) => new LivePanel(v) });
viewer.opened.then(() => { if (viewer.index) document.title = `${viewer.index.name}: tme live`; });
