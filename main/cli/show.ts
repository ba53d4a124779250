import { InvalidArgumentError, type Command } from 'commander'
import type { CandidateDetail } from '../../shared/contract.ts'
import { formulaText } from '../../shared/formula.ts'
import type { Candidate, Evaluation, Origin, Search } from '../../shared/records.ts'
import type { Database } from '../store/database.ts'
import { candidateDetail } from '../store/reading.ts'
import { keyOf } from '../store/searches.ts'
import { UserError } from './errors.ts'
import { findSearch } from './find.ts'
import { dataFolderOption, jsonOption } from './options.ts'
import { reportOf, reportText } from './report.ts'
import { openFolder, type SessionOptions } from './session.ts'
import { duration, oneLine, percent, print, table } from './text.ts'

type Options = SessionOptions & { readonly json?: boolean }

const show = (prefix: string, number: number | undefined, options: Options): void => {
  const db = openFolder(options)
  try {
    const search = findSearch(db, prefix)
    if (number === undefined) {
      const report = reportOf(db, search)
      print(options.json ? JSON.stringify(report) : reportText(report))
    } else {
      const detail = detailOf(db, search, number)
      print(options.json ? JSON.stringify(detail) : detailText(detail))
    }
  } finally {
    db.close()
  }
}

export const detailOf = (db: Database, { id }: Search, number: number): CandidateDetail => {
  const detail = candidateDetail(db, keyOf(db, id), number)
  if (!detail) throw new UserError(`search ${id} has no candidate ${number}`)
  return detail
}

const ORIGIN: { readonly [K in Origin['kind']]: (origin: Origin & { kind: K }) => string } = {
  known: ({ name }) => `known layer ${name}`,
  random: () => 'random layer',
  imported: ({ note }) => (note ? `put in by hand: ${oneLine(note)}` : 'put in by hand'),
  mutation: ({ parent, node }) => `mutation of #${parent} at node ${node}`,
}
const originText = <K extends Origin['kind']>(origin: Origin & { kind: K }): string =>
  ORIGIN[origin.kind](origin)

/** What became of a candidate, in a sentence. */
const outcome = ({ status, scores, rejection, failure, duplicateOf, sameBy }: Candidate): string => {
  if (status === 'scored') return `scored: ${scores!.map(percent).join(', ')}`
  if (status === 'duplicate')
    return `the same ${sameBy ?? 'formula'} as #${duplicateOf}${scores ? `: ${scores.map(percent).join(', ')}` : ''}`
  if (rejection) {
    const { stage, reason, measured, limit, architecture, step } = rejection
    const values = measured === null ? [] : [`${Number(measured.toPrecision(4))}, limit ${limit}`]
    const where = [architecture, step === null ? null : `step ${step}`].filter(Boolean)
    return `rejected (${stage}): ${[reason, ...values, ...where].join(', ')}`
  }
  return failure ? `failed: ${failure.cause}` : status
}

const detailText = ({ candidate, evaluations, children }: CandidateDetail): string => {
  const { number, role, origin, graph, rerankScores } = candidate
  const rows = evaluations.map(evaluationRow)
  const more = [
    ...(rerankScores ? [`re-ranked: ${rerankScores.map(percent).join(', ')}`] : []),
    ...(children.length > 0 ? [`mutated to ${children.map((child) => `#${child}`).join(' ')}`] : []),
  ]
  return [
    `#${number} ${role === 'baseline' ? 'baseline, ' : ''}${originText(origin)}`,
    `  ${formulaText(graph)}`,
    `  ${outcome(candidate)}`,
    ...more.map((line) => `  ${line}`),
    ...(rows.length > 0
      ? ['', table(['trained on', 'for', 'steps', 'accuracy', 'time'], rows, [2, 3, 4])]
      : []),
  ].join('\n')
}

const evaluationRow = ({ architecture, purpose, steps, accuracy, seconds }: Evaluation): string[] => [
  `${architecture.name} ×${architecture.width}`,
  purpose,
  String(steps),
  accuracy === null ? '-' : percent(accuracy),
  duration(seconds),
]

const candidateNumber = (text: string): number => {
  if (!/^#?\d+$/.test(text)) throw new InvalidArgumentError('needs the number of a candidate.')
  return Number(text.replace('#', ''))
}

export const addShow = (program: Command): void => {
  program
    .command('show')
    .description('what a search found, or one of its layers')
    .argument('<id>', 'the id of the search, or how it begins')
    .argument('[number]', "a candidate's number", candidateNumber)
    .addOption(dataFolderOption())
    .addOption(jsonOption())
    .action(show)
}
