/** Entry point of the page. */

import { readSuites, type Suite } from './api.js'
import { formatAddress, VIEWS, type Address } from './address.js'
import { part } from './element.js'
import { navigation } from './navigation.js'
import { addThemeSwitch } from './theme.js'
import { ActivityView } from './views/activity-view.js'
import { ChartsView } from './views/charts-view.js'
import { failed, noSuchSuite, nothingYet } from './views/notice.js'
import { OperatorView } from './views/operator-view.js'
import { headingOf, SuiteList, suiteName } from './views/suites.js'

const list = new SuiteList()
const nav = navigation(show)
const charts = new ChartsView(nav)
const activity = new ActivityView()
const operator = new OperatorView()
/** Undefined until the groups are loaded. */
let suites: readonly Suite[] | undefined

addThemeSwitch(part('theme') as HTMLSelectElement, () => charts.redraw())
// The default action of the skip link would replace the fragment, which holds the state of the page.
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
  if (suites === undefined) return
  const [first] = suites
  if (first === undefined) return nothingYet()
  const found = { ...address, suite: address.suite || first.slug }
  list.show(found)
  if (address.view !== 'charts') return
  // Writes the group into the URL, so that a shared link shows it even when another group has become the first.
  if (address.suite === '') nav.note({ suite: found.suite })
  showSuite(
    found,
    suites.find(({ slug }) => slug === found.suite),
  )
}

function showSuite(address: Address, suite: Suite | undefined): void {
  part('suite').hidden = suite === undefined
  document.title = suite === undefined ? 'vortex-ingest' : `${suiteName(suite)} · vortex-ingest`
  if (suite === undefined) {
    charts.clear()
    return noSuchSuite(address.suite)
  }
  part('suite-name').textContent = `${headingOf(suite)}: ${suiteName(suite)}`
  void charts.show(address)
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
