/**
 * Where tfjs's gradients are wrong, missing or wasteful, for every op the engine uses. Registered once, after the
 * runtime has loaded. Checked by finite differences, first and second order, in test/engine/gradients.test.ts.
 */
import { registerDepthwise } from '../depthwise/register.ts'
import { registerConvolutions } from './convolution.ts'
import { registerDetection } from './detection.ts'
import { registerElementwise } from './elementwise.ts'
import { registerResampling } from './resample.ts'
import { keepTapeInOrder } from './tape.ts'

let registered = false
export const registerGradients = (): void => {
  if (registered) return
  registered = true
  keepTapeInOrder()
  registerElementwise()
  registerDepthwise()
  registerConvolutions()
  registerDetection()
  registerResampling()
}
