// Reads visits as JSON on stdin, opens each in one headless browser, and writes what was seen.
//
// In:  [{file, width, height, dark, javascript, media, check, picture, paper}]
// Out: [{title, text, elements, links, handlers, first_screen, sideways, hidden_verdicts, ran, dialogs,
//        errors, requests, faults, unsure, sheets}]
//
// A page comes from its file, in a window of a size: axe judges contrast by what is laid out.
import chromium from '@sparticuz/chromium'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath, pathToFileURL } from 'node:url'
import puppeteer from 'puppeteer-core'

const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')

async function sheetsOf(page, path) {
  const pdf = await page.pdf({ path, format: 'A4', preferCSSPageSize: true })
  return Buffer.from(pdf).toString('latin1').match(/\/Type \/Page\b/g).length
}

async function look(browser, visit) {
  const page = await browser.newPage()
  const errors = []
  const requests = []
  const dialogs = []
  const own = pathToFileURL(visit.file).href
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) errors.push(message.text())
  })
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('dialog', async (dialog) => {
    dialogs.push(dialog.message())
    await dialog.dismiss()
  })
  await page.setRequestInterception(true)
  page.on('request', (request) => {
    if (request.url() === own) return request.continue()
    // What is written in the page itself leaves it for nowhere.
    if (request.url().startsWith('data:')) return request.continue()
    requests.push(request.url())
    return request.abort()
  })
  await page.setViewport({ width: visit.width, height: visit.height })
  await page.emulateMediaFeatures([
    { name: 'prefers-color-scheme', value: visit.dark ? 'dark' : 'light' },
  ])
  await page.emulateMediaType(visit.media)
  await page.setJavaScriptEnabled(visit.javascript)
  await page.goto(own, { waitUntil: 'load' })
  const seen = await page.evaluate(() => ({
    elements: Object.entries(
      [...document.querySelectorAll('*')].reduce((counts, one) => {
        counts[one.localName] = (counts[one.localName] ?? 0) + 1
        return counts
      }, {}),
    ),
    handlers: [...document.querySelectorAll('*')].filter((one) =>
      [...one.attributes].some((attribute) => attribute.name.startsWith('on')),
    ).length,
    text: document.body.innerText,
    title: document.title,
    // What is to be signed, as far as it is seen before anybody scrolls.
    first_screen: [...document.querySelectorAll('.sheet dl > div')]
      .filter((one) => one.getBoundingClientRect().bottom <= window.innerHeight)
      .map((one) => one.querySelector('dt').innerText),
    links: [...document.querySelectorAll('[href], [src]')].map(
      (one) => one.getAttribute('href') ?? one.getAttribute('src'),
    ),
    ran: 'ran' in window,
  }))
  if (visit.picture) await page.screenshot({ path: visit.picture, optimizeForSpeed: false })
  const sheets = visit.paper ? await sheetsOf(page, visit.paper) : 0
  // All that is folded is opened, so that it is looked at too.
  const opened = await page.evaluate(() => {
    for (const one of document.querySelectorAll('details')) one.open = true
    const verdicts = [...document.querySelectorAll('.mark, .answer')]
    return {
      sideways: document.documentElement.scrollWidth > document.documentElement.clientWidth,
      hidden_verdicts: verdicts
        .filter((one) => {
          const { left, right, height } = one.getBoundingClientRect()
          return left < 0 || right > document.documentElement.clientWidth || !height
        })
        .map((one) => one.innerText),
    }
  })
  const faults = []
  const unsure = []
  if (visit.check) {
    await page.evaluate(axe)
    const result = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }))
    const named = (rules) =>
      rules.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 200)}`))
    faults.push(...named(result.violations))
    unsure.push(...named(result.incomplete))
  }
  await page.close()
  const elements = Object.fromEntries(seen.elements)
  return { ...seen, ...opened, elements, errors, requests, dialogs, faults, unsure, sheets }
}

const browser = await puppeteer.launch({
  executablePath: await chromium.executablePath(),
  args: chromium.args,
  headless: 'shell',
})
const seen = []
try {
  for (const visit of JSON.parse(await text(process.stdin))) seen.push(await look(browser, visit))
} finally {
  await browser.close()
}
console.log(JSON.stringify(seen))
