/** Explains to people which records a target cannot get from the state any more. */

export type PrunedBefore = { readonly records: number; readonly partitions: number }

export function prunedText({ records, partitions }: PrunedBefore, target: string): string {
  const counted = (value: number, noun: string): string => `${value} ${noun}${value === 1 ? '' : 's'}`
  const what = `${counted(records, 'record')} of ${counted(partitions, 'commit')}`
  return `${what} were pruned before ${target} got them: push their files again with --full-refresh`
}
