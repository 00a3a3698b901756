/** Starts the page. */

import { readSuites, type Suite } from './api.js'
import { formatAddress, VIEWS, type Address } from './address.js'
import { part } from './element.js'
import { navigation } from './navigation.js'
import { addThemeSwitch } from './theme.js'
import { ActivityView } from './views/activity-view.js'
import { ChartsView } from './views/charts-view.js'
import { failed, nothingYet } from './views/notice.js'
import { OperatorView } from './views/operator-view.js'
import { headingOf, SuiteList, suiteName } from './views/suites.js'

const list = new SuiteList()
const nav = navigation(show)
const charts = new ChartsView(nav)
const activity = new ActivityView()
const operator = new OperatorView()
let suites: readonly Suite[] = []

addThemeSwitch(part('theme') as HTMLSelectElement, () => charts.redraw())
// What stands in the address is not to be lost.
part('skip').addEventListener('click', event => (event.preventDefault(), part('chart').focus()))
for (const view of VIEWS)
  part(`to-${view}`).addEventListener('click', event => (event.preventDefault(), nav.go({ view })))
void start()

async function start(): Promise<void> {
  showView(nav.address())
  try {
    suites = await readSuites()
    list.fill(suites)
    show(nav.address())
  } catch (error) {
    failed('The suites cannot be listed', error, () => void start())
  }
}

function show(address: Address): void {
  showView(address)
  const suite = suites.find(({ slug }) => slug === address.suite) ?? suites[0]
  if (suite === undefined) return nothingYet()
  const found = { ...address, suite: suite.slug }
  list.show(found)
  part('suite-name').textContent = `${headingOf(suite)}: ${suiteName(suite)}`
  if (address.view !== 'charts') return
  part('suite').hidden = false
  document.title = `${suiteName(suite)} · vortex-ingest`
  void charts.show(found)
}

function showView(address: Address): void {
  for (const view of VIEWS) {
    part(view).hidden = view !== address.view
    const link = part(`to-${view}`)
    link.setAttribute('href', formatAddress({ ...address, view }))
    if (view === address.view) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  if (address.view === 'activity') activity.show()
  else activity.hide()
  if (address.view === 'operator') void operator.show()
}
