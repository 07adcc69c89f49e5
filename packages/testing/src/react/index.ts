export { renderStream, type RenderedStream, type RenderStreamOptions } from './render-stream.tsx'
