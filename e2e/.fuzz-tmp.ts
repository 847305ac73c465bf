import { Shop } from './shop.ts';
const { readFileSync } = await import('node:fs');
const ready = JSON.parse(/^READY (.*)$/m.exec(readFileSync('/tmp/gwtry/out','utf8'))[1]);
const shop = new Shop(ready.gateway, ready.api_key);
const doc = (await shop.call('GET','/openapi.json')).body;
const nasty = ['', 'a\u0000b', '\ud800', 'x'.repeat(9000), '%00', '../../etc', "' or 1=1 --", '9'.repeat(25), '-1', 'A0000000001', '{}', '\u202e', null, true, 0, -1, 1e308, 1.5, [], {}, [null], [''], {a:1}, '2147483648', 'we_7zzzzzzzzzzzzzzzzzzzzzzzzz', 'pay_zzzzzzzzzzzzzzzzzzzzzzzzzz','1e400', '0x10', ' ', '\n'];
let n=0; const bad = new Map(); const codes = new Map();
const pick = (a) => a[Math.floor(Math.random()*a.length)];
const deref = (s) => s?.$ref ? doc.components.schemas[s.$ref.split('/').pop()] : s;
function gen(s, depth=0) {
  s = deref(s) ?? {};
  if (Math.random() < 0.12) return pick(nasty);
  if (s.enum) return pick(s.enum); if (s.const !== undefined) return s.const;
  if (s.anyOf) return gen(pick(s.anyOf), depth);
  switch (Array.isArray(s.type)?s.type[0]:s.type) {
    case 'object': { const o = {}; for (const [k,v] of Object.entries(s.properties ?? {})) if ((s.required??[]).includes(k) || Math.random()<0.5) o[k]=gen(v, depth+1); if (s.additionalProperties && typeof s.additionalProperties==='object') for (let i=0;i<2;i++) o[String(pick(['k','a\u0000','',' ','__proto','x'.repeat(50)]))]=gen(s.additionalProperties, depth+1); return o; }
    case 'array': return Array.from({length: Math.floor(Math.random()*3)}, () => gen(s.items, depth+1));
    case 'integer': case 'number': return pick([0,1,100,10000,2**31,2**53,-1]);
    case 'boolean': return Math.random()<0.5;
    case 'null': return null;
    default: return pick(['EUR','x','Quill','https://example.com/x','http://127.0.0.1:39123/h', 'order.created', 'a\u0000b','\ud800 ', 'é🌸']);
  }
}
const ids = ['100001','1000001','A0001000001','1000002','key_01m7yg97azey9v9xck2sp8xz6e','whd_01m7yg9qrkfxk89hwjs53pxpgy','evt_01m7yg9qrkfbta9h8exy78veqv','pay_01m7yg98peetgbqx0pjpe7gnz0'];
const until = Date.now()+45000;
const ops = Object.entries(doc.paths).flatMap(([p,ms]) => Object.entries(ms).map(([m,o]) => [p,m,o]));
async function one() {
  const [p,m,o] = pick(ops);
  let path = p.replace(/\{\w+\}/g, () => encodeURIComponent((() => { const v = Math.random()<0.5 ? pick(ids) : String(pick(nasty)); return v.isWellFormed() ? v.slice(0,300) : 'x'; })()));
  const qs = (o.parameters ?? []).filter((x) => x.in==='query' && Math.random()<0.35).map((x) => { const v=String(Math.random()<0.5?pick(nasty):gen(x.schema)); return `${x.name}=${encodeURIComponent(v.isWellFormed()?v:'x')}`; });
  if (qs.length) path += '?' + qs.join('&');
  const s = o.requestBody?.content?.['application/json']?.schema;
  const body = s ? gen(s) : (m==='post' && Math.random()<0.3 ? pick(nasty) ?? undefined : undefined);
  const h = m==='post' && Math.random()<0.3 ? {'idempotency-key': pick(['f1','f2','f3','f'+Math.random()])} : {};
  if (p.includes('api_keys') && m==='delete') return;
  const a = await shop.call(m.toUpperCase(), path, body===undefined?undefined:JSON.stringify(body), h);
  n++; codes.set(a.status,(codes.get(a.status)??0)+1);
  if (a.status>=500 || (a.status>=400 && !a.body?.code)) { const k=`${m} ${p} ${a.status} ${a.body?.code}`; if(!bad.has(k)) bad.set(k,[path, JSON.stringify(body)?.slice(0,250), a.text.slice(0,200)]); }
}
while (Date.now()<until) await Promise.all(Array.from({length:8}, () => one().catch((e) => { bad.set(String(e), [e.stack.slice(0,400)]); })));
console.log(n, Object.fromEntries(codes)); for (const [k,v] of bad) console.log(k, v);
process.exit(0);
