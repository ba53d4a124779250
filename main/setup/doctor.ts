export { examine, printDoctor, type Fact } from './doctor.mjs'
