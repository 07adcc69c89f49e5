/** mathjs in one file, as the package itself ships it; its `create` has all functions bound in already. */
declare module 'mathjs/lib/browser/math.js' {
  import type { ConfigOptions, MathJsInstance } from 'mathjs'

  const mathjs: { create(config: ConfigOptions): MathJsInstance }
  export default mathjs
}
