/** Tests the page's model of a history, without a browser. */

import t from 'tap'
import { formatAddress, parseAddress, START, type Address, type Scale } from '../../src/page/address.js'
import { formatChange, formatTick, formatTime, formatValue, listRows, formatCell } from '../../src/page/format.js'
import { extremesAt, valueAt, valueBefore, valueExtents, meanSeries } from '../../src/page/model/values.js'
import { explainEmptyChart, type Series, matchesWords } from '../../src/page/model/series.js'
import { cacheLast, chartGroup, type ChartedGroup } from '../../src/page/model/charted-group.js'
import {
  moveRange,
  positionAt,
  roundRange,
  positionShare,
  zoomRange,
  ticks,
} from '../../src/page/model/visible-range.js'
import { stylesFor } from '../../src/page/model/style.js'
import type { HistoryAnswer } from '../../src/server/read/answers.js'

function makeSeries(values: Series['values'], family = 'parquet', variant = ''): Series {
  return { id: `${variant}${family}`, name: `${variant}${family}`, family, variant, values }
}

function history(series: HistoryAnswer['series'], commits: number): HistoryAnswer {
  const shas = Array.from({ length: commits }, (_, index) => `sha-${index}`)
  return {
    ...{ slug: 's', name: 'n', kind: 'query_measurement', unit: 'ns', more: false, series },
    dimensions: ['query_idx', 'engine', 'format'],
    commits: shas.map(sha => ({ sha, timestamp: '2026-01-01T00:00:00Z', message: '', author: '', url: '' })),
  }
}

t.test('an address comes back from its hash, and is as short as it can be', async t => {
  t.equal(formatAddress(START), '#')
  const odd: Address = {
    ...START,
    ...{ group: 'a.~20.~', panel: 'Q 1&2', find: '#+%', hide: ['a · b', 'c=d'], versus: 'ü', measure: 'ratio' },
    scale: 'log',
    n: 1000,
    from: 'abc',
    to: 'def',
    view: 'activity',
  }
  t.strictSame(parseAddress(formatAddress(odd)), odd)
  t.equal(formatAddress({ ...START, scale: 'log' }), '#scale=log')
})

t.test('of an address that was made up, what means something is taken', async t => {
  for (const hash of ['', '#', '#view=none&scale=odd&measure=odd&n=-1', '#n=1e9', '#n=2.5', '#%E0%A4%A'])
    t.strictSame(parseAddress(hash), START, hash)
})

t.test('a group has a panel for each query, their mean before them and all after them', async t => {
  const keys = ['1', '2'].flatMap(query => ['parquet', 'vortex'].map(format => [query, 'duckdb', format]))
  const group = chartGroup(
    history(
      keys.map(key => ({ key, values: [1, 2] })),
      2,
    ),
  )
  t.strictSame(
    group.panels.map(({ label }) => label),
    ['Mean', 'Q1', 'Q2', 'All'],
  )
  t.strictSame(
    group.choices.map(({ id }) => id),
    ['duckdb · parquet', 'duckdb · vortex'],
  )
  t.equal(group.series('mean', '').length, 2)
  t.equal(group.series('2', '').length, 2)
  t.strictSame(
    group.series('all', '').map(({ name }) => name),
    ['Q1 · duckdb · parquet', 'Q1 · duckdb · vortex', 'Q2 · duckdb · parquet', 'Q2 · duckdb · vortex'],
  )
  t.match(group.series('1', '')[1], { family: 'vortex', variant: 'duckdb' })
})

t.test('writing and reading have no mean, and what is not cut has one panel', async t => {
  const labels = (dimensions: readonly string[], series: HistoryAnswer['series']): readonly string[] =>
    chartGroup({ ...history(series, 1), dimensions }).panels.map(({ label }) => label)
  const ops = ['decode', 'encode'].map(op => ({ key: ['parquet', op], values: [1] }))
  t.strictSame(labels(['format', 'op'], ops), ['decode', 'encode', 'All'])
  t.strictSame(
    labels(
      ['format'],
      ['a', 'b'].map(format => ({ key: [format], values: [1] })),
    ),
    [''],
  )
})

t.test('commits at which nothing of the group was measured are left out', async t => {
  const group = chartGroup(history([{ key: ['1', 'e', 'f'], values: [null, 5, null, 7] }], 4))
  t.strictSame(
    group.commits.map(({ sha }) => sha),
    ['sha-1', 'sha-3'],
  )
  t.strictSame(group.series('1', '')[0]?.values, [5, 7])
})

t.test(
  'compared with a series, each value is a multiple of what that measured in the same panel at the same commit',
  async t => {
    const series = [
      { key: ['1', 'e', 'parquet'], values: [10, 20, null] },
      { key: ['1', 'e', 'vortex'], values: [5, 5, 5] },
      { key: ['2', 'e', 'parquet'], values: [100, 0, 100] },
      { key: ['2', 'e', 'vortex'], values: [25, 25, null] },
    ]
    const group = chartGroup(history(series, 3))
    const values = (panel: string): unknown => group.series(panel, 'e · parquet').map(({ values }) => values)
    t.strictSame(values('1'), [
      [1, 1, null],
      [0.5, 0.25, null],
    ])
    t.strictSame(values('2'), [
      [1, null, 1],
      [0.25, null, null],
    ])
  },
)

t.test('the mean is geometric, and no series moves it by missing a commit', async t => {
  const near = (values: Series['values'], wanted: readonly number[]): void =>
    wanted.forEach((value, at) => t.ok(Math.abs(values[at]! - value) < 1e-9 * value, `${values[at]} is ${value}`))
  near(meanSeries([makeSeries([1, 1]), makeSeries([100, 100])]).values, [10, 10])
  near(meanSeries([makeSeries([1, 1, 1]), makeSeries([100, null, 100])]).values, [10, 10, 10])
  near(meanSeries([makeSeries([2, 1, 1]), makeSeries([100, 100, 100])]).values, [10 * Math.sqrt(2), 10, 10])
  t.strictSame(
    meanSeries([makeSeries([null, 4]), makeSeries([0, -1])]).values.map(value => value === null),
    [true, false],
  )
  t.strictSame(meanSeries([makeSeries([null]), makeSeries([0])]).values, [null])
})

t.test('a series has a value at a commit, or the last one before it', async t => {
  const values = [1, null, 3, null]
  t.equal(valueAt(values, 3, false), 3)
  t.equal(valueAt(values, 3, true), undefined)
  t.equal(valueBefore(values, 3, false), 1)
  t.equal(valueBefore(values, 2, true), 1)
  t.equal(valueBefore(values, 0, true), undefined)
  const here = { at: 0, exactly: false, better: 'lower' } as const
  t.strictSame(
    extremesAt([makeSeries([4]), makeSeries([2]), makeSeries([0]), makeSeries([null])], { ...here, exactly: true }),
    {
      best: 2,
      greatest: 4,
    },
  )
  t.strictSame(extremesAt([makeSeries([4]), makeSeries([2])], { ...here, better: 'higher' }), { best: 4, greatest: 4 })
  t.strictSame(extremesAt([makeSeries([null])], here), { best: undefined, greatest: undefined })
})

const SIZES: HistoryAnswer = {
  ...history([], 3),
  ...{ kind: 'compression_size', unit: 'bytes', dimensions: ['format'] },
  series: [
    { key: ['parquet'], values: [50, 40, 20], uncompressed_bytes: [null, 100, 100] },
    { key: ['vortex'], values: [10, 0, null], uncompressed_bytes: [null, 100, 100] },
  ],
}

t.test('sizes have the compression ratio beside them, where it is known', async t => {
  const group = chartGroup(SIZES)
  t.match(group, { unit: 'bytes', better: 'lower', besideUnit: 'ratio', hasRatios: true })
  t.equal(group.commits.length, 3)
  t.match(group.series('', ''), [
    { name: 'parquet', values: [50, 40, 20], beside: [null, 2.5, 5] },
    { name: 'vortex', values: [10, 0, null], beside: [null, null, null] },
  ])
})

t.test('sizes as compression ratios have the bytes beside them, and higher is better', async t => {
  const group = chartGroup(SIZES, 'ratio')
  t.match(group, { unit: 'ratio', better: 'higher', besideUnit: 'bytes' })
  t.strictSame(
    group.commits.map(({ sha }) => sha),
    ['sha-1', 'sha-2'],
    'commits without any ratio are left out',
  )
  t.match(group.series('', '')[0], { values: [2.5, 5], beside: [40, 20] })
})

t.test('sizes from before there was a compression ratio, and times, are shown as measured', async t => {
  const old = { ...SIZES, series: SIZES.series.map(one => ({ ...one, uncompressed_bytes: [null, null, null] })) }
  for (const before of [old, history([{ key: ['1', 'duckdb', 'parquet'], values: [1] }], 1)]) {
    const group = chartGroup(before, 'ratio')
    t.match(group, { unit: before.unit, better: 'lower', besideUnit: undefined, hasRatios: false })
    t.equal(group.series(group.panels[0]?.id ?? '', '')[0]?.beside, undefined)
  }
})

function accesses(...keys: (readonly string[])[]): ChartedGroup {
  const series = keys.map(key => ({ key, values: [1] }))
  return chartGroup({ ...history(series, 1), kind: 'random_access_time', dimensions: ['format', 'open_mode'] })
}

t.test('random access to a file that is opened each time is a series of its own', async t => {
  const group = accesses(['parquet', 'cached'], ['parquet', 'reopen'], ['vortex', 'cached'])
  const series = group.series('', '')
  t.strictSame(
    series.map(({ id, name }) => [id, name]),
    [
      ['parquet', 'parquet (hot)'],
      ['parquet · cold', 'parquet (cold)'],
      ['vortex', 'vortex (hot)'],
    ],
  )
  t.strictSame(group.choices[1], { id: 'parquet · cold', name: 'parquet (cold)' })
  const [hot, cold] = series.map(stylesFor(series, 'light'))
  t.equal(hot?.colour, cold?.colour)
  t.strictSame([hot?.dash, cold?.dash], [[], [7, 4]])
})

t.test('a group in which all files stayed open says nothing of it', async t => {
  t.strictSame(
    accesses(['parquet', 'cached'], ['vortex', 'cached'])
      .series('', '')
      .map(({ name }) => name),
    ['parquet', 'vortex'],
  )
  t.equal(accesses(['parquet', 'reopen']).series('', '')[0]?.name, 'parquet (cold)')
})

t.test('words must all be in a name, those after a minus must not', async t => {
  t.ok(matchesWords('duckdb · Vortex-compact', 'vortex DUCK'))
  t.notOk(matchesWords('duckdb · parquet', 'vortex'))
  t.ok(matchesWords('duckdb · parquet', '-vortex'))
  t.ok(matchesWords('anything', ' - '))
})

t.test('numbers are told in three digits and a unit', async t => {
  const told = (['ns', 'bytes', 'ratio'] as const).map(unit => [0, 999, 12_345, 6.7e9].map(n => formatValue(n, unit)))
  t.strictSame(
    told.flat().map(text => text.replace('\u00a0', ' ')),
    [
      ...['0.00 ns', '999 ns', '12.3 µs', '6.70 s'],
      ...['0.00 B', '999 B', '12.3 kB', '6.70 GB'],
      ...['0.00 ×', '999 ×', '12345 ×', '6.70e+9 ×'],
    ],
  )
  t.equal(formatValue(9223372036854775807, 'ns'), '2.56e+6\u00a0h', 'a clamped duration')
  t.equal(formatTick(2e7, 'ns'), '20\u00a0ms')
  t.strictSame([1.042, 0.5, 1.0001, 3].map(formatChange), ['+4.2\u00a0%', '−50.0\u00a0%', '0.0\u00a0%', '+200\u00a0%'])
  t.match(formatTime('2026-02-04T04:30:00.000000Z'), /^\d+ Feb 2026, \d\d:\d\d$/)
  t.equal(formatTime('no time'), 'no time')
})

t.test('ticks are round, and there are some on every scale', async t => {
  t.strictSame(ticks(0, 100, 'linear', 5), [0, 20, 40, 60, 80, 100])
  t.strictSame(ticks(0.1, 0.32, 'linear', 4), [0.1, 0.2, 0.3])
  t.strictSame(ticks(1.5, 700, 'log', 7), [2, 5, 10, 20, 50, 100, 200, 500])
  t.strictSame(ticks(1, 1e12, 'log', 6), [1, 1e2, 1e4, 1e6, 1e8, 1e10, 1e12])
  t.strictSame(ticks(21, 24, 'log', 3), [21, 22, 23, 24], 'also within a decade')
  t.strictSame(ticks(5, 5, 'linear', 4), [5])
})

t.test('a format has one colour, an engine one pattern, and vortex the wider line', async t => {
  const series = ['parquet', 'vortex-a', 'vortex-b'].flatMap(family =>
    ['df', 'duck'].map(engine => makeSeries([], family, engine)),
  )
  const styleOf = stylesFor(series, 'light')
  const styles = series.map(styleOf)
  t.equal(new Set(styles.map(({ colour }) => colour)).size, 3)
  t.equal(styles[2]?.colour, styles[3]?.colour)
  t.strictSame(styles[2]?.dash, styles[4]?.dash)
  t.not(String(styles[2]?.dash), String(styles[3]?.dash))
  t.ok(styles[2]!.width > styles[0]!.width)
})

t.test('every colour of a series stands out from its sheet', async t => {
  const names = ['vortex', 'other'].flatMap(side => Array.from({ length: 9 }, (_, index) => `${side}-${index}`))
  const series = names.map(name => makeSeries([], name))
  for (const [theme, sheet] of [
    ['light', '#ffffff'],
    ['dark', '#1b2026'],
  ] as const) {
    const styleOf = stylesFor(series, theme)
    for (const { colour } of series.map(styleOf)) t.ok(contrast(colour, sheet) >= 3, `${colour} on ${sheet}`)
  }
})

t.test('only the last few answers are remembered', async t => {
  let asked = 0
  const find = cacheLast((one, other) => `${one}${other}${++asked}`)
  t.equal(find('a', 'b'), 'ab1')
  t.equal(find('a', 'b'), 'ab1')
  for (const one of ['1', '2', '3', '4']) find(one, '')
  t.equal(find('a', 'b'), 'ab6')
})

t.test('an answer for operators is read as rows, whatever it is', async t => {
  t.strictSame(listRows({ problems: 'none', targets: [{ name: 'a' }, 5, null] }), [{ name: 'a' }])
  for (const odd of [null, 5, 'text', [], {}, { a: 1 }]) t.strictSame(listRows(odd), [])
  t.strictSame([true, null, 5, { records: 3 }, { message: 'broke' }, ['a']].map(formatCell), [
    ...['yes', '–', '5', '3 records', 'broke', '["a"]'],
  ])
})

/** Contrast ratio of two colours as defined by WCAG. */
function contrast(one: string, other: string): number {
  const [more = 0, less = 0] = [one, other].map(luminance).sort((a, b) => b - a)
  return (more + 0.05) / (less + 0.05)
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map(at => {
    const share = parseInt(colour.slice(at, at + 2), 16) / 255
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

t.test('an axis has room for the least and the greatest of all series at each commit', async t => {
  const series = [makeSeries([1, null, 3, null]), makeSeries([2, 5, null, null]), makeSeries([-1, 4, 3])]
  t.strictSame(valueExtents(series, 4), { least: [-1, 4, 3, null], greatest: [2, 5, 3, null] })
  t.strictSame(valueExtents([], 2), { least: [null, null], greatest: [null, null] })
})

t.test('zooming keeps a place where it is, and what is in sight among the commits', async t => {
  const all = { min: 0, max: 100 }
  t.strictSame(zoomRange(all, 0.5, { position: 40, share: positionShare(all, 40), end: 100 }), { min: 20, max: 70 })
  t.strictSame(zoomRange(all, 0.5, { position: 40, share: 0, end: 100 }), { min: 40, max: 90 }, 'or where it is to be')
  t.strictSame(zoomRange(all, 0.5, { position: 90, share: 0, end: 100 }), { min: 50, max: 100 }, 'not beyond the last')
  t.strictSame(zoomRange({ min: 10, max: 60 }, 9, { position: 30, share: 0.5, end: 100 }), all, 'nor before the first')
  t.strictSame(
    zoomRange(all, 0.001, { position: 50, share: 0.5, end: 100 }),
    { min: 49, max: 51 },
    'not closer than three',
  )
  t.strictSame(zoomRange({ min: 0, max: 1 }, 0.5, { position: 0, share: 0, end: 1 }), { min: 0, max: 1 })
})

t.test('what is in sight is moved until it reaches an end, and comes to rest at commits', async t => {
  t.strictSame(moveRange({ min: 10, max: 30 }, 5.5, 100), { min: 15.5, max: 35.5 })
  t.strictSame(moveRange({ min: 10, max: 30 }, -50, 100), { min: 0, max: 20 })
  t.strictSame(moveRange({ min: 10, max: 30 }, 500, 100), { min: 80, max: 100 })
  t.strictSame(roundRange({ min: 15.4, max: 35.6 }), { min: 15, max: 36 })
  t.equal(positionAt({ min: 10, max: 30 }, 0.25), 15)
  t.equal(positionShare({ min: 10, max: 30 }, 15), 0.25)
  t.equal(positionShare({ min: 3, max: 3 }, 3), 0.5)
})

t.test('a chart without anything to draw says why', async t => {
  const [all, linear] = [[makeSeries([1, null]), makeSeries([0, null])], 'linear'] as const
  const why = (found: readonly Series[], drawn: readonly Series[], scale: Scale = linear): string | undefined =>
    explainEmptyChart({ all, found, drawn, scale })
  t.equal(why(all, all), undefined)
  t.equal(why([], []), 'No series matches.')
  t.equal(why(all, []), 'All series are hidden.')
  t.equal(why(all.slice(1), []), 'All matching series are hidden.')
  t.equal(why(all, all.slice(1)), undefined, 'nothing is a value')
  t.equal(why(all, all.slice(1), 'log'), 'These series have no value that can be drawn.')
  t.equal(why(all, [makeSeries([null])]), 'These series have no value that can be drawn.')
  t.equal(explainEmptyChart({ all: [], found: [], drawn: [], scale: linear }), 'No data at these commits.')
})
