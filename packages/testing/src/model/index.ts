export { scriptedModel } from '@rivulet/core'
