// SPDX-License-Identifier: Apache-2.0
// Looks through pages for violations of WCAG 2.2 A and AA with axe-core, in Debian's Chromium, at a
// desk's and a phone's width and on paper. Prints TAP; also that nothing is fetched or scrolls aside.
//
//   node axe.mjs MODULES PAGE.html...     (MODULES: where node_modules is)
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const [modules, ...pages] = process.argv.slice(2);
const require = createRequire(resolve(modules, 'package.json'));
const { chromium } = require('playwright-core');
const source = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];
const views = [
    { name: '1280 px', width: 1280, height: 900, media: 'screen' },
    { name: '320 px', width: 320, height: 640, media: 'screen' },
    { name: 'A4', width: 673, height: 1000, media: 'print' }, // 210 mm less margins of 16 mm
];

let n = 0;
let failed = 0;
const tell = (good, what, lines = []) => {
    n += 1;
    failed += good ? 0 : 1;
    console.log(`${good ? 'ok' : 'not ok'} ${n} ${what}`);
    lines.forEach((line) => console.log(`# ${line}`));
};

const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox'],
});
for (const path of pages) {
    for (const view of views) {
        const page = await browser.newPage({ viewport: { width: view.width, height: view.height } });
        const fetched = [];
        page.on('request', (request) => fetched.push(request.url()));
        await page.emulateMedia({ media: view.media });
        await page.goto(`file://${resolve(path)}`);
        const name = `${path.replace(/^.*\//, '')} at ${view.name}`;
        tell(fetched.length === 1, `${name}: nothing is fetched`, fetched.slice(1));
        const widths = await page.evaluate(
            'JSON.stringify([document.documentElement.scrollWidth, document.documentElement.clientWidth])');
        const [inside, outside] = JSON.parse(widths);
        tell(inside <= outside, `${name}: the page does not scroll sideways`, [widths]);
        await page.evaluate(source);
        const found = await page.evaluate(
            `axe.run(document, { runOnly: { type: 'tag', values: ${JSON.stringify(tags)} } })`);
        const lines = found.violations.flatMap((v) => [
            `${v.id} (${v.impact}): ${v.help}`,
            ...v.nodes.slice(0, 5).map((node) => `  ${node.html.slice(0, 160)}`),
        ]);
        tell(found.violations.length === 0,
            `${name}: axe-core finds no violation in ${found.passes.length} rules`, lines);
        await page.close();
    }
}
await browser.close();
console.log(`1..${n}`);
process.exit(failed ? 1 : 0);
