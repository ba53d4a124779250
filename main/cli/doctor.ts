import type { Command } from 'commander'
import { examine, printDoctor } from '../setup/doctor.mjs'
import { defaultDataFolder } from '../store/folder.ts'
import { dataFolderOption, jsonOption } from './options.ts'

type Options = { readonly dataFolder?: string; readonly json?: boolean; readonly thorough?: boolean }

export const addDoctor = (program: Command): void => {
  program
    .command('doctor')
    .description('what this machine has for NormForge')
    .option('--thorough', 'verifies checksums, too')
    .addOption(dataFolderOption())
    .addOption(jsonOption())
    .action(async ({ dataFolder, json = false, thorough = false }: Options) => {
      printDoctor(await examine(dataFolder ?? defaultDataFolder(), thorough), json)
    })
}
