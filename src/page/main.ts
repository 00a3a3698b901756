/** Entry point of the page. */

import { fetchGroups } from './api.js'
import type { GroupEntry } from '../server/read/answers.js'
import { navigation } from './navigation.js'
import { formatAddress, VIEWS, type Address } from './address.js'
import { pageElement } from './element.js'
import { addThemeSwitch } from './theme.js'
import { ChangeSource } from './change-source.js'
import { ActivityView } from './views/activity-view.js'
import { ChangesView } from './views/changes-view.js'
import { ChartsView } from './views/charts-view.js'
import { fillBeside } from './views/second-chart.js'
import { showError, showNoSuchGroup, showFirstSteps } from './views/notice.js'
import { OperatorView } from './views/operator-view.js'
import { groupHeading, GroupList, renderGroupTitle } from './views/group-list.js'

const list = new GroupList()
const nav = navigation(show)
const found = new ChangeSource()
const charts = new ChartsView(nav, found)
const changes = new ChangesView(found)
const activity = new ActivityView()
const operator = new OperatorView()
/** Undefined until the groups are loaded. */
let groups: readonly GroupEntry[] | undefined

addThemeSwitch(pageElement('theme') as HTMLSelectElement, () => charts.redraw())
// The default action of the skip link would replace the fragment, which holds the state of the page.
pageElement('skip').addEventListener('click', event => (event.preventDefault(), pageElement('chart').focus()))
for (const view of VIEWS)
  pageElement(`to-${view}`).addEventListener('click', event => (event.preventDefault(), nav.go({ view })))
void start()

async function start(): Promise<void> {
  const isBare = location.hash === ''
  showView(nav.address())
  try {
    groups = await fetchGroups()
    list.fill(groups)
    if (isBare && groups.length > 0) await chooseStart()
    show(nav.address())
  } catch (error) {
    showError('Cannot list the groups', error, () => void start())
  }
}

/** Time that the page waits for changes before it shows the charts. */
const PATIENCE_MS = 2_000

/** Starts with the changes when there are any, unless the reader has gone elsewhere meanwhile. */
async function chooseStart(): Promise<void> {
  const late = new Promise<undefined>(resolve => setTimeout(() => resolve(undefined), PATIENCE_MS))
  const answer = await Promise.race([found.load().catch(() => undefined), late])
  if (location.hash === '' && (answer?.changes.length ?? 0) > 0) nav.note({ view: 'changes' })
}

function show(address: Address): void {
  showView(address)
  if (groups === undefined) return
  const [first] = groups
  if (first === undefined) return showFirstSteps()
  const named = { ...address, group: address.group || first.slug }
  list.show(named)
  fillBeside(groups, named)
  if (address.view === 'changes') void changes.show(groups)
  if (address.view !== 'charts') return
  // Writes the group into the URL, so that a shared link shows it even when another group has become the first.
  if (address.group === '') nav.note({ group: named.group })
  showGroup(
    named,
    groups.find(({ slug }) => slug === named.group),
  )
}

function showGroup(address: Address, group: GroupEntry | undefined): void {
  pageElement('group').hidden = group === undefined
  document.title = group === undefined ? 'vortex-ingest' : `${renderGroupTitle(group)} · vortex-ingest`
  if (group === undefined) {
    charts.clear()
    return showNoSuchGroup(address.group)
  }
  pageElement('group-name').textContent = `${groupHeading(group)}: ${renderGroupTitle(group)}`
  void charts.show(address)
}

function showView(address: Address): void {
  for (const view of VIEWS) {
    pageElement(view).hidden = view !== address.view
    const link = pageElement(`to-${view}`)
    link.setAttribute('href', formatAddress({ ...address, view }))
    if (view === address.view) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  if (address.view === 'activity') activity.show()
  else activity.hide()
  if (address.view === 'operator') void operator.show()
}
