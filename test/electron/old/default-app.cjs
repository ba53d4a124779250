// Starts the program in the folder that the command line names, as an Electron does that is no other product's.
/* eslint-disable @typescript-eslint/no-require-imports */
const path = require('node:path')
const { app } = require('electron')

const folder = path.resolve(process.argv.slice(1).find((argument) => !argument.startsWith('-')) ?? '.')
const { name, version, main } = require(path.join(folder, 'package.json'))
// Electron's types leave out what only its own starter calls.
Object.entries({ setName: name, setVersion: version, setAppPath: folder }).forEach(([setter, value]) =>
  Reflect.get(app, setter).call(app, value),
)
require(path.join(folder, main))
