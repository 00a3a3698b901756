/** The colour theme: that of the system, or the one the reader chose. */

export type Theme = 'light' | 'dark'
type Choice = Theme | 'auto'

const KEY = 'vortex-ingest-theme'
const dark = matchMedia('(prefers-color-scheme: dark)')

export function currentTheme(): Theme {
  const choice = chosen()
  if (choice !== 'auto') return choice
  return dark.matches ? 'dark' : 'light'
}

/**
 * @param select has the options `auto`, `light` and `dark`
 * @param onChange redraws what CSS does not style, such as canvases
 */
export function addThemeSwitch(select: HTMLSelectElement, onChange: () => void): void {
  select.value = chosen()
  apply()
  select.addEventListener('change', () => {
    remember(select.value)
    apply()
    onChange()
  })
  dark.addEventListener('change', onChange)
}

function apply(): void {
  const choice = chosen()
  if (choice === 'auto') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = choice
}

function chosen(): Choice {
  const kept = storage()?.getItem(KEY)
  return kept === 'light' || kept === 'dark' ? kept : 'auto'
}

function remember(choice: string): void {
  storage()?.setItem(KEY, choice)
}

/** Local storage, or undefined when the browser blocks it. */
function storage(): Storage | undefined {
  try {
    return localStorage
  } catch {
    return undefined
  }
}
